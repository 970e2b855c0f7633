"""Stacks by ORC tables, on a few functions and stacks made of numbers.

+000 switch:    __switch_to_asm: push rbp; push r12; ...          a task goes on at +3
+020 thread:    ret_from_fork, the end of a stack; behind it a call returns to +28
+040 caller:    has a frame of 16 bytes, and has saved rbp
+060 entry:     an interrupt's, with struct pt_regs; its call of a handler returns to +70
+080 handler:   was called on the interrupt stack; the old RSP is on top of that
+0a0 partial:   an exception's: what the core has pushed, a call of error_entry, mov rsp, rax
+0c0 thunk:     marked with the end of a stack, as a retpoline's
+0e0 ftrace:    ftrace_regs_caller, which trampolines are copies of
+100 handler of returns: return_to_handler
"""

from collections.abc import Callable

import pytest

from emu.errors import BadSymbol, TextpokeError
from emu.guest.orc_frames import OrcFrames
from emu.guest.registers import Registers, resuming
from emu.guest.stack import Stack
from emu.guest.walk import as_found
from emu.image.elf import ElfImage
from emu.image.frame_rules import COLUMNS, RSP
from emu.image.orc import OrcTable
from emu.image.symbols import Symbol, Symbols
from tests.image.elf_builder import VIRTUAL, Builder, Sym
from tests.image.orc_builder import PLACE, PREV_SP, SP, SP_INDIRECT, entry, tables

NAMES = (
    "__switch_to_asm", "ret_from_fork", "caller", "entry", "handler", "partial", "thunk",
    "ftrace_regs_caller", "return_to_handler",
)  # fmt: skip
SWITCH, THREAD, CALLER, ENTRY, HANDLER, PARTIAL, THUNK, FTRACE, RETURN = (
    VIRTUAL + 0x20 * n for n in range(9)
)
END_OF_TEXT = VIRTUAL + 0x120
ROWS = (
    (SWITCH, entry()),
    (SWITCH + 1, entry(sp=(SP, 16), bp=(PREV_SP, -16))),
    (SWITCH + 3, entry(sp=(SP, 24), bp=(PREV_SP, -16))),
    (SWITCH + 12, entry(sp=(SP, 32), bp=(PREV_SP, -16))),  # a word to stuff the RSB
    (SWITCH + 16, entry(sp=(SP, 24), bp=(PREV_SP, -16))),
    (THREAD, entry("end")),
    (CALLER, entry(sp=(SP, 24), bp=(PREV_SP, -16))),
    (ENTRY, entry("regs", (SP, 0))),
    (HANDLER, entry(sp=(SP_INDIRECT, 8))),
    (PARTIAL, entry("regs partial", (SP, 8))),
    (PARTIAL + 11, entry("regs", (SP, 0))),
    (THUNK, entry("end")),
    (FTRACE, entry()),
    (FTRACE + 4, entry(sp=(SP, 16))),
    (RETURN, entry("end")),
    (END_OF_TEXT, entry("undefined")),
)
CODE = bytearray(b"\x90" * 0x140)
CODE[0xA3] = 0xE8  # the call in `partial`

TASK, IRQ = (0x8000, 0x9000), (0x4000, 0x5000)
KERNEL_CS, USER_CS = 0x10, 0x33


def image(*without: str) -> ElfImage:
    symbols = tuple(
        Sym(name, VIRTUAL + 0x20 * n, 0x20) for n, name in enumerate(NAMES) if name not in without
    )
    return ElfImage("small", Builder(code=bytes(CODE), memsz=0x140, symbols=symbols).build())


def frames(*without: str, slide: int = 0) -> OrcFrames:
    ips, entries = tables(ROWS)
    return OrcFrames(OrcTable("small", ips, PLACE, entries), image(*without), slide)


class Memory:
    """Both stacks, and nothing else."""

    def __init__(self, words: dict[int, int]) -> None:
        self.words = words

    def read(self, address: int, size: int) -> bytes:
        if not any(low <= address <= high - size for low, high in (TASK, IRQ)):
            raise TextpokeError(f"{address:#x} is not mapped")
        words = (self.words.get(at, 0) for at in range(address, address + size, 8))
        return b"".join(word.to_bytes(8, "little") for word in words)


def on_core(pc: int, sp: int, *, user: bool = False, **others: int) -> Registers:
    columns: list[int | None] = [0] * COLUMNS
    columns[RSP] = sp
    for name, value in others.items():
        columns[int(name[1:])] = value
    return Registers(pc, False, user, tuple(columns))


def put(sp: int, *words: int) -> dict[int, int]:
    return {sp + 8 * n: word for n, word in enumerate(words)}


def pt_regs(sp: int, pc: int, old: int, cs: int = KERNEL_CS, bp: int = 0xB) -> dict[int, int]:
    words = [*range(100, 116), pc, cs, 0x202, old, 0x18]
    words[4] = bp
    return put(sp, *words)


BASE = TASK[1] - 0xA8
"""Where a task's stack begins: below the registers of ring 3."""


def walk(
    words: dict[int, int],
    start: Registers,
    found: OrcFrames | None = None,
    original: Callable[[int, int], int] = as_found,
    others: tuple[tuple[int, int], ...] = (IRQ,),
) -> Stack:
    return (found or frames()).stack(Memory(words).read, start, TASK, others, original)


def told(stack: Stack) -> list[str]:
    return [str(frame) for frame in stack.frames]


CALLED = {**put(BASE - 8, THREAD + 8)}
"""What the first function of a task returns to."""

IN_CALLER = on_core(CALLER, BASE - 24)


# --- one stack ---------------------------------------------------------------------------------


def test_a_stack_ends_where_a_task_begins() -> None:
    stack = walk(CALLED, IN_CALLER)
    assert stack.reliable, stack.reason
    assert told(stack) == ["caller", "ret_from_fork+0x8"]
    assert [frame.kind for frame in stack.frames] == ["function"] * 2


def test_a_kernel_that_is_not_where_it_is_linked() -> None:
    slide = 0x5000000
    moved = put(BASE - 8, THREAD + slide + 8)
    stack = walk(moved, on_core(CALLER + slide, BASE - 24), frames(slide=slide))
    assert stack.reliable, stack.reason
    assert told(stack) == ["caller", "ret_from_fork+0x8"]
    unmoved = walk(CALLED, on_core(CALLER + slide, BASE - 24), frames(slide=slide))
    assert "is not in text" in str(unmoved.reason)


def test_a_task_without_a_core_goes_on_behind_the_pushes() -> None:
    """Not in the row with most words, which is for the return stack buffer."""
    start = frames().resuming(BASE - 48)
    assert start == resuming(SWITCH + 3, BASE - 48)
    words = put(BASE - 48, 0, 0xB, CALLER + 8) | CALLED
    stack = walk(words, start)
    assert stack.reliable, stack.reason
    assert told(stack) == ["__switch_to_asm+0x3", "caller+0x8", "ret_from_fork+0x8"]
    with pytest.raises(BadSymbol, match="small has no __switch_to_asm"):
        frames("__switch_to_asm").resuming(BASE)


def test_a_task_that_never_ran_is_at_its_first_instruction() -> None:
    """A return address that was the end of padding would be the byte before."""
    stack = walk(put(BASE - 24, 0, 0, THREAD), frames().resuming(BASE - 24))
    assert stack.reliable, stack.reason
    assert told(stack) == ["__switch_to_asm+0x3", "ret_from_fork"]
    assert not stack.frames[1].is_return


def test_a_task_that_never_ran_is_nobodys_callee() -> None:
    """Only a switch leads to the first instruction of a task: here it is what follows a call."""
    stack = walk(put(BASE - 8, THREAD), IN_CALLER)
    assert stack.frames[1].is_return


def test_null_was_called() -> None:
    stack = walk(put(BASE - 32, CALLER + 8) | CALLED, on_core(0, BASE - 32))
    assert stack.reliable, stack.reason
    assert told(stack) == ["0x0", "caller+0x8", "ret_from_fork+0x8"]


@pytest.mark.parametrize(
    ("at", "why"),
    [
        (END_OF_TEXT, "no call frame information"),
        (0xFFFFFFFFC0000000, "is not in text"),
        (0, "is not in text"),
    ],
)
def test_code_that_has_no_entry_is_the_end_of_knowledge(at: int, why: str) -> None:
    stack = walk(put(BASE - 8, at + (at == END_OF_TEXT)), IN_CALLER)
    assert not stack.reliable
    assert why in str(stack.reason)


def test_a_register_that_the_kernel_does_not_save_is_lost() -> None:
    """r13 is the base of `aligned`, and its caller is known by nothing else."""
    ips, entries = tables([(CALLER, entry(sp=(7, 0))), (CALLER + 16, entry())])
    table = OrcTable("small", ips, PLACE, entries)
    known = OrcFrames(table, image())
    words = put(BASE - 32, CALLER + 8) | CALLED
    stack = walk(words, on_core(CALLER + 16, BASE - 32, r13=BASE), known)
    assert stack.reason == "the value of register 13 is not known"


# --- interrupts --------------------------------------------------------------------------------


def interrupted(sp: int = BASE - 24 - 0xA8) -> dict[int, int]:
    """Return a stack on which `caller` was interrupted, with its registers at `sp`."""
    return pt_regs(sp, CALLER, BASE - 24) | CALLED


def test_registers_on_the_stack_say_who_was_interrupted() -> None:
    sp = BASE - 24 - 0xA8
    stack = walk(interrupted(), on_core(ENTRY, sp))
    assert stack.reliable, stack.reason
    assert told(stack) == ["entry", "caller", "ret_from_fork+0x8"]
    assert [frame.kind for frame in stack.frames] == ["interrupt", "function", "function"]
    assert [frame.is_return for frame in stack.frames] == [False, False, True]


def test_ring_3_is_the_end() -> None:
    stack = walk(pt_regs(BASE, 0x401000, 0x7FFF0000, USER_CS), on_core(ENTRY + 16, BASE))
    assert stack.reliable, stack.reason
    assert told(stack) == ["entry+0x10", "0x401000"]
    assert stack.frames[-1].kind == "user"


def test_a_core_in_ring_3_has_one_frame() -> None:
    stack = walk({}, on_core(0x401000, 0x7FFF0000, user=True))
    assert stack.reliable
    assert [frame.kind for frame in stack.frames] == ["user"]


def switched(old: int = BASE - 24 - 0xA8 - 8) -> dict[int, int]:
    """Return both stacks while `handler` runs; the old RSP is where entry's call has put it."""
    return put(IRQ[1] - 8, old) | put(old, ENTRY + 16) | interrupted()


def test_an_interrupt_has_a_stack_of_its_own() -> None:
    """That lies below the task's, so RSP grows; it is the order of stacks that counts."""
    start = on_core(HANDLER, IRQ[1] - 8)
    stack = walk(switched(), start)
    assert stack.reliable, stack.reason
    assert told(stack) == ["handler", "entry+0x10", "caller", "ret_from_fork+0x8"]
    inner, words = on_core(FTRACE, IRQ[1] - 16), put(IRQ[1] - 16, HANDLER + 8) | switched()
    assert told(walk(words, inner))[1:3] == ["handler+0x8", "entry+0x10"]
    assert walk(words, inner).reliable
    assert "outside the task's stack" in str(walk(words, inner, others=()).reason)


def test_a_stack_that_was_left_is_not_entered_again() -> None:
    words = switched() | pt_regs(BASE - 24 - 0xA8, CALLER, IRQ[0] + 64)
    stack = walk(words, on_core(HANDLER, IRQ[1] - 8))
    assert stack.reason == "the stack pointer goes back to a stack that was left"


def test_behind_error_entry_the_table_is_not_exact() -> None:
    """For one instruction more it says that only the core has pushed something."""
    sp = BASE - 24 - 0xA8
    stack = walk(interrupted(), on_core(PARTIAL + 8, sp))
    assert stack.reason == "call frame information is not exact at partial+0x8"
    assert walk(interrupted(), on_core(PARTIAL + 11, sp)).reliable
    before = put(sp - 8, 0, CALLER, KERNEL_CS, 0x202, BASE - 24, 0x18) | CALLED
    assert walk(before, on_core(PARTIAL + 3, sp - 8)).reliable


# --- the end -----------------------------------------------------------------------------------


def test_a_thunk_is_not_the_end_though_the_table_says_so() -> None:
    stack = walk(CALLED, on_core(THUNK, BASE - 0x200))
    assert stack.reason == "thunk does not say who called it"


def test_an_end_on_the_stack_of_an_interrupt_is_none() -> None:
    words = put(IRQ[1] - 16, THUNK + 8)
    stack = walk(words, on_core(FTRACE, IRQ[1] - 16))
    assert stack.reason == "thunk+0x8 does not say who called it"


def test_an_entry_may_be_on_any_stack_at_first() -> None:
    """The first instruction of a system call: RSP is ring 3's still."""
    assert walk({}, on_core(THREAD, 0x7FFF0000)).reliable
    assert walk({}, on_core(THREAD, IRQ[1] - 40)).reliable


# --- code that came later ----------------------------------------------------------------------

ARENA = 0xFFFFFFFFC0201000


def test_a_trampoline_of_ftrace_has_the_entries_of_what_it_is_a_copy_of() -> None:
    found = frames()
    words = put(BASE - 40, 0, CALLER + 8) | CALLED
    start = on_core(ARENA + 4, BASE - 40)
    assert "no call frame information" in str(walk(words, start, found).reason)
    found.load([found.trampoline((ARENA, ARENA + 16), "ftrace_regs_caller", "of my_ops")])
    stack = walk(words, start, found)
    assert stack.reliable, stack.reason
    assert told(stack) == ["of my_ops+0x4", "caller+0x8", "ret_from_fork+0x8"]
    assert stack.frames[0].kind == "trampoline"
    found.load([])
    assert not walk(words, start, found).reliable, "it was freed"
    with pytest.raises(BadSymbol):
        found.trampoline((ARENA, ARENA + 16), "ftrace_caller", "")


def test_the_kernels_own_trampoline_is_one() -> None:
    stack = walk(put(BASE - 32, CALLER + 8) | CALLED, on_core(FTRACE, BASE - 32))
    assert stack.reliable
    assert stack.frames[0].kind == "trampoline"


def test_a_module_has_a_table_of_its_own() -> None:
    found = frames()
    place = ARENA + 0x1000
    ips, entries = tables([(ARENA, entry()), (ARENA + 8, entry(sp=(SP, 16)))], place)
    table = OrcTable("demo", ips, place, entries, found.layout)
    named = Symbols([Symbol("demo_show", ARENA, 0, "func")])
    found.load([found.module((ARENA, ARENA + 0x100), table, named)])
    words = put(BASE - 40, 0, CALLER + 8) | CALLED
    stack = walk(words, on_core(ARENA + 9, BASE - 40), found)
    assert stack.reliable, stack.reason
    assert told(stack) == ["demo_show+0x9", "caller+0x8", "ret_from_fork+0x8"]
    assert stack.frames[0].kind == "function"


def test_code_that_was_added_stays() -> None:
    found = frames()
    found.add(found.trampoline((ARENA, ARENA + 16), "ftrace_regs_caller", "mine"))
    found.load([])
    words = put(BASE - 32, CALLER + 8) | CALLED
    assert told(walk(words, on_core(ARENA, BASE - 32), found))[0] == "mine"


def test_what_a_tracer_has_put_for_a_return_address() -> None:
    slot = BASE - 32
    words = put(slot, RETURN) | CALLED
    stack = walk(words, on_core(FTRACE, slot))
    assert stack.reason == (
        f"the return address {RETURN:#x} stands for another, and nobody knows which"
    )

    def original(address: int, where: int) -> int:
        return {(RETURN, slot): CALLER + 8}.get((address, where), address)

    stack = walk(words, on_core(FTRACE, slot), original=original)
    assert stack.reliable, stack.reason
    assert told(stack) == ["ftrace_regs_caller", "caller+0x8", "ret_from_fork+0x8"]
