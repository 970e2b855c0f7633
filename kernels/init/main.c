// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of Linux: it mounts what the kernel shows of itself, runs
 * /script, and then reads commands from the console. It never exits, because
 * the kernel panics when it does. docs/linux.md has the language of scripts.
 *
 *	init: Linux 6.1.0-56-cloud-amd64 on 2 CPUs	mounted; the script begins
 *	init: script line 7: ...			what went wrong, and then
 *	init: script failed				it ends there, or at its end
 *	init: script done
 */
#include "init.h"

char **environment;

static struct script script;

static void mount(const char *type, const char *where, bool wanted)
{
	long error;

	SYS2(mkdir, where, 0755);
	error = SYS5(mount, type, where, type, 0, NULL);
	if (error < 0 && error != -EBUSY && wanted)	/* the kernel may have mounted it */
		fail_errno(where, error);
}

/* The kernel opens /dev/console for us if the initramfs has one. */
static void open_console(void)
{
	long fd = SYS3(open, "/dev/console", O_RDWR, 0);
	int i;

	if (fd < 0)
		return;
	for (i = 0; i < 3; i++)
		if (fd != i)
			SYS2(dup2, fd, i);
	if (fd > 2)
		SYS1(close, fd);
}

static void greet(void)
{
	struct new_utsname name;

	SYS1(uname, &name);
	cpus = count_cpus();
	put("init: Linux ");
	put(name.release);
	put(" on ");
	put_number(cpus);
	put(cpus == 1 ? " CPU\n" : " CPUs\n");
	flush();
}

static void run_script(void)
{
	long error = load_script(&script, "/script");
	int status;

	if (error == -ENOENT)
		return;
	if (error < 0)
		status = fail_errno("/script", error);
	else
		status = check_script(&script, 0, script.lines) ||
			 run_lines(&script, 0, script.lines);
	current_line = 0;
	put(status ? "init: script failed\n" : "init: script done\n");
	flush();
}

int main(int count, char **words, char **variables)
{
	static const struct timespec second = { 1, 0 };

	if (SYS0(getpid) != 1)
		SYS1(exit, count > 1 && same(words[1], "exit") ? 0 : 1);
	environment = variables;
	mount("devtmpfs", "/dev", true);
	open_console();
	mount("proc", "/proc", true);
	mount("sysfs", "/sys", true);
	mount("tracefs", "/sys/kernel/tracing", true);
	mount("debugfs", "/sys/kernel/debug", false);
	greet();
	run_script();
	for (;;) {
		do_prompt(0, NULL);
		SYS2(nanosleep, &second, NULL);		/* not busy if there is no console */
	}
}
