// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleeping until something has happened. The lock of the queue also protects
 * what is waited for:
 *
 *	spin_lock(&q->lock);
 *	while (!happened)
 *		wait_sleep(q);
 *	...
 *	spin_unlock(&q->lock);
 *
 * No wakeup is lost: who makes it happen holds the lock too, so it comes either
 * before the test or after the task is in the queue.
 */
#include <toy/defs.h>

void wait_init(struct waitq *q)
{
	q->lock.locked = 0;
	list_init(&q->sleepers);
}

/* Lets go of the lock meanwhile. */
static void wait_in(struct waitq *q, enum task_state state)
{
	struct task *t = current();

	list_add_tail(&t->wait, &q->sleepers);
	WRITE_ONCE(t->state, state);
	spin_unlock(&q->lock);
	schedule();
	spin_lock(&q->lock);
}

/* For something that may never happen. */
void wait_sleep(struct waitq *q)
{
	wait_in(q, TASK_SLEEPING);
}

/* For something that will happen soon: the watchdog minds if it does not. */
void wait_block(struct waitq *q)
{
	wait_in(q, TASK_UNINTERRUPTIBLE);
}

/* Wakes the first of them and returns it, or NULL. The caller holds the lock. */
struct task *wait_wake(struct waitq *q)
{
	struct task *t;

	if (list_empty(&q->sleepers))
		return NULL;
	t = list_entry(q->sleepers.next, struct task, wait);
	list_del(&t->wait);
	try_to_wake_up(t);
	return t;
}
