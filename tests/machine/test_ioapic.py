"""The I/O APIC, from guest code and on the bench."""

import pytest

from emu.machine import ioapic, irq
from emu.machine.events import DELIVERED
from emu.machine.machine import Machine
from emu.machine.state import C_NMI
from tests.machine.bench import Bench
from tests.machine.guest_builder import Guest, build
from tests.machine.guest_tables import LARGE, NX, PRESENT, WRITABLE

PAGE = {ioapic.BASE: ioapic.BASE | PRESENT | WRITABLE | NX | LARGE}
MASKED, LEVEL, REMOTE_IRR, LOGICAL = 1 << 16, 1 << 15, 1 << 14, 1 << 11
WAIT = "sti; again: hlt; jmp again"


def put(bench: Bench, register: int, value: int) -> None:
    ioapic.write(bench.state, 0x00, register)
    ioapic.write(bench.state, 0x10, value)


def get(bench: Bench, register: int) -> int:
    ioapic.write(bench.state, 0x00, register)
    return int(ioapic.read(bench.state, 0x10))


def entry(bench: Bench, pin: int, low: int, destination: int = 0) -> None:
    put(bench, 0x11 + 2 * pin, destination << 24)
    put(bench, 0x10 + 2 * pin, low)


def test_registers() -> None:
    bench = Bench()
    assert [get(bench, register) for register in range(3)] == [0, 0x170020, 0]
    put(bench, 0, 0xFFFFFFFF)
    assert get(bench, 0) == get(bench, 2) == 0x0F000000
    for pin in range(24):
        assert get(bench, 0x10 + 2 * pin) == MASKED
        put(bench, 0x10 + 2 * pin, -1)
        put(bench, 0x11 + 2 * pin, -1)
        assert get(bench, 0x10 + 2 * pin) == 0x1AFFF
        assert get(bench, 0x11 + 2 * pin) == 0xFF000000
    assert get(bench, 0x40) == 0


def test_an_edge_is_sent_once_and_lost_when_masked() -> None:
    bench = Bench()
    entry(bench, 5, 0x51 | MASKED)
    irq.set_irq(bench.state, 5, 1)
    entry(bench, 5, 0x51)
    assert bench.asked()[0] == 0
    irq.set_irq(bench.state, 5, 0)
    irq.set_irq(bench.state, 5, 1)
    assert bench.asked()[0] == 0x51


def test_a_level_is_sent_again_after_its_end_while_it_lasts() -> None:
    bench = Bench()
    entry(bench, 5, 0x51 | LEVEL | MASKED)
    irq.set_irq(bench.state, 5, 1)
    assert bench.asked()[0] == 0
    entry(bench, 5, 0x51 | LEVEL)
    assert bench.asked()[0] == 0x51
    assert get(bench, 0x10 + 2 * 5) == 0x51 | LEVEL | REMOTE_IRR
    bench.state.apic[0, 32:48] = 0
    ioapic.end_of_interrupt(bench.state, 0x52)
    assert not bench.state.apic[0, 42]
    ioapic.write(bench.state, 0x40, 0x51)
    assert bench.state.apic[0, 42] == 1 << 0x11
    irq.set_irq(bench.state, 5, 0)
    ioapic.end_of_interrupt(bench.state, 0x51)
    assert get(bench, 0x10 + 2 * 5) == 0x51 | LEVEL


def test_the_timer_arrives_at_pin_2_and_nmi_has_no_vector() -> None:
    bench = Bench(cores=2)
    bench.quiet_timer()
    entry(bench, 2, 0x400, 1)
    bench.outb(0x43, 0x34)
    assert bench.state.core[:2, C_NMI].tolist() == [0, 1]


RAISE = "mov dx, 0x3f9; mov al, 2; out dx, al; "


def guest(low: int, destination: int, *others: str) -> Guest:
    code = f"""
        mov r8d, {ioapic.BASE:#x}; mov r9d, 0xfee00000
        mov ecx, 2000; spin: dec ecx; jnz spin
        mov dword ptr [r8], 0x19; mov dword ptr [r8 + 0x10], {destination << 24:#x}
        mov dword ptr [r8], 0x18; mov dword ptr [r8 + 0x10], {low:#x}
        {RAISE}
    """
    return build(code + WAIT, *others, pages=PAGE)


def deliveries(machine: Machine) -> list[tuple[int, int]]:
    return [(int(row[1]), int(row[4])) for row in machine.events.since(0) if row[2] == DELIVERED]


@pytest.mark.parametrize("sizes", [(1, 1, 1), (7, 50, 3), (1000, 1000, 1000)])
@pytest.mark.parametrize(("low", "destination", "cores"), [
    (0x51, 1, [1]), (0x51, 0xFF, [0, 1, 2]), (0x851, 0x06, [1, 2]), (0x951, 0x06, [1]),
    (0x51, 9, []),
])  # fmt: skip
def test_where_it_goes(
    low: int, destination: int, cores: list[int], sizes: tuple[int, ...]
) -> None:
    logical = "mov r9d, 0xfee00000; mov dword ptr [r9 + 0xd0], {:#x};" + WAIT
    others = [logical.format(1 << 24 + core) for core in (1, 2)]
    machine = guest(low, destination, *others).machine()
    for _ in range(9000 // min(sizes)):
        for core, size in enumerate(sizes):
            machine.run(core, size)
    assert sorted(deliveries(machine)) == [(core, 0x51) for core in cores]


def test_a_level_interrupts_until_the_line_falls() -> None:
    """The handler only acknowledges it at the local APIC, which tells the I/O APIC."""
    machine = guest(0x51 | LEVEL, 0).machine()
    machine.run(0, 5000)
    count = len(deliveries(machine))
    assert count > 20
    irq.set_irq(machine.state, 4, 0)
    machine.run(0, 5000)
    assert len(deliveries(machine)) <= count + 1
    assert machine.state.ioapic[ioapic.IOAPIC_LOW + 4] == 0x51 | LEVEL
