// SPDX-License-Identifier: GPL-2.0-only
/* Files that are made, and that nothing is left of them; and pipes. */
#include "selftest.h"

void test_ramfs(void)
{
	char b[32];
	u64 objects = kmalloc_objects;
	int fd = sys_creat("/tmp/new");

	CHECK(fd >= 0 && sys_write(fd, "0123456789", 10) == 10 && sys_lseek(fd, 4) == 4);
	CHECK(sys_read(fd, b, 3) == 3 && !memcmp(b, "456", 3) && sys_read(fd, b, 32) == 3);
	CHECK(sys_read(fd, b, 32) == 0);
	CHECK(sys_ftruncate(fd, 2) == 0 && sys_ftruncate(fd, 4) == 0 && sys_lseek(fd, 0) == 0);
	CHECK(sys_read(fd, b, 32) == 4 && !memcmp(b, "01\0\0", 4));
	CHECK(sys_lseek(fd, 2048) == 2048 && sys_write(fd, b, 1) == -EFBIG);
	CHECK(sys_lseek(fd, 2047) == 2047 && sys_write(fd, b, 1) == 1);
	CHECK(sys_close(fd) == 0 && write_file("/tmp/new", "ab", 2) == 2);
	CHECK(read_file("/tmp/new", b, 2) == 2 && !memcmp(b, "ab", 2));
	fd = sys_creat("/tmp/new");			/* is there, and is empty now */
	CHECK(fd >= 0 && sys_read(fd, b, 32) == 0 && sys_write(fd, "cd", 2) == 2);

	/* While it is open it goes on. */
	CHECK(sys_unlink("/tmp/new") == 0 && sys_open("/tmp/new") == -ENOENT);
	CHECK(sys_unlink("/tmp/new") == -ENOENT && sys_lseek(fd, 0) == 0);
	rcu_barrier();
	CHECK(inodes_in_ram == 1 && sys_read(fd, b, 32) == 2 && sys_close(fd) == 0);
	rcu_barrier();
	CHECK(inodes_in_ram == 0 && kmalloc_objects == objects);
}

void test_directories(void)
{
	char name[NAME_SIZE];
	u64 objects = kmalloc_objects;

	CHECK(sys_mkdir("/tmp/d") == 0 && sys_mkdir("/tmp/d") == -EEXIST);
	CHECK(sys_mkdir("/tmp/d/e") == 0 && sys_close(sys_creat("/tmp/d/f")) == 0);
	CHECK(sys_readdir("/tmp", 0, name) == 0 && !strcmp(name, "d"));
	CHECK(sys_readdir("/tmp", 1, name) == -ENOENT && sys_readdir("/tmp/d", 1, name) == 0);
	CHECK(sys_unlink("/tmp/d") == -ENOTEMPTY && sys_unlink("/tmp/d/e") == 0);
	CHECK(sys_unlink("/tmp/d/f") == 0 && sys_unlink("/tmp/d") == 0);
	CHECK(sys_creat("/tmp/d/f") == -ENOENT && sys_creat("/proc/f") == -EPERM);
	CHECK(sys_creat("/tmp/") == -EINVAL && sys_creat("/tmp/0123456789abcdef") == -EINVAL);
	CHECK(sys_unlink("/tmp") == -EPERM && sys_unlink("/proc/stat") == -EPERM);
	rcu_barrier();
	CHECK(inodes_in_ram == 0 && kmalloc_objects == objects);
}

static u32 made;

/* All of them want the same name: each creat finds or makes it, one unlink succeeds. */
static void make_and_remove(void)
{
	char b[8];

	for (int i = 0; i < 40; i++) {
		int fd = sys_creat("/tmp/same");

		if (fd < 0)
			continue;		/* somebody removed it in between */
		atomic_inc(&made);
		CHECK(sys_write(fd, "x", 1) == 1 && sys_lseek(fd, 0) == 0);
		CHECK(sys_read(fd, b, 8) <= 8 && sys_close(fd) == 0);
		sys_unlink("/tmp/same");
	}
}

void test_names(void)
{
	u64 objects = kmalloc_objects;

	made = 0;
	run_on(0, make_and_remove);
	run_on_each(make_and_remove);
	rcu_barrier();
	CHECK(made > 0 && inodes_in_ram == 0 && kmalloc_objects == objects);
	CHECK(sys_open("/tmp/same") == -ENOENT);
}

static u32 readers;

static void read_one(void)
{
	char b;

	atomic_inc(&readers);
	CHECK(read_file("/dev/pipe", &b, 1) == 1 && b == 'x');
	atomic_dec(&readers);
}

/* One write for two that sleep: both get their byte. */
void test_pipe(void)
{
	run_on(0, read_one);
	run_on(0, read_one);
	while (READ_ONCE(readers) != 2)
		yield();
	schedule_timeout_uninterruptible(2);
	CHECK(write_file("/dev/pipe", "xx", 2) == 2);
	schedule_timeout_uninterruptible(4);
	CHECK(!readers);
	wait_all();
}
