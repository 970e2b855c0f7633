// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has the core. Each core has a queue and takes turns through it; a task
 * loses the core because it asks to (schedule) or because its time is up
 * (preempt). The two are counted apart, in nvcsw and nivcsw: whoever gave up the
 * core by itself is at a place it chose, whoever was preempted may be anywhere,
 * also in the middle of a trampoline.
 *
 * rq_lock protects the queue and the states of the core's tasks. It is held
 * across switch_to(): one task takes it, another releases it.
 */
#include <toy/defs.h>

u32 cpus_running;

/* A core has reached its first task that does something of its own: it can be patched under. */
static void mark_running(struct cpu *c)
{
	c->running = 1;
	atomic_inc(&cpus_running);
}

static struct task *pick_next(struct cpu *c)
{
	struct task *t;

	if (list_empty(&c->queue))
		return c->idle;
	t = list_entry(c->queue.next, struct task, run);
	list_del(&t->run);
	return t;
}

/* What every task does first when it got the core. */
void finish_switch(void)
{
	struct cpu *c = this_cpu();
	struct task *prev = c->prev;

	raw_unlock(&c->rq_lock);
	if (prev->state == TASK_DEAD)
		exit_notify(prev);
}

/*
 * Linux's tracepoint of this name (include/trace/events/sched.h): for whoever
 * watches from outside, see poke.h. prev_state is 0 if prev could go on.
 */
noinstr void trace_sched_switch(bool preempt, struct task *prev, struct task *next,
				unsigned int prev_state)
{
	asm volatile("" : : "r"(preempt), "r"(prev), "r"(next), "r"(prev_state));
}

/* Interrupts are off. */
static void switch_task(bool preempt)
{
	struct cpu *c = this_cpu();
	struct task *prev = c->current, *next;

	rcu_note_context_switch();
	raw_lock(&c->rq_lock);
	WRITE_ONCE(c->need_resched, 0);
	c->switched = c->ticks;
	if (!preempt && prev->state != TASK_RUNNING)
		prev->on_rq = 0;
	else if (prev != c->idle)
		list_add_tail(&prev->run, &c->queue);

	next = pick_next(c);
	if (next == prev) {
		raw_unlock(&c->rq_lock);
		return;
	}
	if (!c->running && next != c->idle && !next->is_kworker)
		mark_running(c);
	if (preempt)
		prev->nivcsw++;
	else
		prev->nvcsw++;
	trace_sched_switch(preempt, prev, next, prev->state == TASK_RUNNING ? 0 : prev->state);
	c->prev = prev;
	c->current = next;
	cpu_take(next);
	switch_to(prev, next);
	finish_switch();
}

/* Gives up the core: until woken if the state says so, else for one round. */
void schedule(void)
{
	u64 flags = irq_save();

	if (current()->preempt_count)
		panic("panic: %s schedules while atomic", current()->comm);
	switch_task(false);
	irq_restore(flags);
}

void yield(void)
{
	schedule();
}

/* A tick or a wakeup came while preemption was off, and now it is on. */
void preempt_schedule(void)
{
	if (!(read_flags() & X86_EFLAGS_IF))
		return;
	cli();
	if (this_cpu()->need_resched)
		switch_task(true);
	sti();
}

/* The end of each interrupt. */
void preempt_irq(void)
{
	if (this_cpu()->need_resched && !current()->preempt_count)
		switch_task(true);
}

/* The caller holds rq_lock. */
static void activate(struct cpu *c, struct task *t)
{
	t->on_rq = 1;
	list_add_tail(&t->run, &c->queue);
	if (c->current != c->idle)
		return;
	WRITE_ONCE(c->need_resched, 1);
	if (c != this_cpu())
		lapic_send(c->apic_id, RESCHEDULE_VECTOR);
}

void enqueue(struct task *t)
{
	struct cpu *c = &cpus[t->cpu];
	u64 flags = irq_save();

	raw_lock(&c->rq_lock);
	activate(c, t);
	raw_unlock(&c->rq_lock);
	irq_restore(flags);
}

/* A task that has not yet got as far as schedule() merely stays awake. */
void try_to_wake_up(struct task *t)
{
	struct cpu *c = &cpus[t->cpu];
	u64 flags = irq_save();

	raw_lock(&c->rq_lock);
	if (t->state == TASK_SLEEPING || t->state == TASK_UNINTERRUPTIBLE) {
		t->state = TASK_RUNNING;
		if (!t->on_rq)
			activate(c, t);
	}
	raw_unlock(&c->rq_lock);
	irq_restore(flags);
}
