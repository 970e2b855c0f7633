// SPDX-License-Identifier: GPL-2.0-only
/* What tasks ask of the kernel. Less than 0 is an error. */
#include <toy/defs.h>

int sys_open(const char *path)
{
	struct inode *inode = path_walk(path);
	struct file *f;
	int fd;

	if (!inode)
		return -ENOENT;
	fd = fd_alloc();
	f = fget(fd);
	if (!f)
		return -EMFILE;
	f->inode = inode;
	f->pos = 0;
	return fd;
}

int sys_close(int fd)
{
	if (!fget(fd))
		return -EBADF;
	fd_free(fd);
	return 0;
}

long sys_read(int fd, char *buf, size_t n)
{
	struct file *f = fget(fd);

	return f ? vfs_read(f, buf, n) : -EBADF;
}

long sys_write(int fd, const char *buf, size_t n)
{
	struct file *f = fget(fd);

	return f ? vfs_write(f, buf, n) : -EBADF;
}

/* From the beginning of the file. */
long sys_lseek(int fd, size_t pos)
{
	struct file *f = fget(fd);

	if (!f)
		return -EBADF;
	f->pos = pos;
	return pos;
}
