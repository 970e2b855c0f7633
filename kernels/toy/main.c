// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order in which the kernel comes up. Core 0 runs start_kernel() on the stack
 * of its idle task, and becomes that task; the first real task is init.
 */
#include <toy/defs.h>

void start_kernel(u64 start_info) __noreturn;

void start_kernel(u64 start_info)
{
	cmdline_init(start_info);	/* low memory is mapped only now */
	page_alloc_init(start_info);	/* what is RAM */
	trampoline_copy();		/* where the other cores will wake up */
	mmu_init();			/* text is not writable, data not executable */
	uart_init();			/* the console: from here on, a panic speaks */
	ftrace_init();			/* all sites are nops, and text is still writable */
	mmu_load();
	trap_init();			/* all gates */
	cpu_init(0);			/* segments, GS, the idle task */
	int3_init();			/* which Linux its handler is like */
	slab_init();
	printk("textpoke toy kernel\n");
	lapic_init();			/* interrupts */
	passes_init();			/* whether to do without all that follows */
	lapic_timer_init();		/* how long a turn is */
	timers_init();
	rcu_init();
	proc_init();			/* the files */
	ramfs_init();
	pipe_init();
	load_init();			/* how much to do */
	smp_boot();			/* the other cores */
	if (passes_wanted())
		passes_run(0);
	workqueue_init();
	lapic_timer_start();
	task_create(init, NULL, 0, "init", -1);
	idle_loop();
}

/* What a core does when no task wants it. */
void idle_loop(void)
{
	for (;;) {
		cli();
		if (READ_ONCE(this_cpu()->need_resched)) {
			schedule();
			continue;
		}
		if (rcu_needs_cpu()) {
			sti();
			cpu_relax();
			continue;
		}
		safe_halt();
	}
}

/* The first task: everything is there, and interrupts are on. */
void init(void *unused)
{
	u64 objects = kmalloc_objects, pages = free_pages;

	(void)unused;
	if (cmdline_has("selftest"))
		selftest();
	printk("textpoke toy: %d cpus, %d tasks\n", cpus_online,
	       cpus_online * (tasks_per_cpu + users_per_cpu));
	load_start();
	load_wait_running();
	printk("load: all cpus run tasks\n");
	if (cmdline_number("turns", 0))
		load_finish(objects, pages);
}
