"""Probes: addresses that become events when a core reaches them.

`candidate` cuts blocks so that an instruction with a probe comes first in one.
"""

from dataclasses import dataclass

from emu.machine.events import emit
from emu.machine.native import jit, load64
from emu.machine.state import (
    M_CURRENT,
    M_PROBES,
    M_RAM,
    P_ADDRESS,
    P_ARGUMENT,
    P_KIND,
    P_TASK,
    State,
)
from emu.machine.unicorn_cpu import register
from emu.machine.unicorn_layout import RCX, RDI, RDX, RSI, RSP

NOTE_ARGUMENTS = -1  # in P_TASK, where a physical address stands otherwise


@dataclass(frozen=True)
class Probe:
    """An address (physical) that becomes an event when a core reaches it.

    kind: of the event, from `events.PROBE` on. argument: comes back in the event. task: 0, or
    the physical address of an 8-byte variable whose value is noted.
    arguments: the address is a function's entry, and the event's `a`, `b`, `task` and `stack` are
    the first four arguments of the call (System V: RDI, RSI, RDX, RCX) instead; the others must be
    left out.
    """

    address: int
    kind: int
    argument: int = 0
    task: int = 0
    arguments: bool = False

    @property
    def row(self) -> tuple[int, int, int, int]:
        """The probe as native code has it."""
        task = NOTE_ARGUMENTS if self.arguments else self.task
        return self.address, self.kind, self.argument, task


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
    if s.probes[probe, P_TASK] == NOTE_ARGUMENTS:
        a, b, c, d = register(s, RDI), register(s, RSI), register(s, RDX), register(s, RCX)
        emit(s, s.m[M_CURRENT], s.probes[probe, P_KIND], pc, a, b, c, d)
        return
    task = 0
    if s.probes[probe, P_TASK]:
        task = load64(s.m[M_RAM] + s.probes[probe, P_TASK])
    emit(
        s,
        s.m[M_CURRENT],
        s.probes[probe, P_KIND],
        pc,
        s.probes[probe, P_ARGUMENT],
        code,
        task,
        register(s, RSP),
    )
