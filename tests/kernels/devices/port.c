// SPDX-License-Identifier: GPL-2.0-only
/* Small ports: nobody's, 0x80, 0x92, the keyboard controller's status, PCI, the ACPI timer. */
#include "kernel.h"

#define PM_BASE 0x600

u32 pm_timer(void)
{
	return inl(PM_BASE + 8) & 0xffffff;
}

void pm_wait(u32 ticks)
{
	u32 start = pm_timer();

	while (((pm_timer() - start) & 0xffffff) < ticks)
		pause();
}

static void nobody_cases(void)
{
	u8 bytes[8];
	void *to = bytes;
	u64 n = 4;

	for (u32 i = 0; i < 8; i++)
		bytes[i] = 0x11;
	say("port 2e0: %02x %04x %08x\n", inb(0x2e0), inw(0x2e0), inl(0x2e0));
	asm volatile("rep insb" : "+D"(to), "+c"(n) : "d"(0x2e0) : "memory");
	say("port rep insb: %02x %02x %02x, left %d, moved %d\n", bytes[0], bytes[3], bytes[4], (u32)n,
	    (u32)((u8 *)to - bytes));
	outw(0x510, 0);
	to = bytes;
	n = 4;
	asm volatile("rep insb" : "+D"(to), "+c"(n) : "d"(0x511) : "memory");
	say("port rep insb fw_cfg: %02x %02x %02x %02x\n", bytes[0], bytes[1], bytes[2], bytes[3]);
	to = bytes + 3;
	n = 4;
	outw(0x510, 0);
	asm volatile("std; rep insb; cld" : "+D"(to), "+c"(n) : "d"(0x511) : "memory");
	say("port rep insb down: %02x %02x %02x %02x\n", bytes[0], bytes[1], bytes[2], bytes[3]);
	to = bytes;
	asm volatile("insw; insl" : "+D"(to) : "d"(0x2e0) : "memory");
	say("port insw, insl: %d\n", (u32)((u8 *)to - bytes));
	static const u8 words[] = { 0x12, 0x34, 0x56 };
	const void *from = words;
	n = 3;
	asm volatile("rep outsb" : "+S"(from), "+c"(n) : "d"(0x3ff) : "memory");
	say("port rep outsb scratch: %02x, left %d, moved %d\n", inb(0x3ff), (u32)n,
	    (u32)((const u8 *)from - words));
	outb(0x80, 0x5a);
	outb(0x2e0, 0x5a);
	outl(0x2e0, 0x5a);
	say("port 80 and nobody's written: yes\n");
	outb(0x3ff, 0x77);
	say("port 3fe as a word: scratch %02x\n", inw(0x3fe) >> 8);
	outw(0x3fe, 0x9900);
	say("port 3fe written as a word: scratch %02x\n", inb(0x3ff));
	outw(0x70, 0x5a7f);
	say("port 70 as a word: %02x\n", cmos(0x7f));
}

static void chipset_cases(void)
{
	u8 a20 = inb(0x92);

	say("port 92: a20 %d", a20 >> 1 & 1);
	outb(0x92, a20 & ~2);
	say(", off %d", inb(0x92) >> 1 & 1);
	outb(0x92, 2);
	say(", on %d, reset bit %d\n", inb(0x92) >> 1 & 1, inb(0x92) & 1);
	outb(0x64, 0xaa);
	for (u32 i = 0; i < 1000 && !(inb(0x64) & 1); i++)
		pause();
	say("port 64: self test %02x", inb(0x60));
	say(", self tested %d, full %d\n", inb(0x64) >> 2 & 1, inb(0x64) & 1);
	outl(0xcf8, 0x80000000 | 0x1f << 11);
	say("port cfc: no such function %08x\n", inl(0xcfc));
	outl(0xcf8, 0x80000000 | 0xff << 16);
	say("port cfc: no such bus %08x %04x %02x\n", inl(0xcfc), inw(0xcfc), inb(0xcfc));
	outl(0xcf8, 0);
	say("port cfc: not enabled %08x\n", inl(0xcfc));
	say("port cf9: %02x\n", inb(0xcf9) & 6);
}

static void sci(void)
{
	outw(PM_BASE, 1);
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

/* The timer sets its status, and interrupts, where its bit 23 changes: every 2.34 s. */
void sci_wait(void)
{
	outw(PM_BASE, 1);
	outw(PM_BASE + 2, 1);
	for (u32 i = 0; i < 100 && !(inw(PM_BASE) & 1); i++)
		pass_us(50000);
}

void sci_quiet(void)
{
	outw(PM_BASE + 2, 0);
	outw(PM_BASE, 1);
}

static void sci_cases(void)
{
	outb(0x21, 0xfb);
	outb(0xa1, 0xfd);
	action[0x29] = sci;
	outw(PM_BASE, 1);
	outw(PM_BASE + 2, 1);
	u32 before = pm_timer();
	for (u32 i = 0; i < 100 && taken < 2; i++)
		open_us(50000);
	u32 between = (pm_timer() - before) & 0xffffff;
	sci_quiet();
	say("port 602: timer interrupt: took %s, within two periods: %s\n", log_text(),
	    yes(between > 0x7fff00));
}

static void pm_cases(void)
{
	u32 first = pm_timer();
	u32 up = 1, last = first;

	for (u32 i = 0; i < 1000; i++) {
		u32 now = pm_timer();
		up &= ((now - last) & 0xffffff) < 0x100000;
		last = now;
	}
	say("port 608: goes up: %s, moves: %s, top byte %02x\n", yes(up), yes(last != first),
	    inl(PM_BASE + 8) >> 24);
	first = pm_timer();
	pass_us(100000);
	say("port 608: 357954 ticks in 100 ms: %s\n",
	    yes(within((pm_timer() - first) & 0xffffff, 357954, 2)));
	outw(PM_BASE, 0xffff);
	say("port 600: status %x", inw(PM_BASE) & 1);
	outw(PM_BASE + 2, 0x0120);
	say(", enable %04x", inw(PM_BASE + 2));
	outw(PM_BASE + 2, 0);
	say(" %04x\n", inw(PM_BASE + 2));
	for (u32 i = 0; i < 2; i++)
		pass_us(2500000);
	say("port 600: timer status after 5 s: %d", inw(PM_BASE) & 1);
	outw(PM_BASE, 1);
	say(", written: %d\n", inw(PM_BASE) & 1);
	sci_cases();
}

void port_cases(void)
{
	nobody_cases();
	chipset_cases();
	pm_cases();
}
