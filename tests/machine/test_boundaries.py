"""Between which instructions interrupts and faults come: shadows, strings, NMI in NMI."""

import pytest

from emu.machine import pic, unicorn_layout
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.machine.state import C_NMI, M_CANDIDATE_PA
from tests.machine.guest_builder import build, finish, log, quad, rip, run_to, runs
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import DATA, PRESENT, RETURN, TEXT, WRITABLE

SLICES = [1, 3, 1000]
RCX, RDI = unicorn_layout.RCX, unicorn_layout.RDI


def at(code: str) -> int:
    return TEXT + len(assemble(code, TEXT))


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize(("before", "shadow", "behind"), [
    ("cli; nop", "sti", "nop"), ("cli; nop", "sti", "sti"),
    ("sti; nop; mov eax, 0x10", "mov ss, eax", "inc ebx"),
    ("sti; nop; push 0x10", "pop rbx; mov ss, ebx", "rdtsc"),
])  # fmt: skip
def test_a_shadow_lets_one_more_instruction_pass(
    before: str, shadow: str, behind: str, size: int
) -> None:
    code = f"{before}; {shadow}; {behind}"
    machine = build(f"{code}; nop; nop; hlt").machine()
    run_to(machine, 0, at(f"{before}; {shadow}"))
    machine.interrupt(0x40, 1)
    while runs(machine):
        machine.run(0, size)
    (trap,) = log(machine)
    assert (trap.vector, trap.rip) == (0x40, at(code))


@pytest.mark.parametrize("size", SLICES)
def test_an_nmi_waits_for_the_shadow_too(size: int) -> None:
    machine = build("mov eax, 0x10; mov ss, eax; nop; nop; hlt", resume={2: RETURN}).machine()
    run_to(machine, 0, at("mov eax, 0x10; mov ss, eax"))
    machine.state.core[0, C_NMI] = 1
    while runs(machine):
        machine.run(0, size)
    (trap,) = log(machine)
    assert (trap.vector, trap.rip) == (2, at("mov eax, 0x10; mov ss, eax; nop"))


@pytest.mark.parametrize("size", SLICES)
def test_an_nmi_in_an_nmi_comes_behind_the_iret(size: int) -> None:
    """Any iret: a fault in the handler lets the next one in."""
    machine = build("nop; nop; nop; hlt", resume={2: RETURN}).machine()
    machine.state.core[0, C_NMI] = 1
    machine.run(0, 5)
    machine.state.core[0, C_NMI] = 1
    while runs(machine):
        machine.run(0, size)
    first, second = log(machine)
    assert (first.vector, first.rip) == (2, TEXT)
    assert (second.vector, second.rip) == (2, TEXT)  # nothing in between


STRING = f"mov esi, {DATA}; mov edi, {DATA + 0x800}; mov ecx, 100; sti; nop"


def between(done: int, size: int) -> Machine:
    """Return a machine that was interrupted after so many rounds of a string."""
    machine = build(
        f"{STRING}; rep movsb; hlt", data={DATA: bytes(range(100, 200))}
    ).machine()  # fmt: skip
    run_to(machine, 0, at(STRING))
    while machine.register(0, RCX) > 100 - done:
        machine.run(0, 1)
    machine.interrupt(0x41, 1)
    while runs(machine):
        machine.run(0, size)
    return machine


@pytest.mark.parametrize("done", [0, 1, 37, 99])
def test_an_interrupt_comes_between_two_rounds_of_a_string(done: int) -> None:
    hashes = set()
    for size in SLICES:
        machine = between(done, size)
        (trap,) = log(machine)
        assert (trap.vector, trap.rip) == (0x41, at(STRING))
        assert machine.read(DATA + 0x800, 100) == bytes(range(100, 200))
        assert machine.register(0, RCX) == 0
        hashes.add(state_hash(machine))
    assert len(hashes) == 1


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize(("instruction", "step"), [("rep stosb", 1), ("rep stosd", 4)])
def test_a_page_fault_in_a_string_leaves_the_registers_at_its_round(
    instruction: str, step: int, size: int
) -> None:
    window = 0x40000000
    start = window + 0x1000 - 8 * step
    before = f"mov edi, {start}; mov ecx, 20; mov eax, 0x55555555"
    pages = {window: DATA | PRESENT | WRITABLE}
    machine = build(f"{before}; {instruction}; hlt", pages=pages).machine()
    while runs(machine):
        machine.run(0, size)
    (trap,) = log(machine)
    assert (trap.vector, trap.error, trap.rip, trap.cr2) == (14, 2, at(before), window + 0x1000)
    assert machine.register(0, RCX) == 12
    assert machine.register(0, RDI) == window + 0x1000
    assert quad(machine, DATA + 0xFF8) == 0x5555555555555555


@pytest.mark.parametrize("size", SLICES)
def test_a_traced_string_traps_in_every_round(size: int) -> None:
    before = f"mov edi, {DATA}; mov ecx, 3; pushfq; or qword ptr [rsp], 0x100; popfq"
    machine = build(f"{before}; rep stosb; nop; hlt", resume={1: RETURN}).machine()
    while runs(machine):
        machine.run(0, size)
    where = at(before)
    assert [trap.rip - where for trap in log(machine)][:4] == [0, 0, 2, 3]
    assert machine.register(0, RCX) == 0


def test_a_halt_in_the_shadow_of_sti_sleeps_until_the_next() -> None:
    """sti; hlt: the idle loop of every kernel loses no interrupt."""
    machine = build("cli; nop; sti; hlt; inc ebx; cli; hlt").machine()
    machine.interrupt(0x40, 1)
    finish(machine)
    machine.run(0, 100)
    (trap,) = log(machine)
    assert trap.rip == at("cli; nop; sti; hlt")
    assert rip(machine) == at("cli; nop; sti; hlt; inc ebx; cli; hlt")


ENABLE = {"sti": "sti; nop", "popfq": "pushfq; or qword ptr [rsp], 0x200; popfq"}
POLLS = "mov edi, 2; round: mov ecx, 40; poll: dec ecx; jnz poll"


def polling(code: str, source: str) -> Machine:
    """Return a machine in its second round, so that nothing is new, whose core is interrupted."""
    machine = build(f"{POLLS}; {code}; dec edi; jnz round; hlt").machine()
    while machine.register(0, RDI) != 1:
        machine.run(0, 1)
    if source == "apic":
        machine.interrupt(0x34, 1)
    else:
        machine.state.pic[0, pic.PIC_BASE] = 0x30
        pic.write(machine.state, 0, 1, 0xEF)
        pic.set_line(machine.state, 4, 1)
    return machine


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize("enable", ENABLE)
@pytest.mark.parametrize("source", ["apic", "8259"])
def test_what_waited_while_a_kernel_polled_comes_at_once_in_the_end(
    source: str, enable: str, size: int
) -> None:
    machine = polling(f"{ENABLE[enable]}; nop; nop; cli", source)
    while runs(machine):
        machine.run(0, size)
    (trap,) = log(machine)
    assert (trap.vector, trap.rip) == (0x34, at(f"{POLLS}; {ENABLE[enable]}"))


@pytest.mark.parametrize("source", ["apic", "8259"])
def test_what_waits_costs_a_kernel_that_polls_nothing(source: str) -> None:
    """Each block goes the short way: nobody but `admit_plain` looks at it."""
    machine = polling("nop", source)
    machine.state.m[M_CANDIDATE_PA] = -1
    machine.run(0, 1000)
    assert not runs(machine)
    assert log(machine) == []
    assert machine.state.m[M_CANDIDATE_PA] == -1
