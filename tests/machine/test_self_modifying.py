"""Code that stores into code: what the architecture promises, and an exact log of the stores."""

import pytest

from emu.machine import unicorn_layout
from emu.machine.events import TEXT_STORE
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.machine.state import LINE_FETCHED
from tests.machine.guest_builder import build, finish
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import DATA, FAR_TEXT, NX, PRESENT, WRITABLE

CODE = FAR_TEXT + 0x1000
ALIAS = 0x20001000  # the same frames, writable and not executable
BOTH = 0x30001000  # the same frames, writable and executable
SLICES = [1, 2, 1000]


def pages() -> dict[int, int]:
    mapped = {}
    for page in range(0, 0x3000, 0x1000):
        frame = FAR_TEXT + page
        mapped[ALIAS - 0x1000 + page] = frame | PRESENT | WRITABLE | NX
        mapped[BOTH - 0x1000 + page] = frame | PRESENT | WRITABLE
    return mapped


def ran(code: bytes, at: int = CODE, before: str = "", size: int = 1000) -> Machine:
    """Return the machine that came to code's hlt; `at` is a physical address or lies in BOTH."""
    physical = at - BOTH + CODE if at >= BOTH - 0x1000 else at
    guest = build(f"{before}; mov eax, {at}; jmp rax", pages=pages(), data={physical: code})
    machine = guest.machine()
    while machine.state.core[0, 0] == 1:
        machine.run(0, size)
        assert machine.now < 100_000
    return machine


def stores(machine: Machine) -> list[tuple[int, int, int, int]]:
    """Return (address, old, new, length) of each store to text."""
    rows = machine.events.since(0)
    found = [row for row in rows if row[2] == TEXT_STORE]
    return [(int(row[3]), int(row[4]), int(row[5]), int(row[6])) for row in found]


def rax(machine: Machine) -> int:
    return machine.register(0, unicorn_layout.RAX)


@pytest.mark.parametrize("window", [ALIAS, BOTH], ids=["through an alias", "where it runs"])
@pytest.mark.parametrize("size", SLICES)
def test_a_store_to_the_next_instruction(window: int, size: int) -> None:
    run_at = CODE if window == ALIAS else BOTH
    # mov byte [rbx], 0x77; mov eax, 0x11; hlt
    code = bytes.fromhex("c60377 b811000000 f4")
    machine = ran(code, run_at, f"mov ebx, {window + 4}", size)
    assert rax(machine) == 0x77
    assert stores(machine) == [(CODE + 4, 0x11, 0x77, 1)]


@pytest.mark.parametrize("size", SLICES)
def test_stores_later_and_earlier_in_the_own_block(size: int) -> None:
    code = assemble(
        f"""
        mov ebx, {ALIAS}
        nop
        mov dword ptr [rbx + 0x40], 0x90909090
        mov byte ptr [rbx + 5], 0xcc
        inc ecx
        """,
        CODE,
    )
    code = code.ljust(0x40, b"\x90") + b"\x0f\x0b\x0f\x0b\xf4"  # ud2; ud2; hlt
    machine = ran(code, size=size)
    # the line at +0x40 is fresh, whatever the engine translated: that store makes no version
    later = int.from_bytes(code[0x40:0x44], "little")
    assert stores(machine) == [(CODE + 0x40, later, 0x90909090, 4), (CODE + 5, 0x90, 0xCC, 1)]
    assert machine.register(0, unicorn_layout.RCX) == 1
    assert machine.register(0, unicorn_layout.RIP) == CODE + 0x45


@pytest.mark.parametrize("size", SLICES)
def test_a_store_into_the_storing_instruction_itself(size: int) -> None:
    """It runs from its old bytes; the new ones count from the next time on."""
    # mov dword [rbx], 0x11223344 ; at CODE+2 its immediate; then go round once more
    code = bytes.fromhex("c703 88776655 ff c1 83f902 75f3 f4".replace(" ", ""))
    machine = ran(code, before=f"xor ecx, ecx; mov ebx, {ALIAS + 2}", size=size)
    assert machine.read(CODE + 2, 4) == bytes.fromhex("88776655")
    assert stores(machine) == []  # nothing changed: no version
    other = bytes.fromhex("c60390 ffc1 83f902 75f6 f4".replace(" ", ""))  # mov byte [rbx], 0x90
    machine = ran(other, before=f"xor ecx, ecx; mov ebx, {ALIAS + 2}; ", size=size)
    assert stores(machine) == []
    add = bytes.fromhex("8003 05 ffc1 83f902 75f6 f4".replace(" ", ""))  # add byte [rbx], 5
    machine = ran(add, before=f"xor ecx, ecx; mov ebx, {ALIAS + 2}", size=size)
    assert stores(machine) == [(CODE + 2, 5, 10, 1), (CODE + 2, 10, 20, 1)]


@pytest.mark.parametrize("size", SLICES)
def test_a_loop_that_rewrites_its_own_constant(size: int) -> None:
    # mov eax, imm32; add edx, eax; inc dword [rbx]; dec ecx; jnz; hlt
    code = bytes.fromhex("b801000000 01c2 ff03 ffc9 75f3 f4".replace(" ", ""))
    machine = ran(code, before=f"mov ecx, 50; mov ebx, {ALIAS + 1}; xor edx, edx", size=size)
    assert machine.register(0, unicorn_layout.RDX) == sum(range(1, 51))
    assert stores(machine) == [(CODE + 1, n, n + 1, 4) for n in range(1, 51)]


CONTIGUOUS = (CODE - 0x1000, CODE)
SWAPPED = (CODE + 0x2000, CODE)  # the frame behind the first is another one


@pytest.mark.parametrize(("frames", "offset", "pieces"), [
    (CONTIGUOUS, 0xFFC, [4, 4]), (CONTIGUOUS, 0xFFF, [1, 7]), (CONTIGUOUS, 0xFF9, [7, 1]),
    (SWAPPED, 0x103, [5, 3]), (SWAPPED, 0x108, [8]),
    (SWAPPED, 0xFFC, [4, 4]), (SWAPPED, 0xFFF, [1, 7]), (SWAPPED, 0xFF9, [7, 1]),
])  # fmt: skip
def test_a_store_over_words_and_pages_is_one_event_for_each_word(
    frames: tuple[int, int], offset: int, pieces: list[int]
) -> None:
    window = 0x40000000
    mapped = {
        window + 0x1000 * page: frame | PRESENT | WRITABLE | NX for page, frame in enumerate(frames)
    }
    value = 0x1122334455667788
    guest = build(
        f"mov rax, {value}; mov ebx, {window + offset}; mov [rbx], rax; hlt",
        pages=mapped,
        data=dict.fromkeys({*CONTIGUOUS, *SWAPPED, CODE + 12288}, b"\x90" * 4096),
    )
    machine = guest.machine()
    machine.state.lines[:] |= LINE_FETCHED
    finish(machine)
    physical = [frames[at >> 12] + (at & 0xFFF) for at in range(offset, offset + 8)]
    stored = value.to_bytes(8, "little")
    assert b"".join(machine.read(at, 1) for at in physical) == stored
    expected, at = [], 0
    for length in pieces:
        new = int.from_bytes(stored[at : at + length], "little", signed=length == 8)
        old = int.from_bytes(b"\x90" * length, "little", signed=length == 8)
        expected.append((physical[at], old, new, length))
        at += length
    text = [event for event in stores(machine) if event[0] >= FAR_TEXT and event[0] < DATA]
    assert text == expected


@pytest.mark.parametrize("instruction", [
    "rep stosb", "rep movsb", "rep stosq", "xchg [rdi], rax", "lock xadd [rdi], rax",
    "lock bts qword ptr [rdi], 3", "movups [rdi], xmm0", "call qword ptr [rsp]", "fxsave [rdi]",
    "cmpxchg16b [rdi]", "push rax", "sgdt [rdi]", "fistp qword ptr [rdi]", "int3",
])  # fmt: skip
def test_the_log_is_what_happened_to_memory(instruction: str) -> None:
    """Whatever stores: playing the log backwards over RAM gives RAM as it was before."""
    stack = f"mov esp, {ALIAS + 0x303}" if instruction in ("push rax", "int3") else "nop"
    code = f"""
        mov eax, {CODE + 0x200}
        call rax
        mov ecx, 37
        mov esi, {DATA}
        mov edi, {ALIAS + 0x203 if "16b" not in instruction else ALIAS + 0x210}
        and edi, {-16 if instruction in ("fxsave [rdi]", "cmpxchg16b [rdi]") else -1}
        mov rax, 0x1122334455667788
        mov rbx, rax
        fldpi
        movups xmm0, [rsi]
        {stack}
    """
    text = assemble("ret", CODE) + b"\x90" * 63
    machines = []
    for size in SLICES:
        guest = build(
            f"{code}; mov rdx, 0x9090909090909090; mov rax, rdx; {instruction}; hlt"
            if "16b" in instruction
            else f"{code}; {instruction}; hlt",
            pages=pages(),
            data={CODE + 0x200 + 64 * line: text for line in range(6)} | {DATA: bytes(range(64))},
        )
        machine = guest.machine()
        machine.state.lines[(CODE + 0x180) // 64 : (CODE + 0x400) // 64] |= LINE_FETCHED
        before = machine.read(CODE, 0x1000)
        while machine.state.core[0, 0] == 1:
            machine.run(0, size)
        after = bytearray(machine.read(CODE, 0x1000))
        log = stores(machine)
        assert log or instruction == "call qword ptr [rsp]"
        for address, old, new, length in reversed(log):
            at = address - CODE
            assert address // 8 == (address + length - 1) // 8
            mask = (1 << 8 * length) - 1
            assert int.from_bytes(after[at : at + length], "little") == new & mask
            after[at : at + length] = (old & mask).to_bytes(length, "little")
        assert bytes(after) == before
        machines.append(machine)
    assert len({state_hash(machine) for machine in machines}) == 1


@pytest.mark.parametrize("size", SLICES)
@pytest.mark.parametrize("first", [DATA, CODE + 0x2000])
@pytest.mark.parametrize(("instruction", "length"), [
    ("mov [rbx], rax", 8), ("mov [rbx], eax", 4), ("lock add [rbx], rax", 8),
    ("xchg [rbx], rax", 8), ("sub [rbx], rax", 8), ("movups [rbx], xmm0", 16),
    ("mov rcx, [rbx]; mov rcx, [rbx + 1]; mov [rbx], ax", 2),
])  # fmt: skip
def test_a_store_that_only_ends_in_text(
    first: int, instruction: str, length: int, size: int
) -> None:
    """Its first frame is data, or another text; played backwards, the log gives what was."""
    window = 0x40000000
    mapped = {
        window: first | PRESENT | WRITABLE | NX,
        window + 0x1000: CODE | PRESENT | WRITABLE | NX,
    }
    at = window + 0x1000 - length // 2 + (1 if length == 16 else 0)
    guest = build(
        f"mov rax, 0x1122334455667788; movq xmm0, rax; movddup xmm0, xmm0;"
        f"mov ebx, {CODE + 8}; call rbx; mov ebx, {at}; inc ecx; {instruction}; inc ecx; hlt",
        pages=mapped,
        data={CODE: b"\x90" * 8 + b"\xc3" + b"\x90" * 55, CODE + 0x2000: b"\x90" * 4096},
    )
    machine = guest.machine()
    machine.state.lines[CODE // 64] |= LINE_FETCHED
    before = machine.read(CODE, 64)
    while machine.state.core[0, 0] == 1:
        machine.run(0, size)
    after = bytearray(machine.read(CODE, 64))
    log = [store for store in stores(machine) if CODE <= store[0] < CODE + 64]
    assert log
    assert after != before
    for address, old, new, count in reversed(log):
        offset, mask = address - CODE, (1 << 8 * count) - 1
        assert int.from_bytes(after[offset : offset + count], "little") == new & mask
        after[offset : offset + count] = (old & mask).to_bytes(count, "little")
    assert after == before
