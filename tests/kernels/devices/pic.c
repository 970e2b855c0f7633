// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pair of 8259A, heard by core 0 through LINT0. Sources: PIT (IRQ0), UART (IRQ4), RTC (IRQ8).
 * Left out: the spurious IRQ7 and lowering an edge-triggered line before it is taken, for QEMU
 * keeps the request, and LINT0 as a fixed interrupt, where QEMU asks the 8259 as well.
 */
#include "pic.h"

void pic_init(u8 icw4)
{
	outb(MASTER, 0x11);
	outb(SLAVE, 0x11);
	outb(MASTER + 1, 0x20);
	outb(SLAVE + 1, 0x28);
	outb(MASTER + 1, 4);
	outb(SLAVE + 1, 2);
	outb(MASTER + 1, icw4);
	outb(SLAVE + 1, icw4);
	outb(MASTER + 1, 0xff);
	outb(SLAVE + 1, 0xff);
	outb(0x4d0, 0);
	outb(0x4d1, 0);
}

/* which: 0x0a IRR, 0x0b ISR */
u8 pic_read(u16 port, u8 which)
{
	outb(port, which);
	return inb(port);
}

/* As after power-up: no source asks, everything masked. */
void pic_again(u8 icw4)
{
	cli();
	pit_quiet();
	uart_quiet();
	rtc_quiet();
	pic_init(icw4);
	forget();
	flush();
}

static u8 seen_isr, seen_irr, seen_after;

static void look(void)
{
	seen_isr = isr(MASTER);
	seen_irr = irr(MASTER);
	outb(MASTER, 0x20);
	seen_after = isr(MASTER);
}

static void nothing(void) {}

static void init_cases(void)
{
	masks(0xa5, 0x5a);
	say("pic masks: %02x %02x\n", inb(MASTER + 1), inb(SLAVE + 1));
	u32 kept = 0;
	for (u32 i = 0; i < 256; i++) {
		masks(i, ~i);
		kept += inb(MASTER + 1) == i && inb(SLAVE + 1) == (u8)~i;
	}
	say("pic masks kept: %d of 256\n", kept);
	uart_raise();
	masks(0xff, 0xff);
	say("pic masked request: irr %02x isr %02x\n", irr(MASTER), isr(MASTER));
	window();
	say("pic masked request: took %s\n", log_text());
	outb(MASTER, 0x11);
	say("pic after icw1: imr %02x\n", inb(MASTER + 1));
	pic_again(1);
	say("pic at rest: irr %02x %02x isr %02x %02x\n", irr(MASTER), irr(SLAVE), isr(MASTER),
	    isr(SLAVE));
	outb(MASTER, 0x11); /* another base */
	outb(MASTER + 1, 0xc7); /* the low bits of ICW2 are the level's */
	outb(MASTER + 1, 4);
	outb(MASTER + 1, 1);
	masks(0xef, 0xff);
	uart_raise();
	action[0xc4] = look;
	window();
	say("pic base c7: took %s\n", log_text());
	pic_again(1);
}

static void service_cases(void)
{
	action[0x24] = look;
	masks(0xef, 0xff);
	uart_raise();
	window();
	say("pic irq4: took %s, isr %02x irr %02x, after eoi %02x\n", log_text(), seen_isr, seen_irr,
	    seen_after);
	pic_again(1);
	masks(0xfe, 0xff);
	pit_fire();
	say("pic irq0: irr %02x\n", irr(MASTER));
	window();
	say("pic irq0: took %s, irr %02x\n", log_text(), irr(MASTER));
	pic_again(1);
	masks(0xfb, 0xfe);
	rtc_raise();
	say("pic irq8: irr %02x %02x\n", irr(MASTER), irr(SLAVE));
	action[0x28] = nothing;
	window();
	say("pic irq8: took %s, isr %02x %02x\n", log_text(), isr(MASTER), isr(SLAVE));
	outb(SLAVE, 0x20);
	say("pic irq8: eoi slave: isr %02x %02x\n", isr(MASTER), isr(SLAVE));
	outb(MASTER, 0x62);
	say("pic irq8: eoi master: isr %02x %02x\n", isr(MASTER), isr(SLAVE));
	pic_again(1);
	raise_all();
	say("pic all: irr %02x %02x\n", irr(MASTER), irr(SLAVE));
	masks(0xea, 0xfe);
	say("pic all: irr with irq2 open %02x\n", irr(MASTER));
	window();
	say("pic order: %s\n", log_text());
	pic_again(1);
	masks(0xfb, 0xfe); /* the slave takes back what the master has latched */
	rtc_raise();
	masks(0xfb, 0xff);
	action[0x2f] = nothing;
	window();
	say("pic spurious irq15: took %s, isr %02x %02x\n", log_text(), isr(MASTER), isr(SLAVE));
	pic_again(1);
}

static void mode_cases(void)
{
	pic_again(3);
	masks(0xee, 0xff);
	action[0x24] = look;
	uart_raise();
	window();
	say("pic automatic eoi: took %s, isr %02x\n", log_text(), seen_isr);
	pic_again(1);
	uart_raise();
	masks(0xef, 0xff);
	outb(MASTER, 0x0c);
	say("pic poll: %02x", inb(MASTER));
	say(", isr %02x", isr(MASTER));
	outb(MASTER, 0x20);
	outb(MASTER, 0x0c);
	say(", again %02x, isr %02x\n", inb(MASTER) & 0x80, isr(MASTER));
	pic_again(1);
	uart_raise(); /* which register is read stays chosen, and ICW1 chooses IRR */
	say("pic read: irr %02x", irr(MASTER));
	say(" again %02x", inb(MASTER));
	say(", isr %02x", isr(MASTER));
	outb(MASTER, 0x48);
	outb(MASTER, 0x08);
	say(" still %02x", inb(MASTER));
	pic_init(1);
	uart_quiet();
	uart_raise();
	say(", after icw1 %02x\n", inb(MASTER));
	pic_again(1);
	outb(0x4d0, 0xff);
	outb(0x4d1, 0xff);
	say("pic elcr: %02x %02x\n", inb(0x4d0), inb(0x4d1));
	pic_again(1);
}

static void twice(void)
{
	if (count[0x24] == 2)
		uart_quiet();
	outb(MASTER, 0x20);
}

static void level_cases(void)
{
	masks(0xef, 0xff);
	action[0x24] = twice;
	uart_raise();
	window();
	say("pic edge, line stays: took %s, irr %02x\n", log_text(), irr(MASTER));
	pic_again(1);
	outb(0x4d0, 0x10);
	masks(0xef, 0xff);
	action[0x24] = twice;
	uart_raise();
	window();
	say("pic level, line stays: took %s, irr %02x\n", log_text(), irr(MASTER));
	uart_raise();
	say("pic level: irr up %02x", irr(MASTER));
	uart_quiet();
	say(", down %02x\n", irr(MASTER));
	pic_again(1);
}

static void lint_cases(void)
{
	APIC(APIC_LINT0) = 0x10700;
	masks(0xef, 0xff);
	uart_raise();
	window();
	say("pic lint0 masked: took %s, irr %02x\n", log_text(), irr(MASTER));
	APIC(APIC_LINT0) = 0x700;
	window();
	say("pic lint0 open: took %s, apic isr %x\n", log_text(), APIC(APIC_ISR + 0x10));
	pic_again(1);
	APIC(APIC_TPR) = 0xf0; /* does not concern an external interrupt */
	masks(0xef, 0xff);
	uart_raise();
	window();
	say("pic tpr f0: took %s\n", log_text());
	APIC(APIC_TPR) = 0;
	pic_again(1);
	masks(0xef, 0xff);
	uart_raise();
	sti();
	asm volatile("hlt");
	cli();
	say("pic hlt: woken by %s\n", log_text());
	pic_again(1);
}

void pic_cases(void)
{
	init_cases();
	service_cases();
	mode_cases();
	level_cases();
	lint_cases();
}
