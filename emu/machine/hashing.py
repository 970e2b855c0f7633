"""The state hash: one number for everything the future of a machine depends on.

Two machines with equal hashes go on alike. So what is hashed is the *canonical* state: register
by register, with RFLAGS worked out, and never the engine's bytes, which differ for equal states
(operands of lazy flags, scratch of the last exception, host pointers). Equal under any slicing
of the same run, in every process; taking it changes nothing.

Hashed: of every core its state and pending messages; of a started one all registers, hidden
parts included, of a waiting one those that INIT leaves alone; local APICs; RAM; all devices,
fw_cfg, serial input that was not read yet, and how the machine ended; the clock, if it is
`counted`; interrupts that are held back; and the text's history. Virtual times in devices count
from the clock. Of the history, only what some core may still see counts: times become row
numbers, and a floor becomes the number of the first store above it. Under the model `coherent`
nobody sees any of it. Which lines were ever fetched counts too, as a store to others makes no
version.

Not hashed: what is set before the start and never changes (the fetch model, the size of RAM
beyond the RAM itself), what only watches (probes, events, recorded moves, counters), and output
that was already sent. The patcher's state is the caller's to add.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emu.machine import pit, pm, registers, rtc, state, uart
from emu.machine.clock import ARMED, CHOSEN
from emu.machine.text import COHERENT

if TYPE_CHECKING:
    from emu.machine.machine import Machine

DIGEST_SIZE = 16  # bytes

_CORE = [
    state.C_STATE,
    state.C_IRQ,
    state.C_EXTINT,
    state.C_NMI,
    state.C_SIPI,
    state.C_FREEZE,
    state.C_FREEZE_STACK,
    state.C_TIME_READS,
    state.C_TRAP,
]
_SCALARS = [
    state.M_CLOCK_MODE,
    state.M_CORES,
    state.M_EXIT,
    state.M_END,
    state.M_FWCFG_KEY,
    state.M_FWCFG_AT,
]


def state_hash(machine: "Machine", extra: bytes = b"") -> str:
    """Return the hash of a machine's state, 32 hex digits.

    extra: the state of what else takes part in the run, the patcher's above all.
    """
    digest = hashlib.blake2b(digest_size=DIGEST_SIZE)
    for part in (*_parts(machine.state, machine.cores), extra):
        digest.update(len(part).to_bytes(8, "little"))  # no part can pass for another's bytes
        digest.update(part)
    return digest.hexdigest()


def _parts(s: state.State, cores: int) -> list[bytes | memoryview]:
    started = [s.core[core, state.C_STATE] != state.CORE_WAITS for core in range(cores)]
    return [
        s.m[_SCALARS].tobytes(),
        _clock(s),
        _delayed(s).tobytes(),
        s.core[:cores, _CORE].tobytes(),
        *(registers.canonical_registers(s, core, started[core]) for core in range(cores)),
        _apics(s, cores).tobytes(),
        s.msr[:cores].tobytes(),
        *_devices(s),
        *_text(s, [core for core in range(cores) if started[core]]),
        np.packbits(s.lines & state.LINE_FETCHED).tobytes(),
        s.ram.data,
    ]


def _clock(s: state.State) -> bytes:
    """Return the virtual time, which in clock mode `chosen` is nothing that anybody can see."""
    return b"" if s.m[state.M_CLOCK_MODE] == CHOSEN else s.m[state.M_CLOCK].tobytes()


def _delayed(s: state.State) -> NDArray[np.int64]:
    """Return the interrupts that are held back, and for how long yet."""
    delayed = s.delayed[: s.m[state.M_DELAYED]].copy()
    delayed[:, state.D_DUE] -= s.m[state.M_CLOCK]
    return delayed


def _apics(s: state.State, cores: int) -> NDArray[np.int64]:
    """Return the APICs' registers, deadlines counted from the clock."""
    apic = s.apic[:cores].copy()
    apic[:, state.A_STARTED] = 0  # told by the deadline
    running = apic[:, state.A_DEADLINE] < ARMED
    apic[running, state.A_DEADLINE] -= s.m[state.M_CLOCK]
    return apic


def _devices(s: state.State) -> list[bytes]:
    """Return the tables of the devices, their times counted from the clock."""
    now = 0 if s.m[state.M_CLOCK_MODE] == CHOSEN else s.m[state.M_CLOCK]
    parts = [s.pic.tobytes(), s.ioapic.tobytes()]
    for table, columns in (
        (s.pit, pit.TIMES), (s.rtc, rtc.TIMES), (s.uart, uart.TIMES), (s.board, pm.TIMES),
    ):  # fmt: skip
        relative = table.copy()
        for column in columns:
            times = relative[..., column]
            times[times != state.FOREVER] -= now
        parts.append(relative.tobytes())
    waiting = range(int(s.m[state.M_INPUT_HEAD]), int(s.m[state.M_INPUT_TAIL]))
    parts.append(bytes(s.input[place % state.MAX_INPUT] for place in waiting))
    return parts


def _text(s: state.State, started: list[int]) -> tuple[bytes, bytes]:
    """Return the stores some core may not have seen, and of each core the first of them."""
    history = s.history[: s.m[state.M_HISTORY]]
    floors = s.core[started, state.C_FLOOR]
    if s.m[state.M_MODEL] == COHERENT:
        history = history[:0]
    first_unseen = np.searchsorted(history[:, state.H_TIME], floors, side="right")
    dropped = int(first_unseen.min()) if started else len(history)
    stores = history[
        dropped:, [state.H_ADDRESS, state.H_LENGTH, state.H_OLD, state.H_NEW, state.H_CORE]
    ]
    return stores.tobytes(), (first_unseen - dropped).astype(np.int64).tobytes()
