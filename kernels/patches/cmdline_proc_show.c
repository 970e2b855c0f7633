// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Linux's own sample does (samples/livepatch/livepatch-sample.c):
 * /proc/cmdline says that it has been live patched.
 *
 *	textpoke patch toy cmdline_proc_show --with cmdline_proc_show.c
 *
 * The text is in tasks[].line afterwards, its length in cpus[].last_read.
 */
#include <toy/defs.h>

static int livepatch_cmdline_proc_show(struct seq_file *m)
{
	seq_puts(m, "this has been live patched\n");
	return 0;
}
