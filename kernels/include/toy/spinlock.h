/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two ways to take the same lock.
 *
 * raw_*: the word and nothing else. For code that has interrupts off already:
 * the run queues, the console; or that turns them off (_irqsave), because an
 * interrupt may take the same lock.
 * spin_*: also keeps the holder from being preempted, so that nobody on the
 * same core spins for a holder that cannot run. Interrupts stay on, so an
 * interrupt handler must never take a lock that is used in this way.
 */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include "x86.h"

struct spinlock {
	u32 locked;
};

static __always_inline void raw_lock(struct spinlock *l)
{
	while (xchg(&l->locked, 1))
		while (READ_ONCE(l->locked))
			cpu_relax();
}

static __always_inline void raw_unlock(struct spinlock *l)
{
	barrier();
	WRITE_ONCE(l->locked, 0);
}

static __always_inline u64 raw_lock_irqsave(struct spinlock *l)
{
	u64 flags = irq_save();

	raw_lock(l);
	return flags;
}

static __always_inline void raw_unlock_irqrestore(struct spinlock *l, u64 flags)
{
	raw_unlock(l);
	irq_restore(flags);
}

void spin_lock(struct spinlock *l);
void spin_unlock(struct spinlock *l);

#endif
