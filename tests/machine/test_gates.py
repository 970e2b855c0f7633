"""Gates that refuse, and ports that do: error codes, RIPs, the permission bitmap."""

import struct

import pytest

from emu.machine import unicorn_layout
from emu.machine.machine import Machine
from tests.machine.guest_builder import build, log, runs
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import DATA, FAR_TEXT, GDT, IDT, RETURN, TEXT, TSS
from tests.machine.test_exceptions import PAGES, USER_DATA, USER_TEXT, to_user

SLICES = [1, 3, 1000]
TSS_DESCRIPTOR = GDT + 0x30


def in_user(
    code: str, *, before: str = "nop", size: int = 1000, resume: dict[int, int] | None = None,
    user_vectors: tuple[int, ...] = (),
) -> Machine:  # fmt: skip
    machine = build(
        f"{before}; {to_user(USER_TEXT)}", pages=PAGES, resume=resume, user_vectors=user_vectors,
        data={FAR_TEXT: assemble(f"{code}; hlt", USER_TEXT)},
    ).machine()  # fmt: skip
    while runs(machine):
        machine.run(0, size)
    return machine


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize(("instruction", "vector"), [
    ("int3", 3), ("int 0x1e", 0x1E), ("int 0x80", 0x80), ("int 8", 8), ("int 14", 14),
    (".byte 0x66, 0x48, 0xcd, 0x21", 0x21), (".byte 0x2e, 0xcc", 3),
])  # fmt: skip
def test_a_gate_of_the_kernel_refuses_user(instruction: str, vector: int, size: int) -> None:
    """SDM 3A 6.12.1.1: #GP at the instruction, error code 8 * vector + 2."""
    before = "mov eax, 1; nop"
    machine = in_user(f"{before}; {instruction}", size=size)
    (trap,) = log(machine)
    assert (trap.vector, trap.error) == (13, 8 * vector + 2)
    assert trap.rip == USER_TEXT + len(assemble(before))


@pytest.mark.parametrize("size", SLICES)
def test_a_gate_that_is_not_present(size: int) -> None:
    machine = build(f"mov byte ptr [{IDT + 16 * 0x55 + 5}], 0x0e; nop; int 0x55; hlt").machine()
    while runs(machine):
        machine.run(0, size)
    (trap,) = log(machine)
    at = len(assemble(f"mov byte ptr [{IDT + 16 * 0x55 + 5}], 0x0e; nop"))
    assert (trap.vector, trap.error, trap.rip) == (11, 8 * 0x55 + 2, TEXT + at)


@pytest.mark.parametrize(("kind", "vector"), [(0x85, 13), (0x8C, 13), (0x80, 13)])
def test_a_gate_of_a_kind_that_does_not_exist(kind: int, vector: int) -> None:
    machine = build(f"mov byte ptr [{IDT + 16 * 0x55 + 5}], {kind}; int 0x55; hlt").machine()
    machine.run(0, 1000)
    (trap,) = log(machine)
    assert (trap.vector, trap.error) == (vector, 8 * 0x55 + 2)


def test_a_gate_beyond_the_limit() -> None:
    machine = build(
        f"mov word ptr [{DATA}], 511; mov eax, {IDT}; mov [{DATA + 2}], rax; lidt [{DATA}];"
        "int 0x20; hlt"
    ).machine()
    machine.run(0, 1000)
    (trap,) = log(machine)
    assert (trap.vector, trap.error) == (13, 0x20 * 8 + 2)


def test_an_interrupt_through_a_bad_gate_names_it_too() -> None:
    machine = build(
        f"mov byte ptr [{IDT + 16 * 0x55 + 5}], 0x0e; sti; nop; again: jmp again"
    ).machine()
    machine.interrupt(0x55, 1)
    machine.run(0, 1000)
    (trap,) = log(machine)
    assert (trap.vector, trap.error & ~1) == (11, 8 * 0x55 + 2)


def test_a_code_segment_that_is_none_names_the_selector() -> None:
    machine = build(f"mov byte ptr [{IDT + 16 * 0x55 + 2}], 0x10; int 0x55; hlt").machine()
    machine.run(0, 1000)
    (trap,) = log(machine)
    assert (trap.vector, trap.error) == (13, 0x10)


@pytest.mark.parametrize("size", SLICES)
def test_a_fault_on_the_way_belongs_to_the_instruction(size: int) -> None:
    """The stack of ring 0 is not there: #PF, then #DF; RIP is at the int3."""
    before = f"mov qword ptr [{TSS + 4}], 0x700000"
    machine = in_user("nop; int3", before=before, size=size, user_vectors=(3,))
    assert [trap.vector for trap in log(machine)] == [8]
    assert log(machine)[0].rip == USER_TEXT + 1


# --- ports ---------------------------------------------------------------------------------------

ACCESSES = ["in al, 0x80", "in ax, 0x80", "in eax, 0x80", "out 0x80, al", "out 0x80, eax",
            "in al, dx", "out dx, ax", "outsb", "rep outsb", "insb", "rep insd"]  # fmt: skip
BITMAP = f"mov word ptr [{TSS + 102}], 104"
LONG_TSS = f"mov word ptr [{TSS_DESCRIPTOR}], 127"  # 24 bytes of bitmap: ports 0 to 0xb7
LOAD_TSS = f"and byte ptr [{TSS_DESCRIPTOR + 5}], 0xfd; mov eax, 0x30; ltr ax"


def with_bitmap(denied: int) -> str:
    """Return code that gives core 0 a permission bitmap of ports 0 to 0xb7."""
    bits = struct.unpack("<3Q", (denied | 0xFF << 184).to_bytes(24, "little"))
    words = "; ".join(
        f"mov rax, {word}; mov [{TSS + 104 + 8 * at}], rax" for at, word in enumerate(bits)
    )
    return f"{BITMAP}; {LONG_TSS}; {words}; {LOAD_TSS}"


SETUP = f"mov edx, 0x80; mov ecx, 2; mov esi, {USER_DATA}; mov edi, {USER_DATA}"


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize("access", ACCESSES)
def test_without_a_bitmap_user_may_not(access: str, size: int) -> None:
    machine = in_user(f"{SETUP}; {access}", size=size)
    (trap,) = log(machine)
    assert (trap.vector, trap.error) == (13, 0)
    assert trap.rip == USER_TEXT + len(assemble(SETUP, USER_TEXT))


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize("access", ACCESSES)
def test_where_the_bitmap_is_clear_user_may(access: str, size: int) -> None:
    machine = in_user(f"{SETUP}; {access}", before=with_bitmap(0), size=size)
    (trap,) = log(machine)
    assert (trap.vector, trap.error) == (13, 0)
    assert trap.rip == USER_TEXT + len(assemble(f"{SETUP}; {access}", USER_TEXT))  # the hlt


@pytest.mark.parametrize(("access", "refused"), [
    ("in al, 0x80", False), ("in al, 0x81", True), ("in ax, 0x80", True), ("in eax, 0x7e", True),
    ("in eax, 0x7d", False), ("out 0x82, al", False), ("out 0xb7, al", False),
    ("out 0xb7, ax", True),
])  # fmt: skip
def test_every_port_of_an_access_counts(access: str, refused: bool) -> None:
    machine = in_user(access, before=with_bitmap(1 << 0x81))
    (trap,) = log(machine)
    assert trap.rip == USER_TEXT + (0 if refused else len(assemble(access)))


def test_iopl_opens_all_ports() -> None:
    code = to_user(USER_TEXT).replace("push 2;", "push 0x3002;")
    machine = build(
        code, pages=PAGES, data={FAR_TEXT: assemble("in al, 0x80; hlt", USER_TEXT)}
    ).machine()  # fmt: skip
    machine.run(0, 1000)
    (trap,) = log(machine)
    assert trap.rip == USER_TEXT + 2


@pytest.mark.parametrize("size", SLICES)
def test_strings_go_to_the_port_one_by_one(size: int) -> None:
    code = f"mov edx, 0x3f8; mov ecx, 5; mov esi, {DATA}; rep outsb; mov eax, 1; hlt"
    machine = build(code, data={DATA: b"ports"}, resume={13: RETURN}).machine()
    while runs(machine):
        machine.run(0, size)
    assert bytes(machine.output) == b"ports"
    assert machine.register(0, unicorn_layout.RCX) == 0
    assert machine.register(0, unicorn_layout.RSI) == DATA + 5
