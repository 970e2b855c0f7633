// SPDX-License-Identifier: GPL-2.0-only
/* From a path to an inode, one name at a time. */
#include <toy/defs.h>

static struct inode root = { .name = "" };

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

/* Many slashes are as one; NULL if there is no such path. */
struct inode *path_walk(const char *path)
{
	struct inode *inode = &root;

	while (inode) {
		const char *end;

		while (*path == '/')
			path++;
		if (!*path)
			break;
		end = strchrnul(path, '/');
		inode = lookup(inode, path, end - path);
		path = end;
	}
	return inode ? inode : not_found();
}

/* In its parent, which is the root if it has none. */
void inode_add(struct inode *inode)
{
	if (!inode->parent)
		inode->parent = &root;
	hash_add(inode, hash_name(inode->name, strlen(inode->name)));
}
