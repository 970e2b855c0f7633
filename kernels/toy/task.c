// SPDX-License-Identifier: GPL-2.0-only
/* How tasks come and go. */
#include <toy/defs.h>

struct task tasks[MAX_TASKS];		/* the first MAX_CPUS are the idle tasks */
u8 stacks[MAX_TASKS][STACK_SIZE] __aligned(PAGE_SIZE);

struct spinlock tasks_lock;		/* who there is; taken with interrupts off */
static int last_pid;

void *stack_end(struct task *t)
{
	return stacks[t - tasks] + STACK_SIZE;
}

/* Its name is comm/index, or comm if index is negative. */
static void task_init(struct task *t, u32 cpu, const char *comm, int index)
{
	size_t n;

	memset(t, 0, sizeof(*t));
	t->state = TASK_RUNNING;
	t->cpu = cpu;
	t->stack = (u64)stacks[t - tasks];
	t->stack_end = (u64)stack_end(t);
	list_init(&t->run);
	list_init(&t->wait);
	strscpy(t->comm, comm, sizeof(t->comm) - 2);
	if (index < 0)
		return;
	n = strlen(t->comm);
	t->comm[n] = '/';
	t->comm[n + 1] = '0' + index % 10;
}

/* The idle task of a core is what the core does when it comes up. */
struct task *idle_init(u32 cpu)
{
	task_init(&tasks[cpu], cpu, "swapper", cpu);
	tasks[cpu].on_rq = 1;		/* it never blocks */
	return &tasks[cpu];
}

/* It does not run yet; NULL if there are too many. */
struct task *task_alloc(u32 cpu, const char *comm, int index)
{
	u64 flags = raw_lock_irqsave(&tasks_lock);
	struct task *t = tasks + MAX_CPUS;

	while (t < tasks + MAX_TASKS && t->state != TASK_UNUSED)
		t++;
	if (t < tasks + MAX_TASKS) {
		task_init(t, cpu, comm, index);
		t->pid = ++last_pid;
	} else {
		t = NULL;
	}
	raw_unlock_irqrestore(&tasks_lock, flags);
	return t;
}

/* The registers of a process, at the beginning of its stack while it is in the kernel. */
struct pt_regs *task_pt_regs(struct task *t)
{
	return (struct pt_regs *)t->stack_end - 1;
}

/*
 * Lets it run: at begin, which finds fn in rbx and arg in r12, with the stack
 * empty but for task_pt_regs(). That is what switch_to() takes: rip, and above it
 * nobody who called; below it rbp, rbx, r12, r13, r14, r15.
 */
void task_start(struct task *t, void (*begin)(void), void (*fn)(void *), void *arg)
{
	u64 *sp = (u64 *)task_pt_regs(t);

	*--sp = (u64)begin;
	*--sp = 0;
	*--sp = (u64)fn;
	*--sp = (u64)arg;
	sp -= 3;
	sp[0] = sp[1] = sp[2] = 0;
	t->sp = (u64)sp;
	enqueue(t);
}

/* A thread of the kernel, bound to one core. It ends when fn returns. */
struct task *task_create(void (*fn)(void *), void *arg, u32 cpu, const char *comm, int index)
{
	struct task *t = task_alloc(cpu, comm, index);

	if (!t)
		panic("panic: too many tasks");
	task_start(t, task_begin, fn, arg);
	return t;
}
