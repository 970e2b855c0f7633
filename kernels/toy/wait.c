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
	list_init(&q->sleepers);
}

/* Lets go of the lock while it sleeps. */
void wait_sleep(struct waitq *q)
{
	struct task *t = current();

	list_add_tail(&t->wait, &q->sleepers);
	WRITE_ONCE(t->state, TASK_SLEEPING);
	spin_unlock(&q->lock);
	schedule();
	spin_lock(&q->lock);
}

/* Wakes one of them. The caller holds the lock. */
void wait_wake(struct waitq *q)
{
	struct task *t;

	if (list_empty(&q->sleepers))
		return;
	t = list_entry(q->sleepers.next, struct task, wait);
	list_del(&t->wait);
	try_to_wake_up(t);
}
