// SPDX-License-Identifier: GPL-2.0-only
/*
 * What processes can rely on. Each test is a number; the exit code is 0, or the
 * line of what is not so.
 */
#include "programs.h"
#include "ulib.h"
#include <toy/unistd.h>

#define CHECK(what) \
	do { \
		if (!(what)) \
			exit(__LINE__); \
	} while (0)

#define KERNEL	((void *)0xffffffff80200000)
#define NOWHERE	((void *)0x500000)

static long data = 5, bss;

static void test_files(void)
{
	char text[32];
	int fd = open("/proc/version");

	CHECK(fd == 0 && read(fd, text, sizeof(text)) == 15 && text[0] == 't');
	CHECK(read(fd, text, sizeof(text)) == 0 && lseek(fd, 0) == 0);
	CHECK(read(fd, text, 8) == 8 && string_length("textpoke") == 8);
	CHECK(checksum(text, 8) == checksum("textpoke", 8));
	CHECK(close(fd) == 0 && close(fd) == -EBADF);
	CHECK(open("/proc/none") == -ENOENT);
	CHECK(syscall(NR_syscalls - 1) == -ENOSYS && syscall(NR_syscalls) == -ENOSYS &&
	      syscall(-1) == -ENOSYS);
	CHECK(getpid() > 0 && sched_yield() == 0);
}

/* Addresses that are not the process's to read or to write. */
static void test_pointers(void)
{
	int fd = open("/dev/counter");
	char *end = (char *)((u64)&data | (PAGE_SIZE - 1)) + 1;	/* of the page of data */

	CHECK(open(KERNEL) == -EFAULT && open(NOWHERE) == -EFAULT && open(NULL) == -EFAULT);
	CHECK(write(fd, KERNEL, 1) == -EFAULT && write(fd, (void *)(1ul << 63), 1) == -EFAULT);
	CHECK(write(fd, end - 8, 8) == 8 && write(fd, end - 8, 9) == -EFAULT);
	CHECK(read(fd, KERNEL, 8) == -EFAULT && read(fd, NOWHERE, 8) == -EFAULT);
	CHECK(read(fd, (void *)user_start, 8) == -EFAULT);	/* text: not to be written */
	CHECK(write(fd, (void *)user_start, 8) == 8);		/* but read */
	CHECK(read(fd, end - 7, 8) == -EFAULT);
	CHECK(exec(NOWHERE, 0) == -EFAULT && exec("none", 0) == -ENOENT);
	CHECK(wait(NULL) == -ECHILD);
	close(fd);
}

/* Memory is copied, files are at positions of their own, and code comes back. */
static void test_fork(void)
{
	int fd = open("/proc/version");
	char text[32];
	long code, pid = fork();

	if (pid == 0) {
		CHECK(data == 5 && bss == 0);
		data = bss = 7;
		CHECK(read(fd, text, sizeof(text)) == 15);
		exit(data + 70);
	}
	CHECK(pid > 0 && wait(KERNEL) == -EFAULT && wait(&code) == -ECHILD);
	CHECK(data == 5 && bss == 0 && read(fd, text, sizeof(text)) == 15);
	pid = fork();
	if (pid == 0)
		exit(77);
	CHECK(wait(&code) == pid && code == 77);
	close(fd);
}

/* Data is as it was linked, and the argument arrives. */
static void test_exec(void)
{
	long code, pid;

	data = bss = 1;
	pid = fork();
	if (pid == 0) {
		exec("usertest", 100);
		exit(1);
	}
	CHECK(wait(&code) == pid && code == 42);
	CHECK(data == 1);
	data = 5;
}

/* Children in any order; a child that outlives its parent is nobody's. */
static void test_family(void)
{
	long code, sum = 0;

	for (int i = 1; i <= 3; i++)
		if (fork() == 0) {
			if (fork() == 0) {
				sched_yield();
				exit(9);
			}
			exit(i);
		}
	for (int i = 0; i < 3; i++) {
		CHECK(wait(&code) > 0);
		sum += code;
	}
	CHECK(sum == 6 && wait(&code) == -ECHILD);
}

/* No system call and no interrupt changes a register that it should not. */
static void test_registers(void)
{
	for (int i = 0; i < 2000; i++) {
		u64 bx = 0x1111, r12 = 0x2222, r9 = 0x3333, dx = 0x4444;
		long ax = __NR_getpid;

		asm volatile("mov %1, %%rbx\n\tmov %2, %%r12\n\tmov %3, %%r9\n\tmov %4, %%rdx\n\t"
			     "syscall\n\tmov %%rbx, %1\n\tmov %%r12, %2\n\tmov %%r9, %3\n\tmov %%rdx, %4"
			     : "+a"(ax), "+m"(bx), "+m"(r12), "+m"(r9), "+m"(dx)
			     : : "rbx", "rcx", "r9", "r11", "r12", "rdx", "memory");
		CHECK(ax > 0 && bx == 0x1111 && r12 == 0x2222 && r9 == 0x3333 && dx == 0x4444);
	}
}

/* Files that come and go; one that is open stays, whoever takes its name away. */
static void test_ramfs(void)
{
	char text[8];
	int fd = creat("/tmp/usertest");
	long code, pid;

	CHECK(fd >= 0 && write(fd, "ring 3", 6) == 6 && lseek(fd, 0) == 0);
	CHECK(read(fd, text, sizeof(text)) == 6 && text[5] == '3');
	pid = fork();
	if (pid == 0) {
		nanosleep(1);
		CHECK(lseek(fd, 0) == 0 && read(fd, text, sizeof(text)) == 4 && text[3] == 'g');
		exit(8);
	}
	CHECK(ftruncate(fd, 4) == 0 && unlink("/tmp/usertest") == 0 && close(fd) == 0);
	CHECK(open("/tmp/usertest") == -ENOENT && unlink("/tmp/usertest") == -ENOENT);
	CHECK(mkdir("/tmp/userdir") == 0 && (fd = creat("/tmp/userdir/file")) >= 0);
	CHECK(unlink("/tmp/userdir/file") == 0 && unlink("/tmp/userdir") == 0 && close(fd) == 0);
	CHECK(creat(KERNEL) == -EFAULT && unlink(NOWHERE) == -EFAULT && mkdir(NULL) == -EFAULT);
	CHECK(wait(&code) == pid && code == 8);
}

/* The error is the exit code: the kernel makes memory scarce. */
static void try_fork(void)
{
	long code, pid = fork();

	if (pid < 0)
		exit(-pid);
	if (pid == 0)
		exit(7);
	CHECK(wait(&code) == pid && code == 7);
}

static void try_exec(void)
{
	exit(-exec("child", 0));
}

int usertest_main(long arg)
{
	switch (arg) {
	case 0: test_files(); break;
	case 1: test_pointers(); break;
	case 2: test_fork(); break;
	case 3: test_exec(); break;
	case 4: test_family(); break;
	case 5: test_registers(); break;
	case 6: try_fork(); break;
	case 7: try_exec(); break;
	case 8: test_ramfs(); break;
	case 100: CHECK(data == 5 && bss == 0); return 42;
	default: return 255;
	}
	return 0;
}
