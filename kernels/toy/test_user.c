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

/* Until those have ended, too, that no parent waits for, and inodes are freed. */
static void settle(void)
{
	for (u32 i = 0; i < MAX_TASKS; i++)
		while (READ_ONCE(tasks[i].state) != TASK_UNUSED && !strcmp(tasks[i].comm, "usertest"))
			yield();
	rcu_barrier();
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
void test_user_ramfs(void) { check_program(8); }
void test_user_registers(void) { check_program(5); }
void test_wait(void) { check_program(4); }

/* In the order of user/fault.c. */
void test_user_faults(void)
{
	static const int vectors[] = {
		X86_TRAP_UD, X86_TRAP_BP, X86_TRAP_GP, X86_TRAP_DE, X86_TRAP_PF, X86_TRAP_PF,
		X86_TRAP_PF, X86_TRAP_PF, X86_TRAP_GP, X86_TRAP_GP, X86_TRAP_DB, X86_TRAP_PF,
	};
	u64 objects, pages;

	settle();
	objects = kmalloc_objects;
	pages = free_pages;
	show_unhandled_signals = false;	/* pids differ with the number of cores */
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++)
		CHECK(run_user("fault", i, 0) == EXIT_KILLED + vectors[i]);
	show_unhandled_signals = true;
	CHECK(kmalloc_objects == objects && free_pages == pages);
}

static bool is_page_of(u64 pte, const u8 *from, const u8 *to)
{
	return (pte & PTE_PA) >= virt_to_phys(from) && (pte & PTE_PA) < virt_to_phys(to);
}

/* One table each, the kernel's half as everywhere; text is the image's, data is not. */
static void check_mm(const struct mm *mm)
{
	u32 text = 0, data = 0;

	for (int level = 1; level < MM_LEVELS; level++)
		for (u32 i = 0; i < (level == 3 ? 256 : 512); i++)
			CHECK(mm->table[level][i] == (i != pt_index(USER_VA, level) ? 0 :
			      virt_to_phys(mm->table[level - 1]) | PTE_USER_TABLE));
	for (u32 i = 256; i < 512; i++)
		CHECK(mm->table[3][i] == kernel_pgd[i]);
	for (u32 i = 0; i < 512; i++) {
		u64 pte = mm->table[0][i];

		if (!pte)
			continue;
		if (is_page_of(pte, user_image, user_image + (user_text_end - user_text))) {
			CHECK((pte & ~PTE_PA) == PTE_USER_RX);
			text++;
		} else {
			CHECK((pte & ~PTE_PA) == PTE_USER_RW && (pte & PTE_PA) >= IMAGE_END_PA);
			data++;
		}
	}
	CHECK(text == (user_text_end - user_text) / PAGE_SIZE);
	CHECK(data == (user_data_end - user_data) / PAGE_SIZE + 1);
}

void test_user_tables(void)
{
	struct task *t;
	long code;

	preempt_disable();		/* it is on this core, so it has to wait */
	t = user_task_create("child", 3, this_cpu()->id);
	CHECK(t->cr3 == virt_to_phys(t->mm->table[3]));
	check_mm(t->mm);
	preempt_enable();
	CHECK(sys_wait(&code) == t->pid && code == 3);
}

/* With so many pages left; the exit code. */
static long run_with(u64 pages, long arg)
{
	struct task *t;
	long code;

	preempt_disable();
	t = user_task_create("usertest", arg, this_cpu()->id);
	min_free_pages = free_pages - pages;
	preempt_enable();
	CHECK(sys_wait(&code) == t->pid);
	min_free_pages = 0;
	return code;
}

/* It fails for want of a first page, of a second, and so on; nothing is lost. */
void test_no_memory(void)
{
	u64 objects, pages;

	settle();
	objects = kmalloc_objects;
	pages = free_pages;
	for (long arg = 6; arg <= 7; arg++)
		for (u64 n = 0; n < 12; n++) {
			long code = run_with(n, arg);

			CHECK(code == (n < 6 ? ENOMEM : 0));	/* 4 tables, data, stack */
			settle();
			CHECK(kmalloc_objects == objects && free_pages == pages);
		}
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

void test_storm(void)
{
	u64 objects, pages;

	settle();
	objects = kmalloc_objects;
	pages = free_pages;
	run_on_each(storm);
	settle();
	CHECK(kmalloc_objects == objects && free_pages == pages);
}
