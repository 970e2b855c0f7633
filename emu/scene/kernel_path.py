"""The call path of a site that a kernel changes itself: where it leads, and who is there.

A site of ftrace leads to a trampoline, and that to who traces; a static call to a function; a
jump label elsewhere in its own function. Stations that a site does not have are left out.
"""

from typing import TYPE_CHECKING, Final

from emu.moves.plan import Change
from emu.scene.path import CallPath, Edge, Node, Role
from emu.scene.spots import TRAMPOLINE, leads, role_of
from emu.scene.ways import Ways

if TYPE_CHECKING:
    from emu.scene.look import Look

_CALL: Final = 0xE8


def kernel_path(look: "Look", number: int, change: Change) -> CallPath:
    """Return the ways of a site; number: of the change."""
    ways = Ways(look, number, change.address, len(change.new))
    place = look.names.place(change.address)
    memory = look.memory(change.address, len(change.new))
    nodes = [
        ways.caller(),
        ways.node("function", place.partition("+")[0], look.names.decoded(memory, change.address)),
        ways.handler(),
    ]
    edges = [
        Edge("caller", "function", "call", "yes", ways.inside("function")),
        Edge("function", "int3", "int3", ways.met, ways.inside("int3")),
    ]
    code = change.new if leads(change.new) else change.old
    goes = leads(code, change.address)
    if goes is not None:
        targets = _targets(ways, code, goes)
        nodes += targets
        edges += _led(ways, change, code, [each.role for each in targets])
    return CallPath(place, tuple(nodes), tuple(edges))


def _targets(ways: Ways, code: bytes, goes: int) -> list[Node]:
    """Return the stations that the site leads to."""
    place = ways.look.names.place(goes)
    if role_of(place) == "replacement":
        title = "called function" if code[0] == _CALL else "jump target"
        return [ways.node("replacement", title, place, goes)]
    found = [ways.node("trampoline", "trampoline", f"at {goes:#x}", goes)]
    if place.startswith(TRAMPOLINE):
        traces = place.removeprefix(TRAMPOLINE).partition("+")[0]
        found.append(ways.node("replacement", "who traces", traces))
    return found


def _led(ways: Ways, change: Change, code: bytes, targets: list[Role]) -> list[Edge]:
    """Return the ways to these stations: by the int3, by the instruction, and from the first on."""
    first, *others = targets
    act = ways.look.table.find(change.address)
    word, acted = ("call", "call") if code[0] == _CALL else ("jmp", "jump")
    label = f"acts out the {act.words}" if act else "acts out"
    open_ = ways.met if act is not None and act.words == acted else "no"
    found = [
        Edge("int3", first, label, open_, ()),
        Edge("function", first, word, ways.open(lambda each: each == code), ways.inside(first)),
    ]
    return found + [Edge(first, role, "call", "yes", ways.inside(role)) for role in others]
