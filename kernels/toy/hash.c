// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inodes by a hash of their name. Readers hold rcu_read_lock(); who changes
 * the table takes its lock.
 */
#include <toy/defs.h>

#define HASH_BUCKETS 16

static struct inode *table[HASH_BUCKETS];
static struct spinlock lock;

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

	spin_lock(&lock);
	inode->hash = hash;
	inode->hash_next = *bucket;
	rcu_assign_pointer(*bucket, inode);
	spin_unlock(&lock);
}

/* Who stands on it still finds the next one: it keeps its pointer. */
void hash_del(struct inode *inode)
{
	struct inode **p = &table[inode->hash % HASH_BUCKETS];

	spin_lock(&lock);
	while (*p && *p != inode)
		p = &(*p)->hash_next;
	if (*p)
		rcu_assign_pointer(*p, inode->hash_next);
	spin_unlock(&lock);
}

/* The inodes with this hash, one after the other, then NULL. */
notrace struct inode *hash_next(struct inode *inode)
{
	u32 hash = inode->hash;

	do
		inode = rcu_dereference(inode->hash_next);
	while (inode && inode->hash != hash);
	return inode;
}

struct inode *hash_first(u32 hash)
{
	struct inode *inode = rcu_dereference(table[hash % HASH_BUCKETS]);

	while (inode && inode->hash != hash)
		inode = rcu_dereference(inode->hash_next);
	return inode;
}

/* Those in a directory, by number, in no order; NULL if there are fewer. */
struct inode *hash_nth(const struct inode *dir, u32 number)
{
	for (u32 i = 0; i < HASH_BUCKETS; i++) {
		struct inode *inode = rcu_dereference(table[i]);

		for (; inode; inode = rcu_dereference(inode->hash_next))
			if (inode->parent == dir && !number--)
				return inode;
	}
	return NULL;
}
