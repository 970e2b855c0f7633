/* SPDX-License-Identifier: GPL-2.0-only */
/* Something for a thread to do: see workqueue.c. */
#ifndef WORKQUEUE_H
#define WORKQUEUE_H

#include "list.h"

struct work {
	struct list node;
	void (*fn)(struct work *w);
	u32 pending;			/* 1: it waits to be done */
	u32 cpu;			/* by whose kworker, lately */
};

void workqueue_init(void);
void work_init(struct work *w, void (*fn)(struct work *));
bool queue_work_on(u32 cpu, struct work *w);
void flush_cpu(u32 cpu);
void flush_work(struct work *w);
u64 works_done(void);

#endif
