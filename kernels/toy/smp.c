// SPDX-License-Identifier: GPL-2.0-only
/* The other cores: waking them up, and making them serialise. */
#include <toy/defs.h>

#define ICR_INIT	0x4500
#define ICR_STARTUP	0x4600		/* plus the number of the page to begin at */

extern const u8 trampoline[], trampoline_end[];
void ap_start(void) __noreturn;

u32 cpus_online;
u64 ap_stack;				/* for the core that is being woken */
static u32 ap_id;

/* Must come before mmu_init(): afterwards low memory is not mapped. */
void trampoline_copy(void)
{
	memcpy((void *)TRAMPOLINE_PA, trampoline, trampoline_end - trampoline);
}

/* Where the trampoline leads. */
void ap_start(void)
{
	mmu_load();
	cpu_init(ap_id);
	lapic_init();
	WRITE_ONCE(this_cpu()->online, 1);
	if (passes_wanted())
		passes_run(this_cpu()->id);
	lapic_timer_start();
	idle_loop();
}

static void pause(u32 n)
{
	while (n--)
		cpu_relax();
}

/* One after the other, as they share ap_stack and ap_id. */
static void wake_cpu(u32 id)
{
	struct cpu *c = &cpus[id];

	ap_id = id;
	ap_stack = (u64)stack_end(&tasks[id]);
	lapic_send(id, ICR_INIT);
	pause(100);			/* hardware would want 10 ms */
	lapic_send(id, ICR_STARTUP | TRAMPOLINE_PA / PAGE_SIZE);
	for (u32 i = 0; !READ_ONCE(c->online); i++) {
		if (i == 100000000)
			panic("panic: cpu %d does not start", id);
		cpu_relax();
	}
}

void smp_boot(void)
{
	u32 n = fwcfg_nr_cpus();

	cpus[0].online = 1;
	for (u32 id = 1; id < n; id++)
		wake_cpu(id);
	cpus_online = n;
}

/* Returns when every other core has serialised; interrupts must be on. */
void sync_core_others(void)
{
	u32 me = this_cpu()->id;

	for (u32 id = 0; id < cpus_online; id++) {
		if (id == me)
			continue;
		WRITE_ONCE(sync_core_pending[id], 1);
		lapic_send(cpus[id].apic_id, SYNC_CORE_VECTOR);
	}
	for (u32 id = 0; id < cpus_online; id++)
		while (READ_ONCE(sync_core_pending[id]))
			cpu_relax();
}
