// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readers take no lock, so whoever takes something out of a list may free it only
 * when all readers that may have found it are gone: after a grace period.
 *
 * A reader only turns preemption off. So a core that switches, is idle, or runs
 * user code has no reader: it is quiescent. A grace period begins, and when each
 * core has been quiescent since, it ends: who began to read before it began has
 * finished, and who began later cannot find what was taken out earlier.
 *
 * Grace periods have numbers: `started` of the last to begin, `completed` of the
 * last to end, at most one apart. A callback waits for the first that begins
 * after call_rcu(): started + 1. Each core notes in `seen` which had begun when
 * it was last quiescent, at switches and ticks, and looks whether it was the last
 * to be waited for. Nobody waits for an idle core: that it is idle is asked under
 * the lock of its run queue, so what it runs next sees all that came before.
 *
 * Callbacks stay on the core that asked, in order, and are run by its kworker.
 * Interrupt handlers must not be readers. This is the simplest RCU of Linux: like
 * kernel/rcu/tree.c without the tree, without CONFIG_PREEMPT_RCU.
 */
#include <toy/defs.h>

static struct {
	struct spinlock lock;		/* with interrupts off */
	u64 started, completed;
	u64 wanted;			/* the last that a callback waits for */
} rcu;

static struct rcu_data {
	u64 seen;
	struct rcu_head *first, **last;	/* with interrupts off */
	struct work work;
} __aligned(64) rcu_data[MAX_CPUS];

static bool is_quiescent(u32 cpu)
{
	struct cpu *c = &cpus[cpu];
	bool idle;

	if (READ_ONCE(rcu_data[cpu].seen) >= rcu.started)
		return true;
	raw_lock(&c->rq_lock);
	idle = c->current == c->idle;
	raw_unlock(&c->rq_lock);
	return idle;
}

static bool all_quiescent(void)
{
	for (u32 cpu = 0; cpu < cpus_online; cpu++)
		if (!is_quiescent(cpu))
			return false;
	return true;
}

/* Ends a grace period, and begins another if somebody wants it. */
static void rcu_advance(void)
{
	if (READ_ONCE(rcu.completed) == READ_ONCE(rcu.wanted))
		return;
	raw_lock(&rcu.lock);
	if (rcu.completed != rcu.started && all_quiescent())
		WRITE_ONCE(rcu.completed, rcu.started);
	if (rcu.completed == rcu.started && rcu.wanted > rcu.started)
		WRITE_ONCE(rcu.started, rcu.started + 1);
	raw_unlock(&rcu.lock);
}

static bool is_ready(const struct rcu_head *head)
{
	return head && head->gp <= READ_ONCE(rcu.completed);
}

static void rcu_check(struct rcu_data *d)
{
	rcu_advance();
	if (is_ready(d->first))
		queue_work_on(d - rcu_data, &d->work);
}

/* schedule(), with interrupts off: here is no reader. */
void rcu_note_context_switch(void)
{
	struct rcu_data *d = &rcu_data[this_cpu()->id];

	WRITE_ONCE(d->seen, READ_ONCE(rcu.started));
	rcu_check(d);
}

/* The tick has interrupted user code, or not. */
void rcu_tick(bool user)
{
	if (user)
		rcu_note_context_switch();
	else
		rcu_check(&rcu_data[this_cpu()->id]);
}

/* Without ticks an idle core must look after its callbacks, and not halt. */
bool rcu_needs_cpu(void)
{
	if (timer_period || !rcu_data[this_cpu()->id].first)
		return false;
	rcu_note_context_switch();
	return true;
}

/* fn(head) is called after a grace period, in a task, on this core. */
void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *))
{
	u64 flags = irq_save();
	struct rcu_data *d = &rcu_data[this_cpu()->id];

	head->next = NULL;
	head->fn = fn;
	raw_lock(&rcu.lock);
	head->gp = rcu.started + 1;
	WRITE_ONCE(rcu.wanted, head->gp);
	raw_unlock(&rcu.lock);
	*d->last = head;
	d->last = &head->next;
	irq_restore(flags);
}

static struct rcu_head *take_ready(struct rcu_data *d)
{
	u64 flags = irq_save();
	struct rcu_head *head = d->first;

	if (is_ready(head)) {
		d->first = head->next;
		if (!d->first)
			d->last = &d->first;
	} else {
		head = NULL;
	}
	irq_restore(flags);
	return head;
}

/* kworker, so always on the core whose callbacks they are. */
static void rcu_do_batch(struct work *w)
{
	struct rcu_data *d = container_of(w, struct rcu_data, work);
	struct rcu_head *head;

	while ((head = take_ready(d)))
		head->fn(head);
}

struct waiter {
	struct rcu_head head;
	struct completion done;
};

static void wakeme_after_rcu(struct rcu_head *head)
{
	complete(&container_of(head, struct waiter, head)->done);
}

/* Returns after a grace period. */
void synchronize_rcu(void)
{
	struct waiter w;

	completion_init(&w.done);
	call_rcu(&w.head, wakeme_after_rcu);
	wait_for_completion(&w.done);
}

/* All callbacks that were asked for before, on any core, have run. */
void rcu_barrier(void)
{
	synchronize_rcu();
	for (u32 cpu = 0; cpu < cpus_online; cpu++) {
		queue_work_on(cpu, &rcu_data[cpu].work);
		flush_cpu(cpu);
	}
}

void rcu_init(void)
{
	for (u32 cpu = 0; cpu < MAX_CPUS; cpu++) {
		rcu_data[cpu].last = &rcu_data[cpu].first;
		work_init(&rcu_data[cpu].work, rcu_do_batch);
	}
}
