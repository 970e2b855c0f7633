// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work for later, in a task: each core has a thread, kworker, that does what is
 * queued for the core, one after the other; what it does may sleep. Interrupts may
 * queue, so the lock is taken with interrupts off. What is queued already is not
 * queued again; what runs already is.
 */
#include <toy/defs.h>

static struct pool {
	struct spinlock lock;
	struct list works;
	struct task *worker;
	bool idle;			/* it sleeps for want of work, and for nothing else */
	u64 done;
} __aligned(64) pools[MAX_CPUS];

void work_init(struct work *w, void (*fn)(struct work *))
{
	list_init(&w->node);
	w->fn = fn;
	w->pending = 0;
	w->cpu = 0;
}

/* The caller holds the lock. */
static void insert_work(struct pool *p, struct work *w)
{
	list_add_tail(&w->node, &p->works);
	if (!p->idle)
		return;
	p->idle = false;
	try_to_wake_up(p->worker);
}

/*
 * False if it waits already, on whichever core. To ask under the lock makes it
 * true that what waits for this core is in the list: flush_cpu() relies on it.
 */
bool queue_work_on(u32 cpu, struct work *w)
{
	struct pool *p = &pools[cpu];
	u64 flags = raw_lock_irqsave(&p->lock);
	bool queued = !xchg(&w->pending, 1);

	if (queued) {
		w->cpu = cpu;
		insert_work(p, w);
	}
	raw_unlock_irqrestore(&p->lock, flags);
	return queued;
}

/* The first that waits; sleeps until there is one. */
static struct work *next_work(struct pool *p)
{
	u64 flags = raw_lock_irqsave(&p->lock);
	struct work *w;

	while (list_empty(&p->works)) {
		p->idle = true;
		WRITE_ONCE(current()->state, TASK_SLEEPING);
		raw_unlock(&p->lock);
		schedule();
		raw_lock(&p->lock);
	}
	w = list_entry(p->works.next, struct work, node);
	list_del(&w->node);
	raw_unlock_irqrestore(&p->lock, flags);
	return w;
}

/*
 * When fn begins, w may be queued again, and when it has ended, w may be gone. Who
 * is told that w waits already must find that fn sees what was written before: so
 * nothing that fn reads may be read before pending is 0 for all, which takes a
 * barrier (Linux, kernel/workqueue.c: set_work_pool_and_clear_pending).
 */
static void worker_thread(void *arg)
{
	struct pool *p = arg;

	for (;;) {
		struct work *w = next_work(p);

		xchg(&w->pending, 0);
		w->fn(w);
		p->done++;
	}
}

struct flush {
	struct work work;
	struct completion done;
};

static void flush_done(struct work *w)
{
	complete(&container_of(w, struct flush, work)->done);
}

/* What was queued for the core before is done when this returns. */
void flush_cpu(u32 cpu)
{
	struct flush f;

	work_init(&f.work, flush_done);
	completion_init(&f.done);
	queue_work_on(cpu, &f.work);
	wait_for_completion(&f.done);
}

void flush_work(struct work *w)
{
	flush_cpu(READ_ONCE(w->cpu));
}

/* Works ever done, by all cores. */
u64 works_done(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < cpus_online; i++)
		sum += READ_ONCE(pools[i].done);
	return sum;
}

static struct task *kworker_create(struct pool *p, u32 cpu)
{
	struct task *t = task_alloc(cpu, "kworker", cpu);

	t->is_kworker = true;
	task_start(t, task_begin, worker_thread, p);
	return t;
}

/* The other cores are there, and no task yet: their first will be kworker. */
void workqueue_init(void)
{
	for (u32 i = 0; i < cpus_online; i++) {
		list_init(&pools[i].works);
		pools[i].worker = kworker_create(&pools[i], i);
	}
}
