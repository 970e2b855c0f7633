"""The walk of stacks, on a few functions and a stack made of numbers.

+00 outer:    call inner; hlt           where a task begins
+10 inner:    push rbx; call leaf; pop rbx; ret
+20 leaf:     nop5 (a site); pushfq; pop rax; ret
+30 entry:    call leaf; iretq          an interrupt's, with the frame of a core and no more
+40 strange:  ret                       of which nothing is known
+50 gate:     syscall's: RIP is in RCX, RSP is the user's
"""

import struct
from dataclasses import replace

import pytest

from emu.errors import TextpokeError
from emu.guest.code import Code, CodeRegion
from emu.guest.registers import resuming
from emu.guest.stack import Stack
from emu.guest.walk import MAX_FRAMES, Walk
from emu.image.elf import ElfImage
from emu.image.frame_rules import ENTERED, RCX, RSP
from emu.image.symbols import Symbol, Symbols
from tests.image.elf_builder import FUNC, NOTYPE, VIRTUAL, Builder, Sym
from tests.image.frame_builder import cie, fde

OUTER, INNER, LEAF, ENTRY, STRANGE, GATE = (VIRTUAL + at for at in range(0, 0x60, 0x10))
TABLE, ARENA = VIRTUAL + 0x60, VIRTUAL + 0x1000
CODE = b"".join(
    bytes.fromhex(text).ljust(16, b"\xcc")
    for text in (
        "e80b000000 f4",
        "53 e80a000000 5b c3",
        "0f1f440000 9c 58 c3",
        "e8ebffffff 48cf",
        "c3",
        "90 0f07",
    )
) + struct.pack("<2Q", LEAF, 0)
LOW, HIGH = 0x9000, 0xA000
"""The stack of the task."""

PUSHED_RBX = bytes([0x41, 0x0E, 16, 0x83, 2, 0x46, 0x0E, 8, 0xC3])
INTERRUPT = bytes([0x0C, 7, 40, 0x90, 5, 0x87, 2])
SYSCALL = bytes([0x0C, 7, 0, 0x09, 16, RCX])


def image(inner: bytes = PUSHED_RBX, leaf: bytes = b"", code: bytes = CODE) -> ElfImage:
    plain, interrupt, syscall = cie(), cie(INTERRUPT, b"S"), cie(SYSCALL, b"S")
    at, section = len(plain) + len(interrupt), plain + interrupt + syscall
    section += fde(0, OUTER, 6, b"\x07\x10") + fde(0, INNER, 8, inner) + fde(0, LEAF, 8, leaf)
    section += fde(len(plain), ENTRY, 7) + fde(at, GATE, 3)
    names = {"outer": OUTER, "inner": INNER, "leaf": LEAF, "entry": ENTRY, "strange": STRANGE}
    symbols = [Sym(name, address, 16, FUNC) for name, address in {**names, "gate": GATE}.items()]
    symbols += [
        Sym("switch_to_resume", INNER + 6, 0, NOTYPE),
        Sym("__start_mcount_loc", TABLE, 0, NOTYPE),
        Sym("__stop_mcount_loc", TABLE + 8, 0, NOTYPE),
    ]
    builder = Builder(
        code=code, symbols=tuple(symbols), memsz=0x100, extra={".debug_frame": section}
    )
    return ElfImage("small", builder.build())


class Memory:
    """A stack that ends with the words it is given, and another page that is a user's."""

    def __init__(self, *words: int) -> None:
        self.bytes = bytearray(HIGH - LOW)
        self.bytes[len(self.bytes) - 8 * len(words) :] = struct.pack(f"<{len(words)}Q", *words)
        self.top = HIGH - 8 * len(words)

    def read(self, address: int, size: int) -> bytes:
        if not LOW <= address <= HIGH - size:
            raise TextpokeError(f"{address:#x} is not mapped")
        return bytes(self.bytes[address - LOW : address - LOW + size])


CHAIN = (0x1111, INNER + 6, OUTER + 5)
"""rbx, of inner's caller; inner called from outer; what leaf finds above its own frame."""


def walk(
    memory: Memory,
    pc: int = LEAF,
    *,
    code: Code | None = None,
    bounds: tuple[int, int] | None = (LOW, HIGH),
    **registers: int,
) -> Stack:
    start = resuming(pc, memory.top)
    columns = list(start.columns)
    for column, value in {RSP: memory.top, **{int(n[1:]): v for n, v in registers.items()}}.items():
        columns[column] = value
    start = replace(start, columns=tuple(columns))
    return Walk(code or Code(image(), memory.read), memory.read, bounds).stack(start)


def told(stack: Stack) -> list[str]:
    return [str(frame) for frame in stack.frames]


LEAF_CALLED = (INNER + 6, 0x1111, OUTER + 5, 0)
WHOLE = ["leaf", "inner+0x6", "outer+0x5"]


def test_behind_a_site_that_is_a_call_in_the_file_nobody_returns() -> None:
    """A kernel turns the calls to __fentry__ into NOPs when it boots."""
    memory = Memory(LEAF + 5, *LEAF_CALLED)
    compiled = image(code=CODE.replace(bytes.fromhex("0f1f440000"), bytes.fromhex("e8dbffffff")))
    stack = walk(memory, INNER, code=Code(compiled, memory.read))
    assert told(stack) == ["inner"]
    assert stack.reason == f"the return address {LEAF + 5:#x} is not behind a call"


def test_a_chain_of_calls_ends_where_nobody_called() -> None:
    stack = walk(Memory(*LEAF_CALLED))
    assert stack.reliable
    assert told(stack) == WHOLE
    assert [frame.is_return for frame in stack.frames] == [False, True, True]
    assert [frame.cfa for frame in stack.frames] == [HIGH - 24, HIGH - 8, HIGH]
    assert {frame.kind for frame in stack.frames} == {"function"}


@pytest.mark.parametrize(
    ("pc", "words"), [(INNER, 2), (INNER + 1, 3), (INNER + 6, 3), (INNER + 7, 2)]
)
def test_every_place_of_a_function_has_its_own_rules(pc: int, words: int) -> None:
    stack = walk(Memory(*LEAF_CALLED[-words:]), pc)
    assert stack.reliable
    assert told(stack)[1:] == ["outer+0x5"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((INNER + 5, 0, OUTER + 5, 0), "is not behind a call"),
        ((LEAF + 5, 0, OUTER + 5, 0), "is not behind a call"),  # a site, but no trampoline
        ((0x1234, 0, OUTER + 5, 0), "0x1234 is not in text"),
        ((0, 0, OUTER + 5, 0), "is not in text"),
        ((STRANGE, 0, OUTER + 5, 0), "is not behind a call"),
        ((INNER + 6,), "outside the task's stack"),
        ((INNER + 6, 1, INNER + 6, 1, INNER + 6), "outside the task's stack"),
    ],
)
def test_what_cannot_be_is_not_believed(words: tuple[int, ...], why: str) -> None:
    stack = walk(Memory(*words))
    assert not stack.reliable
    assert why in str(stack.reason)


def test_a_stack_pointer_outside_the_stack_is_not_believed() -> None:
    memory = Memory(*LEAF_CALLED)
    for bounds in ((LOW, HIGH - 24), (HIGH - 24, HIGH), (0, LOW)):
        reason = walk(memory, bounds=bounds).reason
        assert reason
        assert "outside the task's stack" in reason
    assert walk(memory, bounds=None).reason == "the kernel does not say where the stack is"
    assert "multiple of 8" in str(walk(memory, r7=memory.top + 4).reason)
    assert "not mapped" in str(walk(memory, r7=HIGH + 64, bounds=(LOW, HIGH + 4096)).reason)


def test_where_nothing_is_known_the_walk_says_so() -> None:
    stack = walk(Memory(*LEAF_CALLED), STRANGE)
    assert told(stack) == ["strange"]
    assert stack.reason == "no call frame information at strange"
    assert walk(Memory(0), 0x1234).reason == "no call frame information at 0x1234"


def test_a_register_of_the_cfa_that_is_lost() -> None:
    memory = Memory(*LEAF_CALLED)
    code = Code(image(leaf=b"\x0c\x02\x08"), memory.read)  # rcx
    assert walk(memory, code=code).reason == "the value of register 2 is not known"
    assert walk(memory, code=code, r2=memory.top).reliable


def test_a_frame_below_its_callee_is_not_believed() -> None:
    memory = Memory(*LEAF_CALLED)
    for inner, why in (
        (b"\x83\x08\x0e\x10", "below the stack pointer"),
        (b"\x0e\x00\x09\x10\x06", "not above that of its callee"),
    ):
        code = Code(image(inner=inner), memory.read)
        assert why in str(walk(memory, code=code, r6=OUTER + 5).reason)


def test_a_walk_without_an_end_is_ended() -> None:
    code = Code(image(inner=b""), lambda _address, _size: b"")
    low = HIGH - 8 * (MAX_FRAMES + 10)

    def read(address: int, size: int) -> bytes:  # noqa: ARG001 -- the same everywhere
        return struct.pack("<512Q", *[INNER + 6] * 512)[:size]

    stack = Walk(code, read, (low, HIGH)).stack(resuming(LEAF, low))
    assert len(stack.frames) == MAX_FRAMES
    assert stack.reason == f"over {MAX_FRAMES} frames"


def test_malformed_information_is_a_reason() -> None:
    memory = Memory(*LEAF_CALLED)
    stack = walk(memory, code=Code(image(inner=b"\x3f"), memory.read))
    assert told(stack) == ["leaf"]
    assert "malformed" in str(stack.reason)


def test_behind_a_push_that_the_rules_forget() -> None:
    """The flags lie above the return address; here they look like one."""
    memory = Memory(INNER + 6, *LEAF_CALLED)
    stack = walk(memory, LEAF + 6)
    assert stack.reason == "call frame information is not exact at leaf+0x6"
    exact = Code(image(leaf=b"\x46\x0e\x10\x41\x0e\x08"), memory.read)
    assert walk(memory, LEAF + 6, code=exact).reliable


# --- interrupts --------------------------------------------------------------------------------

KERNEL_CS, USER_CS = 0x10, 0x33


def interrupted(pc: int, sp: int, cs: int = KERNEL_CS) -> tuple[int, ...]:
    return pc, cs, 0x202, sp, 0x18


def test_an_interrupted_frame_goes_on_where_it_was() -> None:
    """Interrupted at its first instruction: the address before it is another function's."""
    memory = Memory(ENTRY + 5, *interrupted(LEAF, HIGH - 32), *LEAF_CALLED)
    stack = walk(memory)
    assert stack.reliable
    assert told(stack) == ["leaf", "entry+0x5", *WHOLE]
    assert [frame.kind for frame in stack.frames][:3] == ["function", "interrupt", "function"]
    assert [frame.is_return for frame in stack.frames] == [False, True, False, True, True]


def test_an_interrupt_between_push_and_pop_of_flags() -> None:
    memory = Memory(*interrupted(LEAF + 6, HIGH - 40), 0x202, *LEAF_CALLED)
    assert walk(memory, ENTRY).reason == "call frame information is not exact at leaf+0x6"


def test_registers_survive_an_interrupt() -> None:
    """rbp is the base of the interrupted frame; who interrupts leaves it alone."""
    memory = Memory(*interrupted(LEAF, HIGH - 32), *LEAF_CALLED)
    code = Code(image(leaf=b"\x0c\x06\x08"), memory.read)
    assert walk(memory, ENTRY, code=code, r6=HIGH - 32).reliable
    assert "register 6" in str(walk(memory, ENTRY, code=code).reason)


def test_an_interrupt_to_below_is_not_believed() -> None:
    memory = Memory(*interrupted(LEAF, LOW), *LEAF_CALLED)
    assert "does not grow" in str(walk(memory, ENTRY).reason)


def test_ring_3_is_the_end_if_nothing_is_known_of_it() -> None:
    stack = walk(Memory(*interrupted(0x400000, 0x7000, USER_CS)), ENTRY)
    assert stack.reliable
    assert told(stack) == ["entry", "0x400000"]
    assert [frame.kind for frame in stack.frames] == ["interrupt", "user"]


def test_ring_3_is_walked_if_the_image_has_its_program() -> None:
    memory = Memory(*interrupted(LEAF, LOW + 64, USER_CS))
    memory.bytes[64:96] = struct.pack("<4Q", *LEAF_CALLED)
    stack = walk(memory, ENTRY, bounds=(HIGH - 64, HIGH))
    assert stack.reliable
    assert told(stack) == ["entry", *WHOLE]
    assert [frame.kind for frame in stack.frames] == ["interrupt", "user", "user", "user"]
    memory.bytes[64] = 0
    assert "is not" in str(walk(memory, ENTRY, bounds=(HIGH - 64, HIGH)).reason)


def test_a_system_call_has_its_caller_in_a_register() -> None:
    memory = Memory(*LEAF_CALLED)
    stack = walk(memory, GATE, r2=LEAF, bounds=(0x1000, 0x2000))
    assert stack.reliable
    assert told(stack) == ["gate", *WHOLE]
    assert {frame.kind for frame in stack.frames[1:]} == {"user"}


# --- breakpoints and trampolines ---------------------------------------------------------------

BEFORE = HIGH - 32
"""RSP of who met the breakpoint at the site of leaf."""


def handled(pc: int, sp: int, *gap: int) -> Memory:
    """Return the stack of an int3 handler that has copied the core's frame 6 words lower."""
    pushed = (LEAF + 1, KERNEL_CS, 0x202, BEFORE, *(gap or (0x18,)))
    return Memory(*interrupted(pc, sp), 0, *pushed, *LEAF_CALLED)


def arranged(memory: Memory) -> Code:
    """Return code with a trampoline of leaf, and its replacement, of which nothing is known."""
    code = Code(image(), memory.read)
    rules = {ARENA: ENTERED, ARENA + 5: ENTERED}
    named = Symbols([Symbol("trampoline of leaf", ARENA, 10, "func")])
    code.add(CodeRegion(ARENA, ARENA + 10, "trampoline", named, rules.get))
    return code


def region(at: int, name: str) -> CodeRegion:
    """Return a function that was placed at an address."""
    named = Symbols([Symbol(name, at, 16, "func")])
    return CodeRegion(at, at + 16, "function", named, lambda _: ENTERED, lambda _: "fix.c:1")


@pytest.mark.parametrize(
    ("memory", "frames"),
    [
        (handled(LEAF + 1, BEFORE), ["leaf+0x1"]),
        (handled(LEAF + 5, BEFORE), ["leaf+0x5"]),  # acted out a nop
        (handled(ARENA, BEFORE - 8, LEAF + 5), ["trampoline of leaf", "leaf+0x5"]),  # a call
    ],
    ids=["nothing yet", "nop", "call"],
)
def test_the_int3_handler_is_walked_through(memory: Memory, frames: list[str]) -> None:
    stack = walk(memory, ENTRY, code=arranged(memory))
    assert stack.reliable, stack.reason
    assert told(stack) == ["entry", *frames, *WHOLE[1:]]


@pytest.mark.parametrize(
    "memory",
    [
        handled(LEAF + 1, BEFORE - 8),
        handled(LEAF + 1, BEFORE - 8, LEAF + 5),
        handled(LEAF + 1, BEFORE + 8),
        handled(INNER + 6, BEFORE),
    ],
    ids=["call: no word yet", "call: not gone yet", "ret: not gone yet", "ret: RSP not yet"],
)
def test_while_the_int3_handler_changes_the_frame_it_is_not_believed(memory: Memory) -> None:
    stack = walk(memory, ENTRY, code=arranged(memory))
    assert stack.reason == "the int3 handler is changing the interrupted registers"


def test_a_trampoline_has_a_frame_at_each_of_its_instructions() -> None:
    memory = Memory(LEAF + 5, *LEAF_CALLED)
    code = arranged(memory)
    stack = walk(memory, ARENA, code=code)
    assert stack.reliable
    assert told(stack) == ["trampoline of leaf", "leaf+0x5", *WHOLE[1:]]
    assert [frame.kind for frame in stack.frames][:2] == ["trampoline", "function"]
    memory = Memory(*LEAF_CALLED)
    code = arranged(memory)
    assert told(walk(memory, ARENA + 5, code=code)) == ["trampoline of leaf+0x5", *WHOLE[1:]]
    assert walk(memory, ARENA + 5, code=code).reliable
    assert "no call frame" in str(walk(memory, ARENA + 1, code=code).reason)
    assert (
        walk(memory, ARENA + 10, code=code).reason
        == f"no call frame information at {ARENA + 10:#x}"
    )


def test_a_replacement_with_rules_is_a_function() -> None:
    memory = Memory(ARENA + 0x25, *LEAF_CALLED)
    code = arranged(memory)
    assert not walk(memory, code=code).reliable
    replacement = region(ARENA + 0x20, "leaf")
    code.add(replacement)
    assert "is not mapped" in str(walk(memory, code=code).reason)

    def read(address: int, size: int) -> bytes:
        """Memory in which the replacement calls."""
        if address >= ARENA:
            at = address - ARENA - 0x20
            return (bytes(16) + b"\xe8" + bytes(32))[at + 16 : at + 16 + size]
        return memory.read(address, size)

    code = Code(image(), read)
    code.add(replacement)
    stack = walk(memory, code=code)
    assert stack.reliable, stack.reason
    assert told(stack) == ["leaf", "livepatch: leaf+0x5", *WHOLE[1:]]


def test_of_regions_that_overlap_the_last_one_counts() -> None:
    memory = Memory(*LEAF_CALLED)
    code = arranged(memory)
    code.add(region(ARENA + 8, "other"))
    assert told(walk(memory, ARENA, code=code)) == [f"{ARENA:#x}"]
    assert told(walk(memory, ARENA + 8, code=code))[0] == "livepatch: other"


# --- where tasks begin -------------------------------------------------------------------------


def test_a_task_that_never_ran_goes_on_where_it_begins() -> None:
    """Its stack says: return to the first instruction of a function that nobody calls."""
    stack = walk(Memory(0x1111, OUTER, 0), INNER + 6)
    assert stack.reliable
    assert told(stack) == ["inner+0x6", "outer"]
    assert not stack.frames[1].is_return
    assert "is not" in str(walk(Memory(0x1111, INNER, 0, 0), INNER + 6).reason)
    assert "is not" in str(walk(Memory(OUTER, 0)).reason), "leaf switches no stacks"


def test_a_new_process_goes_on_in_ring_3() -> None:
    memory = Memory(0x1111, ENTRY, *interrupted(0x400000, 0x7000, USER_CS))
    stack = walk(memory, INNER + 6)
    assert stack.reliable
    assert told(stack) == ["inner+0x6", "entry", "0x400000"]
