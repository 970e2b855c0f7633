// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for one another, for time, and for readers. */
#include "selftest.h"

#define ROUNDS 50

static struct mutex mutex;
static u32 inside, sum;

static void add_alone(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		mutex_lock(&mutex);
		CHECK(inside++ == 0);
		yield();		/* a holder may */
		sum++;
		CHECK(--inside == 0);
		mutex_unlock(&mutex);
	}
}

void test_mutex(void)
{
	mutex_init(&mutex);
	CHECK(mutex_trylock(&mutex) && mutex.owner == current() && !mutex_trylock(&mutex));
	mutex_unlock(&mutex);
	sum = 0;
	run_on(0, add_alone);
	run_on_each(add_alone);
	CHECK(sum == ROUNDS * (cpus_online + 1) && !mutex.owner);
}

static struct completion completion;

static void complete_once(void)
{
	yield();
	complete(&completion);
}

void test_completion(void)
{
	completion_init(&completion);
	complete(&completion);
	wait_for_completion(&completion);	/* was done before */
	for (u32 cpu = 0; cpu < cpus_online; cpu++)
		run_on(cpu, complete_once);
	for (u32 cpu = 0; cpu < cpus_online; cpu++)
		wait_for_completion(&completion);
	CHECK(!completion.done);
	wait_all();
}

static struct timer timers[3];
static u32 expired;
static u64 last_expired;

/* Never early, and never one that was due later first. */
static void note(struct timer *t)
{
	CHECK(t->expires <= jiffies && t->expires >= last_expired);
	last_expired = t->expires;
	expired++;
}

static void wait_expired(u32 n)
{
	while (READ_ONCE(expired) != n)
		cpu_relax();
}

static void check_timers(void)
{
	u64 begin = jiffies;

	expired = last_expired = 0;
	for (int i = 0; i < 3; i++)
		timer_setup(&timers[i], note);
	preempt_disable();
	timer_add(&timers[0], 6);
	timer_add(&timers[1], 3);
	timer_add(&timers[2], 3);
	CHECK(timers[2].cpu == this_cpu()->id);
	preempt_enable();
	wait_expired(3);
	CHECK(jiffies - begin >= 6 && !timer_del(&timers[0]));

	timer_add(&timers[0], 1000000);
	CHECK(timer_mod(&timers[0], 2000000) && timer_del(&timers[0]) && !timer_del(&timers[0]));
	CHECK(!timer_mod(&timers[1], 1));
	wait_expired(4);
	timer_add(&timers[2], 1000000);
	CHECK(timers_waiting() == 1 && timer_del(&timers[2]) && timers_waiting() == 0);
}

/* One core after the other, as they share the timers. */
void test_timers(void)
{
	for (u32 cpu = 0; cpu < cpus_online; cpu++) {
		run_on(cpu, check_timers);
		wait_all();
	}
}

static void check_timeout(void)
{
	u64 begin = jiffies, nvcsw = current()->nvcsw;

	schedule_timeout_uninterruptible(3);
	CHECK(jiffies - begin >= 3 && current()->nvcsw > nvcsw);
	begin = jiffies;
	CHECK(sys_nanosleep(3 * timer_period) == 0 && jiffies - begin >= 3);
	begin = jiffies;			/* the tick that has begun does not count */
	CHECK(sys_nanosleep(3 * timer_period + 1) == 0 && jiffies - begin >= 5);
}

void test_timeout(void)
{
	run_on_each(check_timeout);
}

static u32 readers, readers_done, callbacks;

static void read_for_a_while(void)
{
	rcu_read_lock();
	atomic_inc(&readers);
	wait_ticks(3);
	atomic_inc(&readers_done);
	rcu_read_unlock();
}

/* Whoever was reading when it was called has finished when it returns. */
void test_rcu(void)
{
	for (int i = 0; i < 3; i++) {
		readers = readers_done = 0;
		for (u32 cpu = 0; cpu < cpus_online; cpu++)
			run_on(cpu, read_for_a_while);
		while (READ_ONCE(readers) != cpus_online)
			yield();
		synchronize_rcu();
		CHECK(readers_done == cpus_online);
		wait_all();
	}
}

static void called_back(struct rcu_head *head)
{
	CHECK(readers_done == cpus_online);
	head->gp = 0;
	atomic_inc(&callbacks);
}

static struct rcu_head heads[MAX_CPUS][4];

static void ask(void)
{
	for (int i = 0; i < 4; i++)
		call_rcu(&heads[this_cpu()->id][i], called_back);
}

void test_call_rcu(void)
{
	readers = readers_done = callbacks = 0;
	for (u32 cpu = 0; cpu < cpus_online; cpu++)
		run_on(cpu, read_for_a_while);
	while (READ_ONCE(readers) != cpus_online)
		yield();
	wait_all();
	run_on_each(ask);
	rcu_barrier();
	CHECK(callbacks == 4 * cpus_online && !heads[0][3].gp);
}

void test_watchdog(void)
{
	struct task *t = current();
	struct cpu c = { .switched = 5 };
	u64 now = jiffies + 1000000, flags;

	list_init(&c.queue);
	CHECK(!is_softlockup(&c, 1000000));		/* alone */
	list_add_tail(&t->run, &c.queue);
	CHECK(!is_softlockup(&c, 6) && is_softlockup(&c, 1000000));
	list_del(&t->run);

	flags = irq_save();		/* or the tick may look too, and now is to come */
	CHECK(!is_hung(t, now) && !is_hung(t, now + 1000000));	/* it runs */
	WRITE_ONCE(t->state, TASK_UNINTERRUPTIBLE);
	CHECK(is_hung(t, now + 2000000));
	t->nvcsw++;						/* it has run meanwhile */
	CHECK(!is_hung(t, now + 3000000) && !is_hung(t, now + 3000001));
	CHECK(is_hung(t, now + 4000000));
	WRITE_ONCE(t->state, TASK_RUNNING);
	CHECK(!is_hung(t, 0));
	irq_restore(flags);
}

void test_passes(void)
{
	CHECK(pass_leaf(8) == 46 && pass_step(7) == (46 ^ 7));
	CHECK(!passes_wanted());
}
