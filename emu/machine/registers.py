"""The registers of a core as they are compared, kept and shown: the canonical state.

The engine's CPUX86State differs between equal states: lazy flags, scratch of the last exception,
host pointers. What is architectural is picked out here, with RFLAGS worked out.
"""

import numpy as np

from emu.machine.state import (
    ENV_SIZE,
    M_CURRENT,
    M_ENV,
    State,
)
from emu.machine.unicorn_engine import pristine_registers
from emu.machine.unicorn_layout import (
    CC_DST,
    CC_OP,
    CC_OP_EFLAGS,
    CC_SRC,
    CC_SRC2,
    CR0,
    CR2,
    CR3,
    CR4,
    CR8,
    CS,
    CSTAR,
    DIRECTION,
    DR0,
    DS,
    EFER,
    ES,
    FMASK,
    FPU_CONTROL,
    FPU_STACK,
    FPU_STATUS,
    FPU_TAGS,
    FPU_TOP,
    FS,
    GDT,
    GS,
    HFLAGS,
    HFLAGS2,
    IDT,
    KERNEL_GS_BASE,
    LDT,
    LSTAR,
    MISC_ENABLE,
    MXCSR,
    NMI_MASKED,
    OLD_EXCEPTION,
    PAT,
    PKRU,
    REGISTERS,
    RFLAGS,
    RIP,
    SEGMENT_BASE,
    SEGMENT_FLAGS,
    SEGMENT_LIMIT,
    SHADOW,
    SS,
    STAR,
    SYSENTER_CS,
    SYSENTER_EIP,
    SYSENTER_ESP,
    TR,
    TSC_AUX,
    XCR0,
    XMM,
)
from emu.machine.unicorn_library import (
    cc_compute_all,
    update_fp_status,
    update_hflags,
    update_mxcsr_status,
)


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

CANONICAL_SIZE = _ARCHITECTURAL.size + 3 * 8
"""Bytes of a started core's canonical registers."""

_ARITHMETIC_FLAGS, _DIRECTION_FLAG = 0x8D5, 1 << 10
_CR4_SMAP, _SVME = 21, 12  # bits of CR4 and EFER, and of hflags where the engine looks for them
_HF_SMAP, _HF_SVME, _HF_TF_IOPL_VM = 23, 20, 0x23100


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
    arithmetic = cc_compute_all(destination, source, source2, operation)
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
    privilege_and_shadow = int(env[HFLAGS]) & (3 | SHADOW)
    nmi_masked = int(env[HFLAGS2]) & NMI_MASKED
    computed = np.array([rflags(env), privilege_and_shadow, nmi_masked], np.uint64)
    return env[_ARCHITECTURAL].tobytes() + computed.tobytes()


_PLACES = {int(offset): place for place, offset in enumerate(_ARCHITECTURAL)}


def field(canonical: bytes, offset: int, size: int = 8) -> int:
    """Return a field of canonical registers by its offset in CPUX86State, unsigned."""
    return int.from_bytes(canonical[_PLACES[offset] : _PLACES[offset] + size], "little")


def computed(canonical: bytes) -> tuple[int, int, int]:
    """Return RFLAGS, hflags' privilege and interrupt shadow, hflags2's NMI mask."""
    flags, privilege_and_shadow, nmi_masked = np.frombuffer(canonical[-24:], np.uint64).tolist()
    return flags, privilege_and_shadow, nmi_masked


def words(survivors: bool = False) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]]":
    """Return the words of CPUX86State that are architectural, RFLAGS and hflags apart.

    Offset and mask of each. survivors: only those that INIT leaves alone.
    """
    mask = np.zeros(ENV_SIZE, np.uint8)
    mask[_SURVIVES_INIT if survivors else _ARCHITECTURAL] = 0xFF
    masks = mask.view(np.int64)
    used = np.flatnonzero(masks)
    return np.stack([8 * used, masks[used]], axis=1)


def engine_registers(
    pristine: "np.ndarray[tuple[int], np.dtype[np.uint8]]", canonical: bytes
) -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    """Return the CPUX86State of a started core's `canonical_registers`.

    pristine: that of an engine that has not run. What the engine derives from registers is
    derived again (excp_helper.c: cpu_load_efer; helper.c: cpu_x86_update_cr4; fpu_helper.c).
    """
    env = pristine.copy()
    env[_ARCHITECTURAL] = np.frombuffer(canonical, np.uint8)[: _ARCHITECTURAL.size]
    flags, privilege_and_shadow, nmi_masked = computed(canonical)

    def store(offset: int, value: int, size: int = 8) -> None:
        env[offset : offset + size] = np.frombuffer(value.to_bytes(size, "little"), np.uint8)

    def word(offset: int) -> int:
        return int(env[offset : offset + 8].view(np.uint64)[0])

    store(RFLAGS, flags)  # the engine starts from this one (cpu.c: x86_cpu_exec_enter)
    store(CC_SRC, flags & _ARITHMETIC_FLAGS)
    store(CC_DST, 0)
    store(CC_SRC2, 0)
    store(CC_OP, CC_OP_EFLAGS, 4)
    store(DIRECTION, 0xFFFFFFFF if flags & _DIRECTION_FLAG else 1, 4)
    store(OLD_EXCEPTION, 0xFFFFFFFF, 4)
    store(HFLAGS, 0, 4)
    update_hflags(env.ctypes.data)
    # RFLAGS' own bits are not kept there: with each block they are taken from RFLAGS
    # (cpu.h: cpu_get_tb_cpu_state), and a TF here would trap for ever
    derived = int(env[HFLAGS : HFLAGS + 4].view(np.uint32)[0]) & ~(3 | _HF_TF_IOPL_VM)
    derived |= privilege_and_shadow
    derived |= (word(CR4) >> _CR4_SMAP & 1) << _HF_SMAP | (word(EFER) >> _SVME & 1) << _HF_SVME
    store(HFLAGS, derived, 4)
    store(HFLAGS2, int(env[HFLAGS2]) & ~NMI_MASKED | nmi_masked, 1)
    update_fp_status(env.ctypes.data)
    update_mxcsr_status(env.ctypes.data)
    return env


def extended_registers(s: State, core: int) -> bytes:
    """Return what INIT leaves alone of a core's registers: x87, SSE, model-specific."""
    return registers_of(s, core)[_SURVIVES_INIT].tobytes()
