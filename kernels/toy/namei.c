// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a path to an inode, one name at a time, under RCU: names come and go
 * meanwhile, and no lock is taken. What is found last is kept by a reference.
 */
#include <toy/defs.h>

static struct inode root = { .name = "", .refs = 1 };

/* The inode called name[0..n) in dir, or NULL. */
struct inode *lookup(struct inode *dir, const char *name, size_t n)
{
	struct inode *i = hash_first(hash_name(name, n));

	for (; i; i = hash_next(i))
		if (i->parent == dir && !strncmp(i->name, name, n) && !i->name[n])
			break;
	return i;
}

/* Counts what was asked for and is not there. */
__cold struct inode *not_found(void)
{
	this_cpu()->not_found++;
	return NULL;
}

/* Many slashes are as one. */
static struct inode *walk(const char *path, const char *end)
{
	struct inode *inode = &root;

	while (inode) {
		const char *slash;

		while (path < end && *path == '/')
			path++;
		if (path == end)
			break;
		slash = strchrnul(path, '/');
		inode = lookup(inode, path, slash - path);
		path = slash;
	}
	return inode;
}

static struct inode *walk_and_get(const char *path, const char *end)
{
	struct inode *inode;

	rcu_read_lock();
	inode = walk(path, end);
	if (inode && !inode_tryget(inode))
		inode = NULL;
	rcu_read_unlock();
	return inode ? inode : not_found();
}

/* A reference to the inode; NULL if there is no such path. */
struct inode *path_walk(const char *path)
{
	return walk_and_get(path, strchrnul(path, 0));
}

/* The same of the directory that the last name of the path is in, or is to be. */
struct inode *path_parent(const char *path, const char **name)
{
	const char *last = path;

	for (const char *p = path; *p; p++)
		if (*p == '/')
			last = p + 1;
	*name = last;
	return walk_and_get(path, last);
}

/* In its parent, which is the root if it has none. */
void inode_add(struct inode *inode)
{
	if (!inode->parent)
		inode->parent = &root;
	if (!inode->refs)
		inode->refs = 1;
	hash_add(inode, hash_name(inode->name, strlen(inode->name)));
}

/* The name of one of those in a directory, by number; false if there are fewer. */
bool dir_name(struct inode *dir, u32 number, char *name)
{
	struct inode *inode;

	rcu_read_lock();
	inode = hash_nth(dir, number);
	if (inode)
		strscpy(name, inode->name, NAME_SIZE);
	rcu_read_unlock();
	return inode;
}
