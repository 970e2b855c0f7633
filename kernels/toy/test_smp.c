// SPDX-License-Identifier: GPL-2.0-only
/* Cores together. */
#include "selftest.h"

#define ROUNDS 200

static u32 seen[MAX_CPUS];
static struct spinlock lock;
static u32 locked_sum, atomic_sum;
static u64 syncs_before[MAX_CPUS];

static void check_in(void)
{
	seen[this_cpu()->id]++;
}

void test_online(void)
{
	CHECK(cpus_online == fwcfg_nr_cpus());
	run_on_each(check_in);
	for (u32 cpu = 0; cpu < MAX_CPUS; cpu++) {
		CHECK(seen[cpu] == (cpu < cpus_online));
		CHECK(cpus[cpu].online == (cpu < cpus_online));
		CHECK(cpu >= cpus_online || cpus[cpu].apic_id == cpu);
	}
	CHECK(cpus_running == cpus_online);
}

static void add_locked(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		spin_lock(&lock);
		u32 sum = READ_ONCE(locked_sum);

		cpu_relax();		/* time for others to come between */
		WRITE_ONCE(locked_sum, sum + 1);
		spin_unlock(&lock);
	}
}

void test_spinlock(void)
{
	run_on_each(add_locked);
	CHECK(locked_sum == ROUNDS * cpus_online);
}

static void add_atomic(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		atomic_inc(&atomic_sum);
		cpu_relax();
	}
}

void test_atomic(void)
{
	run_on_each(add_atomic);
	CHECK(atomic_sum == ROUNDS * cpus_online);
}

static void sync_others(void)
{
	for (int i = 0; i < 10; i++)
		sync_core_others();
}

/* One core after the other: one who asks at a time is the rule. */
void test_sync_core(void)
{
	for (u32 cpu = 0; cpu < cpus_online; cpu++)
		syncs_before[cpu] = cpus[cpu].syncs;
	for (u32 cpu = 0; cpu < cpus_online; cpu++) {
		run_on(cpu, sync_others);
		wait_all();
	}
	for (u32 cpu = 0; cpu < cpus_online; cpu++) {
		CHECK(cpus[cpu].syncs - syncs_before[cpu] == 10 * (cpus_online - 1));
		CHECK(!sync_core_pending[cpu]);
	}
	sync_core();			/* and on itself: it returns */
}
