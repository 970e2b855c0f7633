/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A task is a stack and the right to a core; a cpu is a core and the tasks
 * that wait for it. A task never leaves the core it was created on. A process
 * is a task with memory of its own, for ring 3; a thread of the kernel has none.
 */
#ifndef TASK_H
#define TASK_H

#include "list.h"
#include "segments.h"
#include "spinlock.h"
#include "ring.h"
#include "vfs.h"

#define MAX_PER_CPU	8		/* threads a core may be given */
#define MAX_USERS	2		/* and processes, each with a child */
#define MAX_TASKS	128		/* with the idle tasks and what the kernel does itself */

enum task_state {
	TASK_UNUSED,
	TASK_RUNNING,			/* has a core or wants one */
	TASK_SLEEPING,			/* waits for wake_up() */
	TASK_UNINTERRUPTIBLE,		/* the same, but it will not be long */
	TASK_DEAD,			/* has ended, stack still in use */
	TASK_ZOMBIE,			/* its parent has not yet asked for exit_code */
};

struct mm;

struct task {
	u64 sp;				/* while it has no core; switch.S knows it is first */
	char comm[16];
	int pid;			/* 0: the idle task of a core */
	int cpu;
	bool is_kworker;		/* it sleeps until others have work for it */
	u64 stack, stack_end;		/* in the kernel: lowest byte, behind the last */

	/* the task itself; when it gets the core, cr3 is loaded */
	struct mm *mm;			/* NULL: a thread of the kernel */
	u64 cr3;			/* its page tables; 0: the kernel's */

	/* cpus[cpu].rq_lock */
	enum task_state state;
	int on_rq;			/* 1: has the core or is queued for it */
	struct list run;		/* in cpu.queue; a task that has the core is not */

	/* tasks_lock */
	struct task *parent;		/* NULL: nobody will wait for it */
	long exit_code;
	bool in_wait;			/* it sleeps until a child ends */

	/* the task itself, interrupts off */
	u64 nvcsw;			/* it gave up the core: slept, yielded, ended */
	u64 nivcsw;			/* the core was taken from it */

	/* the task itself */
	int preempt_count;		/* not 0: it must not lose the core */
	struct files files;
	char line[32];			/* what it read last, a string */
	struct ring ring;		/* for load.c */
	u32 leaf;			/* the next for leaf_walk() */

	/* the lock of the queue it sleeps in */
	struct list wait;
};

struct cpu {
	struct cpu *self;		/* %gs:0 */
	struct task *current;		/* %gs:8 */
	u64 kernel_sp;			/* %gs:CPU_KERNEL_SP, current's stack_end */
	u64 user_flags;			/* %gs:CPU_USER_FLAGS, for entry.S */
	u32 id;
	u32 apic_id;
	u32 online;			/* it set up all it needs */
	u32 running;			/* it has reached its first task */
	struct task *idle;
	struct task *prev;		/* who had the core before current */

	/* rq_lock, taken with interrupts off */
	struct spinlock rq_lock;
	struct list queue;

	/* this core, interrupts off; others may set need_resched */
	u32 need_resched;
	u64 ticks;
	u64 switched;			/* ticks at the last switch */
	u64 syncs;			/* sync-core interrupts taken */

	/* what the last read of /proc/cmdline on this core returned */
	long last_read;
	u32 loads;			/* tasks of load.c that have not ended */
	u64 turns;			/* of theirs, with those that just began */
	u64 alarms;			/* timers of theirs that have run */
	u64 not_found;			/* paths that were asked for and do not exist */
} __aligned(64);

_Static_assert(offsetof(struct task, sp) == 0, "switch.S");
_Static_assert(offsetof(struct cpu, kernel_sp) == CPU_KERNEL_SP, "entry.S");
_Static_assert(offsetof(struct cpu, user_flags) == CPU_USER_FLAGS, "entry.S");

extern struct cpu cpus[MAX_CPUS];
extern struct task tasks[MAX_TASKS];

/* A task does not migrate, so what these return stays true. */
static __always_inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	asm volatile("mov %%gs:%c1, %0" : "=r"(c) : "i"(offsetof(struct cpu, self)));
	return c;
}

static __always_inline struct task *current(void)
{
	struct task *t;

	asm volatile("mov %%gs:%c1, %0" : "=r"(t) : "i"(offsetof(struct cpu, current)));
	return t;
}

void preempt_schedule(void);

static __always_inline void preempt_disable(void)
{
	current()->preempt_count++;
	barrier();
}

static __always_inline void preempt_enable(void)
{
	barrier();
	if (!--current()->preempt_count && READ_ONCE(this_cpu()->need_resched))
		preempt_schedule();
}

/* Tasks that wait for something; see wait.c. */
struct waitq {
	struct spinlock lock;
	struct list sleepers;
};

#endif
