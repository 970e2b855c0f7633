// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work that never ends, on every core, to be patched under. Each turn reads
 * /proc/cmdline and hands its checksum through a ring; now and then a task
 * looks at other files, yields, or sleeps until another has written to the pipe
 * of their core. The first task of a core never sleeps, and wakes the others.
 */
#include <toy/defs.h>

#define ROUNDS		8		/* reads for one open */
#define RUN		5		/* leaves for one read */

u32 tasks_per_cpu, users_per_cpu;

/* The file's text is in current->line afterwards, whatever the read says. */
long read_cmdline(int fd)
{
	char *line = current()->line;
	long n;

	sys_lseek(fd, 0);
	n = sys_read(fd, line, sizeof(current()->line) - 1);
	line[n > 0 && n < (long)sizeof(current()->line) ? n : 0] = 0;
	this_cpu()->last_read = n;
	return n;
}

/* Puts it in, takes it out; 1 if it is still the same. */
int pass_on(u16 sum)
{
	struct ring *r = &current()->ring;
	u16 got = 0;

	ring_write(r, &sum, sizeof(sum));
	ring_read(r, &got, sizeof(got));
	return got == sum;
}

/* The next few leaves; then functions that undo each other, so x comes out again. */
u32 mix(u32 x)
{
	struct task *t = current();

	leaf_walk(t->leaf, RUN, x);
	t->leaf = (t->leaf + RUN) % LEAVES;
	return arch_unmix(cross_page(cross_line(arch_mix(x))));
}

void load_turn(void)
{
	int fd = sys_open("/proc/cmdline");

	for (int i = 0; i < ROUNDS; i++) {
		const char *line = current()->line;

		read_cmdline(fd);
		mix(i);
		counter_add(pass_on(csum_fold(csum_partial(line, strlen(line), 0))));
	}
	sys_close(fd);
}

long read_file(const char *path, char *buf, size_t n)
{
	int fd = sys_open(path);
	long count = sys_read(fd, buf, n);

	sys_close(fd);
	return count;
}

long write_file(const char *path, const char *buf, size_t n)
{
	int fd = sys_open(path);
	long count = sys_write(fd, buf, n);

	sys_close(fd);
	return count;
}

static void load_task(void *arg)
{
	bool first = arg == NULL;
	char buf[32];

	for (u32 turn = 1;; turn++) {
		load_turn();
		if (turn % 4 == 0)
			read_file("/proc/version", buf, sizeof(buf));
		if (turn % 8 == 0)
			read_file("/proc/stat", buf, sizeof(buf));
		if (turn % 8 == 2)
			read_file("/proc/none", buf, sizeof(buf));
		if (turn % 8 == 4)
			write_file("/dev/counter", buf, 1);
		if (first)
			write_file("/dev/pipe", "x", 1);
		else if (turn % 8 == 0)
			read_file("/dev/pipe", buf, 1);
		if (turn % 16 == 0)
			yield();
	}
}

void load_start(void)
{
	for (u32 cpu = 0; cpu < cpus_online; cpu++) {
		for (u64 i = 0; i < tasks_per_cpu; i++)
			task_create(load_task, (void *)i, cpu, "load", i);
		for (u32 i = 0; i < users_per_cpu; i++)
			user_task_create("user", i, cpu);
	}
}

void load_init(void)
{
	u64 n = cmdline_number("tasks", 3);

	u64 users = cmdline_number("users", 1);

	tasks_per_cpu = n < 1 ? 1 : n > MAX_PER_CPU ? MAX_PER_CPU : n;
	users_per_cpu = users > MAX_USERS ? MAX_USERS : users;
}
