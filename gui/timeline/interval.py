"""Intervals: the part of a run that a timeline shows, and how times become pixels.

Times are int64 virtual ns and may be large, so nothing here multiplies a time by a width in 64
bits: scalars are Python's integers, and arrays are shifted to the interval's begin first.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emu.scene.lanes import Column

SHORTEST: Final = 16  # ns; an instruction takes 1 (emu/machine/clock.py)


@dataclass(frozen=True, slots=True)
class Interval:
    """[begin, end) in virtual ns, never empty."""

    begin: int
    end: int

    @property
    def span(self) -> int:
        """How long it is, in ns."""
        return self.end - self.begin

    def holds(self, time: int) -> bool:
        """Return whether a time lies inside."""
        return self.begin <= time < self.end

    def x(self, time: int, width: int) -> float:
        """Return the pixel of a time, where the interval is so many pixels wide."""
        return (time - self.begin) * width / self.span

    def xs(self, times: Column, width: int) -> NDArray[np.float64]:
        """Return the pixels of many times."""
        return (times - self.begin).astype(np.float64) * (width / self.span)

    def time(self, x: float, width: int) -> int:
        """Return the time at a pixel; pixels outside give times outside."""
        return self.begin + int(x * self.span // width)

    def edges(self, width: int) -> Column:
        """Return when each pixel begins, and when the last one ends: width + 1 times.

        A time lies in the pixel that `x` gives, rounded down.
        """
        whole, rest = divmod(self.span, width)
        pixels = np.arange(width + 1, dtype=np.int64)
        return self.begin + whole * pixels + (rest * pixels + width - 1) // width

    def zoomed(self, at: int, factor: float) -> "Interval":
        """Return one that is `factor` times as long, with the same time at the same pixel."""
        span = max(int(self.span * factor), SHORTEST)
        begin = at - (at - self.begin) * span // self.span
        return Interval(begin, begin + span)

    def moved(self, by: int) -> "Interval":
        """Return the one so many ns later."""
        return Interval(self.begin + by, self.end + by)

    def showing(self, time: int) -> "Interval":
        """Return itself if it holds a time, else one of the same length that has it in the middle.

        In the middle, because what was before and what comes next matter alike.
        """
        return self if self.holds(time) else self.moved(time - self.begin - self.span // 2)

    def within(self, limits: "Interval") -> "Interval":
        """Return the nearest one that does not leave the limits."""
        span = min(max(self.span, SHORTEST), limits.span)
        begin = min(max(self.begin, limits.begin), limits.end - span)
        return Interval(begin, begin + span)
