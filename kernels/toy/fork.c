// SPDX-License-Identifier: GPL-2.0-only
/* A process becomes two. */
#include <toy/defs.h>

long sys_getpid(void)
{
	return current()->pid;
}

/* The child has copies of memory, files and registers, and is told 0. */
long sys_fork(void)
{
	struct task *t, *parent = current();
	struct mm *mm;

	if (!parent->mm)
		return -EINVAL;
	mm = mm_copy(parent->mm);
	if (!mm)
		return -ENOMEM;
	t = task_alloc(parent->cpu, parent->comm, -1);
	if (!t) {
		mm_free(mm);
		return -EAGAIN;
	}
	t->mm = mm;
	t->cr3 = mm_cr3(mm);
	t->parent = parent;
	files_copy(&t->files, &parent->files);
	*task_pt_regs(t) = *task_pt_regs(parent);
	task_pt_regs(t)->ax = 0;
	task_start(t, ret_from_fork, NULL, NULL);
	return t->pid;
}
