// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fix for vfs_read: a count that is negative as a number with a sign is
 * refused, and no read gets more than MAX_RW bytes. The first read that is cut
 * short says so:
 *
 *	textpoke patch toy vfs_read --with vfs_read.c --until "vfs_read: cut"
 */
#include <toy/defs.h>

#define MAX_RW 4

long vfs_read(struct file *f, char *buf, size_t n)
{
	const struct file_operations *fops = f->inode->fops;
	static u32 said;

	if (!fops || !fops->read || (long)n < 0)
		return -EINVAL;
	if (n > MAX_RW) {
		if (!xchg(&said, 1))
			printk("vfs_read: cut to %d bytes\n", MAX_RW);
		n = MAX_RW;
	}
	return fops->read(f, buf, n);
}
