// SPDX-License-Identifier: GPL-2.0-only
/* Time and turns. Two tasks share core 0; init sleeps while they run. */
#include "selftest.h"

#define ROUNDS 100

static u32 ready, stop;
static u64 progress[2];

static void check_ticks(void)
{
	wait_ticks(3);
}

void test_ticks(void)
{
	run_on_each(check_ticks);
}

static void check_hlt(void)
{
	u64 before;

	preempt_disable();
	before = this_cpu()->ticks;
	while (READ_ONCE(this_cpu()->ticks) == before)
		safe_halt();
	preempt_enable();
}

void test_hlt(void)
{
	run_on_each(check_hlt);
}

/* The other one is there too. */
static void meet(void)
{
	atomic_inc(&ready);
	while (READ_ONCE(ready) < 2)
		yield();
}

static void check_yield(void)
{
	u64 before;

	meet();
	before = current()->nvcsw;
	for (int i = 0; i < ROUNDS; i++)
		yield();
	CHECK(current()->nvcsw - before > ROUNDS / 2);
}

void test_yield(void)
{
	ready = 0;
	run_on(0, check_yield);
	run_on(0, check_yield);
	wait_all();
}

/* Neither asks for the other to run, yet both get on. */
static void spin(u32 me)
{
	u64 nvcsw, nivcsw, other;

	meet();
	nvcsw = current()->nvcsw;
	nivcsw = current()->nivcsw;
	other = READ_ONCE(progress[!me]);
	while (READ_ONCE(current()->nivcsw) < nivcsw + 3 || READ_ONCE(progress[!me]) == other)
		WRITE_ONCE(progress[me], progress[me] + 1);
	CHECK(current()->nvcsw == nvcsw);
	atomic_inc(&stop);
	while (READ_ONCE(stop) < 2)
		WRITE_ONCE(progress[me], progress[me] + 1);
}

static void spin0(void) { spin(0); }
static void spin1(void) { spin(1); }

void test_preemption(void)
{
	ready = stop = 0;
	run_on(0, spin0);
	run_on(0, spin1);
	wait_all();
}

static void busy(void)
{
	meet();
	while (!READ_ONCE(stop))
		WRITE_ONCE(progress[0], progress[0] + 1);
}

static void check_preempt_off(void)
{
	u64 before, nivcsw;

	meet();
	while (!READ_ONCE(progress[0]))
		yield();
	preempt_disable();
	before = progress[0];
	nivcsw = current()->nivcsw;
	wait_ticks(3);
	CHECK(READ_ONCE(progress[0]) == before && current()->nivcsw == nivcsw);
	preempt_enable();
	CHECK(current()->nivcsw > nivcsw);	/* at once */
	while (READ_ONCE(progress[0]) == before)
		cpu_relax();
	WRITE_ONCE(stop, 1);
}

void test_preempt_off(void)
{
	ready = stop = 0;
	progress[0] = 0;
	run_on(0, busy);
	run_on(0, check_preempt_off);
	wait_all();
}

/* A ball between the first core and the last. */
static struct waitq court;
static u32 ball;

static void play(u32 me)
{
	u64 nvcsw = current()->nvcsw;

	spin_lock(&court.lock);
	for (int i = 0; i < ROUNDS; i++) {
		while (ball != me)
			wait_sleep(&court);
		ball = !me;
		wait_wake(&court);
	}
	spin_unlock(&court.lock);
	CHECK(me == 0 || current()->nvcsw > nvcsw);
}

static void play0(void) { play(0); }
static void play1(void) { play(1); }

void test_sleep(void)
{
	wait_init(&court);
	run_on(0, play0);
	run_on(cpus_online - 1, play1);
	wait_all();
}

static void nothing(void)
{
}

void test_exit(void)
{
	for (int i = 0; i < 2 * MAX_TASKS; i++) {
		run_on(i % cpus_online, nothing);
		wait_all();
	}
}
