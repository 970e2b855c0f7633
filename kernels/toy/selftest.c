// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line word selftest: one line for each thing that works, the same
 * lines on any number of cores, then the exit port. The first thing that does
 * not work is a panic.
 */
#include "selftest.h"

static const struct {
	const char *what;
	void (*run)(void);
} tests[] = {
	{ "control registers of every core", test_registers },
	{ "text cannot be written", test_text },
	{ "rodata cannot be written or executed", test_rodata },
	{ "data and stacks cannot be executed", test_data },
	{ "low memory is not mapped", test_unmapped },
	{ "page tables: W^X, accessed and dirty preset", test_page_tables },
	{ "exceptions and their error codes", test_exceptions },
	{ "double fault on its own stack", test_double_fault },
	{ "single step by TF", test_single_step },
	{ "pages are zero and come back", test_pages },
	{ "kmalloc: seven sizes, nothing is lost", test_kmalloc },
	{ "pages and kmalloc from every core", test_memory_all_cores },
	{ "strings", test_strings },
	{ "bitmap", test_bitmap },
	{ "checksum", test_checksum },
	{ "list", test_list },
	{ "ring", test_ring },
	{ "hash", test_hash },
	{ "files", test_files },
	{ "ticks on every core", test_ticks },
	{ "hlt ends by a tick", test_hlt },
	{ "voluntary switches", test_yield },
	{ "involuntary switches", test_preemption },
	{ "none while preemption is off", test_preempt_off },
	{ "sleep and wakeup", test_sleep },
	{ "tasks end and their slots are used again", test_exit },
	{ "ring 3: files and numbers of calls", test_user_files },
	{ "ring 3: bad pointers", test_user_pointers },
	{ "ring 3: files that come and go", test_user_ramfs },
	{ "ring 3: registers survive calls and ticks", test_user_registers },
	{ "ring 3: who faults is killed", test_user_faults },
	{ "ring 3: page tables, W^X", test_user_tables },
	{ "fork copies", test_fork },
	{ "exec begins anew", test_exec },
	{ "wait and exit", test_wait },
	{ "fork and exec without memory", test_no_memory },
	{ "processes on every core, nothing is lost", test_storm },
	{ "every core is online and works", test_online },
	{ "spinlock from every core", test_spinlock },
	{ "atomic increments from every core", test_atomic },
	{ "mutex, its holder asleep", test_mutex },
	{ "completions", test_completion },
	{ "timers in order, on every core", test_timers },
	{ "sleeping for a time", test_timeout },
	{ "workqueue of every core", test_workqueue },
	{ "a grace period waits for readers", test_rcu },
	{ "callbacks after a grace period", test_call_rcu },
	{ "watchdog", test_watchdog },
	{ "the chain of passes=N", test_passes },
	{ "files in /tmp", test_ramfs },
	{ "directories in /tmp", test_directories },
	{ "names come and go on every core", test_names },
	{ "one write wakes all it is enough for", test_pipe },
	{ "sync-core from every core to all others", test_sync_core },
	{ "sites are sorted nops, three straddle", test_sites },
	{ "ftrace tells calls, nops and neither", test_ftrace },
	{ "leaves in a row", test_leaves },
	{ "weak functions give way", test_weak },
	{ "cold functions are behind all others", test_cold },
	{ "arena is full of int3", test_arena },
	{ "int3 acts out nop", test_int3_nop },
	{ "int3 acts out call", test_int3_call },
	{ "int3 acts out jmp8 and jmp32", test_int3_jmp },
	{ "int3 acts out ret", test_int3_ret },
	{ "int3 acts out jcc, 16 conditions, all flags", test_int3_jcc },
	{ "int3 finds each of 256 sites", test_int3_search },
	{ "int3 declines what is not its own", test_int3_decline },
	{ "int3 that has vanished, as in 6.1 and 6.12", test_int3_vanished },
	{ "int3 on every core at once", test_int3_all_cores },
};

static struct waitq done;
static u32 started, finished;

static void runner(void *fn)
{
	((void (*)(void))fn)();
	spin_lock(&done.lock);
	finished++;
	wait_wake(&done);
	spin_unlock(&done.lock);
}

/* A thread there; wait_all() waits for all of them. */
void run_on(u32 cpu, void (*fn)(void))
{
	task_create(runner, fn, cpu, "test", started++);
}

void wait_all(void)
{
	spin_lock(&done.lock);
	while (finished != started)
		wait_sleep(&done);
	started = finished = 0;
	spin_unlock(&done.lock);
}

void run_on_each(void (*fn)(void))
{
	for (u32 cpu = 0; cpu < cpus_online; cpu++)
		run_on(cpu, fn);
	wait_all();
}

/* Without giving up the core. */
void wait_ticks(u64 n)
{
	u64 end = this_cpu()->ticks + n;

	while (READ_ONCE(this_cpu()->ticks) < end)
		cpu_relax();
}

void selftest(void)
{
	wait_init(&done);
	for (u32 i = 0; i < ARRAY_SIZE(tests); i++) {
		tests[i].run();
		printk("ok %s\n", tests[i].what);
	}
	printk("selftest: all ok\n");
	machine_exit(0);
}
