// SPDX-License-Identifier: GPL-2.0-only
/* How tasks come and go. */
#include <toy/defs.h>

struct task tasks[MAX_TASKS];		/* the first MAX_CPUS are the idle tasks */
u8 stacks[MAX_TASKS][STACK_SIZE] __aligned(PAGE_SIZE);

static struct spinlock tasks_lock;
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
	return &tasks[cpu];
}

static struct task *task_alloc(u32 cpu, const char *comm, int index)
{
	struct task *t = tasks + MAX_CPUS;

	spin_lock(&tasks_lock);
	while (READ_ONCE(t->state) != TASK_UNUSED)
		if (++t == tasks + MAX_TASKS)
			panic("panic: too many tasks");
	task_init(t, cpu, comm, index);
	t->pid = ++last_pid;
	spin_unlock(&tasks_lock);
	return t;
}

/* A thread of the kernel, bound to one core. It ends when fn returns. */
struct task *task_create(void (*fn)(void *), void *arg, u32 cpu, const char *comm, int index)
{
	struct task *t = task_alloc(cpu, comm, index);
	u64 *sp = stack_end(t);

	/* What switch_to() will take: rip, rbp, rbx, r12, r13, r14, r15. */
	*--sp = 0;
	*--sp = (u64)task_begin;
	*--sp = 0;
	*--sp = (u64)fn;
	*--sp = (u64)arg;
	sp -= 3;
	sp[0] = sp[1] = sp[2] = 0;
	t->sp = (u64)sp;
	enqueue(t);
	return t;
}

/* The next task of this core frees what is left; see finish_switch(). */
void task_exit(void)
{
	cli();				/* once dead, it must not be preempted */
	current()->state = TASK_DEAD;
	schedule();
	panic("panic: a dead task runs");
}
