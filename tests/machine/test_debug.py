"""Debug registers: breakpoints on instructions, data and ports, each core its own."""

import pytest

from emu.machine import unicorn_layout
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from tests.machine.guest_builder import Guest, build, finish, log, quad, runs
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import DATA, PRESENT, RETURN, TEXT, WRITABLE

SLICES = [1, 2, 5, 1000]
EXECUTE, WRITE, PORT, ACCESS = range(4)
LENGTHS = {1: 0, 2: 1, 8: 2, 4: 3}


def setting(number: int, address: int, kind: int, length: int = 1) -> str:
    """Return code that sets one breakpoint, and clobbers RAX."""
    control = 0x400 | 2 << 2 * number | (kind | LENGTHS[length] << 2) << 16 + 4 * number
    return f"mov eax, {address}; mov dr{number}, rax; mov eax, {control}; mov dr7, rax"


def ran(guest: Guest, size: int) -> Machine:
    machine = guest.machine()
    while runs(machine):
        machine.run(0, size)
        assert machine.now < 100_000
    return machine


def dr6(machine: Machine) -> int:
    return machine.register(0, unicorn_layout.DR6) & 0xFFFF


def traps(machine: Machine) -> list[tuple[int, int]]:
    return [(trap.vector, trap.rip) for trap in log(machine)]


@pytest.mark.parametrize("size", SLICES)
def test_an_instruction_breaks_before_it_runs(size: int) -> None:
    head = len(assemble(setting(1, TEXT, EXECUTE), TEXT)) + 4
    code = f"{setting(1, TEXT + head, EXECUTE)}; inc ebx; inc ebx; inc ebx; hlt"
    machine = ran(build(code), size)
    assert traps(machine) == [(1, TEXT + head)]
    assert dr6(machine) == 0x0FF2


@pytest.mark.parametrize("size", SLICES)
def test_rf_lets_one_instruction_pass_and_not_two(size: int) -> None:
    """A loop over a breakpoint: the handler sets RF in the frame, and the next round breaks."""
    body = "inc ebx; inc ebx; cmp ebx, 8"
    loop = f"again: {body}; jb again; hlt"
    head = len(assemble(setting(0, TEXT, EXECUTE), TEXT))
    at = TEXT + head + 2
    code = f"{setting(0, at, EXECUTE)}; {loop}"
    resume = TEXT + 0x800
    # goes on at the address the frame says, with RF set in it
    handler = f"""
        push rbp; mov ebp, {at}; push 0x10; lea rax, [rsp + 16]; push rax; push 0x10002; push 8
        push rbp; iretq
    """
    guest = build(code, resume={1: resume}, data={resume: assemble(handler, resume)})
    machine = guest.machine()
    while runs(machine):
        machine.run(0, size)
        assert machine.now < 100_000
    assert traps(machine) == [(1, at)] * 4
    assert machine.register(0, unicorn_layout.RBX) & 0xFFFFFFFF == 8


def test_the_nearest_of_several_and_all_that_stand_at_one_place() -> None:
    head = len(assemble(f"{setting(0, TEXT, 0)}; {setting(2, TEXT, 0)}; mov eax, 0x422", TEXT)) + 3
    at = TEXT + head
    code = (
        f"{setting(0, at + 4, EXECUTE)}; {setting(2, at + 4, EXECUTE)}; mov eax, 0x422;"
        "mov dr7, rax; inc ebx; inc ebx; inc ebx; hlt"
    )
    machine = ran(build(code), 1000)
    assert traps(machine) == [(1, at + 4)]
    assert dr6(machine) == 0x0FF5


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize(("kind", "length", "access", "hits"), [
    (WRITE, 4, "mov [rsi], eax", True), (WRITE, 4, "mov eax, [rsi]", False),
    (ACCESS, 4, "mov eax, [rsi]", True), (ACCESS, 4, "mov [rsi + 3], al", True),
    (WRITE, 4, "mov [rsi + 4], al", False), (WRITE, 1, "mov [rsi], rax", True),
    (WRITE, 8, "mov [rsi + 7], rax", True), (WRITE, 8, "mov [rsi - 1], al", False),
    (WRITE, 8, "mov [rsi - 1], ax", True), (ACCESS, 2, "mov rax, [rsi - 8]", False),
    (ACCESS, 2, "mov rax, [rsi - 6]", True), (WRITE, 4, "lock inc dword ptr [rsi]", True),
    (ACCESS, 1, "cmp byte ptr [rsi], 0", True), (WRITE, 4, "cmp byte ptr [rsi], 0", False),
    (WRITE, 4, "fxsave [rsi - 16]", True), (ACCESS, 8, "push qword ptr [rsi + 7]", True),
])  # fmt: skip
def test_data_break_behind_the_access(
    kind: int, length: int, access: str, hits: bool, size: int
) -> None:
    at = DATA + 0x100
    before = f"mov esi, {at}; {setting(3, at, kind, length)}; inc ebx; xor eax, eax"
    code = f"{before}; {access}; inc ebx; hlt"
    machine = ran(build(code), size)
    behind = TEXT + len(assemble(f"{before}; {access}", TEXT))
    assert traps(machine) == ([(1, behind)] if hits else [])
    assert dr6(machine) == (0x0FF8 if hits else 0x0FF0)


@pytest.mark.parametrize("size", SLICES)
def test_a_breakpoint_on_data_that_was_used_before(size: int) -> None:
    """The code that touches it was translated and run at full speed before."""
    at = len(assemble(f"mov ecx, 2; again: mov [{DATA}], ecx", TEXT))
    code = f"""
        mov ecx, 2
        again: mov [{DATA}], ecx
        dec ecx
        jnz next
        hlt
        next: {setting(0, DATA, WRITE, 4)}
        jmp again
    """
    machine = ran(build(code, resume={1: RETURN}), size)
    assert traps(machine) == [(1, TEXT + at)]


@pytest.mark.parametrize("size", SLICES)
def test_a_string_breaks_between_two_rounds(size: int) -> None:
    before = f"{setting(0, DATA + 8, WRITE, 8)}; mov edi, {DATA}; mov ecx, 4; mov rax, -1"
    machine = ran(build(f"{before}; rep stosq; hlt", resume={1: RETURN}), size)
    at = TEXT + len(assemble(before, TEXT))
    assert traps(machine) == [(1, at)]
    assert [quad(machine, DATA + 8 * word) for word in range(4)] == [(1 << 64) - 1] * 4


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize(("access", "hits"), [
    ("out 0x81, al", True), ("in al, 0x80", True), ("in al, 0x82", False), ("in ax, 0x7f", True),
])  # fmt: skip
def test_ports_break_where_the_extension_is_on(access: str, hits: bool, size: int) -> None:
    before = f"mov rax, cr4; or rax, 8; mov cr4, rax; {setting(2, 0x80, PORT, 2)}"
    machine = ran(build(f"{before}; {access}; nop; hlt"), size)
    behind = TEXT + len(assemble(f"{before}; {access}", TEXT))
    assert traps(machine) == ([(1, behind)] if hits else [])
    machine = ran(build(f"{setting(2, 0x80, PORT, 2)}; {access}; nop; hlt"), size)
    assert traps(machine) == []


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_every_core_has_its_own(size: int) -> None:
    wait = f"wait: cmp dword ptr [{DATA + 64}], 0; je wait"
    store = f"mov dword ptr [{DATA}], 1; inc ebx; hlt"
    first = f"{setting(0, DATA, WRITE, 4)}; mov dword ptr [{DATA + 64}], 1; {store}"
    machine = build(first, f"{wait}; {store}").machine()
    while runs(machine, 0) or runs(machine, 1):
        for core in (0, 1):
            machine.run(core, size)
    assert [(trap.vector, trap.core) for trap in log(machine)] == [(1, 0)]


@pytest.mark.parametrize("size", SLICES)
def test_general_detect_guards_the_registers(size: int) -> None:
    code = "mov eax, 0x2400; mov dr7, rax; mov rbx, dr7; hlt"
    machine = ran(build(code), size)
    assert traps(machine) == [(1, TEXT + len(assemble("mov eax, 0x2400; mov dr7, rax")))]
    assert dr6(machine) == 0x2FF0
    assert machine.register(0, unicorn_layout.DR7) == 0x400


@pytest.mark.parametrize(("code", "vector"), [
    ("mov rax, dr4", None), ("mov rax, cr4; or rax, 8; mov cr4, rax; mov rbx, dr5", 6),
    ("mov rax, 0x100000000; mov dr7, rax", 13), ("mov rax, 0x100000000; mov dr6, rax", 13),
    ("mov rax, 0x100000000; mov dr0, rax", None),
])  # fmt: skip
def test_registers_that_are_not_there(code: str, vector: int | None) -> None:
    machine = ran(build(f"{code}; hlt"), 1000)
    assert [trap.vector for trap in log(machine)] == ([vector] if vector else [])


def test_what_is_read_and_written() -> None:
    machine = ran(
        build(f"mov eax, 0x12345678; mov dr2, rax; mov rbx, dr2; mov [{DATA}], rbx; xor eax, eax;"
              f"mov dr6, rax; mov rbx, dr4; mov [{DATA + 8}], rbx; mov dr7, rax; mov rbx, dr7;"
              f"mov [{DATA + 16}], rbx; hlt"), 1000
    )  # fmt: skip
    assert [quad(machine, DATA + 8 * n) for n in range(3)] == [0x12345678, 0xFFFF0FF0, 0x400]


@pytest.mark.parametrize("size", SLICES)
def test_icebp_is_a_debug_exception(size: int) -> None:
    code = "inc ebx; .byte 0xf1; inc ebx; hlt"
    machine = ran(build(code, resume={1: RETURN}), size)
    assert traps(machine) == [(1, TEXT + 3)]
    assert dr6(machine) == 0x0FF0
    assert machine.register(0, unicorn_layout.RBX) == 2


def test_slices_make_no_difference() -> None:
    code = f"""
        {setting(0, DATA, WRITE, 8)}
        mov esi, {DATA}
        mov ecx, 30
        again: inc ebx
        mov [rsi], rbx
        mov rdx, [rsi]
        add [rsi + 8], rdx
        dec ecx
        jnz again
        hlt
    """
    machines = [ran(build(code, resume={1: RETURN}), size) for size in SLICES]
    assert {len(log(machine)) for machine in machines} == {30}
    assert len({state_hash(machine) for machine in machines}) == 1


def test_an_access_over_two_pages_hits_in_the_second() -> None:
    window = 0x40000000
    pages = {window: DATA + 0x1000 | PRESENT | WRITABLE, window + 0x1000: DATA | PRESENT | WRITABLE}
    before = f"{setting(1, window + 0x1000, WRITE, 2)}; mov ebx, {window + 0xFFE}"
    machine = build(
        f"{before}; mov [rbx - 2], eax; mov [rbx], eax; nop; hlt", pages=pages
    ).machine()
    finish(machine)
    behind = TEXT + len(assemble(f"{before}; mov [rbx - 2], eax; mov [rbx], eax", TEXT))
    assert traps(machine) == [(1, behind)]
