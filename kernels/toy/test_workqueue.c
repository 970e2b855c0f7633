// SPDX-License-Identifier: GPL-2.0-only
/* Work is done where it was queued, in order, once, and may sleep. */
#include "selftest.h"

static struct work works[3];
static u32 order, ran_on, blocked;
static u64 slept;

static void ran(struct work *w)
{
	CHECK(this_cpu()->id == w->cpu && !w->pending);
	order = order * 10 + (w - works) + 1;
	ran_on = this_cpu()->id;
}

static void block(struct work *w)
{
	while (READ_ONCE(blocked))
		yield();
	ran(w);
}

static void nap(struct work *w)
{
	u64 begin = jiffies;

	(void)w;
	WRITE_ONCE(blocked, 0);
	schedule_timeout_uninterruptible(3);
	slept = jiffies - begin;
}

/* More work does not wake a worker that sleeps in the middle of some. */
static void check_nap(u32 cpu)
{
	blocked = 1;
	work_init(&works[0], nap);
	work_init(&works[1], ran);
	queue_work_on(cpu, &works[0]);
	while (READ_ONCE(blocked) || READ_ONCE(tasks[MAX_CPUS + cpu].on_rq))
		yield();		/* the workers are the first tasks */
	queue_work_on(cpu, &works[1]);
	flush_work(&works[1]);
	CHECK(slept >= 3);
}

void test_workqueue(void)
{
	u64 before = works_done();

	for (u32 cpu = 0; cpu < cpus_online; cpu++) {
		order = 0;
		blocked = 1;
		for (int i = 0; i < 3; i++)
			work_init(&works[i], i ? ran : block);
		CHECK(queue_work_on(cpu, &works[0]) && queue_work_on(cpu, &works[1]));
		CHECK(queue_work_on(cpu, &works[2]) && !queue_work_on(cpu, &works[1]));
		CHECK(order == 0);
		WRITE_ONCE(blocked, 0);
		flush_work(&works[2]);
		CHECK(order == 123 && ran_on == cpu);
		CHECK(queue_work_on(0, &works[1]));
		flush_work(&works[1]);
		CHECK(order == 1232 && ran_on == 0);
		check_nap(cpu);
	}
	CHECK(works_done() >= before + 4 * cpus_online);
}
