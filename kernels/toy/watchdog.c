// SPDX-License-Identifier: GPL-2.0-only
/*
 * Says what has gone wrong where otherwise nothing would go on. A soft lockup: a
 * core has not switched while a task waits for it. A hung task: it has been
 * blocked, and has not run, for too long; only who waits for a lock or for work
 * to be done is meant (TASK_UNINTERRUPTIBLE), for who waits for input may wait
 * for ever. The bounds are in ticks and far beyond what can happen by itself: each
 * core counts its own, so one that did not run was not locked up either. After
 * Linux, kernel/watchdog.c and kernel/hung_task.c.
 */
#include <toy/defs.h>

#define SOFT_LOCKUP	2000
#define HUNG_TASK	4000
#define LOOK_EVERY	256

static struct watch {
	int pid;			/* who it was when last looked at */
	u64 switches;
	u64 since;			/* jiffies then */
} watches[MAX_TASKS];

/* Whether the core has kept somebody waiting. now: its ticks. */
bool is_softlockup(const struct cpu *c, u64 now)
{
	return !list_empty(&c->queue) && now - c->switched > SOFT_LOCKUP;
}

/* Whether it is blocked, and has been since it was first seen so. */
bool is_hung(const struct task *t, u64 now)
{
	struct watch *w = &watches[t - tasks];
	u64 switches = t->nvcsw + t->nivcsw;

	if (t->state != TASK_UNINTERRUPTIBLE || t->pid != w->pid || switches != w->switches) {
		*w = (struct watch){ t->pid, switches, now };
		return false;
	}
	return now - w->since > HUNG_TASK;
}

static void check_hung_tasks(void)
{
	for (struct task *t = tasks; t < tasks + MAX_TASKS; t++)
		if (is_hung(t, jiffies))
			panic("panic: hung task: %s, pid %d, is blocked for more than %d ticks",
			      t->comm, t->pid, HUNG_TASK);
}

/* The tick of each core. */
void watchdog_tick(struct cpu *c)
{
	if (is_softlockup(c, c->ticks))
		panic("panic: soft lockup: cpu %d is with %s, pid %d, for more than %d ticks",
		      c->id, c->current->comm, c->current->pid, SOFT_LOCKUP);
	if (c->id == 0 && jiffies % LOOK_EVERY == 0)
		check_hung_tasks();
}
