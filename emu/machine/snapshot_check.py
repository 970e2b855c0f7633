"""What a snapshot from a file may say: numbers that the machine could have come to.

Native code has no bounds checks, and the engine believes its registers; so whatever becomes an
index, a count or an address there is held against its range here. Every kept table and scalar
has its check (a test sees to that). A snapshot that passes may still be one that no run leads to;
it harms nobody but its guest.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emu.machine import end, pit, pm, registers, rtc, uart, xapic
from emu.machine import state as st
from emu.machine import unicorn_layout as layout
from emu.machine.snapshot import Snapshot

Rows: TypeAlias = NDArray[np.int64] | NDArray[np.uint8]

_WORD, _BYTE = 0xFFFFFFFF, 0xFF
_LATEST = 1_000_000_000  # virtual ns by which an event may be behind the clock
_DEADLINES = {  # not the APICs': one period or a thousand, they expire in one step
    "pit": (pit.PIT_DEADLINE,),
    "rtc": rtc.TIMES,
    "uart": uart.TIMES,
    "board": pm.TIMES,
}

SCALARS = {  # slot: least, most
    st.M_CLOCK: (0, st.FOREVER),
    st.M_TEXT_NOW: (0, st.FOREVER),
    st.M_HISTORY: (0, st.MAX_HISTORY),
    st.M_EXIT: (-1, _WORD),
    st.M_FWCFG_KEY: (0, 0xFFFF),
    st.M_FWCFG_AT: (0, st.FOREVER),
    st.M_INTR: (0, 1),
    st.M_DEVICE_DEADLINE: (0, st.FOREVER),
    st.M_END: (end.NOT_ENDED, end.BY_POWER_OFF),
    st.M_INPUT_HEAD: (0, st.FOREVER),
    st.M_INPUT_TAIL: (0, st.FOREVER),
    st.M_PATCHER: (0, 2),
    st.M_WAIT_COUNT: (0, st.MAX_CORES + 1),
    st.M_DELAYED: (0, st.MAX_DELAYED),
    st.M_DELAYED_UNTIL: (0, st.FOREVER),
}


def wrong(snapshot: Snapshot) -> str | None:
    """Return what is wrong with a snapshot, None if it can be put into a machine."""
    return next(_wrong(snapshot), None)


def _wrong(snapshot: Snapshot) -> Iterator[str]:
    for slot, value in enumerate(snapshot.scalars.tolist()):
        least, most = SCALARS.get(slot, (0, 0))
        if not least <= value <= most:
            yield f"scalar {slot} is {value}"
    if snapshot.setup.clock == "counted" and not _due(snapshot):
        yield "something was due long ago"  # and would be caught up with, period by period
    waiting = int(snapshot.scalars[st.M_INPUT_TAIL] - snapshot.scalars[st.M_INPUT_HEAD])
    if not 0 <= waiting <= st.MAX_INPUT:
        yield f"{waiting} bytes of input wait"
    for name, slot in st.ROWS_IN_USE.items():
        if len(snapshot.tables[name]) != snapshot.scalars[slot]:
            yield f"the table {name} has other rows than its number says"
    for name, rows in snapshot.tables.items():
        if not TABLES[name](rows, snapshot):
            yield f"the table {name} holds what no machine has"
    for core, canonical in enumerate(snapshot.registers):
        started = snapshot.tables["core"][core, st.C_STATE] != st.CORE_WAITS
        for what in (*_any_core(canonical), *(_started(canonical) if started else ())):
            yield f"core {core}: {what}"


def _within(rows: Rows | np.integer[Any], least: int, most: int) -> bool:
    return bool(np.all((rows >= least) & (rows <= most)))


def _due(snapshot: Snapshot) -> bool:
    """Return whether what is to happen by itself lies ahead of the clock, or not far behind."""
    earliest = int(snapshot.scalars[st.M_CLOCK]) - _LATEST
    return snapshot.scalars[st.M_DEVICE_DEADLINE] >= earliest and all(
        _within(snapshot.tables[name][..., column], earliest, st.FOREVER)
        for name, columns in _DEADLINES.items()
        for column in columns
    )


# --- tables ------------------------------------------------------------------------------------


def _core(rows: Rows, snapshot: Snapshot) -> bool:
    ranges = {
        st.C_STATE: (st.CORE_WAITS, st.CORE_DEAD),
        st.C_FLOOR: (0, int(snapshot.scalars[st.M_TEXT_NOW])),
        st.C_IRQ: (0, _BYTE),
        st.C_NMI: (0, 1),
        st.C_SIPI: (xapic.SIPI_INIT, _BYTE),
        st.C_RETIRED: (0, st.FOREVER),
        st.C_STALE: (0, st.FOREVER),
        st.C_EXTINT: (0, 1),
        st.C_ARMED: (0, st.ARMED_EXECUTE | st.ARMED_DATA | st.ARMED_PORT),
        st.C_TRAP: (0, st.TRAP_HIT | st.TRAP_ICEBP | st.TRAP_RESUMED),
        st.C_FREEZE: (0, st.FREEZE_FROZEN),
        st.C_FREEZE_STACK: (-(1 << 63), (1 << 63) - 1),
        st.C_TIME_READS: (0, st.FOREVER),
    }
    return all(_within(rows[:, at], *ranges.get(at, (0, 0))) for at in range(st.C_SIZE))


def _apic(rows: Rows, snapshot: Snapshot) -> bool:
    times = [st.A_STARTED, st.A_DEADLINE]
    words = np.delete(rows, times, axis=1)
    there = rows[: snapshot.setup.cores]
    counting = there[there[:, st.A_DEADLINE] != st.FOREVER]
    return (
        _within(words, 0, _WORD)
        and _within(rows[:, times], 0, st.FOREVER)
        and _within(counting[:, st.A_INITIAL], 1, _WORD)  # else a period is nothing
    )


def _history(rows: Rows, snapshot: Snapshot) -> bool:
    time, at, length = (rows[:, column] for column in (st.H_TIME, st.H_ADDRESS, st.H_LENGTH))
    return (
        _within(time, 1, int(snapshot.scalars[st.M_TEXT_NOW]))
        and bool((np.diff(time) > 0).all())
        and _in_ram(at, 8, snapshot)
        and _within(length, 1, 8)
        and _within((at & 7) + length, 1, 8)
        and _within(rows[:, st.H_CORE], -1, snapshot.setup.cores - 1)
    )


def _wait(rows: Rows, snapshot: Snapshot) -> bool:
    return _in_ram(rows[:, 0], 4, snapshot) and _within(rows[:, 1], 0, _WORD)


def _delayed(rows: Rows, snapshot: Snapshot) -> bool:
    return (
        _within(rows[:, st.D_CORE], 0, snapshot.setup.cores - 1)
        and _within(rows[:, st.D_VECTOR], 0, _BYTE)
        and _within(rows[:, st.D_DUE], 0, st.FOREVER)
    )


def _in_ram(addresses: Rows, size: int, snapshot: Snapshot) -> bool:
    return _within(addresses, 0, (snapshot.setup.ram_mib << 20) - size)


def _pic(rows: Rows, _snapshot: Snapshot) -> bool:
    return _within(rows, -1, _WORD)


def _pit(rows: Rows, _snapshot: Snapshot) -> bool:
    return _within(rows, -1, st.FOREVER)


def _rtc(rows: Rows, _snapshot: Snapshot) -> bool:
    registers_ = _within(rows[: rtc.BYTES], 0, _BYTE) and _within(rows, 0, st.FOREVER)
    return registers_ and _within(rows[rtc.RTC_INDEX], 0, rtc.BYTES - 1)


def _uart(rows: Rows, _snapshot: Snapshot) -> bool:
    words = rows[np.setdiff1d(np.arange(len(rows)), uart.TIMES)]
    return (
        _within(words, -1, _WORD)
        and _within(rows[list(uart.TIMES)], 0, st.FOREVER)
        and _within(rows[uart.UART_COUNT], 0, uart.FIFO_SIZE)
    )


def _ioapic(rows: Rows, _snapshot: Snapshot) -> bool:
    return _within(rows, 0, _WORD)


def _board(rows: Rows, _snapshot: Snapshot) -> bool:
    words = rows[np.setdiff1d(np.arange(len(rows)), pm.TIMES)]
    return _within(words, -1, _WORD) and _within(rows[list(pm.TIMES)], 0, st.FOREVER)


def _image_text(rows: Rows, snapshot: Snapshot) -> bool:
    return _within(rows, 0, snapshot.setup.ram_mib << 20)


def _anything(_rows: Rows, _snapshot: Snapshot) -> bool:
    return True  # bytes of input, registers that only a guest makes something of


TABLES: dict[str, Callable[[Rows, Snapshot], bool]] = {
    "core": _core,
    "apic": _apic,
    "history": _history,
    "wait": _wait,
    "delayed": _delayed,
    "pic": _pic,
    "pit": _pit,
    "rtc": _rtc,
    "uart": _uart,
    "ioapic": _ioapic,
    "board": _board,
    "input": _anything,
    "image_text": _image_text,
    "msr": _anything,
}

# --- registers ---------------------------------------------------------------------------------

_RFLAGS, _RFLAGS_ONE, _VM = 0x3F7FD7, 2, 1 << 17
_CR0, _PE, _PG = 0xE005003F, 1, 1 << 31
_CR4, _PAE = 0x7707FF, 1 << 5  # no 5-level paging, no VMX: CPUID has none
_EFER, _LME, _LMA = 0x5D01, 1 << 8, 1 << 10
_XCR0 = 0x3FF
_MXCSR = 0xFFFF


def _started(canonical: bytes) -> Iterator[str]:
    """Yield what is wrong with registers that a start-up IPI sets. Source: SDM volume 3A, 2."""
    flags, privilege_and_shadow, nmi_masked = registers.computed(canonical)
    places = (layout.CR0, layout.CR4, layout.EFER)
    cr0, cr4, efer = (registers.field(canonical, at) for at in places)
    paging, long = cr0 & _PG != 0, efer & _LMA != 0
    if flags & ~_RFLAGS or not flags & _RFLAGS_ONE or (long and flags & _VM):
        yield "RFLAGS has bits that are reserved"
    if privilege_and_shadow & ~(3 | layout.SHADOW) or nmi_masked not in (0, layout.NMI_MASKED):
        yield "its privilege is none"
    if cr0 & ~_CR0 or cr4 & ~_CR4 or efer & ~_EFER or (paging and not cr0 & _PE):
        yield "a control register has bits that are reserved"
    if long != (paging and efer & _LME != 0) or (long and not cr4 & _PAE):
        yield "its control registers contradict each other"
    for segment in range(layout.ES, layout.GDT, 24):
        if registers.field(canonical, segment, 4) > 0xFFFF:
            yield "a selector has more than 16 bits"


def _any_core(canonical: bytes) -> Iterator[str]:
    """Yield what is wrong with registers that INIT leaves alone."""
    if registers.field(canonical, layout.CR8) > 15 or registers.field(canonical, layout.CR3) >> 52:
        yield "a control register is out of range"
    if registers.field(canonical, layout.FPU_TOP, 4) > 7:
        yield "the top of the x87 stack is no register"
    if any(registers.field(canonical, layout.FPU_TAGS + index, 1) > 1 for index in range(8)):
        yield "an x87 tag is none"
    if registers.field(canonical, layout.MXCSR, 4) & ~_MXCSR:
        yield "MXCSR has bits that are reserved"
    if registers.field(canonical, layout.XCR0) & ~_XCR0:
        yield "XCR0 has bits that are reserved"
