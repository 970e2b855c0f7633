// SPDX-License-Identifier: GPL-2.0-only
/* Who goes first in the 8259A: nesting, ends of interrupts, rotation, special modes. */
#include "pic.h"

static void nothing(void) {}

static void in_irq4(void)
{
	pit_fire();
	uart_quiet();
	uart_raise();
	window();
	say("priority nesting: in irq4: %s, isr %02x irr %02x\n", log_text(), isr(MASTER), irr(MASTER));
	action[0x24] = 0;
	outb(MASTER, 0x20);
}

static void in_irq0(void)
{
	say("priority nesting: in irq0: isr %02x\n", isr(MASTER));
	window();
	outb(MASTER, 0x20);
}

static void specific(void)
{
	pit_fire();
	action[0x20] = nothing;
	window();
	say("priority eoi: two in service %02x", isr(MASTER));
	outb(MASTER, 0x64);
	say(", specific 4: %02x", isr(MASTER));
	outb(MASTER, 0x63);
	say(", specific 3: %02x", isr(MASTER));
	outb(MASTER, 0x20);
	say(", other: %02x\n", isr(MASTER));
}

static void special_mask(void)
{
	uart_raise();
	window();
	say("priority special mask: before %s", log_text());
	outb(MASTER, 0x68);
	masks(0xef, 0xff); /* irq0, in service, masked */
	window();
	say(", on %s", log_text());
	outb(MASTER, 0x48);
	outb(MASTER, 0x60);
	say(", isr %02x\n", isr(MASTER));
}

static void nesting_cases(void)
{
	masks(0xee, 0xff);
	action[0x24] = in_irq4;
	action[0x20] = in_irq0;
	uart_raise();
	window();
	say("priority nesting: all %s, isr %02x\n", log_text(), isr(MASTER));
	pic_again(1);
	masks(0xee, 0xff);
	action[0x24] = specific;
	uart_raise();
	window();
	pic_again(1);
	masks(0xee, 0xff);
	action[0x20] = special_mask;
	pit_fire();
	window();
	pic_again(1);
}

static void three(const char *name, u8 command)
{
	pic_again(1);
	outb(MASTER, command);
	raise_all();
	masks(0xea, 0xfe);
	window();
	say("priority %s: %s\n", name, log_text());
}

static void rotate_eoi(void) { outb(MASTER, 0xa0); }

static void rotate_cases(void)
{
	three("lowest priority 0", 0xc0);
	three("lowest priority 2", 0xc2);
	three("lowest priority 3", 0xc3);
	three("lowest priority 4", 0xc4);
	three("lowest priority 7", 0xc7);
	pic_again(1);
	masks(0xee, 0xff);
	action[0x20] = rotate_eoi;
	pit_fire();
	window();
	action[0x20] = 0;
	pit_fire();
	uart_raise();
	window();
	say("priority rotate on eoi: %s\n", log_text());
	pic_again(1);
	masks(0xee, 0xff);
	action[0x24] = nothing;
	uart_raise();
	window();
	outb(MASTER, 0xe0 | 4); /* rotate on specific EOI */
	say("priority rotate on specific eoi: isr %02x\n", isr(MASTER));
	action[0x24] = 0;
	pit_fire();
	uart_quiet();
	uart_raise();
	window();
	say("priority rotate on specific eoi: %s\n", log_text());
	pic_again(3);
	masks(0xee, 0xff);
	outb(MASTER, 0x80); /* rotate in automatic EOI mode */
	action[0x20] = action[0x24] = nothing;
	pit_fire();
	window();
	pit_fire();
	uart_raise();
	window();
	say("priority rotate in automatic eoi: %s\n", log_text());
	outb(MASTER, 0x00);
}

/* A higher interrupt of the slave while a lower one of its own is in service. */
static void slave_nesting(const char *name, u8 icw4)
{
	pic_again(icw4);
	sci_wait();
	masks(0xfb, 0xfc);
	action[0x28] = action[0x29] = nothing;
	window();
	say("priority slave, %s: took %s", name, log_text());
	rtc_raise();
	window();
	say(", then %s, isr %02x %02x\n", log_text(), isr(MASTER), isr(SLAVE));
	sci_quiet();
}

void priority_cases(void)
{
	pic_again(1);
	nesting_cases();
	rotate_cases();
	slave_nesting("fully nested", 1);
	slave_nesting("special fully nested", 0x11);
	pic_again(1);
}
