"""The call path of a site that a kernel changes itself: where it leads, and who is there.

A site of ftrace leads to a trampoline, and that to who traces; a static call to a function; a
jump label elsewhere in its own function. Stations that a site does not have are left out.
"""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from emu.moves.plan import Change
from emu.scene.path import CallPath, Edge, Node, Open, Role
from emu.scene.spots import TRAMPOLINE, Spot, leads, role_of

if TYPE_CHECKING:
    from emu.scene.look import Look

_INT3: Final = 0xCC
_CALL: Final = 0xE8


def kernel_path(look: "Look", number: int, change: Change) -> CallPath:
    """Return the ways of a site; number: of the change."""
    return _Ways(look, number, change).path()


class _Ways:
    def __init__(self, look: "Look", number: int, change: Change) -> None:
        self._look, self._change = look, change
        there = (number, None)
        self._cores = {core: spot for core, spot in look.spots.items() if spot.function in there}
        away = (look.spot(task) for task in look.tasks if task.core is None)
        self._away = [spot for spot in away if spot is not None and spot.function in there]
        self._fetched = {
            core: look.fetchable(core, change.address, len(change.new)) for core in look.started
        }
        self._leads = change.new if leads(change.new) else change.old
        self._goes = leads(self._leads, change.address)

    def path(self) -> CallPath:
        """Return nodes and edges."""
        look, change = self._look, self._change
        place = look.names.place(change.address)
        function = place.partition("+")[0]
        caller = self._caller()
        memory = look.memory(change.address, len(change.new))
        act = look.table.find(change.address)
        met = self._open(lambda code: code[0] == _INT3)
        nodes = [
            Node("caller", caller, "calls it", self._callers(caller), 0),
            self._node("function", function, look.names.decoded(memory, change.address)),
            self._node("int3", "int3 handler", self._acts()),
        ]
        edges = [
            Edge("caller", "function", "call", "yes", self._in("function")),
            Edge("function", "int3", "int3", met, self._in("int3")),
        ]
        if self._goes is not None:
            nodes += self._targets(look.names.place(self._goes))
            target = nodes[3].role
            word = "call" if self._leads[0] == _CALL else "jmp"
            acted = act is not None and act.words == ("call" if word == "call" else "jump")
            label = f"acts out the {act.words}" if act else "acts out"
            taken = self._in(target)
            edges += [
                Edge("int3", target, label, met if acted else "no", ()),
                Edge("function", target, word, self._open(lambda c: c == self._leads), taken),
            ]
            if len(nodes) > 4:
                edges.append(Edge(target, nodes[4].role, "call", "yes", self._in(nodes[4].role)))
        return CallPath(place, tuple(nodes), tuple(edges))

    def _targets(self, place: str) -> list[Node]:
        """Return the stations that the site leads to."""
        if role_of(place) == "replacement":
            inside = self._leads[0] != _CALL
            title = "jump target" if inside else "called function"
            return [self._node("replacement", title, place, self._goes)]
        found = [self._node("trampoline", "trampoline", f"at {self._goes:#x}", self._goes)]
        if place.startswith(TRAMPOLINE):
            traces = place.removeprefix(TRAMPOLINE).partition("+")[0]
            found.append(self._node("replacement", "who traces", traces))
        return found

    def _node(self, role: Role, title: str, detail: str, address: int | None = None) -> Node:
        waiting = sum(spot.role == role for spot in self._away)
        return Node(role, title, detail, self._in(role), waiting, address)

    def _in(self, role: Role) -> tuple[int, ...]:
        return tuple(core for core, spot in sorted(self._cores.items()) if spot.role == role)

    def _open(self, taken: Callable[[bytes], bool]) -> Open:
        """Return whether whoever comes now may take a way, by what it then fetches."""
        can = Counter(any(map(taken, codes)) for codes in self._fetched.values())
        return "no" if not can[True] else "some cores" if can[False] else "yes"

    def _acts(self) -> str:
        table = self._look.table
        if table.refs <= 0:
            return "knows of no site"
        act = table.find(self._change.address)
        return f"acts out the {act.words}" if act else "does not know this site"

    def _caller(self) -> str:
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
