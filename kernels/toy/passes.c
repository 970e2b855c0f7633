// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line word passes=N: each core waits until all are there, goes N
 * times through a short chain of calls, and halts for ever, with interrupts on.
 * There are no ticks, no locks and no tasks but the idle ones, and what a core
 * does depends on nothing but memory of its own: so whoever tries all the ways
 * in which cores and a patcher can take turns sees the patching, and nothing else.
 */
#include <toy/defs.h>

static struct pass {
	u32 sum;			/* of all passes */
	u32 done;
} __aligned(64) passes[MAX_CPUS];

static u32 limit;			/* passes of each core; 0: not asked for */
static u32 released;

/* A bit of work, another for each x. */
u32 pass_leaf(u32 x)
{
	return (x ^ x >> 3) * 5 + 1;
}

u32 pass_step(u32 x)
{
	return pass_leaf(x + 1) ^ x;
}

void pass_turn(struct pass *p)
{
	p->sum = pass_step(p->sum);
	p->done++;
}

/* Each core, on the stack of its idle task. */
void passes_run(u32 cpu)
{
	struct pass *p = &passes[cpu];

	sti();
	while (!READ_ONCE(cpus_online))
		cpu_relax();
	atomic_inc(&cpus_running);
	if (cpu == 0) {
		while (READ_ONCE(cpus_running) != cpus_online)
			cpu_relax();
		printk("passes: all cpus ready\n");
		WRITE_ONCE(released, 1);
	}
	while (!READ_ONCE(released))
		cpu_relax();
	for (u32 i = 0; i < limit; i++)
		pass_turn(p);
	for (;;)
		safe_halt();
}

bool passes_wanted(void)
{
	return limit;
}

void passes_init(void)
{
	limit = cmdline_number("passes", 0);
}
