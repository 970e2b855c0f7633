// SPDX-License-Identifier: GPL-2.0-only
/* What tasks ask of the kernel. Less than 0 is an error. */
#include <toy/defs.h>

int sys_open(const char *path)
{
	struct inode *inode = path_walk(path);

	return inode ? fd_open(inode) : -ENOENT;
}

/* A file that is new, or empty now. */
int sys_creat(const char *path)
{
	const char *name;
	struct inode *dir = path_parent(path, &name), *inode;
	int error;

	if (!dir)
		return -ENOENT;
	error = ramfs_create(dir, name, false, &inode);
	inode_put(dir);
	if (error != -EEXIST)
		return error ? error : fd_open(inode);
	inode = path_walk(path);
	if (!inode)
		return -ENOENT;
	error = vfs_truncate(inode, 0);
	if (!error)
		return fd_open(inode);
	inode_put(inode);
	return error;
}

int sys_mkdir(const char *path)
{
	const char *name;
	struct inode *dir = path_parent(path, &name);
	int error;

	if (!dir)
		return -ENOENT;
	error = ramfs_create(dir, name, true, NULL);
	inode_put(dir);
	return error;
}

int sys_unlink(const char *path)
{
	struct inode *inode = path_walk(path);
	int error;

	if (!inode)
		return -ENOENT;
	error = ramfs_unlink(inode);
	inode_put(inode);
	return error;
}

/* The name of one of those in a directory goes to name, of NAME_SIZE bytes. */
long sys_readdir(const char *path, u32 number, char *name)
{
	struct inode *dir = path_walk(path);
	bool found;

	if (!dir)
		return -ENOENT;
	found = dir_name(dir, number, name);
	inode_put(dir);
	return found ? 0 : -ENOENT;
}

int sys_ftruncate(int fd, size_t size)
{
	struct file *f = fget(fd);

	return f ? vfs_truncate(f->inode, size) : -EBADF;
}

int sys_close(int fd)
{
	if (!fget(fd))
		return -EBADF;
	fd_close(fd);
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
	if ((long)pos < 0)
		return -EINVAL;
	f->pos = pos;
	return pos;
}
