// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC of each core, by its page of registers: sends interrupts to
 * other cores and to itself, by timer. The PIC is there too, and masked.
 */
#include <toy/defs.h>

#define APIC_TPR	0x080
#define APIC_EOI	0x0b0
#define APIC_SPIV	0x0f0
#define APIC_ICR	0x300
#define APIC_ICR2	0x310
#define APIC_LVTT	0x320
#define APIC_TMICT	0x380
#define APIC_TDCR	0x3e0

#define SPIV_ENABLE	0x100
#define ICR_BUSY	0x1000
#define LVT_PERIODIC	0x20000
#define TDCR_DIVIDE_1	0x0b

#define DEFAULT_PERIOD	100000

#define PIC1_MASK	0x21
#define PIC2_MASK	0xa1

u32 timer_period;			/* in ns of the bus clock; 0: no ticks */

static u32 lapic_read(u32 reg)
{
	return *(volatile u32 *)(LAPIC_VA + reg);
}

static void lapic_write(u32 reg, u32 v)
{
	*(volatile u32 *)(LAPIC_VA + reg) = v;
}

/* Each core. */
void lapic_init(void)
{
	outb(PIC1_MASK, 0xff);
	outb(PIC2_MASK, 0xff);
	lapic_write(APIC_TPR, 0);
	lapic_write(APIC_SPIV, SPIV_ENABLE | SPURIOUS_APIC_VECTOR);
}

void lapic_timer_init(void)
{
	timer_period = cmdline_number("tick", DEFAULT_PERIOD);
	if (!timer_period && cmdline_has("selftest"))
		timer_period = DEFAULT_PERIOD;
}

/* Each core. One count is 1 ns of the bus clock. */
void lapic_timer_start(void)
{
	if (!timer_period)
		return;
	lapic_write(APIC_TDCR, TDCR_DIVIDE_1);
	lapic_write(APIC_LVTT, LVT_PERIODIC | LOCAL_TIMER_VECTOR);
	lapic_write(APIC_TMICT, timer_period);
}

void lapic_eoi(void)
{
	lapic_write(APIC_EOI, 0);
}

/* The two halves of ICR belong together: no interrupt may send in between. */
void lapic_send(u32 apic_id, u32 command)
{
	u64 flags = irq_save();

	lapic_write(APIC_ICR2, apic_id << 24);
	lapic_write(APIC_ICR, command);
	while (lapic_read(APIC_ICR) & ICR_BUSY)
		cpu_relax();
	irq_restore(flags);
}
