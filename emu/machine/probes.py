"""Probes: addresses that become events when a core reaches them.

`candidate` cuts blocks so that an instruction with a probe comes first in one.
"""

from dataclasses import dataclass
from typing import Final

from emu.machine.events import emit
from emu.machine.native import jit
from emu.machine.probe_values import Code, Constant, Register, Value, Word, value
from emu.machine.state import C_KEPT, M_CURRENT, M_PROBES, P_ADDRESS, P_KIND, P_VALUES, State
from emu.machine.unicorn_layout import RCX, RDI, RDX, RSI, RSP

KEEP: Final = 0
"""The kind of a probe that makes no event: its first value is kept for the core, as `Kept`."""

_ARGUMENTS = (Register(RDI), Register(RSI), Register(RDX), Register(RCX))


@dataclass(frozen=True)
class Probe:
    """An address (physical) that becomes an event when a core reaches it.

    kind: of the event, from `events.PROBE` on, or `events.PHASE`; or KEEP. argument: comes back in
    the event. task: 0, or the physical address of an 8-byte variable whose value is noted.
    arguments: the address is a function's entry, and the event's `a`, `b`, `task` and `stack` are
    the first four arguments of the call (System V: RDI, RSI, RDX, RCX) instead; the others must be
    left out. values: the event's `a`, `b`, `task` and `stack`, in place of all that.
    """

    address: int
    kind: int
    argument: int = 0
    task: int = 0
    arguments: bool = False
    values: tuple[Value, Value, Value, Value] | None = None

    @property
    def row(self) -> tuple[int, ...]:
        """The probe as native code has it."""
        pairs = (each.pair for each in self.values or self._usual)
        return (self.address, self.kind, *(number for pair in pairs for number in pair))

    @property
    def _usual(self) -> tuple[Value, Value, Value, Value]:
        if self.arguments:
            return _ARGUMENTS
        task = Word(self.task) if self.task else Constant(0)
        return Constant(self.argument), Code(), task, Register(RSP)


@jit
def probed(s: State, address: int) -> bool:
    """Return whether a probe is at a physical address."""
    probe = _find(s, address)
    return probe < s.m[M_PROBES] and s.probes[probe, P_ADDRESS] == address


@jit
def report_probes(s: State, address: int, pc: int, code: int) -> None:
    """Append the events of all probes at a physical address that was reached, as linear pc.

    code: the first eight bytes executed.
    """
    probe = _find(s, address)
    while probe < s.m[M_PROBES] and s.probes[probe, P_ADDRESS] == address:
        _report(s, probe, pc, code)
        probe += 1


@jit
def _find(s: State, address: int) -> int:
    """Return the first probe at or after a physical address (an index into `probes`)."""
    low, high = 0, s.m[M_PROBES]
    while low < high:
        middle = (low + high) >> 1
        if s.probes[middle, P_ADDRESS] < address:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def _report(s: State, probe: int, pc: int, code: int) -> None:
    core, kind = s.m[M_CURRENT], s.probes[probe, P_KIND]
    if kind == KEEP:
        s.core[core, C_KEPT] = _value(s, probe, 0, code)
        return
    a, b = _value(s, probe, 0, code), _value(s, probe, 1, code)
    emit(s, core, kind, pc, a, b, _value(s, probe, 2, code), _value(s, probe, 3, code))


@jit
def _value(s: State, probe: int, column: int, code: int) -> int:
    pair = P_VALUES + 2 * column
    return value(s, s.probes[probe, pair], s.probes[probe, pair + 1], code)
