"""The patcher: the actor that carries out plans, one step a move.

It is not a core: it stores to memory and sends interrupts from outside, like a text_poke that
runs on a CPU nobody watches. Its state is (plan, index). Emitting a Phase is not a move of its
own: phases are passed on the way to the next step that does something.
"""

from dataclasses import dataclass

from emu.errors import PokeError
from emu.guest.guest import Guest
from emu.machine import actors, events
from emu.machine.poke import PATCHER
from emu.moves.plan import PHASES, Check, Ipi, Phase, Plan, Rmw, Store, Wait

_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a patcher is: all that it is, but what the machine keeps of it.

    Attributes:
        plan, index: what is carried out, or None, and the step that comes next.
        requests: how many plans it has been given.
        phase: the last that began; "" before the first.
    """

    plan: Plan | None
    index: int
    requests: int
    phase: str


class Patcher:
    """Carries out one plan at a time.

    guest: the kernel it patches.
    requests: how many plans it has been given; phase events carry the number of theirs.
    phase: the one that its last plan has come to; "": none yet, or the plan was refused.
    """

    def __init__(self, guest: Guest) -> None:
        self.guest, self._machine = guest, guest.machine
        self.plan: Plan | None = None
        self.index = 0
        self.requests = 0
        self.phase = ""

    @property
    def done(self) -> bool:
        """Return whether there is nothing left to do."""
        return self.plan is None

    @property
    def where(self) -> str:
        """How far it is with its plan, in words; "" if it has none."""
        if self.plan is None:
            return ""
        passed = [step.name for step in self.plan.steps[: self.index] if isinstance(step, Phase)]
        return f"in phase {passed[-1]}" if passed else "its code was still being written"

    def request(self, plan: Plan) -> None:
        """Take a plan. Raises PokeError while another is being carried out (text_mutex)."""
        if self.plan is not None:
            raise PokeError(f"the patcher is busy with {self.plan.name!r}, at step {self.index}")
        self.plan, self.index, self.phase = plan, 0, ""
        self.requests += 1
        self._advance()

    def step(self) -> None:
        """Make the next step. It must be possible: see `Machine.patcher_can_move`.

        Raises PokeError if memory is not as a Check expects; the plan is dropped, and since all
        checks precede the first store, nothing has been changed.
        """
        assert self.plan is not None
        match self.plan.steps[self.index]:
            case Check(address, expected):
                self._check(address, expected)
            case Store(address, data):
                self._store(address, data)
            case Rmw(address, addend):
                word = int.from_bytes(self.guest.read(address, 4), "little")
                self._store(address, (word + addend & 0xFFFFFFFF).to_bytes(4, "little"))
            case Ipi(vector, cores):
                self._machine.interrupt(vector, cores)
            case Wait() | Phase():
                pass
        self.index += 1
        self._advance()

    def state(self) -> bytes:
        """Return what belongs into the state hash: the steps that are still to come."""
        return repr(self.plan.steps[self.index :]).encode() if self.plan else b""

    def progress(self) -> Progress:
        """Return how far it is."""
        return Progress(self.plan, self.index, self.requests, self.phase)

    def resume(self, progress: Progress) -> None:
        """Go on from where a patcher was when its machine was as this one is now.

        Whether it can move, and what it waits for, came with the machine's snapshot.
        """
        self.plan, self.index = progress.plan, progress.index
        self.requests, self.phase = progress.requests, progress.phase

    def _advance(self) -> None:
        """Pass phases, and tell the machine whether the next step can be made."""
        assert self.plan is not None
        steps = self.plan.steps
        while self.index < len(steps):
            step = steps[self.index]
            if not isinstance(step, Phase):
                break
            self._enter_phase(step.name)
            self.index += 1
        if self.index == len(steps):
            self.plan, self.index = None, 0
            self._machine.set_patcher(actors.PATCHER_ABSENT)
        elif isinstance(step, Wait):
            words = [(self.guest.physical(address), value) for address, value in step.words]
            self._machine.set_patcher(actors.PATCHER_WAITS, words)
        else:
            self._machine.set_patcher(actors.PATCHER_READY)

    def _enter_phase(self, name: str) -> None:
        self.phase = name
        self._machine.note(events.PHASE, PATCHER, PHASES.index(name), self.requests)

    def _check(self, address: int, expected: bytes) -> None:
        found = self.guest.read(address, len(expected))
        if found != expected:
            assert self.plan is not None
            name, self.plan = self.plan.name, None
            self._machine.set_patcher(actors.PATCHER_ABSENT)
            where = self.guest.image.symbols.describe(address)
            raise PokeError(
                f"{name}: {where} holds {found.hex(' ')}, not {expected.hex(' ')}; nothing changed"
            )

    def _store(self, address: int, data: bytes) -> None:
        while data:
            part = min(len(data), _PAGE - address % _PAGE)
            self._machine.store(self.guest.physical(address), data[:part])
            address, data = address + part, data[part:]
