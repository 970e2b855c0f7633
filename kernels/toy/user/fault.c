// SPDX-License-Identifier: GPL-2.0-only
/* Things a process is killed for, by number; test_user.c knows what each gives. */
#include "programs.h"
#include "ulib.h"

static char data[16] = { 0xc3 };

int fault_main(long arg)
{
	switch (arg) {
	case 0: asm volatile("ud2"); break;
	case 1: asm volatile("int3"); break;
	case 2: asm volatile("cli"); break;
	case 3: asm volatile("div %0" : : "r"(0) : "rax", "rdx"); break;
	case 4: *(volatile char *)0 = 0; break;
	case 5: *(volatile char *)user_start = 0; break;			/* text */
	case 6: ((void (*)(void))data)(); break;			/* not text */
	case 7: *(volatile char *)0xffffffff80200000; break;		/* the kernel */
	case 8: *(volatile char *)(1ul << 63); break;			/* not canonical */
	case 9: asm volatile("int $0xec"); break;			/* a gate of ring 0 */
	case 10: asm volatile("pushfq; orl $0x100, (%rsp); popfq; nop"); break;
	case 11: asm volatile("xor %esp, %esp; push %rax"); break;
	}
	return 0;
}
