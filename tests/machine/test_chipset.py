"""Small ports: reset and A20, PCI's address, the keyboard controller, power management."""

from math import ceil

import pytest

from emu.machine import loop
from emu.machine.machine import Machine
from emu.machine.state import M_END
from emu.moves import chooser
from tests.machine.bench import Bench
from tests.machine.guest_builder import build

PM_TICK = 10**9 / 3_579_545


def ended(code: str) -> Machine:
    machine = build(f"{code} mov rbx, 1; again: jmp again").machine()
    assert machine.end is None
    assert machine.drive(chooser.round_robin(1000), moves=100) == loop.EXIT
    assert not machine.alive
    return machine


@pytest.mark.parametrize(("code", "words"), [
    ("mov al, 0xfe; out 0x64, al;", "port 0x64"),
    ("mov al, 0xd1; out 0x64, al; mov al, 0xce; out 0x60, al;", "port 0x64"),
    ("mov dx, 0xcf9; mov al, 2; out dx, al; mov al, 6; out dx, al;", "port 0xcf9"),
    ("mov al, 3; out 0x92, al;", "port 0x92"),
    ("mov dx, 0x604; mov ax, 0x2000; out dx, ax;", "switched the machine off"),
])  # fmt: skip
def test_how_a_guest_ends_its_machine(code: str, words: str) -> None:
    machine = ended(code)
    assert machine.end is not None
    assert words in machine.end
    assert machine.exit_value is None
    assert machine.general_registers(0)[3] == 0  # RBX: nothing was executed behind it


def test_the_debug_exit_has_a_value() -> None:
    machine = ended("mov al, 3; out 0xf4, al;")
    assert machine.exit_value == 3
    assert machine.end == "the guest wrote to the debug-exit port (0xf4)"


def test_other_sleep_types_and_pulses_do_not_end_it() -> None:
    bench = Bench()
    bench.outb(0x604, 0x2400, size=2)
    bench.outb(0x64, 0xFF)
    bench.outb(0x92, 2)
    bench.outb(0xCF9, 2)
    assert bench.state.m[M_END] == 0
    assert (bench.inb(0x604, 2), bench.inb(0x92), bench.inb(0xCF9)) == (0x0400, 2, 2)


def test_pci_keeps_its_address_and_has_no_device() -> None:
    bench = Bench()
    bench.outb(0xCF8, 0x8000_F804, size=4)
    assert bench.inb(0xCF8, 4) == 0x8000_F804
    bench.outb(0xCF8, 0x12)  # a byte is not the address
    assert bench.inb(0xCF8, 4) == 0x8000_F804
    assert bench.inb(0xCFC, 4) == 0xFFFF_FFFF


def test_nobody_answers_elsewhere_and_wide_accesses_are_several() -> None:
    bench = Bench()
    assert [bench.inb(0x2E0, size) for size in (1, 2, 4)] == [0xFF, 0xFFFF, 0xFFFF_FFFF]
    bench.outb(0x3FE, 0x9900, size=2)
    assert bench.inb(0x3FE, 2) == 0x99B0
    bench.outb(0x70, 0x5A7F, size=2)
    assert bench.inb(0x71) == 0x5A


def test_the_keyboard_controller_tests_itself_and_keeps_its_mode() -> None:
    bench = Bench()
    bench.start_pics()
    assert bench.inb(0x64) == 0x1C
    bench.outb(0x64, 0xAA)
    assert bench.inb(0x64) & 1
    assert bench.irq(1)
    assert bench.inb(0x60) == 0x55
    assert not bench.inb(0x64) & 1
    bench.outb(0x64, 0x60)
    bench.outb(0x60, 0x02)
    bench.outb(0x64, 0xD3)
    bench.outb(0x60, 0x77)
    assert bench.inb(0x64) & 0x21 == 0x21
    assert bench.irq(12)
    assert bench.inb(0x60) == 0x77
    bench.outb(0x64, 0x20)
    assert bench.inb(0x60) == 0x02
    bench.outb(0x64, 0xDD)
    bench.outb(0x64, 0xD0)
    assert bench.inb(0x60) == 0xCD


def test_the_pm_timer_counts_24_bits() -> None:
    bench = Bench()
    for after in (0, 1000, 10**9, 4_687_000_000, 10**13):
        bench.wait(after)
        assert bench.inb(0x608, 4) == bench.now * 3_579_545 // 10**9 & 0xFFFFFF
    assert bench.inb(0x609) == bench.inb(0x608, 4) >> 8 & 0xFF


def test_its_overflow_is_an_event_on_line_9() -> None:
    bench = Bench()
    bench.start_pics()
    bench.outb(0x602, 0x0001, size=2)
    bench.wait(ceil(0x800000 * PM_TICK) - 1)
    assert bench.inb(0x600, 2) == 0
    bench.wait(1)
    assert bench.inb(0x600, 4) == 0x0001_0001
    assert bench.irq(9)
    bench.outb(0x600, 0x0001, size=2)
    assert not bench.state.pic[1, 0] & 2
    bench.wait(ceil(0x800000 * PM_TICK))
    assert bench.state.pic[1, 0] & 2


def test_firmware_switches_acpi_on_and_off() -> None:
    bench = Bench()
    for command, bit in ((0xF1, 1), (0xF0, 0)):
        bench.outb(0xB2, command)
        assert bench.inb(0x604, 2) & 1 == bit
