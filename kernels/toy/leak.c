// SPDX-License-Identifier: GPL-2.0-only
/* Whether the load has left anything behind, when all its tasks have ended. */
#include <toy/defs.h>

static void leaked(const char *what, u64 before, u64 after)
{
	if (before != after)
		panic("panic: load: %s: %lu before, %lu after", what, before, after);
}

/* Only the idle tasks, the workers and who asks may be left. */
static void check_tasks(void)
{
	for (struct task *t = tasks + MAX_CPUS; t < tasks + MAX_TASKS; t++) {
		while (READ_ONCE(t->state) == TASK_DEAD)
			yield();
		if (t->state != TASK_UNUSED && t != current() && !t->is_kworker)
			panic("panic: load: task %s, pid %d, is left behind", t->comm, t->pid);
	}
}

/* What there was of them before; the rest was none. */
void check_leaks(u64 objects, u64 pages)
{
	check_tasks();
	leaked("open files", 0, open_files);
	leaked("timers", 0, timers_waiting());
	leaked("inodes", 0, inodes_in_ram);
	leaked("objects of kmalloc", objects, kmalloc_objects);
	leaked("free pages", pages, free_pages);
}
