// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work that never ends, on every core, to be patched under. Each turn reads
 * /proc/cmdline and hands its checksum through a ring; now and then a task
 * looks at other files, yields, or sleeps until another has written to the pipe
 * of their core. The first task of a core never sleeps, and wakes the others.
 */
#include <toy/defs.h>

#define ROUNDS		16		/* reads for one open */
#define FOLDER		"/tmp/0"	/* of core 0; it makes files there */
#define RUN		5		/* leaves for one read */

u32 tasks_per_cpu, users_per_cpu;
static u32 turns;			/* of each task; 0: for ever */
static struct completion ended;

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

/*
 * A file of this task's own: made, written, read, removed. Who makes one holds
 * its folder's mutex, so each core has a folder: who waits for it waits for a
 * task of the same core, which is busy then.
 */
void scratch_turn(u64 number)
{
	char path[] = "/tmp/0/load-0", text[8];
	int fd;

	path[5] += this_cpu()->id;
	path[12] += number;
	fd = sys_creat(path);
	sys_write(fd, path, sizeof(path));
	sys_lseek(fd, 5);
	sys_read(fd, text, sizeof(text));
	sys_ftruncate(fd, 0);
	sys_close(fd);
	sys_unlink(path);
}

/* A file of all tasks: they wait for its mutex. */
void log_turn(void)
{
	char text[8];
	int fd = sys_open("/tmp/log");

	sys_write(fd, current()->comm, sizeof(text));
	sys_lseek(fd, 0);
	sys_read(fd, text, sizeof(text));
	sys_close(fd);
}

struct visit {
	struct work work;
	u32 visitor;
};

static void visit_fn(struct work *w)
{
	counter_add(container_of(w, struct visit, work)->visitor & 1);
}

/* Has the next core do something, and waits until it has. */
void visit_turn(void)
{
	struct visit v = { .visitor = this_cpu()->id };

	work_init(&v.work, visit_fn);
	queue_work_on((v.visitor + 1) % cpus_online, &v.work);
	flush_work(&v.work);
}

static void alarm_fn(struct timer *t)
{
	(void)t;
	this_cpu()->alarms++;
}

/* What a task does besides: some of it takes turns to be done, by the number of the turn. */
static void side_turn(u32 turn, u64 number, struct timer *alarm)
{
	char buf[NAME_SIZE] = "";

	switch (turn % 8) {
	case 1: timer_mod(alarm, 2); break;
	case 2: read_file("/proc/none", buf, sizeof(buf)); break;
	case 3: scratch_turn(number); break;
	case 4: write_file("/dev/counter", buf, 1); break;
	case 6: sys_readdir("/tmp", turn / 8 % 4, buf); break;
	}
	if (turn % 16 == 7)
		read_file("/proc/meminfo", buf, sizeof(buf));
	if (turn % 32 == 15)
		read_file("/proc/tasks", buf, sizeof(buf));
	if (turn % 32 == 31)
		read_file("/proc/timers", buf, sizeof(buf));
}

/* What takes time; the first task of a core has none, or the core might be idle. */
static void slow_turn(u32 turn)
{
	char buf[8];

	if (turn % 8 == 0)
		read_file("/dev/pipe", buf, 1);
	if (turn % 8 == 5)
		log_turn();
	if (turn % 16 == 9)
		visit_turn();
	if (turn % 32 == 17)
		sys_nanosleep(2 * (u64)timer_period);
	if (turn % 64 == 33)
		synchronize_rcu();
}

static void load_task(void *arg)
{
	u64 number = (u64)arg;
	struct cpu *c = this_cpu();
	struct timer alarm;
	char buf[32];

	timer_setup(&alarm, alarm_fn);
	/* The first goes on until the others have ended: it wakes those that read the pipe. */
	for (u32 turn = 1; !turns || turn <= turns || (!number && READ_ONCE(c->loads) > 1); turn++) {
		WRITE_ONCE(c->turns, c->turns + 1);
		load_turn();
		if (turn % 4 == 0)
			read_file("/proc/version", buf, sizeof(buf));
		if (turn % 8 == 0)
			read_file("/proc/stat", buf, sizeof(buf));
		side_turn(turn, number, &alarm);
		if (number)
			slow_turn(turn);
		else
			write_file("/dev/pipe", "x", 1);
		if (turn % 16 == 0)
			yield();
	}
	timer_del(&alarm);
	atomic_dec(&c->loads);
	complete(&ended);
}

static char *folder_of(u32 cpu, char *path)
{
	path[sizeof(FOLDER) - 2] += cpu;
	return path;
}

void load_start(void)
{
	completion_init(&ended);
	sys_close(sys_creat("/tmp/log"));
	for (u32 cpu = 0; cpu < cpus_online; cpu++)
		sys_mkdir(folder_of(cpu, (char[]){ FOLDER }));
	for (u32 cpu = 0; cpu < cpus_online; cpu++) {
		cpus[cpu].loads = tasks_per_cpu;
		for (u64 i = 0; i < tasks_per_cpu; i++)
			task_create(load_task, (void *)i, cpu, "load", i);
		for (u32 i = 0; i < users_per_cpu; i++)
			user_task_create("user", turns, cpu);
	}
}

/* Every core has begun with it. */
void load_wait_running(void)
{
	for (u32 cpu = 0; cpu < cpus_online; cpu++)
		while (!READ_ONCE(cpus[cpu].turns))
			yield();
}

/* turns=N: all tasks of the load end, and what they used is there again. */
void load_finish(u64 objects, u64 pages)
{
	long code;

	for (u32 i = 0; i < cpus_online * tasks_per_cpu; i++)
		wait_for_completion_interruptible(&ended);
	while (sys_wait(&code) > 0)
		;
	sys_unlink("/tmp/log");
	for (u32 cpu = 0; cpu < cpus_online; cpu++)
		sys_unlink(folder_of(cpu, (char[]){ FOLDER }));
	rcu_barrier();
	for (u32 cpu = 0; cpu < cpus_online; cpu++)
		flush_cpu(cpu);
	check_leaks(objects, pages);
	printk("load: done, nothing left behind\n");
	machine_exit(0);
}

void load_init(void)
{
	u64 n = cmdline_number("tasks", 3);
	u64 users = cmdline_number("users", 1);

	tasks_per_cpu = n < 1 ? 1 : n > MAX_PER_CPU ? MAX_PER_CPU : n;
	users_per_cpu = users > MAX_USERS ? MAX_USERS : users;
	turns = cmdline_number("turns", 0);
}
