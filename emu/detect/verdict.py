"""The verdict on a patched run: counts, and the exit status they stand for."""

from dataclasses import dataclass
from typing import Final

SAFE, HAZARD, TORN, LOST_OR_LATE, UNHANDLED, HARMFUL = 0, 8, 10, 12, 14, 16

NAMES: Final = {
    SAFE: "safe",
    HAZARD: "HAZARD",
    TORN: "torn",
    LOST_OR_LATE: "lost or late",
    UNHANDLED: "unhandled int3",
    HARMFUL: "harmful",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was counted. calls = old + new + lost once the run is drained."""

    calls: int
    old: int
    new: int
    lost: int
    late: int
    int3: int
    stale: int
    hazard: int
    torn: int
    harmful: int
    unhandled: int

    @property
    def status(self) -> int:
        """The exit status: of everything that went wrong, the highest."""
        return self._found()[0]

    @property
    def name(self) -> str:
        """The status in words."""
        return NAMES[self.status]

    @property
    def findings(self) -> tuple[str, ...]:
        """Everything that went wrong, in words, the worst first; ("safe",) if nothing did."""
        return tuple(NAMES[status] for status in self._found())

    def _found(self) -> list[int]:
        counts = {
            HARMFUL: self.harmful,
            UNHANDLED: self.unhandled,
            LOST_OR_LATE: self.lost + self.late,
            TORN: self.torn,
            HAZARD: self.hazard,
        }
        return [status for status, count in counts.items() if count] or [SAFE]
