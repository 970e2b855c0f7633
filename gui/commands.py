"""Commands: what the window asks of the machine's thread. Frozen values, taken in order.

Only the last of several `GoTo` in a row is obeyed, for a slider asks faster than a machine goes.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from emu.lab.player import AnyScenario
from emu.lab.scenario import Scenario
from emu.moves.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Begin:
    """Switch another machine on."""

    scenario: AnyScenario


@dataclass(frozen=True, slots=True, eq=False)
class Open:
    """Play a recorded run. scenario: what it was made of."""

    schedule: Schedule
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of a core, one step of the patcher (the number behind the cores), or any."""

    actor: int | None = None


@dataclass(frozen=True, slots=True)
class Back:
    """Before the last instruction, of a core or of whoever made it."""

    core: int | None = None


@dataclass(frozen=True, slots=True)
class NextPhase:
    """To where the next phase has done what it does."""


@dataclass(frozen=True, slots=True)
class NextFailure:
    """To where something goes wrong."""


@dataclass(frozen=True, slots=True)
class PreviousPhase:
    """To where the phase before had done what it does."""


@dataclass(frozen=True, slots=True)
class GoTo:
    """To a time, in virtual ns. None: to where the run has got."""

    time: int | None


@dataclass(frozen=True, slots=True)
class GoToPhase:
    """To the end of a phase."""

    phase: str


@dataclass(frozen=True, slots=True)
class Play:
    """Go on until somebody says otherwise. speed: instructions a second, None: all there is."""

    speed: int | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Stand still."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the panels that can be seen need of a scene, and what is selected."""

    needs: frozenset[str] = field(default_factory=frozenset)
    address: int | None = None


@dataclass(frozen=True, slots=True)
class Type:
    """Let bytes come in on the guest's serial line, where the run has got to."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Save:
    """Write the run so far to a file, as a schedule."""

    path: str


@dataclass(frozen=True, slots=True)
class Quit:
    """End the thread."""


Command: TypeAlias = (
    Begin
    | Open
    | Step
    | Back
    | NextPhase
    | NextFailure
    | PreviousPhase
    | GoTo
    | GoToPhase
    | Play
    | Pause
    | Look
    | Type
    | Save
    | Quit
)
