"""The only file that knows Unicorn's insides.

One engine executes all cores: the registers of the core that runs are in the engine's
CPUX86State, those of the others in `state.env`. What the public interface cannot do is done
through the library's exported symbols and a few offsets, all listed here, all checked when the
first machine is made, with `unicorn==2.1.4` pinned:

* exceptions go through the guest's IDT by QEMU's own `x86_cpu_do_interrupt`, which Unicorn
  never calls;
* a slice ends exactly where it should: the block hook runs before every block, learns its
  instruction count from the TranslationBlock, and stops the engine before a block that does
  not fit; `cflags_next_tb` limits the length of the one that is entered next. `count=` of
  uc_emu_start is never used: it is slow, and mixing it with block speed drops every translation;
* an instruction that meets a device, or stores to text, in the middle of a block is abandoned
  and entered again as a block of its own, so that it sees and causes everything at its exact
  instruction (`cpu_loop_exit_noexc`, what QEMU's cpu_io_recompile does);
* as soon as there is a memory hook anywhere, the translator sends every load and store through
  the slow path (`tcg_uc_has_hookmem`), which halves the speed twice. So the hooks are out of
  sight while it translates. `uc_struct.memory_mapping`, which every slow access asks where it
  goes and every translated byte where it comes from, is ours, and hides or shows them.

Sources: Unicorn 2.1.4: qemu/accel/tcg/cpu-exec.c, translate-all.c, cputlb.c,
qemu/target/i386/cpu.h, excp_helper.c, seg_helper.c.
"""

import ctypes

import numpy as np
from numba import types
from unicorn import unicorn_const as uc_const
from unicorn.unicorn_py3 import Uc
from unicorn.unicorn_py3.unicorn import uclib

from emu.machine.native import (
    external,
    jit,
    load16,
    load32,
    load64,
    store32,
    store64,
)
from emu.machine.state import (
    ENV_SIZE,
    M_CPU,
    M_CURRENT,
    M_DELIVERING,
    M_ENV,
    M_ENV_ROWS,
    M_RAM_REGION,
    M_RAM_SIZE,
    M_READ_HOOKS,
    M_REASON,
    M_SCRATCH,
    M_UC,
    M_WRITE_HOOKS,
    State,
    Words,
)

VERSION = "2.1.4"

# --- offsets: uc_struct, CPUState, TranslationBlock -------------------------------------------
UC_TO_CPU = 0x1B8
UC_MEMORY_MAPPING = 0x120  # MemoryRegion *(*)(uc_struct *, physical address)
UC_TCG_CONTEXT = 0x300
UC_HOOKS, LIST_SIZE = 0x340, 24  # a struct list for each kind of hook; its head comes first
LIST_ITEM_DATA, HOOK_USER_DATA = 8, 48
TCG_CPU = 0xE0  # of TCGContext: not NULL while a block is translated
CPU_TO_ENV_POINTER = 0x128
CPU_CFLAGS_NEXT_TB = 0x18  # u32; the low 15 bits limit the next block's instructions
CPU_JUMP_CACHE = 0x138  # TranslationBlock *[4096]; only the self-test looks into it
CPU_HALTED = 0x8198  # u32

TB_PC, TB_SIZE, TB_COUNT, TB_CFLAGS = 0, 20, 22, 24
TB_CODE = 32  # address of its code, which begins TB_TO_CODE behind it
TB_PAGES = 72  # physical addresses of its one or two pages, -1 where it has none
TB_TO_CODE, TB_ALIGN = 192, 64
CFLAGS_COUNT = 0x7FFF

# --- offsets: CPUX86State ----------------------------------------------------------------------
REGISTERS, RIP, RFLAGS = 0, 128, 136
RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI = range(0, 64, 8)
CC_DST, CC_SRC, CC_SRC2, CC_OP, DIRECTION = 144, 152, 160, 168, 172
HFLAGS, HFLAGS2 = 176, 180
SEGMENTS, LDT, TR, GDT, IDT = 184, 328, 352, 376, 400
ES, CS, SS, DS, FS, GS = range(184, 328, 24)
SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_FLAGS = 8, 16, 20
CR0, CR2, CR3, CR4 = 424, 440, 448, 456
EFER = 592
CR8 = 488
FPU_TOP, FPU_STATUS, FPU_CONTROL, FPU_TAGS, FPU_STACK = 604, 608, 610, 612, 624
MXCSR, XMM = 816, 824  # XMM: sixteen of 64 bytes, of which QEMU 5 uses the first 16
SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP = 4800, 4808, 4816
STAR, LSTAR, CSTAR, FMASK, KERNEL_GS_BASE = 4824, 4840, 4848, 4856, 4864
TSC_AUX, XCR0, MISC_ENABLE, PAT, PKRU = 4896, 4904, 4920, 5280, 5304
ERROR_CODE, IS_INT, OLD_EXCEPTION = 5384, 5388, 5496
FEATURES = 5632  # u64 each, by FeatureWord: FEAT_1_ECX is 1, FEAT_8000_0001_EDX is 6
DR0, DR6, DR7 = 5400, 5400 + 48, 5400 + 56

FLAG_IF = 1 << 9
_SHADOW = 1 << 3  # hflags: after sti or mov ss
_CS64, _CS32, _PE = 1 << 15, 1 << 4, 1 << 7
_NMI_MASKED = 1 << 2  # hflags2
_TRANSLATION = 1 << 31 | 1 << 16 | 1  # of CR0: what address translation depends on
_CC_OP_EFLAGS = 1
_DOUBLE_FAULT = 8
_RDRAND, _RDTSCP = 1 << 30, 1 << 27

BLOCK_HOOKS = UC_HOOKS + LIST_SIZE * 3
READ_HOOKS, WRITE_HOOKS = UC_HOOKS + LIST_SIZE * 10, UC_HOOKS + LIST_SIZE * 11

_library = ctypes.CDLL(uclib._name)
_i64, _i32, _u32, _void = types.int64, types.int32, types.uint32, types.void

_emu_start = external(_library, "uc_emu_start", _i32(_i64, _i64, _i64, _i64, _i64))
_emu_stop = external(_library, "uc_emu_stop", _i32(_i64))
_do_interrupt = external(_library, "x86_cpu_do_interrupt_x86_64", _void(_i64))
_hard_interrupt = external(_library, "do_interrupt_x86_hardirq_x86_64", _void(_i64, _i32, _i32))
_loop_exit = external(_library, "cpu_loop_exit_noexc_x86_64", _void(_i64))
_raise = external(_library, "raise_exception_err_x86_64", _void(_i64, _i32, _i32))
_find_mapping = external(_library, "find_memory_mapping_x86_64", _i64(_i64, _i64))
_invalidate = external(_library, "tb_invalidate_phys_range_x86_64", _void(_i64, _i64, _i64))
_flush_tlb = external(_library, "tlb_flush_x86_64", _void(_i64))
_flags = external(_library, "helper_cc_compute_all_x86_64", _i64(_i64, _i64, _i64, _i32))
_update_hflags = external(_library, "x86_update_hflags_x86_64", _void(_i64))
_cpuid = external(_library, "cpu_x86_cpuid_x86_64", _void(_i64, _u32, _u32, _i64, _i64, _i64, _i64))


def new_engine() -> Uc:
    """Make an engine."""
    uc = Uc(uc_const.UC_ARCH_X86, uc_const.UC_MODE_64)
    # 1 GiB by default, of which every invalidated block keeps some (unicorn issue 2203)
    uc.ctl_set_tcg_buffer_size(64 << 20)
    uc.ctl_exits_enabled(True)  # with no exits: `until` must never match a guest address
    uc.reg_read(41)  # the CPU comes to life with the first use
    return uc


def open_engine() -> tuple[Uc, int, int]:
    """Make an engine; returns it with the addresses of its CPUState and CPUX86State."""
    uc = new_engine()
    cpu = ctypes.c_uint64.from_address(uc._uch.value + UC_TO_CPU).value
    env = ctypes.c_uint64.from_address(cpu + CPU_TO_ENV_POINTER).value
    # instructions that would let the host's random numbers and clock into the guest: #UD
    ctypes.c_uint64.from_address(env + FEATURES + 8 * 1).value &= ~_RDRAND
    ctypes.c_uint64.from_address(env + FEATURES + 8 * 6).value &= ~_RDTSCP
    return uc, cpu, env


def pristine_registers(env: int) -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    """Return the CPUX86State of an engine that has not run, as ENV_SIZE bytes."""
    return np.frombuffer(ctypes.string_at(env, ENV_SIZE), np.uint8)


# --- the canonical state -----------------------------------------------------------------------


def _fields(*spans: tuple[int, int]) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """Return the offsets of all bytes in these spans of (offset, bytes)."""
    return np.concatenate([np.arange(start, start + size) for start, size in spans])


_SURVIVES_INIT = _fields(
    (FPU_TOP, 4), (FPU_STATUS, 2), (FPU_CONTROL, 2), (FPU_TAGS, 8),
    *((FPU_STACK + 16 * index, 10) for index in range(8)),
    (MXCSR, 4), *((XMM + 64 * index, 16) for index in range(16)),
    (SYSENTER_CS, 4), (SYSENTER_ESP, 8), (SYSENTER_EIP, 8),
    *((msr, 8) for msr in (STAR, LSTAR, CSTAR, FMASK, KERNEL_GS_BASE)),
    *((msr, 8) for msr in (TSC_AUX, XCR0, MISC_ENABLE, PAT)), (PKRU, 4),
)  # fmt: skip
_SEGMENT_FIELDS = ((0, 4), (SEGMENT_BASE, 8), (SEGMENT_LIMIT, 4), (SEGMENT_FLAGS, 4))
_ARCHITECTURAL = np.concatenate([_SURVIVES_INIT, _fields(
    (REGISTERS, 16 * 8), (RIP, 8),
    *((segment + at, size) for segment in (ES, CS, SS, DS, FS, GS, LDT, TR)
      for at, size in _SEGMENT_FIELDS),
    *((table + at, size) for table in (GDT, IDT) for at, size in _SEGMENT_FIELDS[1:3]),
    *((control, 8) for control in (CR0, CR2, CR3, CR4, CR8, EFER)),
    *((DR0 + 8 * index, 8) for index in (0, 1, 2, 3, 6, 7)),
)])  # fmt: skip

_ARITHMETIC_FLAGS, _DIRECTION_FLAG = 0x8D5, 1 << 10
_compute_flags = ctypes.CFUNCTYPE(
    ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_int32
)(ctypes.cast(_library.helper_cc_compute_all_x86_64, ctypes.c_void_p).value or 0)


_deliver = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(
    ctypes.cast(_library.x86_cpu_do_interrupt_x86_64, ctypes.c_void_p).value or 0
)


find_mapping = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64)(
    ctypes.cast(_library.find_memory_mapping_x86_64, ctypes.c_void_p).value or 0
)  # what uc_struct.memory_mapping is at first


def registers_of(s: State, core: int) -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    """Return a copy of a core's CPUX86State, wherever it is, as ENV_SIZE bytes."""
    if s.m[M_CURRENT] == core:
        return pristine_registers(int(s.m[M_ENV]))
    return s.env[core].copy()


def rflags(env: "np.ndarray[tuple[int], np.dtype[np.uint8]]") -> int:
    """Return RFLAGS of a CPUX86State, with the flags that the engine has not computed yet."""
    stored, destination, source, source2 = (
        int(env[at : at + 8].view(np.uint64)[0]) for at in (RFLAGS, CC_DST, CC_SRC, CC_SRC2)
    )
    operation, direction = (int(env[at : at + 4].view(np.int32)[0]) for at in (CC_OP, DIRECTION))
    arithmetic = _compute_flags(destination, source, source2, operation)
    direction_flag = direction & _DIRECTION_FLAG
    kept = stored & ~(_ARITHMETIC_FLAGS | _DIRECTION_FLAG)
    return kept | int(arithmetic) & _ARITHMETIC_FLAGS | direction_flag


def canonical_registers(s: State, core: int, started: bool) -> bytes:
    """Return the architectural state of a core: equal bytes for equal states.

    Of a core that waits for its start-up IPI, only what INIT leaves alone.
    """
    env = registers_of(s, core)
    if not started:
        return env[_SURVIVES_INIT].tobytes()
    privilege_and_shadow = int(env[HFLAGS]) & (3 | _SHADOW)
    nmi_masked = int(env[HFLAGS2]) & _NMI_MASKED
    computed = np.array([rflags(env), privilege_and_shadow, nmi_masked], np.uint64)
    return env[_ARCHITECTURAL].tobytes() + computed.tobytes()


def extended_registers(s: State, core: int) -> bytes:
    """Return what INIT leaves alone of a core's registers: x87, SSE, model-specific."""
    return registers_of(s, core)[_SURVIVES_INIT].tobytes()


def deliver(cpu: int) -> None:
    """Let a core (its CPUState) take the exception it raised: `exception`, not compiled."""
    _deliver(cpu)


# --- the core in the engine --------------------------------------------------------------------


@jit
def register(s: State, offset: int) -> int:
    """Return a 64-bit field of the running core's CPUX86State."""
    return load64(s.m[M_ENV] + offset)


@jit
def set_register(s: State, offset: int, value: int) -> None:
    """Set a 64-bit field of the running core's CPUX86State."""
    store64(s.m[M_ENV] + offset, value)


@jit
def linear_rip(s: State) -> int:
    """Return RIP plus the base of CS."""
    return load64(s.m[M_ENV] + RIP) + load64(s.m[M_ENV] + CS + SEGMENT_BASE)


@jit
def interruptible(s: State) -> bool:
    """Return whether the running core takes interrupts before its next instruction."""
    env = s.m[M_ENV]
    return load64(env + RFLAGS) & FLAG_IF != 0 and load32(env + HFLAGS) & _SHADOW == 0


@jit
def _registers(s: State, core: int) -> int:
    """Return the host address of a core's CPUX86State, in the engine or not."""
    if s.m[M_CURRENT] == core:
        return s.m[M_ENV]
    return s.m[M_ENV_ROWS] + core * ENV_SIZE


@jit
def interrupts_on(s: State, core: int) -> bool:
    """Return whether a core, in the engine or not, has RFLAGS.IF set."""
    return load64(_registers(s, core) + RFLAGS) & FLAG_IF != 0


@jit
def nmi_on(s: State, core: int) -> bool:
    """Return whether a core, in the engine or not, is not in the handler of an NMI."""
    return load32(_registers(s, core) + HFLAGS2) & _NMI_MASKED == 0


@jit
def takes_nmi(s: State) -> bool:
    """Return whether the running core takes an NMI before its next instruction."""
    env = s.m[M_ENV]
    return load32(env + HFLAGS2) & _NMI_MASKED == 0 and load32(env + HFLAGS) & _SHADOW == 0


@jit
def mode(s: State) -> int:
    """Return the code size of the running core: REAL, PROTECTED or LONG of `decode`."""
    hflags = load32(s.m[M_ENV] + HFLAGS)
    if hflags & _CS64:
        return 2
    return 1 if hflags & _CS32 else 0


@jit
def reset_itself(s: State) -> bool:
    """Return whether the running core met a fault while it took a double fault."""
    return load32(s.m[M_ENV] + OLD_EXCEPTION) == _DOUBLE_FAULT


@jit
def may_use_ports(s: State) -> bool:
    """Return whether the running core's privilege allows in and out.

    By RFLAGS.IOPL alone: a TSS's permission bitmap is not read.
    """
    env = s.m[M_ENV]
    privilege, level = load32(env + HFLAGS) & 3, load64(env + RFLAGS) >> 12 & 3
    return privilege <= level


@jit
def set_rip(s: State, pc: int) -> None:
    """Write down RIP in a block hook; between linked blocks the engine does not."""
    set_register(s, RIP, pc - load64(s.m[M_ENV] + CS + SEGMENT_BASE))


@jit
def enter(s: State, core: int) -> None:
    """Put a core's registers into the engine."""
    current = s.m[M_CURRENT]
    if current == core:
        return
    env = s.m[M_ENV]
    if current >= 0:
        leave(s)
    row = s.m[M_ENV_ROWS] + core * ENV_SIZE
    same = current >= 0
    same = same and (load64(env + CR0) ^ load64(row + CR0)) & _TRANSLATION == 0
    for offset in (CR3, CR4, EFER):
        same = same and load64(env + offset) == load64(row + offset)
    for offset in range(0, ENV_SIZE, 8):
        store64(env + offset, load64(row + offset))
    if not same:
        _flush_tlb(s.m[M_CPU])
    s.m[M_CURRENT] = core


@jit
def leave(s: State) -> None:
    """Copy the registers in the engine to where the running core keeps them."""
    env, row = s.m[M_ENV], s.m[M_ENV_ROWS] + s.m[M_CURRENT] * ENV_SIZE
    canonical_flags(s)
    for offset in range(0, ENV_SIZE, 8):
        store64(row + offset, load64(env + offset))


@jit
def canonical_flags(s: State) -> None:
    """Write down RFLAGS' arithmetic flags, which the engine computes when somebody asks."""
    env = s.m[M_ENV]
    operation = load32(env + CC_OP)
    if operation != _CC_OP_EFLAGS:
        flags = _flags(
            load64(env + CC_DST), load64(env + CC_SRC), load64(env + CC_SRC2), np.int32(operation)
        )
        store64(env + CC_SRC, flags)
        store32(env + CC_OP, _CC_OP_EFLAGS)
    store64(env + CC_DST, 0)
    store64(env + CC_SRC2, 0)


@jit
def interrupt(s: State, vector: int) -> None:
    """Let the running core take an external interrupt through its IDT."""
    s.m[M_DELIVERING] = 1
    _hard_interrupt(s.m[M_ENV], np.int32(vector), np.int32(1))
    s.m[M_DELIVERING] = 0


@jit
def nmi(s: State) -> None:
    """Let the running core take an NMI; further ones are masked until it executes iret."""
    env = s.m[M_ENV]
    store32(env + HFLAGS2, load32(env + HFLAGS2) | _NMI_MASKED)
    interrupt(s, 2)


@jit
def exception(s: State) -> None:
    """Let the running core take the exception it raised; called from the interrupt hook."""
    s.m[M_DELIVERING] = 1
    _do_interrupt(s.m[M_CPU])
    s.m[M_DELIVERING] = 0


@jit
def take_halt(s: State) -> bool:
    """Return whether the engine stopped at hlt, and let it go on next time."""
    halted = load32(s.m[M_CPU] + CPU_HALTED) != 0
    store32(s.m[M_CPU] + CPU_HALTED, 0)
    return halted


@jit
def identify(s: State, leaf: int, subleaf: int, output: Words) -> None:
    """Fill `output` with the engine's EAX, EBX, ECX, EDX for a CPUID leaf (uses `scratch`)."""
    at = s.m[M_SCRATCH]
    _cpuid(s.m[M_ENV], np.uint32(leaf), np.uint32(subleaf), at, at + 8, at + 16, at + 24)
    for index in range(4):
        output[index] = load32(at + 8 * index)


# --- memory hooks, and the translator that must not see them ------------------------------------


@jit
def start(s: State) -> int:
    """Let the engine run from RIP on; returns what uc_emu_start does.

    Outside of it the lists of hooks are whole, so hooks can be added and removed.
    """
    not_translating(s)
    status = _emu_start(s.m[M_UC], register(s, RIP), 0, 0, 0)
    _show_memory_hooks(s)
    return status


@jit
def not_translating(s: State) -> None:
    """Note that no block is being translated, after a fault may have ended that."""
    store64(load64(s.m[M_UC] + UC_TCG_CONTEXT) + TCG_CPU, 0)


@jit
def find_ram(s: State) -> None:
    """Note which MemoryRegion of the engine is the RAM, for `region_at`."""
    s.m[M_RAM_REGION] = _find_mapping(s.m[M_UC], 0)


@jit
def region_at(s: State, address: int) -> int:
    """Return the MemoryRegion at a physical address, for `uc_struct.memory_mapping`."""
    if load64(load64(s.m[M_UC] + UC_TCG_CONTEXT) + TCG_CPU):
        _hide_memory_hooks(s)
    else:
        _show_memory_hooks(s)
    if 0 <= address < s.m[M_RAM_SIZE]:
        return s.m[M_RAM_REGION]
    return _find_mapping(s.m[M_UC], address)


@jit
def _hide_memory_hooks(s: State) -> None:
    uc = s.m[M_UC]
    reads, writes = load64(uc + READ_HOOKS), load64(uc + WRITE_HOOKS)
    if reads:
        s.m[M_READ_HOOKS] = reads
        store64(uc + READ_HOOKS, 0)
    if writes:
        s.m[M_WRITE_HOOKS] = writes
        store64(uc + WRITE_HOOKS, 0)


@jit
def _show_memory_hooks(s: State) -> None:
    uc = s.m[M_UC]
    if s.m[M_READ_HOOKS]:
        store64(uc + READ_HOOKS, s.m[M_READ_HOOKS])
        s.m[M_READ_HOOKS] = 0
    if s.m[M_WRITE_HOOKS]:
        store64(uc + WRITE_HOOKS, s.m[M_WRITE_HOOKS])
        s.m[M_WRITE_HOOKS] = 0


@jit
def data_of_hooks(engine: int) -> int:
    """Return the pointer that every hook is given, for a callback that is not given it."""
    item = load64(engine + BLOCK_HOOKS)
    return load64(load64(item + LIST_ITEM_DATA) + HOOK_USER_DATA)


# --- translations ------------------------------------------------------------------------------


@jit
def stop(s: State, reason: int) -> None:
    """Stop the engine before the block whose hook calls this."""
    s.m[M_REASON] = reason
    _emu_stop(s.m[M_UC])


@jit
def limit_next_block(s: State, instructions: int) -> None:
    """Let the next block that is entered have at most this many instructions."""
    store32(s.m[M_CPU] + CPU_CFLAGS_NEXT_TB, min(instructions, CFLAGS_COUNT))


@jit
def enter_alone(s: State) -> None:
    """Abandon the block that runs; enter it again at RIP as a block of one instruction.

    Does not return: it unwinds to the engine's main loop. Only for hooks that the engine calls
    with RIP up to date, before the instruction has had any effect.
    """
    limit_next_block(s, 1)
    _loop_exit(s.m[M_CPU])


@jit
def go_on(s: State) -> None:
    """Abandon the block before it runs and go on at RIP; does not return, as `enter_alone`."""
    _loop_exit(s.m[M_CPU])


@jit
def fault(s: State, vector: int, error: int) -> None:
    """Let the instruction that runs raise a fault; does not return, as `enter_alone`."""
    _raise(s.m[M_ENV], np.int32(vector), np.int32(error))


@jit
def forget(s: State, start: int, end: int) -> None:
    """Drop the translations of physical [start, end), after bytes were changed from outside."""
    _invalidate(s.m[M_UC], start, end)


@jit
def flush_tlb(s: State) -> None:
    """Forget all address translations."""
    _flush_tlb(s.m[M_CPU])


@jit
def block_at(caller: int) -> int:
    """Return the TranslationBlock whose code calls a hook; `caller` is where that returns to.

    The engine puts a block's code behind its TranslationBlock, and the call of the hook is among
    the first instructions: one step back, or two.
    """
    code = caller & -TB_ALIGN
    while load64(code - TB_TO_CODE + TB_CODE) != code:
        code -= TB_ALIGN
    return code - TB_TO_CODE


@jit
def block_pa(block: int) -> int:
    """Return the physical address at which a block begins; negative if that is not in RAM."""
    return load64(block + TB_PAGES) & ~0xFFF | load64(block + TB_PC) & 0xFFF


@jit
def block_pa2(block: int) -> int:
    """Return the physical address of the second page of a block, or -1."""
    return load64(block + TB_PAGES + 8)


@jit
def block_count(block: int) -> int:
    """Return how many instructions a block has."""
    return load16(block + TB_COUNT)


@jit
def block_alone(block: int) -> bool:
    """Return whether a block was made to have one instruction only."""
    return load32(block + TB_CFLAGS) & CFLAGS_COUNT == 1


# --- registers to start with -------------------------------------------------------------------

_CODE32, _DATA32 = 0x00CF9B00, 0x00CF9300  # flat, present, accessed
_CODE16, _DATA16 = 0x00009B00, 0x00009300


@jit
def _set_segment(row: int, segment: int, selector: int, base: int, limit: int, flags: int) -> None:
    store32(row + segment, selector)
    store64(row + segment + SEGMENT_BASE, base)
    store32(row + segment + SEGMENT_LIMIT, limit)
    store32(row + segment + SEGMENT_FLAGS, flags)


@jit
def reset_registers(s: State, core: int, cs_base: int, rip: int, cr0: int) -> None:
    """Give a core the registers of INIT; it must not be the one in the engine.

    `state.env` already holds what INIT leaves alone (FPU and SSE at their defaults).
    """
    row = s.m[M_ENV_ROWS] + core * ENV_SIZE
    for offset in range(REGISTERS, RIP, 8):
        store64(row + offset, 0)
    store64(row + RIP, rip)
    store64(row + RFLAGS, 2)
    store64(row + CC_SRC, 0)
    store32(row + CC_OP, _CC_OP_EFLAGS)
    store32(row + DIRECTION, 1)
    store32(row + HFLAGS, 0)
    store32(row + HFLAGS2, load32(row + HFLAGS2) & ~_NMI_MASKED)
    store32(row + OLD_EXCEPTION, -1)
    for segment in (ES, SS, DS, FS, GS):
        _set_segment(row, segment, 0, 0, 0xFFFF, _DATA16)
    _set_segment(row, CS, cs_base >> 4, cs_base, 0xFFFF, _CODE16)
    _set_segment(row, LDT, 0, 0, 0xFFFF, 0x8200)
    _set_segment(row, TR, 0, 0, 0xFFFF, 0x8B00)
    _set_segment(row, GDT, 0, 0, 0xFFFF, 0)
    _set_segment(row, IDT, 0, 0, 0xFFFF, 0)
    store64(row + CR0, cr0)
    for offset in (CR2, CR3, CR4, EFER):
        store64(row + offset, 0)
    store64(row + DR6, 0xFFFF0FF0)
    store64(row + DR7, 0x400)
    _update_hflags(row)


@jit
def pvh_registers(s: State, core: int, entry: int, start_info: int) -> None:
    """Give a core the registers of the PVH entry: flat 32-bit protected mode, paging off.

    Source: xen docs/misc/pvh.pandoc, "Booting".
    """
    reset_registers(s, core, 0, entry, 0x11)
    row = s.m[M_ENV_ROWS] + core * ENV_SIZE
    store64(row + RBX, start_info)
    _set_segment(row, CS, 0x8, 0, 0xFFFFFFFF, _CODE32)
    for segment in (ES, SS, DS, FS, GS):
        _set_segment(row, segment, 0x10, 0, 0xFFFFFFFF, _DATA32)
    _set_segment(row, TR, 0x18, 0, 0x67, 0x8B00)
    _update_hflags(row)


_CODE64 = 0x00AF9B00
_LONG_CR0, _LONG_CR4, _LONG_EFER = 0x80010033, 0x6A0, 0xD01  # paging, WP; PAE, SSE; LMA, NX


@jit
def long_mode_registers(s: State, core: int, cr3: int, rip: int, rsp: int) -> None:
    """Give a core flat 64-bit registers at ring 0, with paging on and interrupts off."""
    reset_registers(s, core, 0, rip, _LONG_CR0)
    row = s.m[M_ENV_ROWS] + core * ENV_SIZE
    store64(row + RSP, rsp)
    store64(row + CR3, cr3)
    store64(row + CR4, _LONG_CR4)
    store64(row + EFER, _LONG_EFER)
    _set_segment(row, CS, 0x8, 0, 0xFFFFFFFF, _CODE64)
    for segment in (ES, SS, DS, FS, GS):
        _set_segment(row, segment, 0x10, 0, 0xFFFFFFFF, _DATA32)
    _update_hflags(row)


@jit
def set_tables(
    s: State, core: int, gdt: int, gdt_limit: int, idt: int, idt_limit: int, tss: int
) -> None:
    """Give a core that is not in the engine its descriptor tables, by linear address."""
    row = s.m[M_ENV_ROWS] + core * ENV_SIZE
    _set_segment(row, GDT, 0, gdt, gdt_limit, 0)
    _set_segment(row, IDT, 0, idt, idt_limit, 0)
    _set_segment(row, TR, 0x20, tss, 0x67, 0x8B00)


@jit
def set_general(s: State, core: int, number: int, value: int) -> None:
    """Set general register `number` of a core that is not in the engine."""
    store64(s.m[M_ENV_ROWS] + core * ENV_SIZE + REGISTERS + 8 * number, value)
