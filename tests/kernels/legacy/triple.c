// SPDX-License-Identifier: GPL-2.0-only
/* The end of a core: a fault while a double fault is delivered. */
#include "frame.h"

void triple_fault(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) none = { 0, 0 };

	say("no IDT\n");
	asm volatile("lidt %0; ud2" : : "m"(none));
}
