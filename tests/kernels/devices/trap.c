// SPDX-License-Identifier: GPL-2.0-only
/* Every interrupt is logged; what nobody takes is acknowledged. */
#include "kernel.h"

#define TIMER 0xef /* of pass_us: above what the cases use */
#define WAKE 0xee /* of smp.c */

struct gate {
	u16 low, selector, type, middle;
	u32 high, zero;
};

static struct gate idt[256];
extern const u8 stubs[];
action_t *action[256];
volatile u32 taken, count[256];
static volatile u16 log[64];
static volatile u32 timer_fired;

static void acknowledge(u64 vector)
{
	if (vector >= 0x20 && vector < 0x30) {
		if (vector >= 0x28)
			outb(0xa0, 0x20);
		outb(0x20, 0x20);
	} else if (vector >= 0x30 && vector != 0xff) {
		APIC(APIC_EOI) = 0;
	}
}

/* Called by the stubs. */
void interrupt(u64 vector, u64 ip)
{
	if (vector == TIMER || vector == WAKE) {
		timer_fired |= vector == TIMER;
		APIC(APIC_EOI) = 0;
		return;
	}
	if (vector < 32 && vector != 2) {
		uart_quiet();
		say("core %d: exception %d at %x\n", this_core(), (u32)vector, (u32)ip);
		flush();
		finish(99);
	}
	u32 n = __atomic_fetch_add(&taken, 1, __ATOMIC_SEQ_CST);
	if (n < 64)
		log[n] = this_core() << 8 | vector;
	__atomic_fetch_add(&count[vector], 1, __ATOMIC_SEQ_CST);
	if (action[vector])
		action[vector]();
	else
		acknowledge(vector);
}

void traps_init(void)
{
	for (u32 vector = 0; vector < 256; vector++) {
		u64 at = (u64)stubs + 16 * vector;

		idt[vector] = (struct gate){ at, 0x10, 0x8e00, at >> 16, at >> 32, 0 };
	}
}

void traps_load(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (u64)idt };

	asm volatile("lidt %0" : : "m"(idtr));
}

void forget(void)
{
	taken = 0;
	for (u32 vector = 0; vector < 256; vector++) {
		action[vector] = 0;
		count[vector] = 0;
	}
}

const char *log_text(void)
{
	static char text[512];
	u32 n = 0;

	for (u32 i = 0; i < taken && i < 64; i++) {
		if (i)
			text[n++] = ' ';
		if (log[i] >> 8) {
			text[n++] = '0' + (log[i] >> 8);
			text[n++] = ':';
		}
		text[n++] = "0123456789abcdef"[log[i] >> 4 & 15];
		text[n++] = "0123456789abcdef"[log[i] & 15];
	}
	text[n] = 0;
	return taken ? text : "none";
}

void window(void)
{
	sti();
	for (u32 i = 0; i < 20; i++)
		asm volatile("nop");
	cli();
}

void open_us(u32 us)
{
	APIC(APIC_TDCR) = 0xb;
	APIC(APIC_LVTT) = TIMER;
	timer_fired = 0;
	APIC(APIC_TMICT) = us * 1000;
	while (!timer_fired)
		asm volatile("sti; hlt; cli" : : : "memory");
}

void pass_us(u32 us)
{
	u32 lint0 = APIC(APIC_LINT0), tpr = APIC(APIC_TPR);

	APIC(APIC_LINT0) = 0x10700;
	APIC(APIC_TPR) = 0xe0 - 0x10;
	open_us(us);
	APIC(APIC_TPR) = tpr;
	APIC(APIC_LINT0) = lint0;
}
