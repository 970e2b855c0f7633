// SPDX-License-Identifier: GPL-2.0-only
/*
 * How tasks end, and how their parents hear of it. An ending task gives back all
 * but its stack, on which it still runs, and is TASK_DEAD. The next task of that
 * core calls exit_notify(): only then may the stack be used again.
 */
#include <toy/defs.h>

/* Children that live go on alone; those that wait to be asked are asked no more. */
static void forget_children(struct task *parent)
{
	u64 flags = raw_lock_irqsave(&tasks_lock);

	for (struct task *t = tasks; t < tasks + MAX_TASKS; t++) {
		if (t->state == TASK_UNUSED || t->parent != parent)
			continue;
		t->parent = NULL;
		if (t->state == TASK_ZOMBIE)
			WRITE_ONCE(t->state, TASK_UNUSED);
	}
	raw_unlock_irqrestore(&tasks_lock, flags);
}

void do_exit(long code)
{
	struct task *t = current();

	files_close();
	mm_switch(NULL);
	forget_children(t);
	cli();				/* once dead, it must not be preempted */
	t->exit_code = code;
	WRITE_ONCE(t->state, TASK_DEAD);
	schedule();
	panic("panic: a dead task runs");
}

/* Interrupts are off, no lock is held, and t has left its stack. */
void exit_notify(struct task *t)
{
	struct task *parent;

	raw_lock(&tasks_lock);
	parent = t->parent;
	WRITE_ONCE(t->state, parent ? TASK_ZOMBIE : TASK_UNUSED);
	if (parent && parent->in_wait) {
		parent->in_wait = false;
		try_to_wake_up(parent);
	}
	raw_unlock(&tasks_lock);
}

long sys_exit(long code)
{
	do_exit(code);
}

/* The pid of a child that has ended, and its code; -ECHILD; or NULL: not yet. */
static long reap_child(struct task *parent, long *code)
{
	long pid = -ECHILD;

	for (struct task *t = tasks; t < tasks + MAX_TASKS; t++) {
		if (t->state == TASK_UNUSED || t->parent != parent)
			continue;
		if (t->state == TASK_ZOMBIE) {
			*code = t->exit_code;
			WRITE_ONCE(t->state, TASK_UNUSED);
			return t->pid;
		}
		pid = 0;
	}
	return pid;
}

/* Waits until a child ends. */
long sys_wait(long *code)
{
	struct task *t = current();
	u64 flags = raw_lock_irqsave(&tasks_lock);
	long pid;

	while (!(pid = reap_child(t, code))) {
		t->in_wait = true;
		WRITE_ONCE(t->state, TASK_SLEEPING);
		raw_unlock(&tasks_lock);
		schedule();
		raw_lock(&tasks_lock);
	}
	raw_unlock_irqrestore(&tasks_lock, flags);
	return pid;
}
