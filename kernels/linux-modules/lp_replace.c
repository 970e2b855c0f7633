// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cumulative live patch: it takes the place of all that are on, and patches
 * two functions. When its transition is done, the others are off, and their
 * modules can be unloaded.
 *
 * From the kernel's Documentation/livepatch/cumulative-patches.rst.
 */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

static int lp_cmdline_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "textpoke: the second live patch answers here\n");
	return 0;
}

static int lp_version_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "textpoke: it answers here, too\n");
	return 0;
}

static struct klp_func funcs[] = {
	{
		.old_name = "cmdline_proc_show",
		.new_func = lp_cmdline_proc_show,
	},
	{
		.old_name = "version_proc_show",
		.new_func = lp_version_proc_show,
	},
	{ }
};

static struct klp_object objs[] = {
	{ .funcs = funcs },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.replace = true,
};

static int __init lp_replace_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit lp_replace_exit(void)
{
}

module_init(lp_replace_init);
module_exit(lp_replace_exit);
MODULE_DESCRIPTION("textpoke: a live patch that takes the place of all others");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
