// SPDX-License-Identifier: GPL-2.0-only
/*
 * /tmp: files and directories that are made while the kernel runs, in memory. A
 * directory's mutex protects what is in it, a file's its bytes. Where two are
 * taken, the directory comes before what is in it.
 */
#include <toy/defs.h>

#define LARGEST		2048		/* what kmalloc has */

static struct inode tmp = { .name = "tmp", .in_ram = true };

/* Room for n bytes at the least: twice what was enough until now. */
static int ramfs_grow(struct inode *inode, size_t n)
{
	size_t capacity = inode->capacity ? inode->capacity : 32;
	u8 *data;

	if (n <= inode->capacity)
		return 0;
	if (n > LARGEST)
		return -EFBIG;
	while (capacity < n)
		capacity *= 2;
	data = kzalloc(capacity);
	if (!data)
		return -ENOMEM;
	memcpy(data, inode->data, inode->size);
	kfree(inode->data);
	inode->data = data;
	inode->capacity = capacity;
	return 0;
}

long ramfs_read(struct file *f, char *buf, size_t n)
{
	struct inode *inode = f->inode;

	mutex_lock(&inode->lock);
	if (f->pos >= inode->size)
		n = 0;
	else if (n > inode->size - f->pos)
		n = inode->size - f->pos;
	memcpy(buf, inode->data + f->pos, n);
	f->pos += n;
	mutex_unlock(&inode->lock);
	return n;
}

long ramfs_write(struct file *f, const char *buf, size_t n)
{
	struct inode *inode = f->inode;
	long error = -EFBIG;

	mutex_lock(&inode->lock);
	if (f->pos <= LARGEST && n <= LARGEST)
		error = ramfs_grow(inode, f->pos + n);
	if (!error) {
		memcpy(inode->data + f->pos, buf, n);
		f->pos += n;
		if (inode->size < f->pos)
			inode->size = f->pos;
	}
	mutex_unlock(&inode->lock);
	return error ? error : (long)n;
}

/* What is cut off is zero when the file grows again. */
int ramfs_truncate(struct inode *inode, size_t size)
{
	int error = -EFBIG;

	mutex_lock(&inode->lock);
	if (size <= LARGEST)
		error = ramfs_grow(inode, size);
	if (!error) {
		if (size < inode->size)
			memset(inode->data + size, 0, inode->size - size);
		inode->size = size;
	}
	mutex_unlock(&inode->lock);
	return error;
}

static const struct file_operations ramfs_fops = {
	.read = ramfs_read,
	.write = ramfs_write,
	.truncate = ramfs_truncate,
};

/* The caller holds the directory's mutex. */
static int ramfs_link(struct inode *dir, struct inode *inode)
{
	bool exists;

	if (dir->unlinked)
		return -ENOENT;
	rcu_read_lock();		/* what is passed on the way is not in dir */
	exists = lookup(dir, inode->name, strlen(inode->name));
	rcu_read_unlock();
	if (exists)
		return -EEXIST;
	inode->parent = dir;
	dir->children++;
	inode_add(inode);
	return 0;
}

/* A new file, or directory, in a directory; a reference to it in *made if that is not NULL. */
int ramfs_create(struct inode *dir, const char *name, bool directory, struct inode **made)
{
	struct inode *inode;
	int error;

	if (!dir->in_ram || dir->fops)
		return -EPERM;
	if (!*name || strlen(name) >= NAME_SIZE)
		return -EINVAL;
	inode = inode_alloc(name, directory ? NULL : &ramfs_fops);
	if (!inode)
		return -ENOMEM;
	inode_get(inode);		/* one for the tree, one for us */
	mutex_lock(&dir->lock);
	error = ramfs_link(dir, inode);
	mutex_unlock(&dir->lock);
	if (error)
		inode_put(inode);	/* that of the tree */
	if (error || !made)
		inode_put(inode);
	else
		*made = inode;
	return error;
}

/* The caller holds the directory's mutex, and a reference to the inode. */
static int ramfs_remove(struct inode *dir, struct inode *inode)
{
	int error = 0;

	mutex_lock(&inode->lock);
	if (inode->unlinked || inode->parent != dir)
		error = -ENOENT;
	else if (inode->children)
		error = -ENOTEMPTY;
	else
		inode->unlinked = true;
	mutex_unlock(&inode->lock);
	if (error)
		return error;
	hash_del(inode);
	dir->children--;
	inode_put(inode);
	return 0;
}

/* A file, or an empty directory. Who has it open keeps it until it is closed. */
int ramfs_unlink(struct inode *inode)
{
	struct inode *dir = inode->parent;
	int error;

	if (!inode->in_ram || inode == &tmp)
		return -EPERM;
	/* While it is there, its directory is not empty, so that is there too. */
	rcu_read_lock();
	if (READ_ONCE(inode->unlinked) || !inode_tryget(dir)) {
		rcu_read_unlock();
		return -ENOENT;
	}
	rcu_read_unlock();
	mutex_lock(&dir->lock);
	error = ramfs_remove(dir, inode);
	mutex_unlock(&dir->lock);
	inode_put(dir);
	return error;
}

void ramfs_init(void)
{
	mutex_init(&tmp.lock);
	inode_add(&tmp);
}
