"""The engine, tested when the first machine of a process is made.

The files named unicorn_* use offsets and exported functions that no interface promises. A build in
which one of them is different would not fail but compute nonsense, so before anything is built on
them they are tried on a small engine: registers written by the public interface must appear at
the offsets, and four instructions, of which one raises #GP, must stop, fault, be delivered and
halt as the machine needs it. Takes a few milliseconds; says in one sentence what is wrong.
"""

import ctypes
import functools
import struct
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from unicorn import unicorn_const as uc_const
from unicorn import x86_const
from unicorn.unicorn_py3 import Uc
from unicorn.unicorn_py3.unicorn import uclib

from emu.errors import Unsupported
from emu.machine import unicorn_engine, unicorn_layout, unicorn_library

_CODE, _HANDLER, _GDT, _IDT, _STACK = 0x1000, 0x1100, 0x2000, 0x3000, 0x5000
_BAD_SELECTOR = 0x38
_PROGRAM = b"\x90\x8e\xd8\xf4"  # nop; mov ds, eax; hlt
_LOAD = b"\xa1\xfe\x1f\x00\x00\x00\x00\x00\x00\xf4"  # mov eax, [_GDT - 2]; hlt
_MARK = 0x5A5A1234
_FLAT_CODE = 0x00AF9B000000FFFF
_CLUSTER_BITS = 0xFC0

_REGISTERS = (
    (x86_const.UC_X86_REG_RAX, unicorn_layout.RAX),
    (x86_const.UC_X86_REG_RCX, unicorn_layout.RCX),
    (x86_const.UC_X86_REG_RBX, unicorn_layout.RBX),
    (x86_const.UC_X86_REG_RSP, unicorn_layout.RSP),
    (x86_const.UC_X86_REG_R15, unicorn_layout.REGISTERS + 15 * 8),
    (x86_const.UC_X86_REG_RIP, unicorn_layout.RIP),
    (x86_const.UC_X86_REG_GS_BASE, unicorn_layout.GS + unicorn_layout.SEGMENT_BASE),
    (x86_const.UC_X86_REG_CR2, unicorn_layout.CR2),
    (x86_const.UC_X86_REG_DR0, unicorn_layout.DR0),
    (x86_const.UC_X86_REG_DR6, unicorn_layout.DR6),
    (x86_const.UC_X86_REG_XMM15, unicorn_layout.XMM + 15 * 64),
)
_MSRS = (
    (0xC0000082, unicorn_layout.LSTAR),
    (0xC0000102, unicorn_layout.KERNEL_GS_BASE),
    (0x176, unicorn_layout.SYSENTER_EIP),
)


@functools.cache
def check() -> None:
    """Raise Unsupported unless the engine is as `unicorn_layout` describes it; once a process."""
    installed = metadata.version("unicorn")
    if installed != unicorn_layout.VERSION:
        raise Unsupported(
            f"unicorn {installed} is installed: textpoke needs exactly {unicorn_layout.VERSION}"
        )
    for wrong in _differences():
        raise Unsupported(
            f"this build of unicorn {installed} differs from the one textpoke knows: {wrong}"
        )


def _differences() -> Iterator[str]:
    """Yield what is different, the first first; later checks rely on earlier ones."""
    uc = unicorn_engine.new_engine()
    uc.reg_write(x86_const.UC_X86_REG_RAX, _pattern(unicorn_layout.RAX))
    cpu = _pointer(uc._uch.value + unicorn_layout.UC_TO_CPU)
    env = _pointer(cpu + unicorn_layout.CPU_TO_ENV_POINTER) if cpu else 0
    if env != cpu + unicorn_layout.CPU_TO_ENV or _pointer(env + unicorn_layout.RAX) != _pattern(
        unicorn_layout.RAX
    ):
        yield "the registers are not where they should be"
        return
    yield from _misplaced(uc, env)
    yield from _misbehaved(uc, cpu, env)


def _pattern(offset: int) -> int:
    return 0x0000_5A00_0000_0000 | offset * 0x10001


def _misplaced(uc: Uc, env: int) -> Iterator[str]:
    for register, offset in _REGISTERS:
        uc.reg_write(register, _pattern(offset))
    for msr, offset in _MSRS:
        uc.msr_write(msr, _pattern(offset))
    for _, offset in (*_REGISTERS, *_MSRS):
        if _pointer(env + offset) != _pattern(offset):
            yield f"no register at offset {offset} of CPUX86State"
    if _pointer(env + unicorn_layout.EFER) != uc.msr_read(0xC0000080):
        yield "EFER is not where it should be"


def _misbehaved(uc: Uc, cpu: int, env: int) -> Iterator[str]:
    blocks: list[tuple[int, int]] = []
    faults: list[tuple[int, int, int]] = []
    halt_flag = ctypes.c_uint32.from_address(cpu + unicorn_layout.CPU_HALTED)
    halted: list[int] = []
    jump = [_jump_buffer(uc)]

    def on_block(_uc: Uc, address: int, size: int, _data: object) -> None:
        blocks.append((address, size))

    def on_exception(_uc: Uc, _vector: int, _data: object) -> None:
        error = _pointer(env + unicorn_layout.ERROR_CODE)
        index = ctypes.c_uint32.from_address(cpu + unicorn_layout.CPU_EXCEPTION).value
        faults.append((index, error, _pointer(env + unicorn_layout.RIP)))
        halted.append(halt_flag.value)
        jump.append(_jump_buffer(uc))
        unicorn_library.deliver(cpu)

    _prepare(uc)
    uc.hook_add(uc_const.UC_HOOK_BLOCK, on_block)
    uc.hook_add(uc_const.UC_HOOK_INTR, on_exception)
    ctypes.c_uint32.from_address(cpu + unicorn_layout.CPU_CFLAGS_NEXT_TB).value = 1
    uc.emu_start(_CODE, 0)
    if blocks != [(_CODE, 1), (_CODE + 1, 2), (_HANDLER, 1)]:
        yield "blocks cannot be limited to one instruction"
    if faults != [(13, _BAD_SELECTOR, _CODE + 1)]:
        yield "an exception does not come with its vector and error code"
    frame = struct.unpack("<5Q", uc.mem_read(uc.reg_read(x86_const.UC_X86_REG_RSP), 40))
    if frame != (_BAD_SELECTOR, _CODE + 1, 0, 2, _STACK):
        yield "an exception is not delivered through the guest's IDT"
    if [*halted, halt_flag.value] != [0, 1]:
        yield "hlt is not noticed"
    if jump != [(False, False, False), (True, True, False)]:
        yield "the way back to the main loop is not where it should be"
    mixed = _HANDLER ^ (_HANDLER >> 6)
    slot = (mixed >> 6) & _CLUSTER_BITS | mixed & 0x3F
    block = _pointer(cpu + unicorn_layout.CPU_JUMP_CACHE + 8 * slot)
    if not block or _block(block) != (_HANDLER, 1, 1, _HANDLER & -4096):
        yield "translations are not where they should be"
    elif (block % unicorn_layout.TB_ALIGN, _pointer(block + unicorn_layout.TB_CODE)) != (
        0,
        block + unicorn_layout.TB_TO_CODE,
    ):
        yield "a block's code does not follow its description"
    else:
        yield from _unhidable(uc, cpu)


def _jump_buffer(uc: Uc) -> tuple[bool, ...]:
    """Return whether there is something in the last three words of the engine's jump buffer.

    They are stack pointer and address to go back to, and that no signal mask was saved.
    """
    buffer = uc._uch.value + unicorn_layout.UC_JUMP_BUFFER
    return tuple(_pointer(buffer + 8 * word) != 0 for word in (6, 7, 8))


def _unhidable(uc: Uc, cpu: int) -> Iterator[str]:
    """Yield what is in the way of hiding memory hooks from the translator."""
    engine = uc._uch.value
    handle = ctypes.c_size_t()
    for kind, head in (
        (uc_const.UC_HOOK_MEM_READ, unicorn_layout.READ_HOOKS),
        (uc_const.UC_HOOK_MEM_WRITE, unicorn_layout.WRITE_HOOKS),
        (uc_const.UC_HOOK_BLOCK, unicorn_layout.BLOCK_HOOKS),
    ):
        before = _pointer(engine + head)
        begin, data = ctypes.c_uint64(1), ctypes.c_void_p(_MARK)
        nobody = (ctypes.c_void_p(0), data, begin, ctypes.c_uint64(1))
        uclib.uc_hook_add(uc._uch, ctypes.byref(handle), kind, *nobody)
        item = _pointer(engine + head)
        item = _pointer(item) if before else item
        hook = _pointer(item + unicorn_layout.LIST_ITEM_DATA)
        found = (
            _pointer(hook + unicorn_layout.HOOK_BEGIN),
            _pointer(hook + unicorn_layout.HOOK_USER_DATA),
        )
        if found != (1, _MARK):
            yield "a list of hooks is not where it should be"
    mapping = ctypes.c_uint64.from_address(engine + unicorn_layout.UC_MEMORY_MAPPING)
    if mapping.value != ctypes.cast(unicorn_library.find_mapping, ctypes.c_void_p).value:
        yield "memory_mapping is not where it should be"
        return
    fill = _pointer(cpu + unicorn_layout.CPU_TO_CLASS) + unicorn_layout.CLASS_TLB_FILL
    ours = ctypes.cast(unicorn_library.tlb_fill, ctypes.c_void_p).value
    if _pointer(cpu + unicorn_layout.CPU_TO_UC) != engine or _pointer(fill) != ours:
        yield "tlb_fill is not where it should be"
        return
    context = _pointer(engine + unicorn_layout.UC_TCG_CONTEXT)
    limit = ctypes.c_uint32.from_address(cpu + unicorn_layout.CPU_CFLAGS_NEXT_TB)
    cflags = ctypes.c_uint32.from_address(context + unicorn_layout.TCG_CFLAGS)
    parts = ctypes.c_int.from_address(engine + unicorn_layout.UC_SIZE_OF_PARTS)
    translating: list[tuple[bool, int, int]] = []

    @ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64)
    def on_access(uc_struct: int, address: int) -> int:
        translates = _pointer(context + unicorn_layout.TCG_CPU) == cpu
        count = cflags.value & unicorn_layout.CFLAGS_COUNT
        translating.append((translates, count, parts.value))
        return int(unicorn_library.find_mapping(uc_struct, address))

    uc.mem_write(_CODE, _LOAD)
    uc.ctl_flush_tb()
    limit.value = 2
    mapping.value = ctypes.cast(on_access, ctypes.c_void_p).value or 0
    uc.emu_start(_CODE, 0)
    mapping.value = ctypes.cast(unicorn_library.find_mapping, ctypes.c_void_p).value or 0
    if translating[-4:] != [(True, 2, 0), (False, 2, 0), (False, 2, 4), (False, 2, 4)]:
        yield "the translator, or an access over two pages, cannot be told from others"


def _block(at: int) -> tuple[int, int, int, int]:
    """Return address, size, instructions and page of a TranslationBlock."""
    size = ctypes.c_uint16.from_address(at + unicorn_layout.TB_SIZE).value
    count = ctypes.c_uint16.from_address(at + unicorn_layout.TB_COUNT).value
    return (
        _pointer(at + unicorn_layout.TB_PC),
        size,
        count,
        _pointer(at + unicorn_layout.TB_PAGES) & -4096,
    )


def _prepare(uc: Uc) -> None:
    """Map a GDT and an IDT whose gate 13 leads to hlt, and point the registers there."""
    uc.mem_map(0, 0x10000)
    uc.mem_write(_CODE, _PROGRAM)
    uc.mem_write(_HANDLER, b"\xf4")
    uc.mem_write(_GDT, struct.pack("<2Q", 0, _FLAT_CODE))
    gate = struct.pack("<HHBBHII", _HANDLER, 8, 0, 0x8E, 0, 0, 0)
    uc.mem_write(_IDT + 16 * 13, gate)
    uc.reg_write(x86_const.UC_X86_REG_GDTR, (0, _GDT, 15, 0))
    uc.reg_write(x86_const.UC_X86_REG_IDTR, (0, _IDT, 4095, 0))
    uc.reg_write(x86_const.UC_X86_REG_RSP, _STACK)
    uc.reg_write(x86_const.UC_X86_REG_RAX, _BAD_SELECTOR)


def _pointer(address: int) -> int:
    """Return eight bytes of this process's memory, 0 where there is none."""
    try:
        with Path("/proc/self/mem").open("rb", buffering=0) as memory:
            memory.seek(address)
            return int.from_bytes(memory.read(8), "little")
    except FileNotFoundError:  # not Linux
        return int.from_bytes(ctypes.string_at(address, 8), "little")
    except (OSError, OverflowError):
        return 0
