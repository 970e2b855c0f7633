"""The stacks that a core may be on besides its task's, and return addresses that were replaced.

The IRQ stack ends 8 bytes behind hardirq_stack_ptr, since the word there has the interrupted RSP;
entry and exception stacks are parts of the core's struct cpu_entry_area. While functions are
graphed, return_to_handler stands on the stack in place of an address that the task's ret_stack has;
for rethooks it is arch_rethook_trampoline, and a list. Sources: arch/x86/kernel/dumpstack_64.c;
arch/x86/include/asm/cpu_entry_area.h; kernel/trace/fgraph.c, ftrace_graph_ret_addr;
kernel/trace/rethook.c, rethook_find_ret_addr.
"""

import struct
from typing import Final

from emu.errors import BadSymbol, TextpokeError
from emu.guest.linux.percpu import PerCpu
from emu.guest.linux.structure import Structure
from emu.guest.stack_areas import Area
from emu.image.linux_image import LinuxImage
from emu.image.objects import Reader
from emu.image.types import Types

_HANDLER, _RETHOOK = "return_to_handler", "arch_rethook_trampoline"
_MAX_RET_STACK: Final = 1 << 14  # bytes; a page has one, before 6.11 50 entries
_MAX_HOOKS: Final = 1 << 12
_POINTER: Final = 8
_TASK: Final = {
    "ret_stack": ("ret_stack",),
    "top": ("curr_ret_stack",),
    "rethooks": ("rethooks.first",),
}


def core_stacks(image: LinuxImage, percpu: PerCpu, core: int) -> tuple[Area, ...]:
    """Return the stacks of a core that are no task's; those that the kernel has set up so far."""
    types, found = image.types, []
    top = percpu.number(core, _POINTER, "hardirq_stack_ptr")
    size = _size(types, "irq_stack")
    if top and size:
        end = top + _POINTER
        found.append((end - size, end))
    areas = percpu.number(core, _POINTER, "cea_exception_stacks")
    if not areas:
        return tuple(found)
    try:
        stacks, entry = types.struct("cea_exception_stacks"), types.struct("cpu_entry_area")
        begin = areas - entry.member("estacks").offset
        page = entry.member("entry_stack_page")
    except BadSymbol:
        return tuple(found)
    found.append((begin + page.offset, begin + page.offset + page.size))
    ours = (each for each in stacks.members if each.name.endswith("_stack"))
    found.extend((areas + each.offset, areas + each.offset + each.size) for each in ours)
    return tuple(found)


class ReturnAddresses:
    """The return addresses of a task that somebody has replaced to see the return.

    image: where the kernel runs. read: its memory. task: address of the descriptor.
    """

    def __init__(self, image: LinuxImage, read: Reader, task: int) -> None:
        self._image, self._read, self._task = image, read, task
        symbols = (image.symbols.get(name) for name in (_HANDLER, _RETHOOK))
        self._handler, self._hook = (None if each is None else each.address for each in symbols)

    def original(self, address: int, slot: int) -> int:
        """Return the address that stood in a slot before it was replaced; itself if it was not."""
        try:
            if address == self._handler:
                return self._of_ret_stack(slot) or address
            if address == self._hook:
                return self._of_rethooks(slot) or address
        except (TextpokeError, struct.error):
            pass  # what the lists say cannot be read
        return address

    def _of_ret_stack(self, slot: int) -> int | None:
        """Return what the innermost entry of a slot says, past those of tail calls.

        Entries are structures up to 6.10, and then words of a stack with others between.
        """
        types = self._image.types
        task, entry = self._members(types), types.struct("ftrace_ret_stack")
        values = task.read(self._read, self._task)
        begin, top = values.number("ret_stack"), values.number("top")
        if not begin or top is None:
            return None
        unit = task.target_size("ret_stack")
        used = (top + 1) * unit if unit > _POINTER else top * _POINTER
        if not 0 < used <= _MAX_RET_STACK:
            return None
        words: tuple[int, ...] = struct.unpack(f"<{used // 8}Q", self._read(begin, used // 8 * 8))
        back = (entry.member("retp").offset - entry.member("ret").offset) // _POINTER
        for index in reversed(range(back, len(words))):
            if words[index] == slot and words[index - back] != self._handler:
                return words[index - back]
        return None

    def _of_rethooks(self, slot: int) -> int | None:
        types = self._image.types
        node = types.struct("rethook_node")
        frame, address = node.member("frame").offset, node.member("ret_addr").offset
        offset = node.member("llist").offset
        at = self._members(types).read(self._read, self._task).number("rethooks")
        for _ in range(_MAX_HOOKS):
            if not at:
                return None
            data = self._read(at - offset, node.size)
            if _word(data, frame) == slot and _word(data, address) != self._hook:
                return _word(data, address)
            at = _word(data, offset)
        return None

    def _members(self, types: Types) -> Structure:
        return Structure(types, "task_struct", _TASK)


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + _POINTER], "little")


def _size(types: Types, name: str) -> int:
    try:
        return types.struct(name).size
    except BadSymbol:
        return 0
