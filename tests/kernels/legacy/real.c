// SPDX-License-Identifier: GPL-2.0-only
/* Real mode and 16-bit protected mode. */
#include "frame.h"

#define IN_REAL(name, text, ...)					\
	SNIPPET_OF(16, name, text);					\
	TEST(1, name, .mode = REAL, __VA_ARGS__)

IN_REAL(real_nothing, "nop", .every_core = 1, .show = ALL_REGISTERS | BIT(SI) | BIT(DI) | BIT(BP));
IN_REAL(real_int, "mov $0x1234, %ax; int3; .byte 0xcd, 3; nop", .show = BIT(AX), .every_core = 1);
IN_REAL(real_divide, "xor %cx, %cx; div %cx", .forget = 0x8d5, .every_core = 1);
IN_REAL(real_undefined, "nop; ud2");
IN_REAL(real_overflow, "mov $0x7fff, %ax; inc %ax; into; nop");
IN_REAL(real_bound, "push $20; push $10; mov %sp, %bx; mov $21, %ax; bound %ax, %ss:(%bx)");
IN_REAL(real_step, "pushf; pop %ax; or $0x100, %ax; push %ax; popf; nop; mov $1, %bx; push %ax;"
	"popf; mov %ss, %cx; mov %cx, %ss; nop; nop", .every_core = 1);
IN_REAL(real_segments, "mov $0x1800, %ax; mov %ax, %ds; movw $0x5678, 0x10; mov $0x1801, %ax;"
	"mov %ax, %es; mov %es:0, %bx; lds 0x10, %si; mov %ds, %cx; mov %si, %dx",
	.show = ALL_REGISTERS);
IN_REAL(real_wrap, "mov $0x1800, %ax; mov %ax, %ds; movb $0x5a, 0xffff; movb $0xa5, 0;"
	"mov $0xffff, %bx; mov 1(%bx), %cl; mov (%bx), %dl; mov $0x8000, %si; mov 0x8000(%bx, %si), %ch;"
	"mov 0x7fff(%si), %dh", .show = BIT(CX) | BIT(DX), .forget = 0x8d5);
IN_REAL(real_stack_wrap, "mov %sp, %cx; xor %sp, %sp; push $0x1122; mov %sp, %bx; pop %ax;"
	"mov %sp, %dx; mov %cx, %sp", .show = ALL_REGISTERS, .forget = 0x8d5);
IN_REAL(real_far, "lcallw $0x1000, $1f - real_far; mov %cs, %bx; jmp 2f; 1: mov $7, %ax; lretw; 2:"
	"ljmpw $0x1001, $3f - real_far - 16; nop; nop; nop; 3: mov %cs, %cx",
	.show = BIT(AX) | BIT(BX) | BIT(CX));
IN_REAL(real_32bit, "mov $0x12345678, %eax; mov %eax, %ebx; shr $16, %ebx; pushl %eax; popl %ecx;"
	"movl $0x18000, %esi; mov $0x18000 - 0x20000 + 0x10000, %edi; addr32 mov %eax, %es:(%edi);"
	"mov %es:0x8000, %edx", .show = ALL_REGISTERS, .forget = 0x8d5);
IN_REAL(real_string, "push %es; pop %ds; mov $0x100, %si; mov $0x200, %di; movl $0x61626364, (%si);"
	"mov $4, %cx; cld; rep movsb; mov 0x200, %edx; std; mov $2, %cx; mov $0x1234, %ax; rep stosw",
	.show = ALL_REGISTERS | BIT(SI) | BIT(DI));
IN_REAL(real_string_wrap, "push %es; pop %ds; movb $1, 0xffff; movb $2, 0; mov $0xffff, %si;"
	"lodsb; mov %al, %bl; lodsb; mov %al, %bh", .show = BIT(BX) | BIT(SI));
IN_REAL(real_flags, "pushf; pop %ax; push $0x7ed7; popf; pushf; pop %bx; push $2; popf",
	.show = BIT(AX) | BIT(BX));
IN_REAL(real_iret, "pushf; push %cs; push $1f - real_iret; iretw; nop; 1: pushfl; pushl $0x1000;"
	"pushl $2f - real_iret; iretl; nop; 2: mov %sp, %ax", .show = BIT(AX));
IN_REAL(real_tables, "sidt -8(%bp); mov %cr0, %eax; smsw %cx; and $0x3f, %cx; mov %ss, %dx",
	.show = BIT(AX) | BIT(CX) | BIT(DX));
IN_REAL(real_sti, "sti; nop; cli; nop", .every_core = 1);
IN_REAL(real_own_vector, "push %ds; xor %ax, %ax; mov %ax, %ds; movw $1f - real_own_vector, 0x180;"
	"movw $0x1000, 0x182; int $0x60; mov $2, %cx; jmp 2f; 1: mov %sp, %bx; mov %ss:(%bx), %ax;"
	"mov %ss:4(%bx), %dx; iretw; 2: pop %ds", .show = ALL_REGISTERS, .forget = 0x8d5);
IN_REAL(real_self, "movb $5, %cs:1f - real_self + 1; jmp 1f; 1: mov $1, %al", .show = BIT(AX));
IN_REAL(real_enter_leave, "mov %sp, %bp; enter $8, $0; mov %sp, %ax; mov %bp, %bx; leave;"
	"mov %sp, %cx", .show = BIT(AX) | BIT(BX) | BIT(CX));
IN_REAL(real_pusha, "pusha; mov %sp, %bp; mov 8(%bp), %bx; mov 14(%bp), %cx; popa",
	.show = BIT(BX) | BIT(CX) | BIT(BP));
IN_REAL(real_lmsw_stays, "smsw %ax; lmsw %ax; mov %cr0, %ebx; and $0xffff, %ebx", .show = BIT(BX),
	.forget = 0x8d5);
IN_REAL(real_unreal, "xor %ax, %ax; mov %ax, %ds; nop; mov %cr0, %eax; nop; lock incw 0x500",
	.show = BIT(AX), .forget = 0x8d5);
IN_REAL(real_protected_only, "nop; .byte 0x0f, 0x00, 0xd8");
IN_REAL(real_lar, "nop; lar %ax, %bx");
IN_REAL(real_arpl, "nop; .byte 0x63, 0xc0");
IN_REAL(real_move_to_cs, ".byte 0x8e, 0xc8");
IN_REAL(real_x87, "fninit; fld1; fnstsw %ax; fnstcw -8(%bp); fstp %st(0)", .show = BIT(AX));
IN_REAL(real_cpuid, "xor %eax, %eax; cpuid", .show = BIT(BX) | BIT(CX) | BIT(DX), .forget = 0x8d5);

/* 16-bit protected mode: 16-bit code and stack, 32-bit gates */
#define IN_16(name, text, ...)						\
	SNIPPET_OF(16, name, text);					\
	TEST(2, name, .mode = PROTECTED16, __VA_ARGS__)

IN_16(protected16_nothing, "nop; int3; nop", .show = ALL_REGISTERS, .every_core = 1);
IN_16(protected16_divide, "xor %cx, %cx; div %cx", .forget = 0x8d5);
IN_16(protected16_stack, "push $0x1234; pushl $0x12345678; mov %sp, %ax; pop %bx; pop %cx; pop %dx",
      .show = ALL_REGISTERS);
IN_16(protected16_stack_wrap, "mov %sp, %cx; xor %sp, %sp; push $0x1122; mov %sp, %bx; pop %ax;"
      "mov %sp, %dx; mov %cx, %sp", .show = ALL_REGISTERS, .forget = 0x8d5);
IN_16(protected16_high_esp, "mov $0x12341000, %esp; push $7; mov %esp, %eax; mov $0x1000, %esp",
      .show = BIT(AX));
IN_16(protected16_segment, "mov $0x38, %ax; mov %ax, %ds; movw $0x4321, 0x100; mov $0x10, %ax;"
      "mov %ax, %es; mov $0x20100, %edi; addr32 mov %es:(%edi), %bx; mov $0x70, %ax; mov %ax, %fs;"
      "lsl %ax, %ecx", .show = BIT(BX) | BIT(CX));
IN_16(protected16_fault, "mov $0x98, %ax; mov %ax, %ds");
IN_16(protected16_jump, "ljmpl $0x08, $1f - protected16_jump + 0x10000; nop; .code32; 1: mov %cs, %eax;"
      "ljmp $0x30, $2f - protected16_jump; .code16; 2: mov %cs, %bx", .show = BIT(AX) | BIT(BX),
      .every_core = 1);
IN_16(protected16_call, "lcallw $0x30, $1f - protected16_call; jmp 2f; 1: mov %sp, %bx;"
      "mov %ss:(%bx), %ax; mov %ss:2(%bx), %cx; lretw; 2: mov %sp, %dx", .show = ALL_REGISTERS);
IN_16(protected16_step, "pushf; pop %ax; or $0x100, %ax; push %ax; popf; nop; push $2; popf; nop");
IN_16(protected16_wrap, "mov $0x38, %ax; mov %ax, %ds; movb $0x5a, 0xffff; movb $0xa5, 0;"
      "mov $0xffff, %bx; mov 1(%bx), %cl; mov (%bx), %ch", .show = BIT(CX));
