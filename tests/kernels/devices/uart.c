// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 16550 at 0x3f8. Left out: changes of the modem
 * lines in loopback, which QEMU does not note, and OUT2, which it lets not gate the interrupt.
 */
#include "kernel.h"

enum { DATA = 0x3f8, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

void uart_quiet(void)
{
	outb(LCR, 3);
	outb(MCR, 0x0b);
	outb(IER, 0);
	outb(FCR, 7);
	outb(FCR, 0);
	while (inb(LSR) & 1)
		inb(DATA);
	inb(IIR);
}

void uart_raise(void)
{
	outb(IER, 2);
}

static void register_cases(void)
{
	u32 kept = 0;

	for (u32 i = 0; i < 256; i++) {
		outb(SCR, i);
		kept += inb(SCR) == i;
	}
	say("uart scratch keeps: %d of 256\n", kept);
	outb(IER, 0xf0);
	say("uart ier f0: %02x", inb(IER));
	outb(MCR, 0xff);
	say(", mcr ff: %02x", inb(MCR));
	outb(MCR, 0x0b);
	outb(LCR, 0x9b);
	outb(DATA, 0x34);
	outb(IER, 0x12);
	say(", lcr 9b: %02x, divisor %02x%02x", inb(LCR), inb(IER), inb(DATA));
	outb(DATA, 12);
	outb(IER, 0);
	outb(LCR, 0x1b);
	say(", ier %02x, lcr %02x\n", inb(IER), inb(LCR));
	outb(LCR, 3);
	say("uart at rest: iir %02x lsr %02x msr %02x\n", inb(IIR), inb(LSR), inb(MSR) & 0xf0);
	say("uart loopback msr:");
	for (u32 i = 0; i < 16; i++) {
		outb(MCR, 0x10 | i);
		say(" %02x", inb(MSR) & 0xf0);
	}
	say("\n");
	outb(MCR, 0x0b);
	outb(LSR, 0);
	say("uart lsr cannot be written: %02x\n", inb(LSR));
	say("uart others: %02x %02x %02x\n", inb(0x2f8 + 5), inb(0x3e8 + 5), inb(0x2e8 + 5));
}

static void loopback_cases(void)
{
	outb(MCR, 0x1b);
	outb(DATA, 0x41);
	say("uart loopback: lsr %02x", inb(LSR));
	say(", data %02x", inb(DATA));
	say(", lsr %02x\n", inb(LSR));
	outb(DATA, 0x42);
	outb(DATA, 0x43);
	say("uart overrun: lsr %02x", inb(LSR));
	say(" %02x", inb(LSR));
	say(", data %02x", inb(DATA));
	say(", lsr %02x\n", inb(LSR));
	outb(IER, 1);
	say("uart received: iir %02x", inb(IIR));
	outb(DATA, 0x44);
	say(" %02x", inb(IIR));
	inb(DATA);
	say(" %02x\n", inb(IIR));
	outb(IER, 0x0f);
	inb(IIR);
	outb(DATA, 0x45);
	outb(DATA, 0x46);
	say("uart priorities: iir %02x", inb(IIR));
	inb(LSR);
	say(" %02x", inb(IIR));
	inb(DATA);
	say(" %02x", inb(IIR));
	say(" %02x\n", inb(IIR));
	outb(IER, 0);
}

static void transmit_cases(void)
{
	outb(MCR, 0x1b);
	say("uart thre: iir off %02x", inb(IIR));
	outb(IER, 2);
	say(", enabled %02x", inb(IIR));
	say(", read %02x", inb(IIR));
	outb(DATA, 0x47);
	say(", written %02x", inb(IIR));
	say(", read %02x", inb(IIR));
	outb(IER, 0);
	outb(IER, 2);
	say(", enabled again %02x", inb(IIR));
	outb(IER, 2);
	say(", and again %02x\n", inb(IIR));
	outb(IER, 0);
	inb(DATA);
}

static void fifo_cases(void)
{
	static const u8 levels[] = { 1, 4, 8, 14 };

	outb(MCR, 0x1b);
	outb(FCR, 1);
	say("uart fifo: iir %02x", inb(IIR));
	outb(FCR, 0);
	say(", off %02x\n", inb(IIR));
	for (u32 i = 0; i < 4; i++) {
		outb(FCR, 0x07 | i << 6);
		outb(IER, 1);
		say("uart trigger %d: iir", levels[i]);
		for (u32 n = 0; n < levels[i]; n++) {
			outb(DATA, n);
			say(" %02x", inb(IIR));
		}
		inb(DATA);
		say(", one read %02x", inb(IIR));
		while (inb(LSR) & 1)
			inb(DATA);
		say(", all read %02x\n", inb(IIR));
	}
	outb(DATA, 0x61);
	outb(DATA, 0x62);
	say("uart timeout: iir %02x", inb(IIR));
	pass_us(20000);
	say(", later %02x", inb(IIR));
	say(", data %02x", inb(DATA));
	say(", iir %02x", inb(IIR));
	pass_us(20000);
	say(", later %02x", inb(IIR));
	inb(DATA);
	say(", empty %02x\n", inb(IIR));
	outb(IER, 0);
	for (u32 n = 0; n < 16; n++)
		outb(DATA, n);
	say("uart full: lsr %02x", inb(LSR));
	outb(DATA, 0x77);
	say(", one more %02x", inb(LSR));
	say(", data");
	for (u32 n = 0; n < 16; n++)
		say(" %02x", inb(DATA));
	say(", lsr %02x\n", inb(LSR));
	outb(DATA, 0x63);
	outb(FCR, 3);
	say("uart fifo cleared: lsr %02x", inb(LSR));
	outb(DATA, 0x63);
	outb(FCR, 0);
	say(", switched off: lsr %02x\n", inb(LSR));
}

static u8 seen[8], received[8];
static u32 pins;

static void service(void)
{
	seen[pins & 7] = inb(IIR);
	received[pins++ & 7] = inb(LSR) & 1 ? inb(DATA) : 0;
	outb(0x20, 0x20);
}

static void say_seen(const char *name)
{
	say("uart irq4, %s: took %s, iir", name, log_text());
	for (u32 i = 0; i < pins; i++)
		say(" %02x", seen[i]);
	say(", data");
	for (u32 i = 0; i < pins; i++)
		say(" %02x", received[i]);
	say("\n");
	forget();
	pins = 0;
	action[0x24] = service;
}

static void irq_cases(void)
{
	forget();
	action[0x24] = service;
	pic_init(1);
	outb(0x21, 0xef);
	outb(MCR, 0x1b);
	outb(IER, 2);
	window();
	say_seen("enable thre");
	outb(DATA, 0x48);
	window();
	say_seen("write");
	inb(DATA);
	outb(IER, 1);
	outb(DATA, 0x49);
	window();
	outb(DATA, 0x4a);
	window();
	say_seen("receive");
	outb(IER, 3);
	outb(DATA, 0x4b);
	window();
	say_seen("both");
	outb(IER, 4);
	outb(DATA, 0x4c);
	outb(DATA, 0x4d);
	window();
	say_seen("overrun");
	outb(IER, 1);
	outb(FCR, 0x87); /* 8 */
	outb(DATA, 0x4e);
	open_us(20000);
	say_seen("timeout");
	outb(IER, 0);
	outb(0x21, 0xff);
}

void uart_cases(void)
{
	register_cases();
	loopback_cases();
	transmit_cases();
	fifo_cases();
	irq_cases();
}
