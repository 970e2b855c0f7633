"""The call path of a scene: the ways from a caller to a body, and who is on them.

The ways are: by the site into the function's own body; by the int3 handler, which acts out the
new instruction; and by the call at the site, through the trampoline, into the replacement.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from emu.detect.watch import Watched

if TYPE_CHECKING:
    from emu.scene.look import Look
    from emu.scene.spots import Spot

Role = Literal["caller", "function", "int3", "trampoline", "replacement"]
Open = Literal["yes", "some cores", "no"]


@dataclass(frozen=True, slots=True)
class Node:
    """A station.

    Attributes:
        cores: those that stand in it. waiting: how many tasks stand in it without one.
        address: of its first instruction; None: it has none, as "its callers".
    """

    role: Role
    title: str
    detail: str
    cores: tuple[int, ...]
    waiting: int
    address: int | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one station to the next.

    open: whether a call that is made now can take it. taken: the cores on it: they stand in
    `target` and came by it.
    """

    source: Role
    target: Role
    label: str
    open: Open
    taken: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CallPath:
    """The ways of one function. caller: the name of the last caller seen, or "its callers"."""

    function: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


_INT3 = 0xCC


def call_path(look: "Look", watched: Sequence[Watched], number: int) -> CallPath:
    """Return the ways of a watched function."""
    each = watched[number]
    site = next((p for p in look.sites if p.address == each.site), None)
    ways = (site.new, site.old) if site else each.legal[1:]
    call = next(code for code in ways if each.body(code) != each.ways[0].body)
    return _Ways(look, each, number, call).path()


class _Ways:
    """The ways of one function. call: the instruction that leads to a replacement.

    Who is in the int3 handler, while nobody can tell of which site, is shown with any function.
    """

    def __init__(self, look: "Look", watched: Watched, number: int, call: bytes) -> None:
        self._look, self._watched, self._call = look, watched, call
        self._cores = {
            core: spot for core, spot in look.spots.items() if spot.function in (number, None)
        }
        away = (look.spot(task) for task in look.tasks if task.core is None)
        self._away = [spot for spot in away if spot is not None and spot.function in (number, None)]
        self._fetched = {
            core: look.fetchable(core, watched.site, len(call)) for core in look.started
        }

    def path(self) -> CallPath:
        """Return nodes and edges."""
        look, each = self._look, self._watched
        caller = self._caller()
        trampoline = self._trampoline()
        body = each.body(self._call)
        memory = look.memory(each.site, len(self._call))
        nodes = (
            Node("caller", caller, "calls it", self._callers(caller), 0),
            self._node("function", each.function, f"{look.names.decoded(memory, each.site)}, "
                       "then its own body"),
            self._node("int3", "int3 handler", self._acts()),
            self._node("trampoline", "trampoline", f"at {trampoline:#x}"),
            self._node("replacement", "replacement",
                       "?" if body is None else look.names.place(body)),
        )  # fmt: skip
        act = look.table.find(each.site)
        acted = act is not None and act.words == "call"
        met = self._open(lambda code: code[0] == _INT3)
        edges = (
            Edge("caller", "function", "call", "yes", self._in("function")),
            Edge("function", "int3", "int3", met, self._in("int3")),
            Edge("int3", "trampoline", f"acts out the {act.words}" if act else "acts out",
                 met if acted else "no", self._came(int3=True)),
            Edge("function", "trampoline", "call", self._open(lambda code: code == self._call),
                 self._came(int3=False)),
            Edge("trampoline", "replacement", "jmp", "yes", self._in("replacement")),
        )  # fmt: skip
        return CallPath(each.function, nodes, edges)

    def _node(self, role: Role, title: str, detail: str) -> Node:
        waiting = sum(spot.role == role for spot in self._away)
        return Node(role, title, detail, self._in(role), waiting)

    def _in(self, role: Role) -> tuple[int, ...]:
        return tuple(core for core, spot in sorted(self._cores.items()) if spot.role == role)

    def _came(self, *, int3: bool) -> tuple[int, ...]:
        """Return the cores in the trampoline that can have come by the int3, or by the call only.

        Who may fetch both is counted for neither: nothing that can be seen tells.
        """
        found = []
        for core in self._in("trampoline"):
            codes = self._fetched.get(core, frozenset())
            trap, call = any(code[0] == _INT3 for code in codes), self._call in codes
            if trap != call and trap == int3:
                found.append(core)
        return tuple(found)

    def _open(self, taken: Callable[[bytes], bool]) -> Open:
        """Return whether a call that is made now may take a way, by what it then fetches."""
        can = Counter(any(map(taken, codes)) for codes in self._fetched.values())
        return "no" if not can[True] else "some cores" if can[False] else "yes"

    def _acts(self) -> str:
        table = self._look.table
        if table.refs <= 0:
            return "knows of no site"
        act = table.find(self._watched.site)
        return f"acts out the {act.words}" if act else "does not know this site"

    def _trampoline(self) -> int:
        behind = self._watched.site + len(self._call)
        return behind + int.from_bytes(self._call[1:], "little", signed=True) & (1 << 64) - 1

    def _caller(self) -> str:
        """Return the function that called those who are on the way now, the lowest core's first."""
        spots: list[Spot] = [spot for _, spot in sorted(self._cores.items())]
        return next((s.caller for s in (*spots, *self._away) if s.caller), "its callers")

    def _callers(self, caller: str) -> tuple[int, ...]:
        """Return the cores that stand in the caller itself."""
        found = []
        for core, task in sorted(self._look.on_core.items()):
            frames = self._look.stack(task).frames
            if core not in self._look.spots and frames and frames[0].function == caller:
                found.append(core)
        return tuple(found)
