// SPDX-License-Identifier: GPL-2.0-only
/* /proc: the kernel about itself, and /dev. */
#include <toy/defs.h>

/*
 * The function to patch, the same as in Linux's own example of a live patch. Its
 * text is what all tasks read; what it returns, if not 0, is what their read
 * returns, and is in cpus[].last_read.
 */
int cmdline_proc_show(struct seq_file *m)
{
	seq_puts(m, saved_command_line);
	seq_putc(m, '\n');
	return 0;
}

int version_proc_show(struct seq_file *m)
{
	seq_puts(m, "textpoke toy 1\n");
	return 0;
}

int stat_proc_show(struct seq_file *m)
{
	seq_puts(m, "cpus ");
	seq_put_dec(m, cpus_online);
	seq_puts(m, " count ");
	seq_put_dec(m, counter_sum());
	seq_putc(m, '\n');
	return 0;
}

int meminfo_proc_show(struct seq_file *m)
{
	seq_puts(m, "pages ");
	seq_put_dec(m, free_pages);
	seq_puts(m, " objects ");
	seq_put_dec(m, kmalloc_objects);
	seq_puts(m, " inodes ");
	seq_put_dec(m, inodes_in_ram);
	seq_putc(m, '\n');
	return 0;
}

/* A line for each: pid, core, state, name. */
int tasks_proc_show(struct seq_file *m)
{
	static const char states[] = "-RSDXZ";	/* by enum task_state, as ps has them */

	for (const struct task *t = tasks; t < tasks + MAX_TASKS; t++) {
		if (t->state == TASK_UNUSED)
			continue;
		seq_put_dec(m, t->pid);
		seq_putc(m, ' ');
		seq_put_dec(m, t->cpu);
		seq_putc(m, ' ');
		seq_putc(m, states[t->state]);
		seq_putc(m, ' ');
		seq_puts(m, t->comm);
		seq_putc(m, '\n');
	}
	return 0;
}

int timers_proc_show(struct seq_file *m)
{
	seq_puts(m, "jiffies ");
	seq_put_dec(m, jiffies);
	seq_puts(m, " timers ");
	seq_put_dec(m, timers_waiting());
	seq_puts(m, " works ");
	seq_put_dec(m, works_done());
	seq_putc(m, '\n');
	return 0;
}

static const struct file_operations seq_fops = { .read = seq_read };

static struct inode proc = { .name = "proc" };
static struct inode dev = { .name = "dev" };

static struct inode inodes[] = {
	{ .name = "cmdline", .parent = &proc, .fops = &seq_fops, .show = cmdline_proc_show },
	{ .name = "version", .parent = &proc, .fops = &seq_fops, .show = version_proc_show },
	{ .name = "stat", .parent = &proc, .fops = &seq_fops, .show = stat_proc_show },
	{ .name = "meminfo", .parent = &proc, .fops = &seq_fops, .show = meminfo_proc_show },
	{ .name = "tasks", .parent = &proc, .fops = &seq_fops, .show = tasks_proc_show },
	{ .name = "timers", .parent = &proc, .fops = &seq_fops, .show = timers_proc_show },
	{ .name = "counter", .parent = &dev, .fops = &counter_fops },
	{ .name = "pipe", .parent = &dev, .fops = &pipe_fops },
};

void proc_init(void)
{
	inode_add(&proc);
	inode_add(&dev);
	for (u32 i = 0; i < ARRAY_SIZE(inodes); i++)
		inode_add(&inodes[i]);
}
