// SPDX-License-Identifier: GPL-2.0-only
/* Paging without long mode: 4 KiB and 4 MiB pages, and PAE with 2 MiB pages and NX. */
#include "frame.h"

u64 pages[4][512] __attribute__((aligned(4096)));
static u32 directory[1024] __attribute__((aligned(4096))), window[1024] __attribute__((aligned(4096)));
static u64 pointers[4] __attribute__((aligned(32)));
static u64 low[512] __attribute__((aligned(4096))), window_pae[512] __attribute__((aligned(4096)));
static u64 high[512] __attribute__((aligned(4096)));

static u32 page(int n)
{
	return (u32)pages[n];
}

static void turn_on(u32 cr3, u32 cr4)
{
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 512; j++)
			pages[i][j] = 0;
	write_cr4(read_cr4() | cr4);
	asm volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
	write_cr0(read_cr0() | 0x80010000);
	start[DI] = WINDOW;
}

/* page 0 read/write for all, 1 absent, 2 kernel, 3 read-only, 4 and 5 in the wrong order */
static void pse(void)
{
	for (int i = 0; i < 1024; i++)
		directory[i] = window[i] = 0;
	for (u32 i = 0; i < 4; i++)
		directory[i] = i << 22 | 0x87;
	directory[0xfee00000 >> 22] = (0xfee00000 & ~0x3fffff) | 0x9b;
	directory[WINDOW >> 22] = (u32)window | P | W | U;
	window[0] = page(0) | P | W | U;
	window[2] = page(1) | P | W;
	window[3] = page(1) | P | U;
	window[4] = page(3) | P | W | U;
	window[5] = page(2) | P | W | U;
	turn_on((u32)directory, 0x10);
}

static void pae(void)
{
	for (int i = 0; i < 512; i++)
		low[i] = window_pae[i] = high[i] = 0;
	for (u32 i = 0; i < 8; i++)
		low[i] = i << 21 | 0x87;
	low[WINDOW >> 21] = (u32)window_pae | P | W | U;
	high[0x3ee00000 >> 21] = 0xfee0009b;
	pointers[0] = (u32)low | P;
	pointers[3] = (u32)high | P;
	window_pae[0] = page(0) | P | W | U;
	window_pae[2] = page(1) | P | W;
	window_pae[3] = page(1) | P | U;
	window_pae[4] = page(3) | P | W | U;
	window_pae[5] = page(2) | P | W | U;
	window_pae[6] = page(0) | P | W | U | 1ull << 63;
	turn_on((u32)pointers, 0x20);
}

static void pae_nx(void)
{
	pae();
	asm volatile("wrmsr" : : "c"(0xc0000080), "a"(0x800), "d"(0));
	asm volatile("mov %0, %%cr3" : : "r"(pointers) : "memory");
}

#define BOTH(ring, name, text, ...)					\
	SNIPPET(name##_pse, text);					\
	TEST(4, name##_pse, .mode = ring, .prepare = pse, __VA_ARGS__);	\
	SNIPPET(name##_pae, text);					\
	TEST(4, name##_pae, .mode = ring, .prepare = pae, __VA_ARGS__)

BOTH(RING0, read_absent, "nop; mov 0x1008(%edi), %eax", .every_core = 1);
BOTH(RING0, write_absent, "nop; mov %eax, 0x1008(%edi)");
BOTH(RING3, read_absent3, "nop; mov 0x1008(%edi), %eax", .every_core = 1);
BOTH(RING3, write_absent3, "nop; mov %eax, 0x1008(%edi)");
BOTH(RING3, read_kernel3, "mov 0x2008(%edi), %eax");
BOTH(RING3, write_read_only3, "mov 0x3008(%edi), %eax; mov %eax, 0x3008(%edi)");
BOTH(RING0, write_read_only, "mov 0x3008(%edi), %eax; mov %eax, 0x3008(%edi)");
BOTH(RING0, run_absent, "lea 0x1000(%edi), %ebx; jmp *%ebx");
BOTH(RING3, run_kernel3, "lea 0x2000(%edi), %ebx; jmp *%ebx");
BOTH(RING0, write_across, "mov %eax, 0xffe(%edi)");
BOTH(RING0, read_directory_absent, "mov 0x20000000, %eax");
BOTH(RING3, wrong_order, "movl $0x12345678, 0x4ffd(%edi); mov 0x4ffd(%edi), %eax;"
     "lock addl $1, 0x4ffd(%edi); mov 0x4ffc(%edi), %ebx; mov 0x5000(%edi), %ecx",
     .show = ALL_REGISTERS);
BOTH(RING3, string_move, "mov %edi, %esi; lea 0xff8(%edi), %edi; mov $4, %ecx; rep movsl; nop",
     .show = BIT(CX) | BIT(SI) | BIT(DI), .every_core = 1);
BOTH(RING0, write_unprotected, "mov %cr0, %eax; and $~0x10000, %eax; mov %eax, %cr0;"
     "movl $7, 0x3008(%edi); mov 0x2008(%edi), %ecx", .show = BIT(CX));
BOTH(RING0, dirty, "mov 0x0(%edi), %eax; mov %eax, 0x2000(%edi); mov 0x3000(%edi), %eax; nop");
BOTH(RING0, paging_off, "mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0; jmp 1f;"
     "1: mov 0x20000000, %ecx; mov %cr0, %eax", .show = BIT(AX));
BOTH(RING3, call_absent, "lea 0x1000(%edi), %ebx; call *%ebx");
BOTH(RING3, interrupted3, "nop; int3; nop");

SNIPPET(run_nx, "lea 0x6000(%edi), %ebx; jmp *%ebx");
TEST(4, run_nx, .prepare = pae_nx, .every_core = 1);
SNIPPET(run_nx3, "lea 0x6000(%edi), %ebx; jmp *%ebx");
TEST(4, run_nx3, .mode = RING3, .prepare = pae_nx);
SNIPPET(run_absent_nx, "lea 0x1000(%edi), %ebx; jmp *%ebx");
TEST(4, run_absent_nx, .prepare = pae_nx);
SNIPPET(no_pae_to_long, "mov $0xc0000080, %ecx; mov $0x100, %eax; xor %edx, %edx; wrmsr; rdmsr;"
	"xor %eax, %eax; wrmsr");
TEST(4, no_pae_to_long, .show = BIT(AX), .forget = 0x8d5);
