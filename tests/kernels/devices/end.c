// SPDX-License-Identifier: GPL-2.0-only
/* How a machine is reset or switched off. None of them returns. */
#include "kernel.h"

static void stay(const char *name)
{
	say("end: by %s\n", name);
	flush();
}

static void never(void)
{
	cli();
	for (u32 i = 0; i < 1000; i++)
		pm_wait(100);
	say("end: it did not\n");
	flush();
	finish(1);
}

void end_triple(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) none = { 0, 0 };

	stay("triple fault");
	asm volatile("lidt %0; int3" : : "m"(none));
	never();
}

void end_8042(void)
{
	stay("8042");
	outb(0x64, 0xfe);
	never();
}

void end_cf9(void)
{
	stay("cf9");
	outb(0xcf9, 2);
	outb(0xcf9, 6);
	never();
}

void end_port92(void)
{
	stay("port 92");
	outb(0x92, 0);
	outb(0x92, 1);
	never();
}

void end_s5(void)
{
	stay("s5");
	outw(0x604, 0 << 10 | 1 << 13);
	never();
}
