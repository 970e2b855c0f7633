"""Model-specific registers, CR8: what a core reads, what it writes, what it may not."""

import pytest

from emu.machine import unicorn_layout
from emu.machine.events import DELIVERED, SERIALISED
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from tests.machine.guest_builder import build, finish, log, quad, rip, runs
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import APIC, DATA, FAR_TEXT, PRESENT, RETURN, TEXT, WRITABLE
from tests.machine.test_exceptions import PAGES, USER_TEXT, to_user

SLICES = [1, 3, 1000]
APIC_BASE, TSC, MTRR_CAP, PAT, EFER = 0x1B, 0x10, 0xFE, 0x277, 0xC0000080
ALL = (1 << 64) - 1


def read(number: int, to: int) -> str:
    """Return code that stores what RDMSR reads to an address, and leaves RDI alone."""
    return f"mov ecx, {number}; rdmsr; shl rdx, 32; or rax, rdx; mov [{to}], rax"


def write(number: int, value: int) -> str:
    low, high = value & 0xFFFFFFFF, value >> 32
    return f"mov ecx, {number}; mov eax, {low}; mov edx, {high}; wrmsr"


def ran(code: str, size: int = 1000, **more: dict[int, int]) -> Machine:
    machine = build(f"{code}; hlt", **more).machine()  # type: ignore[arg-type]
    while runs(machine):
        machine.run(0, size)
    return machine


@pytest.mark.parametrize(("number", "value"), [
    (APIC_BASE, 0xFEE00900), (MTRR_CAP, 0x508), (0x2FF, 0), (0x200, 0), (0x250, 0),
    (PAT, 0x0007040600070406), (0x179, 0x0100010A), (0x17B, ALL), (0x400, ALL), (0x401, 0),
    (0x427, 0), (0x428, 0), (EFER, 0xD01), (0x1A0, 1), (0x17, 0), (0x3A, 0), (0x12345, 0),
    (0x8B, 1 << 32), (0x198, 4 << 40 | 1000), (0x802, 0), (0x35, 0x10001),
])  # fmt: skip
def test_what_is_read_after_power_up(number: int, value: int) -> None:
    """As QEMU 7.2's TCG has it, before any firmware."""
    assert quad(ran(read(number, DATA)), DATA) == value


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize("number", [
    0x174, 0x175, 0x176, 0x200, 0x20F, 0x250, 0x258, 0x259, 0x268, 0x26F, 0x2FF, PAT, 0x17A, 0x403,
    0xC0000081, 0xC0000082, 0xC0000083, 0xC0000084, 0xC0000100, 0xC0000101, 0xC0000102, 0xC0000103,
])  # fmt: skip
def test_what_is_written_is_read(number: int, size: int) -> None:
    value = 0x8 if number == 0x174 else 0x1122334455667788
    machine = ran(f"{write(number, value)}; {read(number, DATA)}", size)
    assert quad(machine, DATA) == value


@pytest.mark.parametrize(("number", "value"), [(0x12345, 1), (MTRR_CAP, 0), (0x400, 5)])
def test_what_cannot_be_written_stays(number: int, value: int) -> None:
    code = f"{read(number, DATA)}; {write(number, value)}; {read(number, DATA + 8)}"
    machine = ran(code)
    assert quad(machine, DATA) == quad(machine, DATA + 8) != value


def test_only_the_first_core_is_the_bootstrap_processor() -> None:
    machine = build(f"{read(APIC_BASE, DATA)}; hlt", f"{read(APIC_BASE, DATA + 8)}; hlt").machine()
    finish(machine, 0)
    finish(machine, 1)
    assert (quad(machine, DATA), quad(machine, DATA + 8)) == (0xFEE00900, 0xFEE00800)


def test_an_apic_switched_off_stays_off_and_cpuid_tells() -> None:
    machine = ran(
        f"{write(APIC_BASE, 0xFEC00000)}; {write(APIC_BASE, 0xFEC00800)}; {read(APIC_BASE, DATA)};"
        "mov eax, 1; cpuid"
    )
    assert quad(machine, DATA) == 0xFEC00100
    assert not machine.register(0, unicorn_layout.RDX) & 1 << 9


@pytest.mark.parametrize("size", SLICES)
def test_the_time_stamp_counter_can_be_written(size: int) -> None:
    machine = ran(
        f"{write(TSC, 0x500000000)}; rdtsc; shl rdx, 32; or rax, rdx; mov [{DATA}], rax;"
        f"{read(TSC, DATA + 8)}", size,
    )  # fmt: skip
    assert quad(machine, DATA) == 0x500000001
    assert quad(machine, DATA + 8) == 0x500000006  # five instructions later


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize(
    "instruction", ["rdmsr", "wrmsr", "mov rax, cr8", "mov cr8, rax", "mov rax, dr7",
                    "mov dr7, rax"],
)  # fmt: skip
def test_user_may_not(instruction: str, size: int) -> None:
    before = "mov ecx, 0x1b; nop"
    text = assemble(f"{before}; {instruction}; hlt", USER_TEXT)
    machine = build(to_user(USER_TEXT), pages=PAGES, data={FAR_TEXT: text}).machine()
    while runs(machine):
        machine.run(0, size)
    (trap,) = log(machine)
    where = USER_TEXT + len(assemble(before))
    assert (trap.vector, trap.error, trap.rip) == (13, 0, where)


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize("instruction", ["rdmsr", "mov r9, cr8", "mov cr8, r10", "mov r11, dr3"])
def test_a_traced_one_traps_behind_it(instruction: str, size: int) -> None:
    code = "pushfq; or qword ptr [rsp], 0x100; popfq"
    machine = ran(f"mov ecx, 0x1b; {code}; {instruction}; nop", size, resume={1: RETURN})
    at = TEXT + len(assemble(f"mov ecx, 0x1b; {code}; {instruction}"))
    assert [trap.rip - at for trap in log(machine)][:2] == [0, 1]
    assert machine.register(0, unicorn_layout.DR6) & 0x4000


def test_one_counts_as_one_instruction_and_the_hash_shows_it() -> None:
    hashes = set()
    for size in SLICES:
        machine = ran(f"{write(0x200, 6)}; {write(TSC, 0)}; mov rax, 5; mov cr8, rax", size)
        assert machine.retired() == machine.now
        hashes.add((state_hash(machine), machine.now))
    assert len(hashes) == 1
    others = {state_hash(ran(write(0x200, value))) for value in (6, 7)}
    assert len(others) == 2


def test_task_priority_is_one_thing_seen_twice() -> None:
    machine = ran(
        f"mov eax, {APIC + 0x80}; mov dword ptr [rax], 0x57; mov rbx, cr8; mov [{DATA}], rbx;"
        f"mov r9d, 0xA; mov cr8, r9; mov ebx, [rax]; mov [{DATA + 8}], rbx"
    )
    assert (quad(machine, DATA), quad(machine, DATA + 8)) == (5, 0xA0)


def test_a_priority_beyond_fifteen_is_refused() -> None:
    machine = ran("mov eax, 16; mov cr8, rax")
    assert [(trap.vector, trap.error) for trap in log(machine)] == [(13, 0)]


@pytest.mark.parametrize("size", SLICES)
def test_an_interrupt_waits_for_the_priority_to_fall(size: int) -> None:
    code = "mov eax, 4; mov cr8, rax; sti; nop; nop; nop; xor eax, eax; mov cr8, rax"
    machine = build(f"{code}; nop; hlt").machine()
    machine.interrupt(0x40, 1)
    while runs(machine):
        machine.run(0, size)
    (trap,) = log(machine)
    assert trap.vector == 0x40
    assert trap.rip == TEXT + len(assemble(code))


def test_a_write_serialises_where_the_manual_says_so() -> None:
    """A core that is behind: IA32_PAT moves its floor, SPEC_CTRL does not."""
    for number, serialises in ((PAT, True), (0x48, False)):
        machine = build(f"{write(number, 0x0007040600070406)}; hlt").machine("sdm")
        machine.state.lines[(TEXT + 0x40) // 64] |= 1
        machine.store(TEXT + 0x40, b"\x90\x91")
        finish(machine)
        kinds = [int(row[2]) for row in machine.events.since(0)]
        assert (SERIALISED in kinds) == serialises
        assert DELIVERED not in kinds


@pytest.mark.parametrize("size", SLICES)
def test_one_that_is_written_into_text_later_is_found(size: int) -> None:
    """Its line was fetched without it; one store over two words makes it."""
    window = 0x40000000
    pages = {window: FAR_TEXT | PRESENT | WRITABLE}
    body = b"\x90" * 7 + b"\x90\x90" + b"\xc3"  # nops that become rdmsr, then ret
    code = f"""
        mov ecx, 0x1b
        mov ebx, {window}
        call rbx
        mov word ptr [rbx + 7], 0x320f
        cpuid
        mov ecx, 0x1b
        mov ebx, {window}
        call rbx
        mov [{DATA}], rax
    """
    machine = build(f"{code}; hlt", pages=pages, data={FAR_TEXT: body}).machine()
    while runs(machine):
        machine.run(0, size)
    assert quad(machine, DATA) & 0xFFFFFFFF == 0xFEE00900


@pytest.mark.parametrize("offset", [62, 63, 64, 4094, 4095])
def test_one_that_lies_across_lines_and_pages(offset: int) -> None:
    window = 0x40000000
    pages = {window: FAR_TEXT | PRESENT, window + 0x1000: FAR_TEXT + 0x2000 | PRESENT}
    code = b"\x0f\x32\xf4"
    memory = {FAR_TEXT: bytearray(0x1000), FAR_TEXT + 0x2000: bytearray(0x1000)}
    for at, byte in enumerate(code):
        page = FAR_TEXT + 0x2000 * ((offset + at) // 4096)
        memory[page][(offset + at) % 4096] = byte
    machine = build(
        f"mov ecx, 0x1b; mov ebx, {window + offset}; jmp rbx",
        pages=pages, data={page: bytes(content) for page, content in memory.items()},
    ).machine()  # fmt: skip
    finish(machine)
    assert machine.register(0, unicorn_layout.RAX) == 0xFEE00900
    assert rip(machine) == window + offset + 3
