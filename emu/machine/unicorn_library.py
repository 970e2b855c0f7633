"""Functions of the Unicorn library that its interface does not offer but its symbols do.

The first part is called from native code, by the name the function has in Unicorn; the second from
Python. A build that does not export one of them is refused with a sentence (`native.external`).

Sources: Unicorn 2.1.4: qemu/accel/tcg/cpu-exec-common.c, cputlb.c, translate-all.c, uc.c,
qemu/target/i386/seg_helper.c, excp_helper.c, cc_helper.c, misc_helper.c, cpu.c,
helper.c.
"""

import ctypes

from numba import types
from unicorn.unicorn_py3.unicorn import uclib

from emu.machine.native import external

_library = ctypes.CDLL(uclib._name)
_i64, _i32, _u32, _void = types.int64, types.int32, types.uint32, types.void

# --- called from native code -------------------------------------------------------------------

uc_emu_start = external(_library, "uc_emu_start", _i32(_i64, _i64, _i64, _i64, _i64))
uc_emu_stop = external(_library, "uc_emu_stop", _i32(_i64))
x86_cpu_do_interrupt = external(_library, "x86_cpu_do_interrupt_x86_64", _void(_i64))
do_interrupt_x86_hardirq = external(
    _library, "do_interrupt_x86_hardirq_x86_64", _void(_i64, _i32, _i32)
)
cpu_loop_exit_noexc = external(_library, "cpu_loop_exit_noexc_x86_64", _void(_i64))
cpu_ldq_data_ra = external(_library, "cpu_ldq_data_ra_x86_64", _i64(_i64, _i64, _i64))
cpu_stq_data_ra = external(_library, "cpu_stq_data_ra_x86_64", _void(_i64, _i64, _i64, _i64))
cpu_restore_state = external(_library, "cpu_restore_state_x86_64", _i32(_i64, _i64, _i32))
raise_exception_ra = external(_library, "raise_exception_ra_x86_64", _void(_i64, _i32, _i64))
raise_exception_err = external(_library, "raise_exception_err_x86_64", _void(_i64, _i32, _i32))
find_memory_mapping = external(_library, "find_memory_mapping_x86_64", _i64(_i64, _i64))
tb_invalidate_phys_range = external(
    _library, "tb_invalidate_phys_range_x86_64", _void(_i64, _i64, _i64)
)
x86_cpu_tlb_fill = external(
    _library, "x86_cpu_tlb_fill_x86_64", _i32(_i64, _i64, _i32, _i32, _i32, _i32, _i64)
)
tlb_flush = external(_library, "tlb_flush_x86_64", _void(_i64))
helper_cc_compute_all = external(
    _library, "helper_cc_compute_all_x86_64", _i64(_i64, _i64, _i64, _i32)
)
helper_wrmsr = external(_library, "helper_wrmsr_x86_64", _void(_i64))
helper_check_iob, helper_check_iow, helper_check_iol = (
    external(_library, f"helper_check_{size}_x86_64", _void(_i64, _u32))
    for size in ("iob", "iow", "iol")
)
x86_update_hflags = external(_library, "x86_update_hflags_x86_64", _void(_i64))
cpu_x86_cpuid = external(
    _library, "cpu_x86_cpuid_x86_64", _void(_i64, _u32, _u32, _i64, _i64, _i64, _i64)
)

# --- called from Python ------------------------------------------------------------------------

_u64 = ctypes.c_uint64
cc_compute_all = ctypes.CFUNCTYPE(_u64, _u64, _u64, _u64, ctypes.c_int32)(
    ("helper_cc_compute_all_x86_64", _library)
)
update_hflags = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(("x86_update_hflags_x86_64", _library))
update_fp_status = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(("update_fp_status_x86_64", _library))
update_mxcsr_status = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(
    ("update_mxcsr_status_x86_64", _library)
)
deliver = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(("x86_cpu_do_interrupt_x86_64", _library))
tlb_fill = ctypes.CFUNCTYPE(ctypes.c_bool)(("x86_cpu_tlb_fill_x86_64", _library))
find_mapping = ctypes.CFUNCTYPE(_u64, _u64, _u64)(("find_memory_mapping_x86_64", _library))
stop_engine = ctypes.PYFUNCTYPE(None, ctypes.c_int64)(("uc_emu_stop", _library))
leave_loop, leave_block = (  # by longjmp: not from Python, which only hands their addresses on
    int(ctypes.cast(getattr(_library, name), ctypes.c_void_p).value or 0)
    for name in ("cpu_loop_exit_x86_64", "cpu_loop_exit_noexc_x86_64")
)
helper_cmpxchg8b, helper_cmpxchg16b = (  # whose code is written over
    int(ctypes.cast(getattr(_library, name), ctypes.c_void_p).value or 0)
    for name in ("helper_cmpxchg8b_unlocked_x86_64", "helper_cmpxchg16b_unlocked_x86_64")
)
