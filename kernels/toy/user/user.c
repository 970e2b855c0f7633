// SPDX-License-Identifier: GPL-2.0-only
/*
 * What users=N runs on each core, for ever or for arg turns: reads files as load.c
 * does, but from ring 3, and now and then has a child do something.
 */
#include "programs.h"
#include "ulib.h"

#define ROUNDS 4			/* reads for one open */

/* The checksum of a file's text, and of nothing if the read says anything strange. */
static u32 sum_of(int fd)
{
	char text[64];
	long n;

	lseek(fd, 0);
	n = read(fd, text, sizeof(text));
	return checksum(text, n > 0 && n <= (long)sizeof(text) ? n : 0);
}

/* The first byte of each sum goes to who reads the pipe of this core. */
static u32 read_and_pass_on(const char *path, int pipe)
{
	int fd = open(path);
	u32 sum = 0;

	for (int i = 0; i < ROUNDS; i++) {
		sum = sum_of(fd);
		write(pipe, &sum, 1);
	}
	close(fd);
	return sum;
}

/* Every other one becomes another program first. */
static void have_a_child(u32 turn, u32 sum)
{
	long pid = fork();

	if (pid == 0) {
		if (turn % 2)
			exec("child", sum);
		exit(sum);
	}
	if (pid > 0)
		wait(NULL);
}

int user_main(long arg)
{
	int pipe = open("/dev/pipe"), counter = open("/dev/counter");

	for (u32 turn = 1; !arg || turn <= arg; turn++) {
		u32 sum = read_and_pass_on("/proc/cmdline", pipe);

		if (turn % 8 == 4)
			write(counter, &sum, 1);
		if (turn % 8 == 0)
			read_and_pass_on("/proc/stat", pipe);
		if (turn % 16 == 0)
			sched_yield();
		if (turn % 32 == 0)
			have_a_child(turn / 32, sum);
	}
	return 0;
}

/* Leaves open what is, also of its parent's, and exits with what it was given. */
int child_main(long arg)
{
	int fd = creat("/tmp/child");

	write(fd, "child", 5);
	unlink("/tmp/child");		/* another core's child may have done it */
	sum_of(fd);
	return arg;
}
