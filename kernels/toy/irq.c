// SPDX-License-Identifier: GPL-2.0-only
/* What the interrupts do. Each may end in another task; see preempt_irq(). */
#include <toy/defs.h>

u32 sync_core_pending[MAX_CPUS];
const u8 sync_core_vector = SYNC_CORE_VECTOR;

void sysvec_apic_timer(struct pt_regs *regs)
{
	struct cpu *c = this_cpu();

	c->ticks++;
	if (c->id == 0)
		WRITE_ONCE(jiffies, jiffies + 1);
	run_timers();
	rcu_tick(user_mode(regs));
	watchdog_tick(c);
	WRITE_ONCE(c->need_resched, 1);
	lapic_eoi();
	preempt_irq();
}

/*
 * The promise to the patcher: whatever this core executes after its word is 0
 * was fetched after the word was 1. Not traced, as it is part of the patching.
 */
notrace void sysvec_sync_core(struct pt_regs *regs)
{
	struct cpu *c = this_cpu();

	(void)regs;
	sync_core();
	c->syncs++;
	WRITE_ONCE(sync_core_pending[c->id], 0);
	lapic_eoi();
}

/* need_resched is set already; the interrupt is to end a hlt. */
void sysvec_reschedule(struct pt_regs *regs)
{
	(void)regs;
	lapic_eoi();
	preempt_irq();
}

/* No EOI: the APIC does not count these as being served. */
void sysvec_spurious_apic(struct pt_regs *regs)
{
	(void)regs;
}
