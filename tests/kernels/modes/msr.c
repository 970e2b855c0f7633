// SPDX-License-Identifier: GPL-2.0-only
/* Model-specific and control registers that every model has. */
#include "frame.h"

#define READ(msr, to) "mov $" #msr ", %ecx; rdmsr; shl $32, %rdx; or %rdx, %rax; mov %rax, %" #to ";"
#define MASK(to, mask) "mov $" #mask ", %ecx; and %rcx, %" #to ";"
#define WRITE_READ(msr, high, low, to)					\
	"mov $" #msr ", %ecx; mov $" #high ", %edx; mov $" #low ", %eax; wrmsr;" READ(msr, to)
#define MSR(name, text, ...)						\
	SNIPPET(name, text);						\
	TEST(e, name, .forget = 0x8d5, .every_core = 1, __VA_ARGS__)

MSR(msr_efer, READ(0xc0000080, rbx), .show = BIT(BX));
MSR(msr_star, READ(0xc0000081, rbx) WRITE_READ(0xc0000081, 0x12345678, 0x9abcdef0, rsi),
    .show = BIT(BX) | BIT(SI));
MSR(msr_lstar, WRITE_READ(0xc0000082, 0xffff8123, 0x9abcdef0, rsi)
    WRITE_READ(0xc0000083, 0xffff8123, 0x9abcdef1, rdi) WRITE_READ(0xc0000084, 0, 0x47700, rbx),
    .show = BIT(SI) | BIT(DI) | BIT(BX));
MSR(msr_bases, WRITE_READ(0xc0000100, 0x7fff, 0x9abcdef0, rsi)
    WRITE_READ(0xc0000101, 0xffff8000, 0x9abcdef1, rdi) WRITE_READ(0xc0000102, 1, 2, rbx)
    "swapgs;" READ(0xc0000101, r8) READ(0xc0000102, r9) "swapgs",
    .show = BIT(SI) | BIT(DI) | BIT(BX) | BIT(R8) | BIT(R9));
MSR(msr_sysenter, WRITE_READ(0x174, 0, 0x18, rsi) WRITE_READ(0x175, 0xffff8000, 0x9abcdef1, rdi)
    WRITE_READ(0x176, 0xffff8000, 0x12345670, rbx), .show = BIT(SI) | BIT(DI) | BIT(BX));
MSR(msr_pat, WRITE_READ(0x277, 0x00070406, 0x00070406, rsi), .show = BIT(SI));
MSR(msr_pat_other, WRITE_READ(0x277, 0x00070405, 0x00070106, rsi)
    WRITE_READ(0x277, 0x00070406, 0x00070406, rdi), .show = BIT(SI) | BIT(DI));
MSR(msr_apic_base, READ(0x1b, rbx), .show = BIT(BX));
MSR(msr_mtrr, READ(0xfe, rbx) WRITE_READ(0x200, 0, 0xc0000006, rsi)
    WRITE_READ(0x201, 0xff, 0xc0000800, rdi) WRITE_READ(0x2ff, 0, 0xc06, r8)
    WRITE_READ(0x250, 0x06060606, 0x06060605, r9) WRITE_READ(0x26f, 0x01020304, 0x05060001, r10),
    .show = BIT(BX) | BIT(SI) | BIT(DI) | BIT(R8) | BIT(R9) | BIT(R10));
MSR(msr_unknown, READ(0xdead, rbx) READ(0xc0010117, rsi), .show = BIT(SI));
MSR(msr_tsc_adjust, "rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, %rbx; rdtsc; shl $32, %rdx;"
    "or %rdx, %rax; cmp %rax, %rbx; setbe %al; movzx %al, %eax", .show = BIT(AX));
MSR(msr_aux, WRITE_READ(0xc0000103, 0, 7, rsi), .show = BIT(SI));
MSR(msr_misc_enable, READ(0x1a0, rbx) MASK(rbx, 1), .show = BIT(BX));

MSR(cr_registers, "mov %cr0, %rax; mov %cr4, %rbx; mov %cr2, %rcx; mov $0x1234, %edx; mov %rdx, %cr2;"
    "mov %cr2, %rdx; mov %cr8, %rsi; smsw %edi", .show = BIT(AX) | BIT(BX) | BIT(CX) | BIT(DX) | BIT(SI)
    | BIT(DI));
MSR(cr0_bits, "mov %cr0, %rax; xor $0x4002a, %eax; mov %rax, %cr0; mov %cr0, %rbx; xor $0x4002a, %eax;"
    "mov %rax, %cr0", .show = BIT(AX) | BIT(BX));
MSR(lmsw, "mov %cr0, %rax; or $8, %eax; lmsw %ax; mov %cr0, %rbx; clts; mov %cr0, %rdx; xor %ecx, %ecx;"
    "lmsw %cx; mov %cr0, %rcx", .show = BIT(BX) | BIT(DX) | BIT(CX));

MSR(cpuid_basics, "xor %eax, %eax; cpuid; cmp $7, %eax; setae %al; movzx %al, %esi; mov %ebx, %edi;"
    "mov %ecx, %r8d; mov %edx, %r9d; mov $1, %eax; xor %ecx, %ecx; cpuid; shr $24, %ebx;"
    "mov %ebx, %r10d; and $0x0781ab7d, %edx; mov %edx, %r11d; mov $0x80000001, %eax; cpuid;"
    "and $0x20100800, %edx", .show = BIT(DX) | BIT(SI) | BIT(DI) | BIT(R8) | BIT(R9) | BIT(R10) | BIT(R11));
MSR(apic_registers, "mov $0xfee00000, %edi; mov 0x20(%rdi), %eax; mov 0x80(%rdi), %ecx;"
    "mov 0xd0(%rdi), %edx; mov 0xe0(%rdi), %ebx; mov 0xf0(%rdi), %esi",
    .show = BIT(AX) | BIT(CX) | BIT(DX) | BIT(BX) | BIT(SI));
