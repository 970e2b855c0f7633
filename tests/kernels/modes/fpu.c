// SPDX-License-Identifier: GPL-2.0-only
/* The state of x87 and SSE, saved and restored. */
#include "frame.h"

static u8 area[1024] __attribute__((aligned(64)));

static void show_area(void)
{
	const u64 *words = (const u64 *)area;

	say(" area");
	for (int i = 0; i < 64; i++)
		if (words[i] && i != 1 && i != 2)	/* not the last instruction's addresses */
			say(" "), say_hex(i), say_at("", i ? words[i] : words[i] & 0xffffffffffff);
}

static void clear(void)
{
	for (unsigned i = 0; i < sizeof(area); i++)
		area[i] = 0;
	start[DI] = (u64)area;
	for (int i = 0; i < 8; i++)
		asm volatile("fldz");
	asm volatile("fninit");
	asm volatile("xorps %%xmm0, %%xmm0; xorps %%xmm1, %%xmm1; xorps %%xmm2, %%xmm2;"
		     "xorps %%xmm3, %%xmm3; xorps %%xmm4, %%xmm4; xorps %%xmm5, %%xmm5;"
		     "xorps %%xmm6, %%xmm6; xorps %%xmm7, %%xmm7; xorps %%xmm8, %%xmm8;"
		     "xorps %%xmm9, %%xmm9; xorps %%xmm10, %%xmm10; xorps %%xmm11, %%xmm11;"
		     "xorps %%xmm12, %%xmm12; xorps %%xmm13, %%xmm13; xorps %%xmm14, %%xmm14;"
		     "xorps %%xmm15, %%xmm15" : : : "memory");
}

static void clear_user(void)
{
	clear();
	start[DI] += ALIAS;
}

static void with_xsave(void)
{
	clear();
	write_cr4(read_cr4() | 1 << 18);
	asm volatile("xsetbv" : : "a"(3), "d"(0), "c"(0));
}

#define FPU(name, mode_, prepare_, text, ...)				\
	SNIPPET(name, text);						\
	TEST(f, name, .mode = mode_, .prepare = prepare_, __VA_ARGS__)

FPU(fxsave_fresh, RING0, clear, "fninit; fxsave (%rdi)", .report = show_area, .every_core = 1);
FPU(fxsave64, RING0, clear, "fld1; fldpi; fld1; fstp %st(3); mov $0x1122334455667788, %rax;"
    "movq %rax, %xmm3; movq %rax, %xmm12; fxsave64 (%rdi)", .report = show_area, .every_core = 1);
FPU(fxsave_user, RING3, clear_user, "fld1; fldl2t; fxsave (%rdi)", .report = show_area);
FPU(fxrstor, RING0, clear, "fld1; fldpi; pcmpeqd %xmm5, %xmm5; fxsave (%rdi); fninit;"
    "xorps %xmm5, %xmm5; fxrstor (%rdi); fstpl (%rdi); fstpl 8(%rdi); movups %xmm5, 16(%rdi);"
    "mov (%rdi), %rax; mov 8(%rdi), %rbx; mov 16(%rdi), %rcx; fnstsw 0x3f0(%rdi); mov 0x3f0(%rdi), %dx",
    .show = BIT(AX) | BIT(BX) | BIT(CX) | BIT(DX), .every_core = 1);
FPU(fnsave, RING0, clear, "fld1; fldz; fnsave (%rdi); fnstsw %ax; mov (%rdi), %ecx; mov 4(%rdi), %ebx;"
    "mov 8(%rdi), %edx; frstor (%rdi); fnstsw 0x3f0(%rdi); mov 0x3f0(%rdi), %si", .show = BIT(AX) | BIT(CX) | BIT(BX) | BIT(DX) | BIT(SI));
FPU(fnstenv, RING0, clear, "fld1; fnstenv (%rdi); movw $0x27f, (%rdi); fldenv (%rdi); fnstcw (%rdi);"
    "mov (%rdi), %ax; mov 8(%rdi), %ebx", .show = BIT(AX) | BIT(BX));
FPU(mmx_tags, RING0, clear, "mov $0x12345678, %eax; movd %eax, %mm2; fxsave (%rdi); mov 4(%rdi), %eax;"
    "emms; fxsave (%rdi); mov 4(%rdi), %ecx; mov 64(%rdi), %rdx", .show = BIT(AX) | BIT(CX) | BIT(DX));
FPU(compares, RING0, clear, "fld1; fldz; fcomi %st(1), %st; pushfq; pop %rax; and $0x45, %eax;"
    "fucomip %st(1), %st; fxch; fnstsw 0x3f0(%rdi); mov 0x3f0(%rdi), %cx; and $0x3800, %ecx; ftst; fnstsw 0x3f0(%rdi); mov 0x3f0(%rdi), %dx",
    .show = BIT(AX) | BIT(CX) | BIT(DX), .forget = 0x8d5);
FPU(precision, RING0, clear, "fldpi; fstps (%rdi); mov (%rdi), %eax; fldpi; fistl (%rdi);"
    "mov (%rdi), %ecx; fisttpll (%rdi); mov (%rdi), %rdx; fldpi; fbstp (%rdi); mov (%rdi), %rbx",
    .show = BIT(AX) | BIT(CX) | BIT(DX) | BIT(BX));
FPU(mxcsr, RING0, clear, "stmxcsr (%rdi); mov (%rdi), %eax; movl $0x9fc0, (%rdi); ldmxcsr (%rdi);"
    "stmxcsr (%rdi); mov (%rdi), %ecx", .show = BIT(AX) | BIT(CX), .every_core = 1);
FPU(rounding, RING0, clear, "movl $0x5f80, (%rdi); ldmxcsr (%rdi); mov $0x3ff8000000000000, %rax;"
    "movq %rax, %xmm0; cvtsd2si %xmm0, %rbx; movl $0x3f80, (%rdi); ldmxcsr (%rdi);"
    "cvtsd2si %xmm0, %rcx", .show = BIT(BX) | BIT(CX));
FPU(conversions, RING0, clear, "mov $-5, %eax; cvtsi2sd %eax, %xmm0; sqrtsd %xmm0, %xmm1;"
    "movq %xmm0, %rax; movq %xmm1, %rbx; cvttsd2si %xmm1, %rcx; comisd %xmm1, %xmm0; pushfq;"
    "pop %rdx", .show = BIT(AX) | BIT(BX) | BIT(CX) | BIT(DX));
FPU(xsave, RING0, with_xsave, "fld1; pcmpeqd %xmm1, %xmm1; mov $3, %eax; xor %edx, %edx;"
    "xsave (%rdi); mov 512(%rdi), %rbx; mov 520(%rdi), %rcx", .forget = 0x8d5,
    .report = show_area, .show = BIT(BX) | BIT(CX), .every_core = 1);
FPU(xrstor, RING0, with_xsave, "fld1; pcmpeqd %xmm1, %xmm1; mov $3, %eax; xor %edx, %edx;"
    "xsave (%rdi); fninit; xorps %xmm1, %xmm1; mov $2, %eax; xrstor (%rdi); movq %xmm1, %rbx;"
    "fnstsw 0x3f0(%rdi); mov 0x3f0(%rdi), %cx; andq $~2, 512(%rdi); xrstor (%rdi); movq %xmm1, %rsi", .forget = 0x8d5,
    .show = BIT(BX) | BIT(CX) | BIT(SI));
FPU(xgetbv, RING3, with_xsave, "xor %ecx, %ecx; xgetbv", .forget = 0x8d5,
    .show = BIT(AX) | BIT(DX), .every_core = 1);
FPU(xsetbv_bad, RING0, with_xsave, "xor %ecx, %ecx; mov $2, %eax; xor %edx, %edx; xsetbv",
    .forget = 0x8d5);
FPU(xsave_unaligned, RING0, with_xsave, "inc %rdi; mov $3, %eax; xor %edx, %edx; xsave (%rdi)",
    .forget = 0x8d5);
FPU(fxsave_unaligned, RING0, clear, "inc %rdi; fxsave (%rdi)", .forget = 0x8d5);
