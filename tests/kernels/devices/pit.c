// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254: channel 2 seen through port 0x61, channel 0 through IRQ0. Left out, for QEMU 7.2 does
 * not do it: counting in BCD, the null count flag, a gate that stops modes 0, 2, 3 and 4, a
 * count written in modes 2 and 3 that waits for the end of the period; OUT in modes 1, 4 and 5,
 * which it has upside down.
 */
#include "kernel.h"

#define CONTROL 0x43
#define GATE 0x61

static u8 gate_rest;

void pit_quiet(void)
{
	outb(CONTROL, 0x30); /* mode 0 without a count: OUT stays low */
}

void pit_fire(void)
{
	outb(CONTROL, 0x30);
	outb(0x40, 2);
	outb(0x40, 0);
	for (u32 i = 0; i < 1000 && !(pic_read(0x20, 0x0a) & 1); i++)
		pm_wait(4);
}

static void gate(int on)
{
	outb(GATE, (gate_rest & 0xc) | on);
}

static int out2(void)
{
	return inb(GATE) >> 5 & 1;
}

static u32 latched(u32 channel)
{
	outb(CONTROL, channel << 6);
	u32 low = inb(0x40 + channel);
	return low | inb(0x40 + channel) << 8;
}

static void load2(u32 mode, u32 value)
{
	outb(CONTROL, 0xb0 | mode << 1);
	outb(0x42, value);
	outb(0x42, value >> 8);
}

/* Ticks of the PIT are three of the power-management timer, to within one part in a million. */
static void ticks(u32 n)
{
	pm_wait(3 * n);
}

static void port_cases_61(void)
{
	gate_rest = inb(GATE);
	say("pit port 61:");
	for (u32 i = 0; i < 4; i++) {
		outb(GATE, i);
		say(" %x", inb(GATE) & 0x0f);
	}
	outb(GATE, 0xf0);
	say(", high bits written: %02x\n", inb(GATE) & 0xcf);
	u8 first = inb(GATE) & 0x10, seen = 0;
	for (u32 i = 0; i < 1000; i++)
		seen |= (inb(GATE) & 0x10) != first;
	say("pit refresh toggles: %s\n", yes(seen));
}

static void mode_cases(void)
{
	gate(1);
	outb(CONTROL, 0xb0);
	say("pit mode 0: out after control %d", out2());
	load2(0, 200);
	say(", after count %d", out2());
	ticks(100);
	u32 half = latched(2);
	say(", half way %d", out2());
	ticks(110);
	say(", at the end %d", out2());
	ticks(50);
	say(", later %d, counts on from ffff: %s\n", out2(), yes(latched(2) > 0xff00));
	say("pit mode 0: half the count after half the time: %s\n", yes(within(half, 100, 15)));
	load2(0, 100);
	ticks(60);
	load2(0, 100);
	ticks(60);
	say("pit mode 0: loaded again: out %d", out2());
	ticks(60);
	say(" then %d\n", out2());

	gate(0);
	load2(1, 1000);
	gate(1);
	ticks(300);
	say("pit mode 1: the gate starts it: %s", yes(within(latched(2), 700, 5)));
	gate(0);
	gate(1);
	say(", and again: %s\n", yes(latched(2) > 950));

	load2(2, 100);
	u32 low = 0, high = 0, bad = 0;
	for (u32 i = 0; i < 300; i++) {
		u32 value = latched(2);
		bad += value < 1 || value > 100;
		low |= value < 30;
		high |= value > 70;
		ticks(1);
	}
	say("pit mode 2: count within 1 to 100: %s, reloads: %s\n", yes(!bad), yes(low && high));
	load2(2, 1000);
	ticks(300);
	gate(0);
	gate(1);
	say("pit mode 2: gate restarts: %s\n", yes(latched(2) > 900));
	load2(2, 0);
	ticks(20);
	say("pit mode 2: 0 is 65536: %s\n", yes(latched(2) > 0xff00));

	load2(3, 200);
	u32 odd = 0;
	low = high = 0;
	for (u32 i = 0; i < 400; i++) {
		out2() ? high++ : low++;
		odd |= latched(2) & 1;
		ticks(1);
	}
	say("pit mode 3: half the time high: %s, counts by two: %s\n", yes(within(high, low, 20)),
	    yes(!odd));
	load2(3, 1000);
	ticks(100);
	say("pit mode 3: out in first half %d, counts twice as fast: %s", out2(),
	    yes(within(latched(2), 800, 5)));
	ticks(500);
	say(", out in second half %d\n", out2());
	load2(4, 1000);
	ticks(300);
	say("pit mode 4: counts down: %s\n", yes(within(latched(2), 700, 5)));
	ticks(800);
	say("pit mode 4: counts on from ffff: %s\n", yes(latched(2) > 0xff00));
	gate(0);
	load2(5, 1000);
	gate(1);
	ticks(300);
	say("pit mode 5: the gate starts it: %s\n", yes(within(latched(2), 700, 5)));
}

static void access_cases(void)
{
	gate(1);
	load2(0, 5000);
	outb(CONTROL, 0x80);
	ticks(100);
	u32 first = inb(0x42);
	first |= inb(0x42) << 8;
	u32 second = latched(2);
	say("pit latch: holds: %s\n", yes(first >= second + 95));
	outb(CONTROL, 0x80);
	ticks(100);
	outb(CONTROL, 0x80);
	first = inb(0x42);
	first |= inb(0x42) << 8;
	second = latched(2);
	say("pit latch: a second one is ignored: %s\n", yes(first >= second + 95));
	first = inb(0x42);
	first |= inb(0x42) << 8;
	say("pit read without latch: low, high: %s\n", yes(within(first, second, 10)));
	outb(CONTROL, 0x90);
	outb(0x42, 0xf0);
	u8 a = inb(0x42), b = inb(0x42);
	say("pit low byte: %s\n", yes(a <= 0xf0 && a > 0xc0 && b <= a && b > 0xc0));
	outb(CONTROL, 0xa0);
	outb(0x42, 0x12);
	a = inb(0x42);
	b = inb(0x42);
	say("pit high byte: %s\n", yes((a == 0x11 || a == 0x12) && (b == 0x11 || b == 0x12)));
	outb(CONTROL, 0xa0);
	outb(0x42, 1);
	ticks(200);
	say("pit high byte: out %d", out2());
	ticks(70);
	say(" %d\n", out2());
	say("pit port 43 reads: %02x\n", inb(CONTROL));
}

static void read_back_cases(void)
{
	say("pit status:");
	for (u32 access = 1; access < 4; access++)
		for (u32 mode = 0; mode < 6; mode++) {
			outb(CONTROL, 0x80 | access << 4 | mode << 1 | (mode & 1));
			outb(CONTROL, 0xe8); /* status of channel 2 */
			say(" %02x", inb(0x42) & 0x3f);
		}
	say("\n");
	gate(1);
	load2(0, 100);
	outb(CONTROL, 0xe8);
	say("pit status out: %02x", inb(0x42));
	ticks(120);
	outb(CONTROL, 0xe8);
	say(" %02x\n", inb(0x42));
	load2(0, 5000);
	outb(CONTROL, 0xc8); /* status and count */
	u32 status = inb(0x42);
	u32 value = inb(0x42);
	value |= inb(0x42) << 8;
	say("pit status and count: %02x, count: %s\n", status, yes(within(value, 4990, 1)));
	outb(CONTROL, 0xd8); /* count alone */
	ticks(100);
	value = inb(0x42);
	value |= inb(0x42) << 8;
	u32 later = latched(2);
	say("pit count alone: holds: %s\n", yes(value >= later + 95));
	outb(CONTROL, 0x34); /* two channels at once */
	outb(0x40, 0);
	outb(0x40, 0x80);
	outb(CONTROL, 0xea);
	u32 zero = inb(0x40), two = inb(0x42);
	say("pit two at once: %02x %02x\n", zero & 0x3f, two & 0x3f);
	pit_quiet();
}

static u32 irqs(u32 mode, u32 value, u32 us)
{
	pit_quiet();
	pic_init(1);
	forget();
	outb(CONTROL, 0x30 | mode << 1);
	pic_init(1); /* what changing the mode did to the line does not count */
	outb(0x21, 0xfe);
	outb(0x40, value);
	outb(0x40, value >> 8);
	open_us(us);
	pit_quiet();
	outb(0x21, 0xff);
	return count[0x20];
}

static void irq_cases(void)
{
	say("pit irq0 mode 0: %d", irqs(0, 1193, 5500));
	say(", %s\n", log_text());
	say("pit irq0 mode 2: 20 in 20 ms: %s\n", yes(within(irqs(2, 1193, 20500), 20, 10)));
	say("pit irq0 mode 3: 20 in 20 ms: %s\n", yes(within(irqs(3, 1193, 20500), 20, 10)));
	say("pit irq0 mode 4: %d\n", irqs(4, 1193, 5500));
	say("pit irq0 mode 0, count 0: %d in 50 ms", irqs(0, 0, 50000));
	say(", %d in 60 ms\n", irqs(0, 0, 60000));
	say("pit irq0 mode 2, count 0: %d in 600 ms\n", irqs(2, 0, 600000));
	say("pit irq0 100 Hz: %d in 1005 ms\n", irqs(2, 11932, 1005000));
}

void pit_cases(void)
{
	port_cases_61();
	mode_cases();
	access_cases();
	read_back_cases();
	irq_cases();
}
