"""The call path of a function that is patched from outside.

Its ways are: by the site into the function's own body; by the int3 handler, which acts out the new
instruction; and by the call at the site, through the trampoline, into the replacement.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from emu.detect.watch import Watched
from emu.scene.path import CallPath, Edge
from emu.scene.ways import Ways

if TYPE_CHECKING:
    from emu.scene.look import Look

_INT3: Final = 0xCC


def function_path(look: "Look", watched: Sequence[Watched], number: int) -> CallPath:
    """Return the ways of a watched function."""
    each = watched[number]
    site = next((p for p in look.sites if p.address == each.site), None)
    codes = (site.new, site.old) if site else each.legal[1:]
    call = next(code for code in codes if each.body(code) != each.ways[0].body)
    ways = Ways(look, number, each.site, len(call))
    body, trampoline = each.body(call), _target(each.site, call)
    memory = look.memory(each.site, len(call))
    nodes = (
        ways.caller(),
        ways.node("function", each.function, f"{look.names.decoded(memory, each.site)}, "
                  "then its own body"),
        ways.handler(),
        ways.node("trampoline", "trampoline", f"at {trampoline:#x}"),
        ways.node("replacement", "replacement", "?" if body is None else look.names.place(body)),
    )  # fmt: skip
    act = look.table.find(each.site)
    acted = act is not None and act.words == "call"
    edges = (
        Edge("caller", "function", "call", "yes", ways.inside("function")),
        Edge("function", "int3", "int3", ways.met, ways.inside("int3")),
        Edge("int3", "trampoline", f"acts out the {act.words}" if act else "acts out",
             ways.met if acted else "no", _came(ways, call, int3=True)),
        Edge("function", "trampoline", "call", ways.open(lambda code: code == call),
             _came(ways, call, int3=False)),
        Edge("trampoline", "replacement", "jmp", "yes", ways.inside("replacement")),
    )  # fmt: skip
    return CallPath(each.function, nodes, edges)


def _came(ways: Ways, call: bytes, *, int3: bool) -> tuple[int, ...]:
    """Return the cores in the trampoline that can have come by the int3, or by the call only.

    Who may fetch both is counted for neither: nothing that can be seen tells.
    """
    found = []
    for core in ways.inside("trampoline"):
        codes = ways.fetched.get(core, frozenset())
        trap, called = any(code[0] == _INT3 for code in codes), call in codes
        if trap != called and trap == int3:
            found.append(core)
    return tuple(found)


def _target(site: int, call: bytes) -> int:
    return site + len(call) + int.from_bytes(call[1:], "little", signed=True) & (1 << 64) - 1
