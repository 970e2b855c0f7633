// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is to happen at a tick to come. Each core has its timers in a list, the
 * next one first, and its tick runs those that are due, with interrupts off. The
 * time is jiffies: ticks of core 0. With tick=0 there is no time: a sleep is a
 * yield, and a timer never runs.
 */
#include <toy/defs.h>

u64 jiffies;

static struct timer_base {
	struct spinlock lock;		/* with interrupts off */
	struct list timers;
	struct timer *running;
} __aligned(64) bases[MAX_CPUS];

void timers_init(void)
{
	for (u32 i = 0; i < MAX_CPUS; i++)
		list_init(&bases[i].timers);
}

void timer_setup(struct timer *t, void (*fn)(struct timer *))
{
	list_init(&t->node);
	t->fn = fn;
	t->cpu = 0;
}

/* Behind all that are due at the same time or earlier. */
static void enqueue_timer(struct timer_base *b, struct timer *t)
{
	struct list *p = b->timers.prev;

	while (p != &b->timers && list_entry(p, struct timer, node)->expires > t->expires)
		p = p->prev;
	list_add_tail(&t->node, p->next);
}

/* In so many ticks, on this core. It must not be waiting. */
void timer_add(struct timer *t, u64 ticks)
{
	u64 flags = irq_save();
	struct timer_base *b = &bases[this_cpu()->id];

	raw_lock(&b->lock);
	t->cpu = this_cpu()->id;
	t->expires = READ_ONCE(jiffies) + ticks;
	enqueue_timer(b, t);
	raw_unlock_irqrestore(&b->lock, flags);
}

/* True if it was waiting. When this returns it does not run either: not for its own fn. */
bool timer_del(struct timer *t)
{
	struct timer_base *b = &bases[t->cpu];
	u64 flags = raw_lock_irqsave(&b->lock);
	bool waiting = !list_empty(&t->node);

	if (waiting)
		list_del(&t->node);
	while (b->running == t) {
		raw_unlock_irqrestore(&b->lock, flags);
		cpu_relax();
		flags = raw_lock_irqsave(&b->lock);
	}
	raw_unlock_irqrestore(&b->lock, flags);
	return waiting;
}

/* Another time for it, waiting or not; true if it was waiting. */
bool timer_mod(struct timer *t, u64 ticks)
{
	bool waiting = timer_del(t);

	timer_add(t, ticks);
	return waiting;
}

/* The tick of each core. */
void run_timers(void)
{
	struct timer_base *b = &bases[this_cpu()->id];

	raw_lock(&b->lock);
	while (!list_empty(&b->timers)) {
		struct timer *t = list_entry(b->timers.next, struct timer, node);

		if (t->expires > READ_ONCE(jiffies))
			break;
		list_del(&t->node);
		b->running = t;
		raw_unlock(&b->lock);
		t->fn(t);
		raw_lock(&b->lock);
		b->running = NULL;
	}
	raw_unlock(&b->lock);
}

/* Timers that wait, on all cores. */
u32 timers_waiting(void)
{
	u32 n = 0;

	for (u32 i = 0; i < cpus_online; i++) {
		u64 flags = raw_lock_irqsave(&bases[i].lock);

		for (struct list *p = bases[i].timers.next; p != &bases[i].timers; p = p->next)
			n++;
		raw_unlock_irqrestore(&bases[i].lock, flags);
	}
	return n;
}

struct sleeper {
	struct timer timer;
	struct task *task;
};

static void wake_sleeper(struct timer *t)
{
	try_to_wake_up(container_of(t, struct sleeper, timer)->task);
}

/* Until somebody wakes it, or it is time; the caller has set the state. */
void schedule_timeout(u64 ticks)
{
	struct sleeper s = { .task = current() };

	if (!timer_period) {
		WRITE_ONCE(s.task->state, TASK_RUNNING);
		yield();
		return;
	}
	timer_setup(&s.timer, wake_sleeper);
	timer_add(&s.timer, ticks);
	schedule();
	timer_del(&s.timer);
}

/* At least so many whole ticks. */
void schedule_timeout_uninterruptible(u64 ticks)
{
	WRITE_ONCE(current()->state, TASK_UNINTERRUPTIBLE);
	schedule_timeout(ticks + 1);
}

/* At least so many nanoseconds: whole ticks, and one more, for the first is not whole. */
long sys_nanosleep(u64 ns)
{
	WRITE_ONCE(current()->state, TASK_SLEEPING);
	schedule_timeout(timer_period ? ns / timer_period + !!(ns % timer_period) + 1 : 0);
	return 0;
}
