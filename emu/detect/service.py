"""Bodies in service: where a call of a function may lead, by the plans that rewrite its site.

A plan takes one body of a function out of service and puts another in. While it is carried out
both are. The former is out when every core was made to fetch anew since its instruction was
overwritten: after sync1, unless the plan is broken.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from emu.detect.watch import Watched
from emu.machine.word import signed
from emu.moves.plan import PHASES, Change, Ipi, Phase, Plan, Store


def out_of_service(plan: Plan) -> int | None:
    """Return the phase (a number) at whose end the old instructions of a plan are gone.

    The first that interrupts cores when no site holds its old instruction any more: sync1, unless
    the plan is broken. None: there is no such phase.
    """
    memory: dict[int, int] = {}
    for change in plan.changes:
        memory.update(enumerate(change.old, change.address))
    phase = None
    for step in plan.steps:
        match step:
            case Phase(name):
                phase = PHASES.index(name)
            case Store(address, data):
                stored = enumerate(data, address)
                memory.update((at, byte) for at, byte in stored if at in memory)
            case Ipi() if all(_differs(change, memory) for change in plan.changes):
                return phase
    return None


def _differs(change: Change, memory: Mapping[int, int]) -> bool:
    return any(memory[at] != byte for at, byte in enumerate(change.old, change.address))


@dataclass(frozen=True, slots=True)
class Service:
    """What a plan does to bodies. phase: at whose end `after` holds, or None.

    during, after: the bodies in service, by number of the function; None: any.
    """

    phase: int | None
    during: Mapping[int, frozenset[int] | None]
    after: Mapping[int, frozenset[int] | None]

    @classmethod
    def of(cls, plan: Plan, watched: tuple[Watched, ...]) -> "Service":
        """Return what a plan does to watched functions."""
        numbers = {each.site: number for number, each in enumerate(watched)}
        during: dict[int, frozenset[int] | None] = {}
        after: dict[int, frozenset[int] | None] = {}
        for change in plan.changes:
            number = numbers.get(change.address)
            if number is None:
                continue
            old, new = (watched[number].body(code) for code in (change.old, change.new))
            if old is None or new is None:
                during[number] = after[number] = None
            else:
                during[number] = frozenset({signed(old), signed(new)})
                after[number] = frozenset({signed(new)})
        return cls(out_of_service(plan), during, after)
