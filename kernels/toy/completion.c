// SPDX-License-Identifier: GPL-2.0-only
/* One task waits until others have said often enough that something is done. */
#include <toy/defs.h>

void completion_init(struct completion *c)
{
	wait_init(&c->wait);
	c->done = 0;
}

void complete(struct completion *c)
{
	spin_lock(&c->wait.lock);
	c->done++;
	wait_wake(&c->wait);
	spin_unlock(&c->wait.lock);
}

static void wait_common(struct completion *c, void (*wait)(struct waitq *))
{
	spin_lock(&c->wait.lock);
	while (!c->done)
		wait(&c->wait);
	c->done--;
	spin_unlock(&c->wait.lock);
}

/* Takes one of them. c may be gone as soon as this returns: complete() is over. */
void wait_for_completion(struct completion *c)
{
	wait_common(c, wait_block);
}

/* The same, for what may take any time. */
void wait_for_completion_interruptible(struct completion *c)
{
	wait_common(c, wait_sleep);
}
