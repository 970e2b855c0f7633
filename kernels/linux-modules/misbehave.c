// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that does what a kernel must not do, when it is asked:
 *
 *	insmod misbehave.ko
 *	echo null > /proc/misbehave
 *
 * Most ways end the process that asks with an oops. It asks by a file of /proc,
 * because a process that dies in module_init() leaves a module that is for ever
 * being loaded, and one that dies while it sets a parameter leaves a lock.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define CANONICAL_HOLE	0x8000000000000000UL

static const unsigned long constant = 42;
static unsigned char not_code[16] = { 0xc3 };	/* ret, in data: NX */
static volatile unsigned long zero;
static DEFINE_SPINLOCK(lock);

static noinline int do_warn(void)
{
	WARN(1, "misbehave: a warning\n");
	return 0;
}

static noinline int do_null(void)
{
	return READ_ONCE(*(volatile int *)zero);
}

static noinline int do_rodata(void)
{
	WRITE_ONCE(*(volatile unsigned long *)&constant, 43);
	return 0;
}

static noinline int do_nx(void)
{
	void (*function)(void) = (void *)not_code;

	OPTIMIZER_HIDE_VAR(function);
	function();
	return 0;
}

static noinline int do_bug(void)
{
	BUG_ON(!zero);
	return 0;
}

static noinline int do_noncanonical(void)
{
	return READ_ONCE(*(volatile int *)(CANONICAL_HOLE + zero));
}

static noinline int do_int3(void)
{
	asm volatile("int3");
	return 0;
}

static noinline int do_divide(void)
{
	return (int)(42 / zero);
}

/* A frame of 512 bytes a level; the guard page is below 16 KiB of stack. */
static noinline int do_stack(void)
{
	volatile char frame[512];

	if (zero)
		return 0;
	frame[0] = 1;
	return do_stack() + frame[0];
}

static noinline int do_atomic(void)
{
	spin_lock(&lock);
	msleep(1);
	spin_unlock(&lock);
	return 0;
}

static const struct {
	const char *name;
	int (*function)(void);
} ways[] = {
	{ "warn", do_warn },			/* WARNING: ud2, and it goes on */
	{ "null", do_null },			/* #PF, error 0 */
	{ "rodata", do_rodata },		/* #PF, error 3: write, protection */
	{ "nx", do_nx },			/* #PF, error 0x11: fetch, protection */
	{ "bug", do_bug },			/* #UD */
	{ "noncanonical", do_noncanonical },	/* #GP, error 0 */
	{ "int3", do_int3 },			/* #BP that nobody knows */
	{ "divide", do_divide },		/* #DE */
	{ "stack", do_stack },			/* #PF on the guard page, which becomes #DF */
	{ "atomic", do_atomic },		/* scheduling while atomic */
};

static ssize_t misbehave_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	char name[16] = "";
	size_t i;

	if (count >= sizeof(name) || copy_from_user(name, text, count))
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (sysfs_streq(name, ways[i].name)) {
			ways[i].function();
			return (ssize_t)count;
		}
	return -EINVAL;
}

static const struct proc_ops misbehave_ops = {
	.proc_write = misbehave_write,
};

static int __init misbehave_init(void)
{
	return proc_create("misbehave", 0200, NULL, &misbehave_ops) ? 0 : -ENOMEM;
}

static void __exit misbehave_exit(void)
{
	remove_proc_entry("misbehave", NULL);
}

module_init(misbehave_init);
module_exit(misbehave_exit);
MODULE_DESCRIPTION("textpoke: a module that misbehaves");
MODULE_LICENSE("GPL");
