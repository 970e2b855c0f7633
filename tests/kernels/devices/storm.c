// SPDX-License-Identifier: GPL-2.0-only
/* Everything that interrupts at once, and cores that keep each other going. */
#include "kernel.h"

enum { TICK = 0x60, RTC_VECTOR = 0x48, HOP = 0x50, HOPS = 400 };

static void entry(u32 pin, u32 low, u32 destination)
{
	*(volatile u32 *)0xfec00000UL = 0x11 + 2 * pin;
	*(volatile u32 *)0xfec00010UL = destination << 24;
	*(volatile u32 *)0xfec00000UL = 0x10 + 2 * pin;
	*(volatile u32 *)0xfec00010UL = low;
}

static void start_timer(void)
{
	APIC(APIC_TDCR) = 0; /* by 2: 1000 Hz */
	APIC(APIC_LVTT) = 0x20000 | (TICK + this_core());
	APIC(APIC_TMICT) = 500000;
}

static void stop_timer(void)
{
	APIC(APIC_TMICT) = 0;
	APIC(APIC_LVTT) = 0x10000;
}

static void rtc_tick(void)
{
	cmos(0x0c);
	APIC(APIC_EOI) = 0;
}

static volatile u32 bytes_sent;

static void uart_ready(void)
{
	inb(0x3fa);
	if (bytes_sent < 500) {
		bytes_sent++;
		outb(0x3f8, 'x'); /* looped back, so that nobody sees it */
		inb(0x3f8);
	}
	outb(0x20, 0x20);
}

static void storm(void)
{
	action[RTC_VECTOR] = rtc_tick;
	action[0x24] = uart_ready;
	bytes_sent = 0;
	entry(8, RTC_VECTOR, cores - 1);
	cmos_write(0x0a, 0x2a); /* 64 Hz */
	cmos(0x0c);
	cmos_write(0x0b, 0x42);
	for (u32 core = 0; core < cores; core++)
		on_core(core, start_timer);
	outb(0x43, 0x34); /* 100 Hz */
	outb(0x21, 0xee);
	outb(0x40, 11932 & 0xff);
	outb(0x40, 11932 >> 8);
	outb(0x3fc, 0x1b);
	outb(0x3f9, 2);
	while (count[0x20] < 100)
		asm volatile("sti; hlt; cli" : : : "memory");
	outb(0x21, 0xff);
	for (u32 core = 0; core < cores; core++)
		on_core(core, stop_timer);
	u32 rtc = count[RTC_VECTOR];
	rtc_quiet();
	entry(8, 0x10000, 0);
	uart_quiet();
	say("storm 8254 100 ticks, rtc 64: %s, uart %d bytes\n", yes(within(rtc, 64, 5)), bytes_sent);
	for (u32 core = 0; core < cores; core++)
		say("storm core %d: 1000 ticks of its timer: %s\n", core,
		    yes(within(count[TICK + core], 1000, 3)));
}

static void hop(void)
{
	APIC(APIC_EOI) = 0;
	if (count[HOP] < HOPS)
		send_ipi((this_core() + 1) % cores, 0x4000 | HOP);
}

static void ring(void)
{
	forget();
	action[HOP] = hop;
	send_ipi(cores - 1, 0x4000 | HOP);
	while (count[HOP] < HOPS) {
		window();
		pause();
	}
	say("storm ring: %d hops, the first: %s\n", count[HOP], log_text());
}

void storm_cases(void)
{
	storm();
	ring();
}
