"""Who is on the ways of a site, and which ways a call can take that is made now.

What the paths of all kernels have: the function that is called, its site, and the int3 handler.
"""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from emu.scene.path import Node, Open, Role

if TYPE_CHECKING:
    from emu.scene.look import Look
    from emu.scene.spots import Spot

_INT3: Final = 0xCC


class Ways:
    """The ways of a site.

    Who is in the int3 handler, while nobody can tell of which site, is shown with any site.

    Args:
        look: at the moment.
        number: of the watched function, or of the change.
        site: its address. size: of its instruction.
    """

    def __init__(self, look: "Look", number: int, site: int, size: int) -> None:
        self.look, self._site = look, site
        there = (number, None)
        self._cores = {core: spot for core, spot in look.spots.items() if spot.function in there}
        away = (look.spot(task) for task in look.tasks if task.core is None)
        self._away = [spot for spot in away if spot is not None and spot.function in there]
        self.fetched = {core: look.fetchable(core, site, size) for core in look.started}
        self.met = self.open(lambda code: code[0] == _INT3)

    def node(self, role: Role, title: str, detail: str, address: int | None = None) -> Node:
        """Return a station, with those who stand in it."""
        waiting = sum(spot.role == role for spot in self._away)
        return Node(role, title, detail, self.inside(role), waiting, address)

    def caller(self) -> Node:
        """Return the function that called those who are on the way, the lowest core's first."""
        spots: list[Spot] = [spot for _, spot in sorted(self._cores.items())]
        name = next((s.caller for s in (*spots, *self._away) if s.caller), "its callers")
        return Node("caller", name, "calls it", self._callers(name), 0)

    def handler(self) -> Node:
        """Return the int3 handler, and what it knows of the site."""
        return self.node("int3", "int3 handler", self._acts())

    def inside(self, role: Role) -> tuple[int, ...]:
        """Return the cores that stand in a station."""
        return tuple(core for core, spot in sorted(self._cores.items()) if spot.role == role)

    def open(self, taken: Callable[[bytes], bool]) -> Open:
        """Return whether a call that is made now can take a way, by what it then fetches."""
        can = Counter(any(map(taken, codes)) for codes in self.fetched.values())
        return "no" if not can[True] else "some cores" if can[False] else "yes"

    def _acts(self) -> str:
        table = self.look.table
        if table.refs <= 0:
            return "knows of no site"
        act = table.find(self._site)
        return f"acts out the {act.words}" if act else "does not know this site"

    def _callers(self, caller: str) -> tuple[int, ...]:
        """Return the cores that stand in the caller itself."""
        found = []
        for core, task in sorted(self.look.on_core.items()):
            frames = self.look.stack(task).frames
            if core not in self.look.spots and frames and frames[0].function == caller:
                found.append(core)
        return tuple(found)
