// SPDX-License-Identifier: GPL-2.0-only
/*
 * A lock whose holder may sleep, and whose waiters do. It has an owner, and
 * only the owner may release it: it hands it to the first that waits, so that
 * all get it in turn. The lock of the queue protects the owner.
 */
#include <toy/defs.h>

void mutex_init(struct mutex *m)
{
	wait_init(&m->wait);
	m->owner = NULL;
}

void mutex_lock(struct mutex *m)
{
	struct task *t = current();

	spin_lock(&m->wait.lock);
	if (m->owner == t)
		panic("panic: %s locks a mutex that it holds", t->comm);
	if (!m->owner)
		m->owner = t;
	while (m->owner != t)
		wait_block(&m->wait);
	spin_unlock(&m->wait.lock);
}

bool mutex_trylock(struct mutex *m)
{
	bool got;

	spin_lock(&m->wait.lock);
	got = !m->owner;
	if (got)
		m->owner = current();
	spin_unlock(&m->wait.lock);
	return got;
}

void mutex_unlock(struct mutex *m)
{
	if (m->owner != current())
		panic("panic: %s unlocks a mutex that it does not hold", current()->comm);
	spin_lock(&m->wait.lock);
	m->owner = wait_wake(&m->wait);
	spin_unlock(&m->wait.lock);
}
