"""The devices together: exact instants under any slicing, sleep until one of them wakes a core."""

import pytest

from emu.machine import loop, snapshot_check
from emu.machine.events import DELIVERED
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.moves import chooser
from tests.machine.guest_builder import build, run_to
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import APIC, DATA, LARGE, NX, PRESENT, TEXT, WRITABLE
from tests.machine.slicing import make_runs, numbers


def out(*pairs: tuple[int, int]) -> str:
    return "".join(f"mov dx, {port:#x}; mov al, {value:#x}; out dx, al; " for port, value in pairs)


PIC = out(
    (0x20, 0x11), (0x21, 0x60), (0x21, 4), (0x21, 3), (0xA0, 0x11), (0xA1, 0x68), (0xA1, 2),
    (0xA1, 3),
)  # fmt: skip
OPEN = out((0x21, 0xEA), (0xA1, 0xFE))  # the timer, the slave and the UART; the RTC
TIMER = out((0x43, 0x34), (0x40, 3), (0x40, 0))  # mode 2: every 2514 ns
RTC = out((0x70, 0x0A), (0x71, 0x23), (0x70, 0x0B), (0x71, 0x42))  # 8192 Hz
UART = out(
    (0x3FB, 0x83), (0x3F8, 1), (0x3F9, 0), (0x3FB, 3), (0x3FA, 0x41), (0x3FC, 0x18), (0x3F9, 1),
)  # fmt: skip
IOAPIC = 0xFEC00000
WORK = f"""
    mov r8d, {IOAPIC}
    mov dword ptr [r8], 0x14; mov dword ptr [r8 + 0x10], 0x71
    mov dword ptr [r8], 0x15; mov dword ptr [r8 + 0x10], 0x01000000
again:
    sti
    mov dx, 0x3f8; mov al, 0x55; out dx, al
    add dl, 5; in al, dx; add [{DATA}], al
    mov dx, 0x40; in al, dx; add [{DATA + 8}], al
    mov al, 0xc; out 0x70, al; in al, 0x71; add [{DATA + 16}], al
    mov dx, 0x608; in eax, dx; add [{DATA + 24}], eax
    in al, 0x61; add [{DATA + 32}], al
    mov ecx, 200; spin: dec ecx; jnz spin
    inc r12
    test r12, 3
    jnz again
    mov dx, 0x3f8; in al, dx
    hlt
    jmp again
"""
OTHER = f"""
    sti
again:
    mov ecx, 333
    rest: inc qword ptr [{DATA + 40}]; dec ecx; jnz rest
    hlt
    jmp again
"""


def busy() -> Machine:
    """Return a machine on which every device that interrupts does so, again and again."""
    pages = {IOAPIC: IOAPIC | PRESENT | WRITABLE | NX | LARGE}
    machine = build(PIC + TIMER + RTC + UART + OPEN + WORK, OTHER, pages=pages).machine()
    by = chooser.round_robin(100)
    while machine.now < 100_000:  # the first interrupt of the RTC comes after 122 us
        machine.drive(by, moves=2)
    return machine


def vectors(machine: Machine) -> set[tuple[int, int]]:
    rows = machine.events.since(0)
    return {(int(row[1]), int(row[4])) for row in rows if row[2] == DELIVERED}


@pytest.mark.parametrize("seed", range(4))
def test_timers_interrupts_and_ports_in_pieces(seed: int) -> None:
    whole, pieces = busy(), busy()
    hashes = set()
    for part in range(6):
        make_runs(whole, seed + 10 * part, 80, None)
        make_runs(pieces, seed + 10 * part, 80, numbers(seed))
        assert state_hash(whole) == state_hash(pieces)
        assert whole.events.since(0).tolist() == pieces.events.since(0).tolist()
        hashes.add(state_hash(whole))
    assert len(hashes) == 6


def test_that_guest_hears_every_device() -> None:
    machine = busy()
    make_runs(machine, 3, 600, None)
    assert vectors(machine) == {(0, 0x60), (0, 0x64), (0, 0x68), (1, 0x71)}


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_device_interrupts_at_its_exact_instant(size: int) -> None:
    """Mode 0 with 1000 counts: 838096 ns after the count was written."""
    code = PIC + out((0x21, 0xFE), (0x43, 0x30), (0x40, 0xE8), (0x40, 0x03))
    machine = build(f"{code} sti; again: inc rcx; jmp again").machine()
    run_to(machine, 0, TEXT + len(assemble(code, TEXT)))
    start = machine.now
    machine.run(0, 838_000)
    while not vectors(machine):
        machine.run(0, size)
    (row,) = [row for row in machine.events.since(0) if row[2] == DELIVERED]
    assert int(row[0]) - start == 838_096


SLEEP = "again: sti; hlt; inc rbx; jmp again"


def asleep(code: str, moves: int = 2000) -> tuple[Machine, int]:
    machine = build(f"cli; {code}{SLEEP}").machine()
    return machine, machine.drive(chooser.round_robin(1000), moves=moves)


@pytest.mark.parametrize("code", [
    "",  # everything masked
    PIC + out((0x21, 0xFF), (0xA1, 0xFF)) + TIMER,
    PIC + out((0x43, 0x30), (0x21, 0xFE)),  # no count
    PIC + out((0x43, 0x30), (0x21, 0xFB), (0xA1, 0xFE), (0x70, 3), (0x71, 0x77), (0x70, 0xB),
              (0x71, 0x22)),  # an alarm at minute 77
    PIC + OPEN + TIMER + f"mov r8d, {APIC}; mov dword ptr [r8 + 0x350], 0x10700; ",
], ids=["masked", "pic masked", "no count", "never", "lint0 masked"])  # fmt: skip
def test_nobody_waits_for_what_never_comes(code: str) -> None:
    machine, why = asleep(code)
    assert why == loop.STUCK
    assert vectors(machine) == set()


@pytest.mark.parametrize(("code", "vector", "nanoseconds"), [
    (PIC + out((0x21, 0xFE), (0x43, 0x30), (0x40, 0), (0x40, 0)), 0x60, 54_925_401),
    (PIC + out((0x43, 0x30), (0x21, 0xFB), (0xA1, 0xFE), (0x70, 0xB), (0x71, 0x12)),
     0x68, 1_000_000_000),
    (PIC + out((0x43, 0x30), (0x21, 0xFB), (0xA1, 0xFE), (0x70, 1), (0x71, 0), (0x70, 3),
               (0x71, 0), (0x70, 5), (0x71, 5), (0x70, 0xB), (0x71, 0x22)),
     0x68, 5 * 3600 * 10**9),
    (PIC + out((0x43, 0x30), (0x21, 0xFB), (0xA1, 0xFD)) + "mov dx, 0x602; mov ax, 1; out dx, ax; ",
     0x69, 2_343_484_438),
], ids=["timer", "update", "alarm at five", "power management"])  # fmt: skip
def test_sleep_ends_when_a_device_says_so(code: str, vector: int, nanoseconds: int) -> None:
    machine, why = asleep(code, moves=2)
    assert why == loop.DONE
    assert vectors(machine) == {(0, vector)}
    assert abs(machine.now - nanoseconds) < 2000
    assert snapshot_check.wrong(machine.save()) is None  # however late it is


def test_in_clock_mode_chosen_devices_stand_still() -> None:
    code = PIC + OPEN + TIMER + RTC
    machine = build(f"{code} sti; again: in al, 0x40; mov bl, al; jmp again").machine(
        clock="chosen"
    )
    machine.run(0, 20_000)
    assert vectors(machine) == set()
    before = state_hash(machine)
    machine.run(0, 0)
    assert state_hash(machine) == before
