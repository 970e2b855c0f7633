"""The registers of a core as they are compared, kept and shown: the canonical state.

The engine's CPUX86State differs between equal states: lazy flags, scratch of the last exception,
host pointers. What is architectural is picked out here, with RFLAGS worked out.
"""

import numpy as np

from emu.machine.state import (
    M_CURRENT,
    M_ENV,
    State,
)
from emu.machine.unicorn_cpu import (
    pristine_registers,
)
from emu.machine.unicorn_layout import (
    CC_DST,
    CC_OP,
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

_ARITHMETIC_FLAGS, _DIRECTION_FLAG = 0x8D5, 1 << 10


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


def extended_registers(s: State, core: int) -> bytes:
    """Return what INIT leaves alone of a core's registers: x87, SSE, model-specific."""
    return registers_of(s, core)[_SURVIVES_INIT].tobytes()
