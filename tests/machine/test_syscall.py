"""SYSCALL, SYSRET, SYSENTER, SYSEXIT between ring 3 and ring 0."""

import pytest

from emu.machine import unicorn_layout
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from tests.machine.effects import flags
from tests.machine.guest_builder import build, log, quad, rip, runs
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import (
    DATA,
    FAR_TEXT,
    RETURN,
    STACKS,
)
from tests.machine.test_exceptions import PAGES, USER_TEXT, to_user
from tests.machine.test_msr import write

SLICES = [1, 3, 1000]
SYSRETQ, SYSEXITQ = ".byte 0x48, 0x0f, 0x07", ".byte 0x48, 0x0f, 0x35"
ENTRY = FAR_TEXT + 0x2000  # of the kernel
STAR = 0x18 << 48 | 0x08 << 32  # user: 32-bit code 0x18, data 0x20, 64-bit code 0x28
FMASK = 0x300  # TF, IF
USER_MORE = USER_TEXT + 0x3000


def ran(
    user: str,
    kernel: str,
    *,
    size: int = 1000,
    before: str = "",
    resume: dict[int, int] | None = None,
) -> Machine:
    """Run ring-3 code whose fast calls end at `kernel`."""
    setup = "; ".join([
        write(0xC0000081, STAR), write(0xC0000082, ENTRY), write(0xC0000083, ENTRY + 0x800),
        write(0xC0000084, FMASK), write(0x174, 0x08), write(0x175, STACKS + 0x1000),
        write(0x176, ENTRY), before or "nop",
    ])  # fmt: skip
    machine = build(
        f"{setup}; {to_user(USER_TEXT)}",
        pages=PAGES, resume=resume,
        data={FAR_TEXT: assemble(user, USER_TEXT), ENTRY: assemble(kernel, ENTRY)},
    ).machine()  # fmt: skip
    while runs(machine):
        machine.run(0, size)
        assert machine.now < 100_000
    return machine


def segment(machine: Machine, offset: int) -> tuple[int, int, int, int]:
    """Return selector, base, limit and flags of a segment register."""
    selector = machine.register(0, offset) & 0xFFFFFFFF
    limit_flags = machine.register(0, offset + 16)
    base = machine.register(0, offset + 8)
    return selector, base, limit_flags & 0xFFFFFFFF, limit_flags >> 32


@pytest.mark.parametrize("size", SLICES)
def test_syscall_enters_the_kernel(size: int) -> None:
    machine = ran("stc; std; syscall; nop", "hlt", size=size)
    assert machine.register(0, unicorn_layout.RCX) == USER_TEXT + 4
    old = machine.register(0, unicorn_layout.REGISTERS + 8 * 11)
    assert old & 0xFFF == 0x403 | old & 0xFF
    assert old & 1
    assert flags(machine) == old & ~FMASK
    assert segment(machine, unicorn_layout.CS)[:3] == (0x08, 0, 0xFFFFFFFF)
    assert segment(machine, unicorn_layout.SS)[:3] == (0x10, 0, 0xFFFFFFFF)
    assert machine.register(0, unicorn_layout.HFLAGS) & 3 == 0
    assert rip(machine) == ENTRY + 1
    assert machine.register(0, unicorn_layout.RSP) == 0x10001000 + 0x800  # the user's


@pytest.mark.parametrize("size", SLICES)
def test_there_and_back_many_times(size: int) -> None:
    user = "mov r8d, 50; again: mov eax, 7; syscall; add r9, rax; dec r8d; jnz again; hlt"
    machine = ran(user, f"lea rax, [rax * 2]; {SYSRETQ}", size=size)
    assert machine.register(0, unicorn_layout.REGISTERS + 8 * 9) == 50 * 14
    (trap,) = log(machine)  # hlt is the kernel's
    assert (trap.vector, trap.error) == (13, 0)
    assert trap.rip == USER_TEXT + len(assemble(user)) - 1


def test_slices_make_no_difference() -> None:
    user = "mov r8d, 50; again: mov eax, 7; syscall; add r9, rax; dec r8d; jnz again; hlt"
    hashes = {state_hash(ran(user, f"inc r10; {SYSRETQ}", size=size)) for size in SLICES}
    assert len(hashes) == 1


@pytest.mark.parametrize("prefix", [b"", b"\x48", b"\x66", b"\x2e\x36\x48"])
def test_prefixes_count(prefix: bytes) -> None:
    code = ".byte " + ", ".join(str(byte) for byte in prefix + b"\x0f\x05")
    machine = ran(code, "hlt")
    assert machine.register(0, unicorn_layout.RCX) == USER_TEXT + len(prefix) + 2
    assert rip(machine) == ENTRY + 1


@pytest.mark.parametrize("size", SLICES)
def test_syscall_that_is_not_enabled_does_not_exist(size: int) -> None:
    machine = ran("nop; syscall", "hlt", size=size, before=write(0xC0000080, 0xD00))
    (trap,) = log(machine)
    assert (trap.vector, trap.rip) == (6, USER_TEXT + 1)


@pytest.mark.parametrize("size", SLICES)
def test_from_compatibility_mode_it_goes_elsewhere(size: int) -> None:
    """CSTAR, as on AMD and in QEMU."""
    code = "push 0x23; push 0x10001800; push 2; push 0x1b; push 0x10000000; iretq"
    setup = f"{write(0xC0000081, STAR)}; {write(0xC0000083, ENTRY)}"
    gdt = 0x120018  # the third descriptor becomes user code of 32 bits
    machine = build(
        f"{setup}; mov eax, {gdt}; mov byte ptr [rax + 5], 0xfb; {code}",
        pages=PAGES, data={FAR_TEXT: b"\x0f\x05", ENTRY: b"\xf4"},
    ).machine()  # fmt: skip
    while runs(machine):
        machine.run(0, size)
    assert rip(machine) == ENTRY + 1
    assert machine.register(0, unicorn_layout.RCX) == USER_TEXT + 2


def test_a_traced_call_traps_in_the_kernel_only_where_tf_is_not_masked() -> None:
    traced = "pushfq; or qword ptr [rsp], 0x100; popfq; syscall; nop"
    machine = ran(traced, "nop; hlt", resume={1: RETURN})
    assert [trap.vector for trap in log(machine)] == []
    machine = ran(traced, "nop; hlt", resume={1: RETURN}, before=write(0xC0000084, 0))
    assert [trap.rip for trap in log(machine)][:2] == [ENTRY, ENTRY + 1]


@pytest.mark.parametrize("size", SLICES)
def test_sysenter_and_sysexit(size: int) -> None:
    user = f"mov ebx, {USER_TEXT}; xor eax, eax; sub eax, 1; sysenter; nop; nop; hlt"
    at = USER_TEXT + len(assemble("mov ebx, 1; xor eax, eax; sub eax, 1; sysenter"))
    kernel = f"mov [{DATA}], rsp; pushfq; pop r15; mov edx, {at}; mov ecx, 0x10001800; {SYSEXITQ}"
    machine = ran(user, kernel, size=size)
    assert quad(machine, DATA) == STACKS + 0x1000
    kept = machine.register(0, unicorn_layout.REGISTERS + 8 * 15)
    assert kept & 0x8D5 == 0x95  # what sub left: CF, PF, AF, SF
    (trap,) = log(machine)
    assert (trap.vector, trap.rip, trap.rsp) == (13, at + 2, 0x10001800)


@pytest.mark.parametrize("size", SLICES)
def test_sysenter_without_a_selector_is_refused(size: int) -> None:
    machine = ran("nop; sysenter", "hlt", size=size, before=write(0x174, 0))
    (trap,) = log(machine)
    assert (trap.vector, trap.error, trap.rip) == (13, 0, USER_TEXT + 1)


def test_the_page_of_the_entry_may_be_missing() -> None:
    machine = ran("syscall", "hlt", before=write(0xC0000082, 0x700000))
    (trap,) = log(machine)
    assert (trap.vector, trap.error, trap.rip) == (14, 0x10, 0x700000)
