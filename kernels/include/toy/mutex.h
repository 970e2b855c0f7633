/* SPDX-License-Identifier: GPL-2.0-only */
/* To wait for one another by sleeping: see mutex.c and completion.c. */
#ifndef MUTEX_H
#define MUTEX_H

#include "task.h"

struct mutex {
	struct waitq wait;
	struct task *owner;		/* NULL: nobody holds it */
};

struct completion {
	struct waitq wait;
	u32 done;			/* times that nobody has waited for yet */
};

void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);

void completion_init(struct completion *c);
void complete(struct completion *c);
void wait_for_completion(struct completion *c);
void wait_for_completion_interruptible(struct completion *c);

#endif
