"""Exceptions go through the guest's IDT with the right error code, RIP and CR2, however sliced."""

from dataclasses import dataclass, field

import pytest

from emu.machine import loop, unicorn_layout
from emu.machine.engines import COMPILED
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.machine.state import C_NMI, C_STATE, CORE_DEAD
from emu.moves import chooser
from tests.machine.guest_builder import Trap, build, finish, log, rip, runs
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import (
    DATA,
    FAR_TEXT,
    NX,
    PRESENT,
    RETURN,
    STUBS,
    TEXT,
    USER,
    WRITABLE,
    stack,
)

UNMAPPED = 0x700000
NOT_CANONICAL = 0x8000_0000_0000_0000
USER_TEXT, USER_DATA = 0x10000000, 0x10001000
PAGES = {
    USER_TEXT: FAR_TEXT | PRESENT | USER,
    USER_DATA: DATA + 0x1000 | PRESENT | USER | WRITABLE | NX,
}
SLICES = [1, 3, 1000]


@dataclass(frozen=True)
class Case:
    """Code before an instruction, the instruction, and what it should raise."""

    name: str
    before: str
    instruction: str
    vector: int
    error: int = 0
    cr2: int = 0
    trap: bool = False  # RIP is behind the instruction
    rip: int | None = None
    user: bool = False
    user_vectors: list[int] = field(default_factory=list)


CASES = [
    Case("divide by zero", "xor ecx, ecx; mov eax, 1; xor edx, edx", "div ecx", 0),
    Case("quotient too big", "mov ecx, 1; mov edx, 2", "div ecx", 0),
    Case("undefined", "nop; nop", "ud2", 6),
    Case("the host's random numbers", "nop", ".byte 0x0f, 0xc7, 0xf0", 6),
    Case("the host's random seeds", "nop", ".byte 0x0f, 0xc7, 0xf8", 6),
    Case("the host's clock", "nop", ".byte 0x0f, 0x01, 0xf9", 6),
    Case("no such selector", "mov eax, 0x78", "mov ds, eax", 13, 0x78),
    Case("not canonical", f"mov rbx, {NOT_CANONICAL}", "mov rax, [rbx]", 13),
    Case("read of nothing", f"mov ebx, {UNMAPPED}", "mov rax, [rbx]", 14, 0, UNMAPPED),
    Case("write to nothing", f"mov ebx, {UNMAPPED}", "mov [rbx + 8], rax", 14, 2, UNMAPPED + 8),
    Case("write to text", f"mov ebx, {TEXT + 0x800}", "mov [rbx], al", 14, 3, TEXT + 0x800),
    Case("write over the end", f"mov ebx, {UNMAPPED - 4}", "mov [rbx], rax", 14, 2, 0x6FFFFC),
    Case("wild jump", f"mov ebx, {UNMAPPED}", "jmp rbx", 14, 0x10, UNMAPPED, rip=UNMAPPED),
    Case("jump into data", f"mov ebx, {DATA}", "jmp rbx", 14, 0x11, DATA, rip=DATA),
    Case("return to nothing", f"push {UNMAPPED}", "ret", 14, 0x10, UNMAPPED, rip=UNMAPPED),
    Case("breakpoint", "mov eax, 7", "int3", 3, trap=True),
    Case("software interrupt", "mov eax, 7", "int 0x1e", 0x1E, trap=True),
    Case("single step", "pushfq; or qword ptr [rsp], 0x100; popfq", "nop", 1, trap=True),
    Case("user reads kernel", f"mov ebx, {DATA}", "mov rax, [rbx]", 14, 5, DATA, user=True),
    Case("user writes kernel", f"mov ebx, {DATA}", "mov [rbx], rax", 14, 7, DATA, user=True),
    Case("user writes text", f"mov ebx, {USER_TEXT}", "mov [rbx], al", 14, 7, USER_TEXT, user=True),
    Case("user runs data", f"mov ebx, {USER_DATA}", "jmp rbx", 14, 0x15, USER_DATA,
         rip=USER_DATA, user=True),
    Case("user halts", "mov eax, 1", "hlt", 13, user=True),
    Case("user out", "mov eax, 1", "out 0x80, al", 13, user=True),
    Case("user in", "mov eax, 1", "in al, 0x80", 13, user=True),
    Case("user breakpoint", "mov eax, 1", "int3", 3, trap=True, user=True, user_vectors=[3]),
]  # fmt: skip


def to_user(address: int) -> str:
    """Return code that goes on at an address in ring 3."""
    return (
        f"push 0x23; push {USER_DATA + 0x800}; push 2; push 0x2b; "
        f"push {address}; iretq"
    )  # fmt: skip


def started(case: Case, engine: str = COMPILED) -> tuple[Machine, int]:
    """Return a machine before `case.before` and the address of the instruction."""
    body = f"{case.before}; {case.instruction}; hlt"
    base = USER_TEXT if case.user else TEXT
    code = to_user(base) if case.user else body
    data = {FAR_TEXT: assemble(body, base)} if case.user else {}
    guest = build(code, pages=PAGES, data=data, user_vectors=case.user_vectors)
    return guest.machine(engine=engine), base + len(assemble(case.before, base))


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_what_an_instruction_raises(case: Case) -> None:
    hashes = set()
    for size in SLICES:
        machine, at = started(case)
        while runs(machine):
            machine.run(0, size)
            assert machine.now < 10_000
        (trap,) = log(machine)
        length = len(assemble(case.instruction, at))
        where = case.rip if case.rip is not None else at + (length if case.trap else 0)
        assert (trap.vector, trap.error, trap.rip) == (case.vector, case.error, where)
        assert trap.cr2 == case.cr2
        hashes.add(state_hash(machine))
    assert len(hashes) == 1


def test_user_faults_push_onto_the_kernel_stack() -> None:
    case = next(case for case in CASES if case.name == "user reads kernel")
    machine, _ = started(case)
    finish(machine)
    (trap,) = log(machine)
    assert trap.rsp == USER_DATA + 0x800
    assert stack(0) - 0x100 < machine.register(0, unicorn_layout.RSP) < stack(0)


def test_a_fault_handler_can_repair_and_return() -> None:
    """The faulting instruction is executed again, and counted again."""
    before = f"mov ebx, {UNMAPPED}; xor ecx, ecx"
    at = TEXT + len(assemble(before, TEXT))
    skipped = at + len(assemble("mov rax, [rbx]", at))
    machine = build(
        f"{before}; mov rax, [rbx]; inc ecx; ud2; inc ecx; hlt",
        resume={14: skipped, 6: skipped + 4},
    ).machine()
    finish(machine)
    assert [trap.vector for trap in log(machine)] == [14, 6]
    assert machine.register(0, unicorn_layout.RCX) == 2


def test_faults_in_a_row_do_not_become_double_faults() -> None:
    """The engine itself would turn the second into #DF and the third into a reset."""
    code = "".join(f"mov ebx, {UNMAPPED + 0x1000 * i}; mov rax, [rbx];" for i in range(5))
    resume = TEXT + len(assemble("mov ebx, 1; mov rax, [rbx]", TEXT))
    machine = build(f"{code} hlt", resume={14: resume}).machine()
    machine.run(0, 300)
    assert [trap.vector for trap in log(machine)][:4] == [14] * 4


def test_a_fault_while_a_fault_is_delivered_is_a_double_fault_on_its_own_stack() -> None:
    machine = build(f"mov esp, {UNMAPPED}; push rax; hlt").machine()
    finish(machine)
    assert log(machine) == [Trap(8, 0, TEXT + 5, UNMAPPED - 8, UNMAPPED, 0)]
    assert stack(8) - 0x100 < machine.register(0, unicorn_layout.RSP) < stack(8)


def test_user_may_not_raise_a_vector_of_the_kernel() -> None:
    """SDM 3A 6.12.1.1: #GP at the instruction, error code 8 * vector + 2."""
    case = Case("", "mov eax, 1", "int 0x1e", 13, 0x1E * 8 + 2, user=True)
    machine, at = started(case)
    finish(machine)
    (trap,) = log(machine)
    assert trap.vector == case.vector
    assert (trap.error, trap.rip) == (case.error, at)


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize("vector", [2, 0x40])
def test_an_interrupt_that_finds_no_stack_is_a_double_fault(vector: int, size: int) -> None:
    machine = build(f"mov esp, {UNMAPPED}; sti; again: nop; jmp again").machine()
    machine.run(0, 5)
    if vector == 2:
        machine.state.core[0, C_NMI] = 1
    else:
        machine.interrupt(vector, 1)
    while runs(machine):
        machine.run(0, size)
    assert [trap.vector for trap in log(machine)] == [8]
    assert log(machine)[0].rsp == UNMAPPED


@pytest.mark.parametrize("size", SLICES)
def test_a_triple_fault_kills_the_core(size: int) -> None:
    machine = build(f"lidt [{DATA + 64}]; ud2; hlt", "again: nop; jmp again").machine()
    rounds = chooser.round_robin(size)
    assert machine.drive(rounds, moves=1000) == loop.DEAD
    assert machine.dead_core() == 0
    assert machine.state.core[0, C_STATE] == CORE_DEAD
    assert machine.drive(rounds, moves=10) == loop.DEAD


def test_everybody_halted_with_interrupts_off_is_stuck() -> None:
    machine = build("cli; hlt", "hlt").machine()
    assert machine.drive(chooser.round_robin(10), moves=1000) == loop.STUCK
    assert machine.dead_core() is None


@pytest.mark.parametrize("bound", [1, 999, 4097])
def test_a_guest_that_loops_for_ever_stops_with_the_move_that_reaches_the_bound(bound: int) -> None:
    machine = build("again: inc rax; inc rbx; jmp again").machine()
    before = machine.retired()
    rbx = machine.register(0, unicorn_layout.RBX)
    assert machine.drive(chooser.round_robin(100), instructions=bound) == loop.BOUND
    executed = machine.retired() - before
    assert executed == -(-bound // 100) * 100  # a move is never cut
    assert machine.register(0, unicorn_layout.RAX) == (executed + 2) // 3
    assert machine.register(0, unicorn_layout.RBX) == rbx + (executed + 1) // 3


def test_a_traced_instruction_traps_each_time() -> None:
    """TF: an exception behind every instruction, and DR6 says it is a step."""
    code = "pushfq; or qword ptr [rsp], 0x100; popfq; nop; nop; mov eax, 5; xor ebx, ebx; hlt"
    machine = build(code, resume={1: RETURN}).machine()
    for _ in range(2000):
        machine.run(0, 7)
    traps = log(machine)
    at = TEXT + len(assemble("pushfq; or qword ptr [rsp], 0x100; popfq", TEXT))
    assert [trap.rip - at for trap in traps[:4]] == [1, 2, 7, 9]
    assert machine.register(0, unicorn_layout.DR6) & 0x4000
    assert rip(machine) == at + 10
    assert {trap.vector for trap in traps} == {1}


def test_a_handler_that_is_not_mapped_faults_for_ever_but_in_slices() -> None:
    """Each of its faults counts as an instruction, so the machine comes back, however sliced."""
    seen = set()
    for piece in (1, 7, 1000):
        machine = build("mov eax, 1; ud2; hlt", pages={STUBS: 0}).machine()
        left = 3000
        while left:
            done = machine.run(0, min(left, piece))
            assert done == min(left, piece)
            left -= done
        seen.add(state_hash(machine))
    assert len(seen) == 1
