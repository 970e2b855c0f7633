// SPDX-License-Identifier: GPL-2.0-only
/*
 * A live patch: /proc/cmdline says something else while it is on.
 *
 *	insmod lp_cmdline.ko
 *	echo 0 > /sys/kernel/livepatch/lp_cmdline/enabled
 *	rmmod lp_cmdline
 *
 * From the kernel's Documentation/livepatch/livepatch.rst, 4 and 6.
 */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

/* In the place of fs/proc/cmdline.c's. */
static int lp_cmdline_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "textpoke: a live patch answers here\n");
	return 0;
}

static struct klp_func funcs[] = {
	{
		.old_name = "cmdline_proc_show",
		.new_func = lp_cmdline_proc_show,
	},
	{ }
};

/* No name: these functions are in vmlinux. */
static struct klp_object objs[] = {
	{ .funcs = funcs },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init lp_cmdline_init(void)
{
	return klp_enable_patch(&patch);
}

/* Nothing to undo: a module of a patch can only be unloaded when the patch is off. */
static void __exit lp_cmdline_exit(void)
{
}

module_init(lp_cmdline_init);
module_exit(lp_cmdline_exit);
MODULE_DESCRIPTION("textpoke: a live patch of cmdline_proc_show");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
