"""Stacks of a Linux kernel by its own ORC tables: what a guest needs, in one place.

How a guest uses it, once it knows where the kernel is (KASLR):

    frames = OrcFrames(OrcTable.of(image), image, slide)

    # For each stack, as memory is now. Modules and trampolines come and go, so tell all there are:
    frames.load([
        frames.module((text, text_end), OrcTable("lp_demo", ips, at, entries, layout), symbols),
        frames.trampoline((begin, end), "ftrace_regs_caller", "trampoline of my_ops"),
    ])
    frames.stack(read, of_core(machine, core), task.bounds, others, original)  # has a core
    frames.stack(read, frames.resuming(task.sp), task.bounds, original=original)  # sleeps

* `read`: the memory as the task's core, or its page tables, map it.
* `task.sp` is task_struct.thread.sp; the frames begin with __switch_to_asm, where it goes on, as
  those of the toy kernel begin with switch_to_resume. `resuming` needs the symbol.
* `others`: the stacks of the core that a task with a core may be on. IRQ stack: ends 8 bytes
  behind the per-CPU pointer hardirq_stack_ptr (of pcpu_hot in newer kernels), IRQ_STACK_SIZE
  (16 KiB) long, since the word there is where the interrupted RSP is kept. Entry stack and
  exception stacks: from struct cpu_entry_area of the core: entry_stack_page, and the members
  *_stack of estacks. Source: arch/x86/kernel/dumpstack_64.c.
* `original(address, slot)`: while functions are graphed, return_to_handler stands on the stack for
  an address that the task's ret_stack has: `ret` of the oldest entry with retp == slot, since
  functions that end in a jump share a slot. For rethooks, which kretprobes are, it is
  arch_rethook_trampoline, and the task's list `rethooks` (frame == slot). Return the address if it
  is neither. Source: unwind_recover_ret_addr.
* A trampoline of ftrace is a copy: ops->trampoline, trampoline_size bytes, of ftrace_regs_caller if
  ops->flags has FTRACE_OPS_FL_SAVE_REGS, else of ftrace_caller. Source: orc_ftrace_find. All that
  there are, are in ftrace_ops_trampoline_list (by ops->list); ftrace_ops_list, which Linux looks
  through, lacks those whose sites are just being restored.
* `module`: struct module's arch.orc_unwind_ip, arch.orc_unwind and arch.num_orcs (words of 4 bytes,
  entries of 6), of the kernel's own layout: `frames.layout`. A livepatch is a module as others are.
  While one is loaded, its tables are not sorted yet, and BadImage says so.
* Other generated code (BPF, slots and buffers of kprobes) has no tables: a stack through it stops
  there and says why, as Linux's does. So does one in a retpoline's thunk or in return_to_handler.
* A core in ring 3: one frame, of kind "user".
"""

from collections.abc import Callable, Iterable

from emu.errors import BadSymbol
from emu.guest.code import CodeRegion
from emu.guest.orc_code import SWITCH, OrcCode
from emu.guest.registers import Registers, resuming
from emu.guest.stack import Stack
from emu.guest.walk import Walk, as_found
from emu.image.elf import ElfImage
from emu.image.objects import Reader
from emu.image.orc import OrcTable
from emu.image.orc_layout import OrcLayout
from emu.image.symbols import Symbol, Symbols


class OrcFrames:
    """The stacks of a kernel.

    table, image: of the kernel. slide: by how much it is not where it is linked.
    """

    def __init__(self, table: OrcTable, image: ElfImage, slide: int = 0) -> None:
        self._code = OrcCode(image, table, slide)

    @property
    def layout(self) -> OrcLayout:
        """The layout of ORC entries, those of modules too."""
        return self._code.table.layout

    def add(self, region: CodeRegion) -> None:
        """Take note, for good, of code that the kernel itself knows nothing of."""
        self._code.add(region)

    def load(self, regions: Iterable[CodeRegion]) -> None:
        """Take note of what the kernel has loaded now; what it had before is forgotten."""
        self._code.load(regions)

    def resuming(self, sp: int) -> Registers:
        """Return the registers of a task that has no core; sp: its thread.sp.

        Raises:
            BadSymbol: the kernel has no __switch_to_asm.
        """
        resume = self._code.resume
        if resume is None:
            raise BadSymbol(f"{self._code.image.name} has no {SWITCH}, where a task goes on")
        return resuming(resume, sp)

    def stack(
        self,
        read: Reader,
        start: Registers,
        bounds: tuple[int, int] | None,
        others: tuple[tuple[int, int], ...] = (),
        original: Callable[[int, int], int] = as_found,
    ) -> Stack:
        """Return the stack that begins with registers; the arguments are those of a `Walk`."""
        return Walk(self._code, read, bounds, others, original).stack(start)

    def module(self, text: tuple[int, int], table: OrcTable, symbols: Symbols) -> CodeRegion:
        """Return the code of a module.

        Args:
            text: first address of its code, or a part of it, and the one behind.
            table: of the module.
            symbols: of the module, where they are now.
        """
        return CodeRegion(*text, "module", symbols, table.at)

    def trampoline(self, text: tuple[int, int], template: str, name: str) -> CodeRegion:
        """Return a copy that ftrace has made of a trampoline of its own.

        Args:
            text: its first address, and the one behind.
            template: ftrace_caller or ftrace_regs_caller.
            name: what to call it.

        Raises:
            BadSymbol: the kernel has no such trampoline.
        """
        begin, end = text
        source = self._code.image.symbols[template].address
        named = Symbols([Symbol(name, begin, end - begin, "func")])
        table = self._code.table
        return CodeRegion(
            begin, end, "trampoline", named, lambda address: table.at(source + address - begin)
        )
