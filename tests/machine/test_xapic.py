"""Interrupts between cores, priorities and the timer, seen from guest code."""

import pytest

from emu.machine import loop, unicorn_layout, xapic
from emu.machine import state as st
from emu.machine.events import DELIVERED, IPI
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.moves import chooser
from tests.machine.guest_builder import build, finish, log, run_to, runs
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import APIC, DATA, TEXT, TRAMPOLINE

WAIT = "sti; again: hlt; jmp again"
BASE = f"mov r8d, {APIC}; "


def store(offset: int, value: int) -> str:
    return f"mov dword ptr [r8 + {offset:#x}], {value:#x}; "


def send(low: int, destination: int = 0) -> str:
    return store(0x310, destination << 24) + store(0x300, low)


def delivered(machine: Machine) -> dict[int, list[int]]:
    """Return the vectors each core took."""
    vectors: dict[int, list[int]] = {core: [] for core in range(machine.cores)}
    for row in machine.events.since(0):
        if row[2] == DELIVERED:
            vectors[int(row[1])].append(int(row[4]))
    return vectors


def quiet(machine: Machine, size: int = 50) -> None:
    """Let everybody move until nobody can."""
    assert machine.drive(chooser.round_robin(size), moves=5000) == loop.STUCK


@pytest.mark.parametrize(("low", "destination", "targets"), [
    (0x00041, 0x02, {2}), (0x00041, 0x00, {0}), (0x00041, 0xFF, {0, 1, 2, 3}),
    (0x00041, 0x07, set()), (0x00841, 0x06, {1, 2}), (0x00841, 0xFF, {0, 1, 2, 3}),
    (0x00841, 0x10, set()), (0x40041, 0x02, {0}), (0x80041, 0x02, {0, 1, 2, 3}),
    (0xC0041, 0x02, {1, 2, 3}), (0x00941, 0x0C, {2}),
], ids=[
    "physical", "physical self", "physical broadcast", "nobody", "logical", "logical broadcast",
    "logical nobody", "self", "all", "all but self", "lowest priority",
])  # fmt: skip
def test_who_gets_an_interrupt(low: int, destination: int, targets: set[int]) -> None:
    others = [BASE + store(0xD0, 1 << (24 + core)) + WAIT for core in (1, 2, 3)]
    ready = "mov ecx, 400; spin: dec ecx; jnz spin; "
    machine = build(BASE + store(0xD0, 1 << 24) + ready + send(low, destination) + WAIT, *others)
    guest = machine.machine()
    quiet(guest)
    vectors = delivered(guest)
    assert {core for core in vectors if vectors[core]} == targets
    assert all(vectors[core] == [0x41] for core in targets)
    (ipi,) = [row for row in guest.events.since(0) if row[2] == IPI and row[3] == 0x41]
    assert int(ipi[4]) == sum(1 << core for core in targets)


def test_logical_clusters() -> None:
    cluster = store(0xE0, 0x0FFFFFFF)
    numbers = (0x11, 0x12, 0x21, 0x22)
    codes = [BASE + cluster + store(0xD0, number << 24) for number in numbers]
    codes[0] += "mov ecx, 400; spin: dec ecx; jnz spin; " + send(0x841, 0x23)
    machine = build(*(code + WAIT for code in codes)).machine()
    quiet(machine)
    assert delivered(machine) == {0: [], 1: [], 2: [0x41], 3: [0x41]}


def test_an_nmi_comes_with_interrupts_off_and_masks_the_next_until_iret() -> None:
    machine = build("cli; again: inc rcx; jmp again", "hlt").machine()
    machine.state.core[0, st.C_NMI] = 1
    machine.run(0, 1)
    assert delivered(machine)[0] == [2]
    machine.state.core[0, st.C_NMI] = 1
    machine.run(0, 20)
    assert delivered(machine)[0] == [2]


def test_an_nmi_as_an_ipi() -> None:
    iret = build("nop; " + BASE + send(0x400, 1) + "hlt", "cli; again: inc rcx; jmp again",
                 resume={2: 1}).machine()  # fmt: skip
    for _ in range(40):
        iret.run(0, 1)
        iret.run(1, 10)
    assert delivered(iret) == {0: [], 1: [2]}
    assert [trap.core for trap in log(iret)] == [1]


def test_the_highest_priority_comes_first_and_eoi_lets_the_next_in() -> None:
    vectors = (0x41, 0x91, 0x52, 0x95, 0x42)
    code = BASE + "".join(store(0x300, 0x40000 | vector) for vector in vectors)
    machine = build(f"cli; {code} sti; nop; cli; hlt").machine()
    quiet(machine)
    assert delivered(machine)[0] == [0x95, 0x91, 0x52, 0x42, 0x41]


def test_the_task_priority_holds_back_its_class_and_below() -> None:
    code = BASE + store(0x80, 0x50) + "".join(
        store(0x300, 0x40000 | vector) for vector in (0x3F, 0x51, 0x5F, 0x61)
    )  # fmt: skip
    before = f"cli; {code} sti; nop; nop; nop"
    machine = build(f"{before}; {store(0x80, 0)} nop; nop; cli; hlt").machine()
    run_to(machine, 0, TEXT + len(assemble(before, TEXT)))
    assert delivered(machine)[0] == [0x61]
    finish(machine)
    assert delivered(machine)[0] == [0x61, 0x5F, 0x51, 0x3F]


def test_registers_read_back() -> None:
    offsets = (0x20, 0x30, 0x80, 0xD0, 0xE0, 0xF0, 0x280, 0x300, 0x310, 0x320, 0x380, 0x3E0)
    code = BASE + store(0x80, 0x30) + store(0xD0, 0xFF123456) + store(0xE0, 0) + store(0x320, -1)
    code += store(0x310, 0x07FFFFFF) + store(0x3E0, 0xFFFFFFFF)
    for index, offset in enumerate(offsets):
        code += f"mov eax, [r8 + {offset:#x}]; mov [{DATA + 4 * index}], eax; "
    machine = build("cli; " + code + "hlt", "hlt").machine()
    finish(machine)
    data = machine.read(DATA, 4 * len(offsets))
    values = [int.from_bytes(data[4 * i : 4 * i + 4], "little") for i in range(len(offsets))]
    assert values[:6] == [0, 0x50014, 0x30, 0xFF000000, 0x0FFFFFFF, 0x1FF]
    assert values[6] == 0
    assert values[7] == 0x4600 | TRAMPOLINE >> 12  # how core 1 was started
    assert values[8] == 0x07000000
    assert values[9] == 0x717FF
    assert values[10:] == [0, 0xB]
    assert xapic.BASE == APIC


@pytest.mark.parametrize(("divide", "factor"), [
    (0x0, 2), (0x1, 4), (0x2, 8), (0x3, 16), (0x8, 32), (0x9, 64), (0xA, 128), (0xB, 1),
])  # fmt: skip
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_timer_fires_to_the_instruction(divide: int, factor: int, size: int) -> None:
    initial = 1 + 600 // factor
    setup = BASE + store(0x3E0, divide) + store(0x320, 0x40) + store(0x380, initial)
    machine = build(f"{setup} sti; again: inc rcx; jmp again").machine()
    armed = TEXT + len(assemble(setup, TEXT))
    run_to(machine, 0, armed)
    start = machine.now
    while not delivered(machine)[0]:
        machine.run(0, size)
    (row,) = [row for row in machine.events.since(0) if row[2] == DELIVERED]
    assert row[0] - start == initial * factor
    assert machine.state.apic[0, st.A_DEADLINE] == st.FOREVER
    for _ in range(3 * initial * factor):
        machine.run(0, 1)
    assert delivered(machine)[0] == [0x40]  # one-shot


@pytest.mark.parametrize("size", [1, 13, 1000])
def test_the_periodic_timer_keeps_its_time(size: int) -> None:
    setup = BASE + store(0x3E0, 0xB) + store(0x320, 0x20040) + store(0x380, 250)
    machine = build(f"{setup} sti; again: inc rcx; jmp again").machine()
    run_to(machine, 0, TEXT + len(assemble(setup, TEXT)))
    start = machine.now
    while len(delivered(machine)[0]) < 20:
        machine.run(0, size)
    times = [int(row[0]) for row in machine.events.since(0) if row[2] == DELIVERED]
    assert [time - start for time in times[:20]] == [250 * n for n in range(1, 21)]


def test_a_masked_timer_counts_but_says_nothing() -> None:
    setup = BASE + store(0x3E0, 0xB) + store(0x320, 0x30040) + store(0x380, 100)
    machine = build(f"{setup} sti; again: mov eax, [r8 + 0x390]; jmp again").machine()
    machine.run(0, 1000)
    assert delivered(machine)[0] == []
    counts = set()
    for _ in range(300):
        machine.run(0, 1)
        counts.add(machine.register(0, unicorn_layout.RAX))
    assert max(counts) < 100
    assert len(counts) == 50  # every other instruction reads it


def test_sleeping_cores_let_time_pass_to_the_next_timer() -> None:
    setup = BASE + store(0x3E0, 0xB) + store(0x320, 0x20040) + store(0x380, 1_000_000)
    machine = build(f"{setup} sti; again: hlt; inc rbx; jmp again", "cli; hlt").machine()
    before = machine.now
    while len(delivered(machine)[0]) < 5:
        assert machine.drive(chooser.round_robin(10), moves=1) == loop.DONE
    assert machine.now - before > 5_000_000
    assert machine.retired() < 2000


def test_sti_shields_one_instruction_and_so_does_mov_ss() -> None:
    code = BASE + "mov eax, 0x10; cli; " + store(0x300, 0x40041)
    shield = TEXT + len(assemble(code + "sti", TEXT))
    machine = build(code + "sti; inc rbx; inc rbx; hlt").machine()
    finish(machine)
    assert [trap.rip for trap in log(machine)] == [shield + 3]  # behind the first inc
    code = BASE + "mov eax, 0x10; cli; nop; sti; nop; "
    machine = build(code + "mov ss, eax; inc rbx; inc rbx; hlt").machine()
    at = TEXT + len(assemble(code, TEXT))
    run_to(machine, 0, at + 2)
    machine.interrupt(0x41, 1)
    finish(machine)
    assert [trap.rip for trap in log(machine)] == [at + 5]


def test_an_interrupt_is_delivered_by_the_run_that_executes_what_follows() -> None:
    code = BASE + "cli; " + store(0x300, 0x40041) + "sti; nop"
    machine = build(code + "; nop; cli; hlt").machine()
    run_to(machine, 0, TEXT + len(assemble(code, TEXT)))
    assert delivered(machine)[0] == []
    machine.run(0, 1)
    assert delivered(machine)[0] == [0x41]


def test_pending_interrupts_do_not_wake_a_core_with_interrupts_off() -> None:
    machine = build("cli; hlt; inc rbx; hlt").machine()
    machine.run(0, 10)
    machine.interrupt(0x41, 1)
    assert machine.drive(chooser.round_robin(10), moves=10) == loop.STUCK
    machine.state.core[0, st.C_NMI] = 1
    machine.run(0, 1)
    assert delivered(machine)[0] == [2]


def test_init_stops_a_core_and_a_start_up_ipi_starts_it_afresh() -> None:
    again = BASE + "mov ecx, 200; spin: dec ecx; jnz spin; " + send(0x4500, 1)
    again += "mov ecx, 50; rest: dec ecx; jnz rest; " + send(0x4608, 1) + send(0x4608, 1)
    machine = build(again + "cli; hlt", "inc r15; again: inc r14; jmp again").machine()
    waited = False
    for _ in range(3000):
        for core in (0, 1):
            machine.run(core, 3)
        waited = waited or not machine.started(1)
    assert waited
    assert machine.started(1)
    assert runs(machine, 1)
    assert machine.register(1, unicorn_layout.REGISTERS + 15 * 8) == 1  # registers were reset
    assert 100 < machine.register(1, unicorn_layout.REGISTERS + 14 * 8) < 9000


def test_an_interrupt_from_outside_is_the_same_as_one_from_a_core() -> None:
    """The hash of who sent it, the sender's APIC and stack aside."""
    machine = build("again: inc rcx; jmp again", WAIT).machine()
    machine.run(1, 100)
    before = state_hash(machine)
    machine.interrupt(0x55, 0b10)
    assert machine.state.apic[1, st.A_IRR + 2] == 1 << 21
    assert state_hash(machine) != before
    machine.run(1, 1)
    assert delivered(machine) == {0: [], 1: [0x55]}
    assert machine.state.apic[1, st.A_IRR + 2] == 0
    assert machine.state.apic[1, st.A_ISR + 2] == 1 << 21


def test_vectors_below_16_are_errors() -> None:
    machine = build(BASE + "sti; " + send(0x4000F, 0) + "nop; cli; hlt").machine()
    finish(machine)
    assert delivered(machine)[0] == []
    assert machine.state.apic[0, st.A_ESR] & 1 << 6
