// SPDX-License-Identifier: GPL-2.0-only
/* Processes, seen from the kernel. What they see is in user/usertest.c. */
#include "selftest.h"

/* Executes a program there and returns its exit code. */
static long run_user(const char *program, long arg, u32 cpu)
{
	struct task *t = user_task_create(program, arg, cpu);
	long pid = t->pid, code;

	CHECK(sys_wait(&code) == pid);
	return code;
}

static void check_program(long arg)
{
	long line = run_user("usertest", arg, cpus_online - 1);

	if (line)
		panic("selftest: usertest %d ends with %d", (int)arg, (int)line);
}

void test_user_files(void) { check_program(0); }
void test_user_pointers(void) { check_program(1); }
void test_fork(void) { check_program(2); }
void test_exec(void) { check_program(3); }
void test_wait(void) { check_program(4); }
void test_user_registers(void) { check_program(5); }

/* In the order of user/fault.c. */
void test_user_faults(void)
{
	static const int vectors[] = {
		X86_TRAP_UD, X86_TRAP_BP, X86_TRAP_GP, X86_TRAP_DE, X86_TRAP_PF, X86_TRAP_PF,
		X86_TRAP_PF, X86_TRAP_PF, X86_TRAP_GP, X86_TRAP_GP, X86_TRAP_DB, X86_TRAP_PF,
	};
	u64 objects = kmalloc_objects, pages = free_pages;

	show_unhandled_signals = false;	/* pids differ with the number of cores */
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++)
		CHECK(run_user("fault", i, 0) == EXIT_KILLED + vectors[i]);
	show_unhandled_signals = true;
	CHECK(kmalloc_objects == objects && free_pages == pages);
}

static void storm(void)
{
	u32 cpu = this_cpu()->id;

	for (int i = 0; i < 5; i++) {
		CHECK(run_user("usertest", 4, cpu) == 0);
		CHECK(run_user("usertest", 3, cpu) == 0);
		CHECK(run_user("child", i, cpu) == i);
	}
}

/* Until those have ended, too, that no parent waits for. */
static void wait_for_orphans(void)
{
	for (u32 i = 0; i < MAX_TASKS; i++)
		while (READ_ONCE(tasks[i].state) != TASK_UNUSED && !strcmp(tasks[i].comm, "usertest"))
			yield();
}

void test_storm(void)
{
	u64 objects, pages;

	wait_for_orphans();
	objects = kmalloc_objects;
	pages = free_pages;
	run_on_each(storm);
	wait_for_orphans();
	CHECK(kmalloc_objects == objects && free_pages == pages);
}
