// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/pipe: a pipe for the tasks of each core. Who reads an empty one sleeps;
 * who writes to a full one is told 0.
 */
#include <toy/defs.h>

static struct pipe {
	struct waitq readers;		/* its lock protects the ring too */
	struct ring ring;
} pipes[MAX_CPUS];

long pipe_read(struct file *f, char *buf, size_t n)
{
	struct pipe *p = &pipes[this_cpu()->id];
	long count;

	(void)f;
	spin_lock(&p->readers.lock);
	while (!ring_count(&p->ring))
		wait_sleep(&p->readers);
	count = ring_read(&p->ring, buf, n);
	if (ring_count(&p->ring))	/* one write may be enough for several readers */
		wait_wake(&p->readers);
	spin_unlock(&p->readers.lock);
	return count;
}

long pipe_write(struct file *f, const char *buf, size_t n)
{
	struct pipe *p = &pipes[this_cpu()->id];
	long count;

	(void)f;
	spin_lock(&p->readers.lock);
	count = ring_write(&p->ring, buf, n);
	wait_wake(&p->readers);
	spin_unlock(&p->readers.lock);
	return count;
}

void pipe_init(void)
{
	for (u32 i = 0; i < MAX_CPUS; i++)
		wait_init(&pipes[i].readers);
}

const struct file_operations pipe_fops = {
	.read = pipe_read,
	.write = pipe_write,
};
