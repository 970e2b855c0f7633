// SPDX-License-Identifier: GPL-2.0-only
/* Lines from outside, received and sent back by interrupts: by the 8259, then the I/O APIC. */
#include "kernel.h"

enum { DATA = 0x3f8, IER, IIR, LCR, MCR, LSR, FCR = IIR };

static u8 line[64];
static volatile u32 got, sent, ended;

static void service(void)
{
	for (;;) {
		u8 iir = inb(IIR) & 0x0f;

		if (iir == 1)
			break;
		if (iir == 4 || iir == 0x0c) {
			line[got] = inb(DATA);
			ended |= line[got] == '\n';
			got = (got + 1) % sizeof(line);
			outb(IER, 3);
		} else if (iir == 2 && sent == got) {
			outb(IER, 1);
		} else if (iir == 2) {
			outb(DATA, line[sent]);
			sent = (sent + 1) % sizeof(line);
		}
	}
}

static void by_pic(void)
{
	service();
	outb(0x20, 0x20);
}

static void by_apic(void)
{
	service();
	APIC(APIC_EOI) = 0;
}

static void read_line(const char *name)
{
	got = sent = ended = 0;
	say("input by %s?\n", name);
	flush();
	outb(IER, 1);
	while (!ended || sent != got)
		asm volatile("sti; hlt; cli" : : : "memory");
	outb(IER, 0);
	say("input by %s: %d bytes, %d echoed\n", name, got, sent);
}

void input_cases(void)
{
	action[0x24] = by_pic;
	outb(0x21, 0xef);
	read_line("pic");
	outb(FCR, 1);
	read_line("pic with fifo");
	outb(FCR, 0);
	outb(0x21, 0xff);
	action[0x44] = by_apic;
	*(volatile u32 *)0xfec00000UL = 0x10 + 2 * 4 + 1;
	*(volatile u32 *)0xfec00010UL = 0;
	*(volatile u32 *)0xfec00000UL = 0x10 + 2 * 4;
	*(volatile u32 *)0xfec00010UL = 0x44;
	read_line("ioapic");
	*(volatile u32 *)0xfec00010UL = 0x10000;
}
