/* SPDX-License-Identifier: GPL-2.0-only */
/* Something to do at a tick to come: see timer.c. */
#ifndef TIMER_H
#define TIMER_H

#include "list.h"

struct timer {
	struct list node;		/* in the list of its core, or in none */
	u64 expires;			/* jiffies */
	void (*fn)(struct timer *t);	/* called by an interrupt */
	u32 cpu;
};

extern u64 jiffies;

void timers_init(void);
void timer_setup(struct timer *t, void (*fn)(struct timer *));
void timer_add(struct timer *t, u64 ticks);
bool timer_del(struct timer *t);
bool timer_mod(struct timer *t, u64 ticks);
void run_timers(void);
u32 timers_waiting(void);
void schedule_timeout(u64 ticks);
void schedule_timeout_uninterruptible(u64 ticks);
long sys_nanosleep(u64 ns);

#endif
