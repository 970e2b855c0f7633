// SPDX-License-Identifier: GPL-2.0-only
/* Work for the kernel: nothing is shown, and nothing is kept. */
#include "init.h"

static int times(int count, char **words, int at, long *n)
{
	*n = 1;
	return count <= at || number(words[at], n) ? 0 : fail(words[at], "how many times?");
}

int do_getpid(int count, char **words)
{
	long n;

	if (times(count, words, 0, &n))
		return -1;
	while (n--)
		SYS0(getpid);
	return 0;
}

/* A child that exits, or executes this same program, which then exits (main.c). */
static int children(int count, char **words, bool execute)
{
	static char *arguments[] = { "init", "exit", NULL };
	long n;

	if (times(count, words, 0, &n))
		return -1;
	flush();
	while (n--) {
		int status = 0;
		long pid = SYS0(fork);

		if (pid < 0)
			return fail_errno("fork", pid);
		if (!pid) {
			if (execute)
				SYS3(execve, "/proc/self/exe", arguments, arguments + 2);
			SYS1(exit, execute ? 1 : 0);
		}
		while (SYS4(wait4, pid, &status, 0, 0) == -EINTR)
			;
		if (ended(execute ? "exec" : "fork", status))
			return -1;
	}
	return 0;
}

int do_fork(int count, char **words)
{
	return children(count, words, false);
}

int do_exec(int count, char **words)
{
	return children(count, words, true);
}

int do_read(int count, char **words)
{
	long n;

	if (times(count, words, 1, &n))
		return -1;
	while (n--) {
		long error = read_through(words[0]);

		if (error < 0)
			return fail_errno(words[0], error);
	}
	return 0;
}
