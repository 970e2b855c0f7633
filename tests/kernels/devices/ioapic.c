// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O APIC: its registers, and what it delivers where. Sources: the PIT on pin 2, the UART
 * on pin 4, the RTC on pin 8. Left out: bits 17 to 55 of an entry, which QEMU keeps.
 */
#include "kernel.h"

enum { MASKED = 1 << 16, LEVEL = 1 << 15, REMOTE_IRR = 1 << 14, LOGICAL = 1 << 11 };

static u32 get(u32 index)
{
	*(volatile u32 *)0xfec00000UL = index;
	return *(volatile u32 *)0xfec00010UL;
}

static void set(u32 index, u32 value)
{
	*(volatile u32 *)0xfec00000UL = index;
	*(volatile u32 *)0xfec00010UL = value;
}

static void entry(u32 pin, u32 low, u32 destination)
{
	set(0x10 + 2 * pin, MASKED);
	set(0x11 + 2 * pin, destination << 24);
	set(0x10 + 2 * pin, low);
}

static u32 state(u32 pin)
{
	return get(0x10 + 2 * pin) & 0x1ffff;
}

static void again(void)
{
	cli();
	for (u32 pin = 0; pin < 24; pin++)
		entry(pin, MASKED, 0);
	pit_quiet();
	uart_quiet();
	rtc_quiet();
	pic_init(1);
	forget();
	flush();
}

static void register_cases(void)
{
	say("ioapic id %x version %x\n", get(0) >> 24, get(1));
	set(0, 0xffffffff);
	say("ioapic id written: %x, arbitration %x\n", get(0), get(2));
	set(0, 0);
	set(1, 0);
	say("ioapic version written: %x\n", get(1));
	u32 low = 0, high = 0;
	for (u32 pin = 0; pin < 24; pin++) {
		set(0x10 + 2 * pin, 0xffffffff);
		set(0x11 + 2 * pin, 0xffffffff);
		low += state(pin) == 0x1afff;
		high += get(0x11 + 2 * pin) >> 24 == 0xff;
		set(0x10 + 2 * pin, MASKED);
		low += state(pin) == MASKED;
		set(0x11 + 2 * pin, 0);
		high += get(0x11 + 2 * pin) >> 24 == 0;
	}
	say("ioapic entries: low %d high %d of 48\n", low, high);
	set(0x10, 0x1ffff);
	say("ioapic entry: %x\n", get(0x10) & 0x1ffff);
	set(0x10, MASKED);
	say("ioapic behind the table: %x\n", get(0x40));
	*(volatile u32 *)0xfec00000UL = 0x12;
	say("ioapic index: %x\n", *(volatile u32 *)0xfec00000UL);
}

static void edge_cases(void)
{
	again();
	entry(2, 0x42, 0);
	pit_fire();
	window();
	say("ioapic irq0 on pin 2: took %s, pic irr %02x\n", log_text(), pic_read(0x20, 0x0a));
	again();
	entry(4, 0x44, 0);
	entry(8, 0x48, 0);
	uart_raise();
	rtc_raise();
	say("ioapic irr: %x\n", APIC(APIC_IRR + 0x20));
	window();
	say("ioapic order: %s\n", log_text());
	again();
	entry(4, 0x44, 0);
	uart_raise();
	window();
	window();
	say("ioapic edge, line stays: took %s, entry %x\n", log_text(), state(4));
	uart_quiet();
	uart_raise();
	window();
	say("ioapic edge, again: took %s\n", log_text());
	again();
	uart_raise();
	entry(4, 0x44, 0);
	window();
	say("ioapic edge while masked: took %s\n", log_text());
	again();
	entry(4, 0x44, 0);
	uart_raise();
	uart_quiet();
	window();
	say("ioapic edge, line fell: took %s\n", log_text());
	again();
	entry(4, 0x44, 0);
	entry(2, 0x44, 0);
	uart_raise();
	pit_fire();
	window();
	say("ioapic two pins, one vector: took %s\n", log_text());
	again();
}

static u32 entry_seen, tmr_seen;

static void in_level(void)
{
	entry_seen = state(4);
	tmr_seen = APIC(APIC_TMR + 0x20);
	if (count[0x44] == 3)
		uart_quiet();
	APIC(APIC_EOI) = 0;
}

static void in_edge(void)
{
	entry_seen = state(4);
	tmr_seen = APIC(APIC_TMR + 0x20);
	APIC(APIC_EOI) = 0;
}

static void nothing(void) {}

static void level_cases(void)
{
	action[0x44] = in_level;
	entry(4, 0x44 | LEVEL, 0);
	uart_raise();
	say("ioapic level: entry %x irr %x\n", state(4), APIC(APIC_IRR + 0x20));
	window();
	window();
	window();
	say("ioapic level: took %s, entry in service %x, tmr %x, entry %x\n", log_text(), entry_seen,
	    tmr_seen, state(4));
	again();
	action[0x44] = in_edge;
	entry(4, 0x44, 0);
	uart_raise();
	window();
	say("ioapic edge: entry in service %x, tmr %x\n", entry_seen, tmr_seen);
	again();
	action[0x44] = nothing;
	entry(4, 0x44 | LEVEL, 0);
	uart_raise();
	window();
	uart_quiet();
	say("ioapic level, line fell: entry %x", state(4));
	APIC(APIC_EOI) = 0;
	say(", after eoi %x\n", state(4));
	window();
	say("ioapic level, line fell: took %s\n", log_text());
	again();
	entry(4, 0x44 | LEVEL | MASKED, 0);
	uart_raise();
	window();
	say("ioapic level while masked: took %s", log_text());
	action[0x44] = in_level;
	count[0x44] = 2;
	set(0x10 + 2 * 4, 0x44 | LEVEL);
	window();
	say(", unmasked %s\n", log_text());
	again();
	action[0x44] = nothing;
	entry(4, 0x44 | LEVEL, 0);
	uart_raise();
	window();
	uart_quiet();
	*(volatile u32 *)0xfec00040UL = 0x44; /* the EOI register */
	say("ioapic eoi register: entry %x\n", state(4));
	APIC(APIC_EOI) = 0;
	again();
}

static void wait_taken(u32 n)
{
	for (u32 i = 0; i < 10000 && taken < n; i++)
		pm_wait(10);
}

static void destination_cases(void)
{
	for (u32 core = 0; core < cores; core++) {
		again();
		entry(2, 0x42, core);
		pit_fire();
		window();
		wait_taken(1);
		say("ioapic to core %d: took %s\n", core, log_text());
		again();
		entry(4, 0x44 | LOGICAL, 1 << core);
		uart_raise();
		window();
		wait_taken(1);
		say("ioapic to logical %02x: took %s\n", 1 << core, log_text());
		again();
		action[0x44] = in_level;
		count[0x44] = 1;
		entry(4, 0x44 | LEVEL, core);
		uart_raise();
		window();
		wait_taken(2);
		say("ioapic level to core %d: took %s, entry %x\n", core, log_text(), state(4));
		again();
		outb(0x43, 0x34);
		entry(2, 0x42, core);
		outb(0x40, 1193 & 0xff);
		outb(0x40, 1193 >> 8);
		open_us(20500);
		say("ioapic 1000 Hz to core %d: %s\n", core, yes(within(count[0x42], 20, 10)));
	}
	again();
	entry(4, 0x44 | LOGICAL, 0xff);
	uart_raise();
	window();
	wait_taken(cores);
	say("ioapic to all: %d\n", taken);
	again();
	entry(4, 0x44, 0xff);
	uart_raise();
	window();
	wait_taken(cores);
	say("ioapic physical ff: %d\n", taken);
	again();
	entry(4, 0x44, 0x0e);
	uart_raise();
	window();
	say("ioapic to nobody: %d\n", taken);
	again();
	entry(4, 0x144 | LOGICAL, 0xff);
	uart_raise();
	window();
	wait_taken(1);
	pm_wait(100);
	say("ioapic lowest priority: %d\n", taken);
	again();
	entry(4, 0x400, 0);
	action[2] = nothing;
	uart_raise();
	window();
	say("ioapic nmi: took %s\n", log_text());
	again();
	APIC(APIC_TPR) = 0x40;
	entry(4, 0x44, 0);
	uart_raise();
	window();
	say("ioapic tpr 40: took %s", log_text());
	APIC(APIC_TPR) = 0x30;
	window();
	say(", tpr 30: %s\n", log_text());
	APIC(APIC_TPR) = 0;
	again();
}

void ioapic_cases(void)
{
	register_cases();
	edge_cases();
	level_cases();
	destination_cases();
}
