// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions that one instruction raises by itself. */
#include "frame.h"

#define ARITHMETIC 0x8d5

SNIPPET(divide_by_zero, "xor %ecx, %ecx; div %ecx");
TEST(1, divide_by_zero, .forget = ARITHMETIC, .every_core = 1);
SNIPPET(divide_by_zero3, "xor %ecx, %ecx; div %ecx");
TEST(1, divide_by_zero3, .mode = RING3, .forget = ARITHMETIC, .every_core = 1);
SNIPPET(divide_overflow, "mov $1, %ecx; mov $2, %edx; div %ecx");
TEST(1, divide_overflow, .forget = ARITHMETIC);
SNIPPET(divide_signed_overflow, "mov $-1, %ecx; mov $0x80000000, %eax; cltd; idiv %ecx");
TEST(1, divide_signed_overflow, .forget = ARITHMETIC);
SNIPPET(divide_long, "mov $1, %ecx; mov $2, %edx; div %rcx");
TEST(1, divide_long, .forget = ARITHMETIC);
SNIPPET(divide_compat, ".code32; xor %ecx, %ecx; idiv %ecx");
TEST(1, divide_compat, .mode = COMPAT3, .forget = ARITHMETIC);
SNIPPET(aam_zero, ".code32; aam $0");
TEST(1, aam_zero, .mode = COMPAT3, .forget = ARITHMETIC);
SNIPPET(breakpoint, "nop; int3; nop; .byte 0xcd, 3");
TEST(1, breakpoint, .every_core = 1);
SNIPPET(breakpoint3, "nop; int3; nop; .byte 0xcd, 3");
TEST(1, breakpoint3, .mode = RING3, .every_core = 1);
SNIPPET(overflow, ".code32; into; mov $0x7fffffff, %eax; inc %eax; into; int $4");
TEST(1, overflow, .mode = COMPAT3);
SNIPPET(bound, ".code32; push $20; push $10; mov $15, %eax; bound %eax, (%esp);"
	"mov $21, %eax; bound %eax, (%esp)");
TEST(1, bound, .mode = COMPAT3);
SNIPPET(bound_below, ".code32; push $20; push $-10; mov $-11, %eax; bound %eax, (%esp)");
TEST(1, bound_below, .mode = COMPAT3);

/* #UD */
SNIPPET(undefined, "nop; ud2");
TEST(2, undefined, .every_core = 1);
SNIPPET(undefined3, "nop; ud2");
TEST(2, undefined3, .mode = RING3);
SNIPPET(undefined1, ".byte 0x0f, 0xb9, 0xc0");
TEST(2, undefined1);
SNIPPET(push_es_64, ".byte 0x06");
TEST(2, push_es_64);
SNIPPET(into_64, ".byte 0xce");
TEST(2, into_64);
SNIPPET(far_jump_64, ".byte 0xea, 0, 0, 0, 0, 0, 0");
TEST(2, far_jump_64);
SNIPPET(bound_64, ".byte 0x62, 0x00");
TEST(2, bound_64, .resume = 0);
SNIPPET(move_to_cs, ".byte 0x8e, 0xc8");
TEST(2, move_to_cs);
SNIPPET(move_to_cr1, ".byte 0x0f, 0x22, 0xc8");
TEST(2, move_to_cr1);
SNIPPET(lea_of_register, ".byte 0x8d, 0xc0");
TEST(2, lea_of_register);
SNIPPET(lock_of_register, ".byte 0xf0, 0x01, 0xc0");
TEST(2, lock_of_register);
SNIPPET(too_long, ".rept 14; .byte 0x66; .endr; .byte 0x90, 0x90");
TEST(2, too_long);
SNIPPET(much_too_long, ".rept 15; .byte 0x66; .endr; .byte 0x90");
TEST(2, much_too_long);

static void no_syscall(void)
{
	write_msr(0xc0000080, 0xd00);
}

SNIPPET(syscall_off, "syscall");
TEST(2, syscall_off, .prepare = no_syscall);
SNIPPET(syscall_off3, "syscall");
TEST(2, syscall_off3, .mode = RING3, .prepare = no_syscall);
SNIPPET(swapgs_compat, ".code32; .byte 0x0f, 0x01, 0xf8");
TEST(2, swapgs_compat, .mode = COMPAT3);
SNIPPET(swapgs3, "swapgs");
TEST(2, swapgs3, .mode = RING3);
SNIPPET(xgetbv_off, "xor %ecx, %ecx; xgetbv");
TEST(2, xgetbv_off);
SNIPPET(xsave_off, "xsave (%rdi)");
TEST(2, xsave_off);
SNIPPET(vmcall, ".byte 0x0f, 0x01, 0xc1");
TEST(2, vmcall);
SNIPPET(rdfsbase_off, "rdfsbase %rax");
TEST(2, rdfsbase_off);

/* #NM, #UD of the FPU */
static void task_switched(void)
{
	write_cr0(read_cr0() | 8);
}

static void emulated(void)
{
	write_cr0((read_cr0() | 4) & ~2ull);
}

static void no_sse(void)
{
	write_cr4(read_cr4() & ~0x200ull);
}

SNIPPET(x87_switched, "nop; fld1");
TEST(3, x87_switched, .prepare = task_switched, .every_core = 1);
SNIPPET(x87_switched3, "nop; fld1");
TEST(3, x87_switched3, .mode = RING3, .prepare = task_switched);
SNIPPET(sse_switched, "nop; xorps %xmm0, %xmm0");
TEST(3, sse_switched, .prepare = task_switched);
SNIPPET(fwait_switched, "nop; fwait");
TEST(3, fwait_switched, .prepare = task_switched);
SNIPPET(fxsave_switched, "nop; fxsave (%rdi)");
TEST(3, fxsave_switched, .prepare = task_switched);
SNIPPET(ldmxcsr_switched, "push $0; ldmxcsr (%rsp)");
TEST(3, ldmxcsr_switched, .prepare = task_switched);
SNIPPET(clts, "clts; fld1; mov %cr0, %rax");
TEST(3, clts, .prepare = task_switched, .show = BIT(AX));
SNIPPET(x87_emulated, "nop; fld1");
TEST(3, x87_emulated, .prepare = emulated);
SNIPPET(sse_emulated, "nop; xorps %xmm0, %xmm0");
TEST(3, sse_emulated, .prepare = emulated);
SNIPPET(mmx_emulated, "nop; pxor %mm0, %mm0");
TEST(3, mmx_emulated, .prepare = emulated);
SNIPPET(fwait_emulated, "nop; fwait");
TEST(3, fwait_emulated, .prepare = emulated);
SNIPPET(sse_without_osfxsr, "nop; xorps %xmm0, %xmm0");
TEST(3, sse_without_osfxsr, .prepare = no_sse);

/* #MF, #XM */
SNIPPET(x87_error, "push $0x37b; fldcw (%rsp); fldz; fld1; fdivp; nop; fwait; nop");
TEST(4, x87_error, .every_core = 1);
SNIPPET(x87_error3, "push $0x37b; fldcw (%rsp); fldz; fld1; fdivp; fnstsw %ax; fwait");
TEST(4, x87_error3, .mode = RING3, .show = BIT(AX));
SNIPPET(x87_invalid, "push $0x37e; fldcw (%rsp); fldz; fchs; fsqrt; fld1; fchs; fsqrt;"
	"fnstsw %ax; fwait");
TEST(4, x87_invalid, .show = BIT(AX));
SNIPPET(x87_cleared, "push $0x37b; fldcw (%rsp); fldz; fld1; fdivp; fnclex; fwait");
TEST(4, x87_cleared);

SNIPPET(sse_masked, "mov $0x3f800000, %eax; movd %eax, %xmm0; xorps %xmm1, %xmm1;"
	"divss %xmm1, %xmm0; stmxcsr -8(%rsp); mov -8(%rsp), %ecx; movd %xmm0, %eax");
TEST(4, sse_masked, .show = BIT(AX) | BIT(CX));
