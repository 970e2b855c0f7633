// SPDX-License-Identifier: GPL-2.0-only
/* The ordinary functions do what they say. */
#include "selftest.h"

void test_strings(void)
{
	char b[8];

	CHECK(strlen("") == 0 && strlen("poke") == 4);
	CHECK(strcmp("a", "a") == 0 && strcmp("a", "b") < 0 && strcmp("ab", "a") > 0);
	CHECK(strncmp("abc", "abd", 2) == 0 && strncmp("abc", "abd", 3) < 0);
	CHECK(strscpy(b, "seven77", 8) == 7 && strcmp(b, "seven77") == 0);
	CHECK(strscpy(b, "eight888", 8) == -E2BIG && strcmp(b, "eight88") == 0);
	CHECK(*strchrnul("a/b", '/') == '/' && *strchrnul("ab", '/') == 0);
	memset(b, 'x', 8);
	CHECK(b[0] == 'x' && b[7] == 'x' && memcmp(b, "xxxxxxxx", 8) == 0);
	memcpy(b, "copy", 5);
	CHECK(strcmp(b, "copy") == 0 && memcmp("ab", "ac", 2) < 0);
}

void test_bitmap(void)
{
	u64 map[2] = { 0 };

	CHECK(bitmap_first_zero(map, 100) == 0);
	for (u32 i = 0; i < 100; i++) {
		CHECK(!bitmap_test(map, i));
		bitmap_set(map, i);
		CHECK(bitmap_test(map, i) && bitmap_first_zero(map, 100) == i + 1);
	}
	bitmap_clear(map, 70);
	CHECK(bitmap_first_zero(map, 100) == 70 && bitmap_weight(map, 100) == 99);
}

void test_checksum(void)
{
	static const u8 data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	CHECK(csum_fold(csum_partial(data, 8, 0)) == (u16)~0xf2dd);
	CHECK(csum_fold(csum_partial(data + 4, 4, csum_partial(data, 4, 0))) == (u16)~0xf2dd);
	CHECK(csum_partial("a", 1, 0) == 'a');
}

void test_list(void)
{
	struct { struct list node; int n; } e[3];
	struct list head;
	int sum = 0;

	list_init(&head);
	CHECK(list_empty(&head));
	for (int i = 0; i < 3; i++) {
		e[i].n = i + 1;
		list_add_tail(&e[i].node, &head);
	}
	for (struct list *p = head.next; p != &head; p = p->next)
		sum = sum * 10 + list_entry(p, typeof(e[0]), node)->n;
	CHECK(sum == 123);
	list_del(&e[1].node);
	CHECK(e[0].node.next == &e[2].node && e[2].node.prev == &e[0].node);
	list_del(&e[0].node);
	list_del(&e[2].node);
	CHECK(list_empty(&head) && list_empty(&e[2].node));
}

void test_ring(void)
{
	static struct ring r;
	u8 in = 0, out = 0, b[8];

	CHECK(ring_read(&r, b, 8) == 0 && ring_space(&r) == RING_SIZE);
	for (int i = 0; i < 200; i++) {
		for (int j = 0; j < 7; j++)
			b[j] = in++;
		CHECK(ring_write(&r, b, 7) == 7 && ring_count(&r) == 7);
		CHECK(ring_read(&r, b, 8) == 7);
		for (int j = 0; j < 7; j++)
			CHECK(b[j] == out++);
	}
	for (int i = 0; i < RING_SIZE / 8; i++)
		CHECK(ring_write(&r, b, 8) == 8);
	CHECK(ring_write(&r, b, 8) == 0 && ring_space(&r) == 0);
}

void test_hash(void)
{
	static struct inode a = { .name = "a" }, b = { .name = "b" }, c = { .name = "c" };

	CHECK(hash_name("", 0) == 0x811c9dc5 && hash_name("a", 1) == 0xe40c292c);
	hash_add(&a, 1);
	hash_add(&b, 17);			/* the same bucket */
	hash_add(&c, 1);
	CHECK(hash_first(1) == &c && hash_next(&c) == &a && !hash_next(&a));
	CHECK(hash_first(17) == &b && !hash_next(&b) && !hash_first(33));
	hash_del(&c);
	CHECK(hash_first(1) == &a);
	hash_del(&a);
	hash_del(&b);
	CHECK(!hash_first(1) && !hash_first(17));
}

void test_files(void)
{
	char b[32];
	int fd = sys_open("//proc/version"), fds[NR_FILES];

	CHECK(fd == 0 && sys_read(fd, b, sizeof(b)) == 15 && !memcmp(b, "textpoke toy 1\n", 15));
	CHECK(sys_read(fd, b, sizeof(b)) == 0 && sys_lseek(fd, 0) == 0);
	CHECK(sys_lseek(fd, 1ul << 63) == -EINVAL);
	CHECK(sys_read(fd, b, 8) == 8 && sys_write(fd, b, 8) == -EINVAL);
	CHECK(sys_close(fd) == 0 && sys_close(fd) == -EBADF && sys_read(fd, b, 1) == -EBADF);
	CHECK(sys_open("/proc/none") == -ENOENT && sys_open("/none/cmdline") == -ENOENT);
	CHECK(sys_read(sys_open("/proc"), b, 1) == -EINVAL && sys_close(0) == 0);
	for (int i = 0; i < NR_FILES; i++)
		CHECK((fds[i] = sys_open("/dev/counter")) == i);
	CHECK(sys_open("/dev/counter") == -EMFILE);
	CHECK(sys_write(fds[1], b, 5) == 5 && sys_read(fds[2], b, 8) == 8 && b[0] == 5);
	for (int i = 0; i < NR_FILES; i++)
		CHECK(sys_close(fds[i]) == 0);
	CHECK(write_file("/dev/pipe", "pipe", 4) == 4);
	CHECK(read_file("/dev/pipe", b, sizeof(b)) == 4 && !memcmp(b, "pipe", 4));
	CHECK(read_file("/proc/cmdline", b, sizeof(b)) > 0);
	CHECK(read_file("/proc/meminfo", b, sizeof(b)) > 20 && !memcmp(b, "pages ", 6));
	CHECK(read_file("/proc/timers", b, sizeof(b)) > 20 && !memcmp(b, "jiffies ", 8));
	CHECK(read_file("/proc/tasks", b, sizeof(b)) == 32 && !memcmp(b, "0 0 R swapper/0\n", 16));
}
