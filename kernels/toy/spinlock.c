// SPDX-License-Identifier: GPL-2.0-only
/* A lock that also keeps its holder on the core; see spinlock.h. */
#include <toy/defs.h>

void spin_lock(struct spinlock *l)
{
	preempt_disable();
	raw_lock(l);
}

void spin_unlock(struct spinlock *l)
{
	raw_unlock(l);
	preempt_enable();
}
