// SPDX-License-Identifier: GPL-2.0-only
/* Out of long mode and back, new page tables, and instructions with a switch in CR4. */
#include "frame.h"

#define SWITCH(name, mode_, text, ...)					\
	SNIPPET(name, text);						\
	TEST(g, name, .mode = mode_, .forget = 0x8d5, __VA_ARGS__)

#define TO_COMPAT "push $0x08; lea 1f(%rip), %rax; push %rax; lretq; .code32; 1:"
#define TO_LONG "ljmp $0x10, $2f; .code64; 2:"

SWITCH(leave_long, RING0, TO_COMPAT "mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0;"
       "mov $0xc0000080, %ecx; rdmsr; mov %eax, %ebx; mov %cr0, %esi; mov 0x400000, %edi;"
       "mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0; rdmsr; mov %eax, %edi;" TO_LONG "nop",
       .show = BIT(BX) | BIT(SI) | BIT(DI), .every_core = 1);
SWITCH(leave_long_for_real, RING0, TO_COMPAT "mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0;"
       "mov $0xc0000080, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr; rdmsr; mov %eax, %ebx;"
       "mov %cr4, %eax; and $~0x20, %eax; mov %eax, %cr4; mov 0x400000, %edi; or $0x20, %eax;"
       "mov %eax, %cr4; mov $0xd01, %eax; wrmsr; mov %cr0, %eax; or $0x80000000, %eax;"
       "mov %eax, %cr0; rdmsr; mov %eax, %edi;" TO_LONG "nop", .show = BIT(BX) | BIT(DI),
       .every_core = 1);
SWITCH(compat_addresses, RING0, TO_COMPAT "mov $0x400000, %ebx; mov %ebx, %esi; .byte 0x67; lodsw;"
       "movzwl %ax, %edi;" TO_LONG "nop", .show = BIT(SI));
SWITCH(upper_halves, RING0, "mov $-1, %r8; mov $-1, %rbx; mov %ebx, %ebx; mov $-1, %rsi; mov $0, %si;"
       "mov $-1, %rdi; mov $1, %dil", .show = BIT(BX) | BIT(SI) | BIT(DI) | BIT(R8));

static void two_pages(void)
{
	for (int i = 0; i < 512; i++)
		pages[0][i] = 0x10, pages[1][i] = 0x20;
	map(0, (u64)pages[0], P | W | U);
	start[DI] = WINDOW;
	start[R9] = (u64)pages[1] | P | W;
	start[R10] = (u64)pages[1] | 0x80ull | P | W;
}
SWITCH(new_page, RING0, "mov (%rdi), %rax; mov %r9, window; invlpg (%rdi); mov (%rdi), %rbx;"
       "movq $0, window; invlpg (%rdi); mov (%rdi), %rcx", .prepare = two_pages,
       .show = BIT(AX) | BIT(BX), .every_core = 1);
SWITCH(new_page_cr3, RING0, "mov (%rdi), %rax; mov %r9, window; mov %cr3, %rcx; mov %rcx, %cr3;"
       "mov (%rdi), %rbx; movq $0, window; mov %rcx, %cr3; mov (%rdi), %rcx", .prepare = two_pages,
       .show = BIT(AX) | BIT(BX));
SWITCH(protect_page, RING0, "mov %rax, (%rdi); andq $~2, window; invlpg (%rdi); mov (%rdi), %rbx;"
       "mov %rax, (%rdi)", .prepare = two_pages, .show = BIT(BX), .every_core = 1);
SWITCH(absent_then_there, RING0, "mov 0x1000(%rdi), %rbx", .prepare = two_pages);

static void no_tsc(void)
{
	write_cr4(read_cr4() | 4);
}
SWITCH(rdtsc_forbidden, RING3, "nop; rdtsc", .prepare = no_tsc, .every_core = 1);
SWITCH(rdtsc_ring0, RING0, "nop; rdtsc; nop", .prepare = no_tsc);
SWITCH(rdtsc_allowed, RING3, "nop; rdtsc; nop");
static void fs_gs_base(void)
{
	write_cr4(read_cr4() | 1 << 16);
	start[DI] = (u64)&start[5];
}
SWITCH(write_fs_base, RING3, "wrfsbase %rdi; rdfsbase %rbx; wrgsbase %rbx; rdgsbase %rcx; cmp %rdi, %rbx;"
       "setz %al; cmp %rdi, %rcx; setz %ah; movzx %ax, %eax", .prepare = fs_gs_base, .show = BIT(AX),
       .every_core = 1);

/* sixteen bytes at once */
SWITCH(exchange16, RING0, "mov $0x10, %eax; xor %edx, %edx; movq $0, 8(%rdi); movq $0x10, (%rdi);"
       "mov $7, %ebx; mov $8, %ecx; lock cmpxchg16b (%rdi); setz %sil; movzx %sil, %esi;"
       "lock cmpxchg16b (%rdi)", .prepare = two_pages, .show = BIT(AX) | BIT(DX) | BIT(SI),
       .every_core = 1);
SWITCH(exchange16_unaligned, RING0, "lock cmpxchg16b 8(%rdi)", .prepare = two_pages);

/* the local APIC's timer wakes a halted core */
SWITCH(timer_wakes, RING0, "mov $0xfee00000, %edi; movl $0xb, 0x3e0(%rdi); movl $0x45, 0x320(%rdi);"
       "movl $10000, 0x380(%rdi); sti; hlt; nop; cli; mov 0x390(%rdi), %eax; movl $0x10045, 0x320(%rdi)",
       .show = BIT(AX), .every_core = 1);
