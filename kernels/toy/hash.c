// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inodes by a hash of their name. The table is filled while one core runs
 * and only read after that, so it has no lock.
 */
#include <toy/defs.h>

#define HASH_BUCKETS 16

static struct inode *table[HASH_BUCKETS];

/* FNV-1a. */
u32 hash_name(const char *s, size_t n)
{
	u32 h = 2166136261u;

	while (n--)
		h = (h ^ (u8)*s++) * 16777619u;
	return h;
}

void hash_add(struct inode *inode, u32 hash)
{
	struct inode **bucket = &table[hash % HASH_BUCKETS];

	inode->hash = hash;
	inode->hash_next = *bucket;
	*bucket = inode;
}

void hash_del(struct inode *inode)
{
	struct inode **p = &table[inode->hash % HASH_BUCKETS];

	while (*p && *p != inode)
		p = &(*p)->hash_next;
	if (*p)
		*p = inode->hash_next;
}

/* The inodes with this hash, one after the other, then NULL. */
notrace struct inode *hash_next(struct inode *inode)
{
	u32 hash = inode->hash;

	do
		inode = inode->hash_next;
	while (inode && inode->hash != hash);
	return inode;
}

struct inode *hash_first(u32 hash)
{
	struct inode *inode = table[hash % HASH_BUCKETS];

	while (inode && inode->hash != hash)
		inode = inode->hash_next;
	return inode;
}
