// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC of core 0: registers, priorities, its timer. Left out, for QEMU 7.2 does not do
 * it: reserved bits of the vector table that read as zero, the error interrupt, an error status
 * that a write updates, the mask bits that a software disable sets, the identity's reserved bits.
 */
#include "kernel.h"

static u32 written(u32 reg, u32 value)
{
	u32 before = APIC(reg);

	APIC(reg) = value;
	value = APIC(reg);
	APIC(reg) = before;
	return value;
}

static u32 self(u32 vector)
{
	APIC(APIC_ICR) = 0x44000 | vector;
	return vector;
}

static void register_cases(void)
{
	static const struct {
		u16 reg;
		u32 bits;
	} lvt[] = { { APIC_LVTT, 0x300ff }, { 0x330, 0x107ff }, { 0x340, 0x107ff },
		    { APIC_LINT0, 0x1a7ff }, { APIC_LINT1, 0x1a7ff }, { APIC_LVTERR, 0x100ff } };

	say("lapic id %x version %x\n", APIC(APIC_ID) >> 24, APIC(APIC_VERSION));
	say("lapic dfr 0: %08x, ffffffff: %08x\n", written(APIC_DFR, 0), written(APIC_DFR, ~0));
	say("lapic ldr ffffffff: %08x\n", written(APIC_LDR, ~0));
	say("lapic svr 3ff: %x, 1ef: %x\n", written(APIC_SVR, 0x3ff) & 0x1ff,
	    written(APIC_SVR, 0x1ef));
	say("lapic tpr:");
	for (u32 i = 0; i < 256; i += 17)
		say(" %02x", written(APIC_TPR, i));
	say("\n");
	say("lapic lvt:");
	for (u32 i = 0; i < sizeof(lvt) / sizeof(lvt[0]); i++)
		say(" %x/%x", written(lvt[i].reg, 0x10000) & lvt[i].bits,
		    written(lvt[i].reg, lvt[i].bits | 0x10000) & lvt[i].bits);
	say("\n");
	say("lapic icr2: %x\n", written(APIC_ICR2, 0xff000000));
	say("lapic divide:");
	for (u32 i = 0; i < 16; i++)
		say(" %x", written(APIC_TDCR, i) & 0xb);
	say("\n");
	u32 bits = 0;
	for (u32 i = 0; i < 8; i++)
		bits |= APIC(APIC_ISR + 16 * i) | APIC(APIC_IRR + 16 * i);
	say("lapic at rest: isr and irr %x, ppr %x\n", bits, APIC(APIC_PPR));
	APIC(APIC_VERSION) = 0;
	APIC(APIC_ISR + 0x20) = ~0;
	APIC(APIC_IRR + 0x20) = ~0;
	APIC(APIC_PPR) = ~0;
	say("lapic read only: %x %x %x %x\n", APIC(APIC_VERSION), APIC(APIC_ISR + 0x20),
	    APIC(APIC_IRR + 0x20), APIC(APIC_PPR));
	APIC(APIC_EOI) = 0;
	say("lapic eoi of nothing: ppr %x\n", APIC(APIC_PPR));
}

static u32 isr_seen, ppr_seen;

static void look(void)
{
	isr_seen = APIC(APIC_ISR + 0x20);
	ppr_seen = APIC(APIC_PPR);
	APIC(APIC_EOI) = 0;
}

static void in_low(void)
{
	self(0x41);
	self(0x45);
	self(0x52);
	window();
	say("lapic nesting: in 43: %s, irr %x\n", log_text(), APIC(APIC_IRR + 0x20));
	APIC(APIC_EOI) = 0;
}

static void nothing(void) {}

static void apic_priority_cases(void)
{
	forget();
	say("lapic self: irr %x", (self(0x51), APIC(APIC_IRR + 0x20)));
	action[0x51] = look;
	window();
	say(", took %s, isr %x ppr %x, then isr %x ppr %x\n", log_text(), isr_seen, ppr_seen,
	    APIC(APIC_ISR + 0x20), APIC(APIC_PPR));
	forget();
	self(0x50);
	self(0x50);
	window();
	say("lapic twice the same: took %s\n", log_text());
	forget();
	self(0x33);
	self(0x77);
	self(0x91);
	self(0x78);
	window();
	say("lapic order: %s\n", log_text());
	forget();
	APIC(APIC_TPR) = 0x75;
	self(0x7f);
	self(0x80);
	say("lapic tpr 75: ppr %x", APIC(APIC_PPR));
	window();
	say(", took %s, irr %08x", log_text(), APIC(APIC_IRR + 0x30));
	APIC(APIC_TPR) = 0x6f;
	window();
	say(", tpr 6f: %s\n", log_text());
	APIC(APIC_TPR) = 0;
	forget();
	u64 cr8 = 9;
	asm volatile("mov %0, %%cr8" : : "r"(cr8));
	say("lapic cr8 9: tpr %x", APIC(APIC_TPR));
	APIC(APIC_TPR) = 0x4f;
	asm volatile("mov %%cr8, %0" : "=r"(cr8));
	say(", tpr 4f: cr8 %x\n", (u32)cr8);
	APIC(APIC_TPR) = 0;
	action[0x43] = in_low;
	self(0x43);
	window();
	say("lapic nesting: all %s\n", log_text());
	forget();
	action[0x43] = nothing;
	action[0x61] = nothing;
	self(0x43);
	window();
	self(0x61);
	window();
	say("lapic two in service: isr %x %x ppr %x", APIC(APIC_ISR + 0x20), APIC(APIC_ISR + 0x30),
	    APIC(APIC_PPR));
	APIC(APIC_TPR) = 0x6a;
	say(", tpr 6a: ppr %x", APIC(APIC_PPR));
	APIC(APIC_TPR) = 0x70;
	say(", tpr 70: ppr %x", APIC(APIC_PPR));
	APIC(APIC_TPR) = 0;
	APIC(APIC_EOI) = 0;
	say(", eoi: isr %x %x", APIC(APIC_ISR + 0x20), APIC(APIC_ISR + 0x30));
	APIC(APIC_EOI) = 0;
	say(", eoi: ppr %x\n", APIC(APIC_PPR));
	forget();
}

static void disable_cases(void)
{
	APIC(APIC_SVR) = 0xff;
	self(0x55);
	window();
	say("lapic disabled: took %s", log_text());
	APIC(APIC_SVR) = 0x1ff;
	say(", svr %x\n", APIC(APIC_SVR));
	window();
	forget();
	APIC(APIC_LINT0) = 0x700;
	action[2] = nothing;
	APIC(APIC_ICR2) = 0;
	APIC(APIC_ICR) = 0x4400; /* NMI to itself, by its number */
	window();
	say("lapic nmi: took %s, isr %x\n", log_text(), APIC(APIC_ISR));
	forget();
	APIC(APIC_ESR) = 0;
	APIC(APIC_ESR) = 0;
	say("lapic esr at rest: %x\n", APIC(APIC_ESR));
}

static u32 elapsed(u32 divide, u32 initial, u32 pm)
{
	APIC(APIC_TDCR) = divide;
	APIC(APIC_TMICT) = initial;
	pm_wait(pm);
	return initial - APIC(APIC_TMCCT);
}

static void timer_cases(void)
{
	static const u8 by[] = { 2, 4, 8, 16, 2, 4, 8, 16, 32, 64, 128, 1, 32, 64, 128, 1 };

	APIC(APIC_LVTT) = 0x10000;
	for (u32 i = 0; i < 16; i++) {
		if (i & 4)
			continue;
		u32 ns = elapsed(i, 0xf0000000, 400);
		say("lapic divide %d: %s\n", by[i], yes(within(ns * by[i], 400 * 1000000UL / 3580, 15)));
	}
	APIC(APIC_TDCR) = 0xb;
	APIC(APIC_TMICT) = 0;
	say("lapic timer stopped: %x\n", APIC(APIC_TMCCT));
	forget();
	APIC(APIC_LVTT) = 0x62;
	APIC(APIC_TMICT) = 20000;
	say("lapic one-shot: initial %d, counts down: %s", APIC(APIC_TMICT),
	    yes(APIC(APIC_TMCCT) <= 20000 && APIC(APIC_TMCCT) > 0));
	pm_wait(400);
	window();
	say(", took %s, current %d", log_text(), APIC(APIC_TMCCT));
	pm_wait(200);
	window();
	say(", later %s\n", log_text());
	forget();
	APIC(APIC_LVTT) = 0x20062;
	APIC(APIC_TMICT) = 100000;
	sti();
	while (taken < 5)
		asm volatile("hlt");
	cli();
	u32 now = APIC(APIC_TMCCT);
	APIC(APIC_LVTT) = 0x10000;
	say("lapic periodic: took %s, goes on: %s\n", log_text(), yes(now > 50000 && now <= 100000));
	APIC(APIC_TMICT) = 0;
	forget();
	APIC(APIC_LVTT) = 0x10062;
	APIC(APIC_TMICT) = 10000;
	pm_wait(100);
	APIC(APIC_LVTT) = 0x62;
	window();
	say("lapic timer expired while masked: took %s, current %d\n", log_text(), APIC(APIC_TMCCT));
	forget();
	APIC(APIC_LVTT) = 0x62;
	APIC(APIC_TMICT) = 50000;
	APIC(APIC_TMICT) = 0;
	pm_wait(300);
	window();
	say("lapic timer cancelled: took %s\n", log_text());
	forget();
	APIC(APIC_TMICT) = 1000000;
	u32 before = pm_timer();
	sti();
	asm volatile("hlt");
	cli();
	u32 ticks = (pm_timer() - before) & 0xffffff;
	say("lapic 1 ms is 3580 ticks: %s, took %s\n", yes(within(ticks, 3580, 5)), log_text());
	APIC(APIC_LVTT) = 0x10000;
	forget();
}

void lapic_cases(void)
{
	register_cases();
	apic_priority_cases();
	disable_cases();
	timer_cases();
}
