// SPDX-License-Identifier: GPL-2.0-only
/* What is common to reading and writing any file. */
#include <toy/defs.h>

long vfs_read(struct file *f, char *buf, size_t n)
{
	const struct file_operations *fops = f->inode->fops;

	if (!fops || !fops->read)
		return -EINVAL;
	return fops->read(f, buf, n);
}

long vfs_write(struct file *f, const char *buf, size_t n)
{
	const struct file_operations *fops = f->inode->fops;

	if (!fops || !fops->write)
		return -EINVAL;
	return fops->write(f, buf, n);
}

int vfs_truncate(struct inode *inode, size_t size)
{
	const struct file_operations *fops = inode->fops;

	if (!fops || !fops->truncate)
		return -EINVAL;
	return fops->truncate(inode, size);
}
