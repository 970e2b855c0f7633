// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs. All are in the one flat program that kernel.ld puts into the image,
 * so to execute another is to begin anew, at another function, with fresh data.
 */
#include <toy/defs.h>
#include "user/programs.h"

static const struct program {
	const char *name;
	int (*main)(long arg);		/* an address of ring 3 */
} programs[] = {
	{ "user", user_main },
	{ "child", child_main },
	{ "usertest", usertest_main },
	{ "fault", fault_main },
};

static const struct program *find_program(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(programs); i++)
		if (!strcmp(programs[i].name, name))
			return &programs[i];
	return NULL;
}

static bool add_data(struct mm *mm)
{
	for (const u8 *va = user_data; va < user_data_end; va += PAGE_SIZE) {
		void *page = mm_add_page(mm, (u64)va);

		if (!page)
			return false;
		memcpy64(page, (u64 *)(user_image + (va - user_text)), PAGE_SIZE / 8);
	}
	return true;
}

/* Text, data as it was linked, an empty stack; NULL if there is no memory. */
struct mm *exec_mm(void)
{
	struct mm *mm = mm_alloc();

	if (!mm)
		return NULL;
	for (const u8 *va = user_text; va < user_text_end; va += PAGE_SIZE)
		*mm_pte(mm, (u64)va) = virt_to_phys(user_image + (va - user_text)) | PTE_USER_RX;
	if (add_data(mm) && mm_add_page(mm, USER_END_VA - PAGE_SIZE))
		return mm;
	mm_free(mm);
	return NULL;
}

/* As user_start of user/crt.S wants them. */
static void exec_regs(struct pt_regs *regs, const struct program *program, long arg)
{
	*regs = (struct pt_regs){
		.ip = (u64)user_start,
		.cs = USER_CS,
		.flags = X86_EFLAGS_IF | X86_EFLAGS_FIXED,
		.sp = USER_END_VA,
		.ss = USER_DS,
		.di = (u64)program->main,
		.si = arg,
	};
}

/* A process, the child of whoever calls this; it exits with what main returns. */
struct task *user_task_create(const char *name, long arg, u32 cpu)
{
	const struct program *program = find_program(name);
	struct task *t = task_alloc(cpu, name, -1);
	struct mm *mm = exec_mm();

	if (!program || !t || !mm)
		panic("panic: no process for %s", name);
	t->mm = mm;
	t->cr3 = mm_cr3(mm);
	t->parent = current();
	exec_regs(task_pt_regs(t), program, arg);
	task_start(t, ret_from_fork, NULL, NULL);
	return t;
}

/* Replaces the memory of the current process; files stay. Returns to main(). */
long sys_exec(const char *name, long arg)
{
	const struct program *program = find_program(name);
	struct task *t = current();
	struct mm *mm;

	if (!program)
		return -ENOENT;
	mm = exec_mm();
	if (!mm)
		return -ENOMEM;
	exec_regs(task_pt_regs(t), program, arg);	/* first: its old stack goes */
	mm_switch(mm);
	strscpy(t->comm, name, sizeof(t->comm));
	return 0;
}
