"""The engine's CPU: one Unicorn that executes all cores.

The registers of the core that runs are in the engine's CPUX86State, those of the others in
`state.env`. What the public interface cannot do is done through the library's exported symbols
(`unicorn_library`) and a few offsets (`unicorn_layout`), all checked when the first machine is
made, with `unicorn==2.1.4` pinned. Only the files named unicorn_* know Unicorn's insides:
`unicorn_engine` makes one, `unicorn_flags` is its RFLAGS, `unicorn_blocks` its translated blocks,
`unicorn_memory` its TLB and memory hooks. What they do that Unicorn does not:

* exceptions go through the guest's IDT by QEMU's own `x86_cpu_do_interrupt`, which Unicorn
  never calls;
* a slice ends exactly where it should: the block hook runs before every block, learns its
  instruction count from the TranslationBlock, and stops the engine before a block that does
  not fit; `cflags_next_tb` limits the length of the one that is entered next. `count=` of
  uc_emu_start is never used: it is slow, and mixing it with block speed drops every translation;
* an instruction that meets a device, or stores to text, in the middle of a block is abandoned
  and entered again as a block of its own, so that it sees and causes everything at its exact
  instruction (`cpu_loop_exit_noexc`, what QEMU's cpu_io_recompile does);
* memory hooks are hidden from the translator, which would make every access slow for them
  (`unicorn_memory`).

Sources: Unicorn 2.1.4: qemu/accel/tcg/cpu-exec.c, translate-all.c, cputlb.c,
qemu/target/i386/cpu.h, excp_helper.c, seg_helper.c.
"""

import numpy as np

from emu.machine.native import by_engine, copy, jit, load32, load64, store32, store64
from emu.machine.state import (
    DELIVERING_EVENT,
    DELIVERING_INT,
    ENV_SIZE,
    M_CPU,
    M_CURRENT,
    M_DELIVERED,
    M_DELIVERING,
    M_ENV,
    M_ENV_ROWS,
    M_SCRATCH,
    M_UC,
    State,
    Words,
)
from emu.machine.unicorn_flags import canonical_flags
from emu.machine.unicorn_layout import (
    CPU_EXCEPTION,
    CPU_HALTED,
    CR0,
    CR0_TRANSLATION,
    CR3,
    CR4,
    CS,
    CS32,
    CS64,
    EFER,
    ERROR_CODE,
    FLAG_IF,
    FLAG_RF,
    FLAG_TF,
    FLAG_VM,
    HFLAGS,
    HFLAGS2,
    IS_INT,
    NMI_MASKED,
    OLD_EXCEPTION,
    RFLAGS,
    RIP,
    SEGMENT_BASE,
    SHADOW,
)
from emu.machine.unicorn_library import (
    cpu_x86_cpuid,
    do_interrupt_x86_hardirq,
    helper_check_iob,
    helper_check_iol,
    helper_check_iow,
    helper_wrmsr,
    tlb_flush,
    uc_emu_start,
    x86_cpu_do_interrupt,
)
from emu.machine.unicorn_memory import not_translating, show_memory_hooks

_DOUBLE_FAULT = 8


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
def _registers(s: State, core: int) -> int:
    """Return the host address of a core's CPUX86State, in the engine or not."""
    if s.m[M_CURRENT] == core:
        return s.m[M_ENV]
    return s.m[M_ENV_ROWS] + core * ENV_SIZE


@jit
def linear_rip_of(s: State, core: int) -> int:
    """Return RIP plus the base of CS of a core, in the engine or not."""
    registers = _registers(s, core)
    return load64(registers + RIP) + load64(registers + CS + SEGMENT_BASE)


@jit
def interrupts_on(s: State, core: int) -> bool:
    """Return whether a core, in the engine or not, has RFLAGS.IF set."""
    return load64(_registers(s, core) + RFLAGS) & FLAG_IF != 0


@jit
def in_shadow(s: State, core: int) -> bool:
    """Return whether a core, in the engine or not, stands right behind sti or mov ss."""
    return load32(_registers(s, core) + HFLAGS) & SHADOW != 0


@jit
def nmi_on(s: State, core: int) -> bool:
    """Return whether a core, in the engine or not, is not in the handler of an NMI."""
    return load32(_registers(s, core) + HFLAGS2) & NMI_MASKED == 0


@jit
def mode(s: State) -> int:
    """Return the code size of the running core: REAL, PROTECTED or LONG of `decode`."""
    hflags = load32(s.m[M_ENV] + HFLAGS)
    if hflags & CS64:
        return 2
    return 1 if hflags & CS32 else 0


@jit
def reset_itself(s: State) -> bool:
    """Return whether the running core met a fault while it took a double fault."""
    return load32(s.m[M_ENV] + OLD_EXCEPTION) == _DOUBLE_FAULT


@jit
def check_ports(s: State, port: int, size: int) -> None:
    """Raise #GP for in and out of 1, 2 or 4 bytes where the running core may not.

    The engine has all its checks but does not make them: RFLAGS.IOPL, or in virtual-8086 mode
    always, and then the permission bitmap of the task state segment.
    """
    env = s.m[M_ENV]
    rflags = load64(env + RFLAGS)
    allowed = load32(env + HFLAGS) & 3 <= rflags >> 12 & 3 and not rflags & FLAG_VM
    if allowed or not load64(env + CR0) & 1:
        return
    if size == 1:
        helper_check_iob(env, np.uint32(port))
    elif size == 2:
        helper_check_iow(env, np.uint32(port))
    else:
        helper_check_iol(env, np.uint32(port))


@jit
def privilege(s: State) -> int:
    """Return the running core's privilege level."""
    return load32(s.m[M_ENV] + HFLAGS) & 3


@jit
def traced(s: State) -> bool:
    """Return whether the running core has RFLAGS.TF set."""
    return load64(s.m[M_ENV] + RFLAGS) & FLAG_TF != 0


@jit
def end_instruction(s: State) -> None:
    """Do what the end of every instruction does: no shadow of sti any more, RFLAGS.RF clear."""
    env = s.m[M_ENV]
    store32(env + HFLAGS, load32(env + HFLAGS) & ~SHADOW)
    store64(env + RFLAGS, load64(env + RFLAGS) & ~FLAG_RF)


@jit
def write_efer(s: State) -> None:
    """Let the engine execute WRMSR of EFER, with what depends on it."""
    helper_wrmsr(s.m[M_ENV])


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
    same = same and (load64(env + CR0) ^ load64(row + CR0)) & CR0_TRANSLATION == 0
    for offset in (CR3, CR4, EFER):
        same = same and load64(env + offset) == load64(row + offset)
    copy(env, row, ENV_SIZE)
    if not same:
        tlb_flush(s.m[M_CPU])
    s.m[M_CURRENT] = core


@jit
def leave(s: State) -> None:
    """Copy the registers in the engine to where the running core keeps them."""
    env, row = s.m[M_ENV], s.m[M_ENV_ROWS] + s.m[M_CURRENT] * ENV_SIZE
    canonical_flags(s)
    copy(row, env, ENV_SIZE)


@by_engine
def interrupt(s: State, vector: int) -> None:
    """Let the running core take an external interrupt through its IDT."""
    s.m[M_DELIVERING], s.m[M_DELIVERED] = DELIVERING_EVENT, vector
    do_interrupt_x86_hardirq(s.m[M_ENV], np.int32(vector), np.int32(1))
    s.m[M_DELIVERING] = 0


@jit
def nmi(s: State) -> None:
    """Let the running core take an NMI; further ones are masked until it executes iret."""
    env = s.m[M_ENV]
    store32(env + HFLAGS2, load32(env + HFLAGS2) | NMI_MASKED)
    interrupt(s, 2)


@by_engine
def exception(s: State) -> None:
    """Let the running core take the exception it raised; called from the interrupt hook."""
    software = load32(s.m[M_ENV] + IS_INT)
    s.m[M_DELIVERING] = DELIVERING_INT if software else DELIVERING_EVENT
    s.m[M_DELIVERED] = load32(s.m[M_CPU] + CPU_EXCEPTION)
    x86_cpu_do_interrupt(s.m[M_CPU])
    s.m[M_DELIVERING] = 0


@jit
def set_fault(s: State, vector: int, error: int) -> None:
    """Change the fault that is being raised into another."""
    store32(s.m[M_CPU] + CPU_EXCEPTION, vector)
    store32(s.m[M_ENV] + ERROR_CODE, error)


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
    cpu_x86_cpuid(s.m[M_ENV], np.uint32(leaf), np.uint32(subleaf), at, at + 8, at + 16, at + 24)
    for index in range(4):
        output[index] = load32(at + 8 * index)


@jit
def start(s: State) -> int:
    """Let the engine run from RIP on; returns what uc_emu_start does.

    Outside of it the lists of hooks are whole, so hooks can be added and removed.
    """
    not_translating(s)
    status = uc_emu_start(s.m[M_UC], register(s, RIP), 0, 0, 0)
    show_memory_hooks(s)
    return status
