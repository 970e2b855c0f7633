// SPDX-License-Identifier: GPL-2.0-only
/* References to inodes. Those that the kernel is built with keep one for ever. */
#include <toy/defs.h>

u32 inodes_in_ram;

static void inode_free(struct rcu_head *head)
{
	struct inode *inode = container_of(head, struct inode, rcu);

	kfree(inode->data);
	kfree(inode);
	atomic_dec(&inodes_in_ram);
}

/* One of ramfs, with a reference; NULL if there is no memory. */
struct inode *inode_alloc(const char *name, const struct file_operations *fops)
{
	struct inode *inode = kzalloc(sizeof(*inode));

	if (!inode)
		return NULL;
	strscpy(inode->own_name, name, sizeof(inode->own_name));
	inode->name = inode->own_name;
	inode->fops = fops;
	inode->in_ram = true;
	inode->refs = 1;
	mutex_init(&inode->lock);
	atomic_inc(&inodes_in_ram);
	return inode;
}

/* Another reference, from a reference. */
void inode_get(struct inode *inode)
{
	atomic_inc(&inode->refs);
}

/* A reference to what was found under RCU; false if it is being freed already. */
bool inode_tryget(struct inode *inode)
{
	u32 old = READ_ONCE(inode->refs);

	do {
		if (!old)
			return false;
	} while (!__atomic_compare_exchange_n(&inode->refs, &old, old + 1, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return true;
}

void inode_put(struct inode *inode)
{
	if (atomic_dec_and_test(&inode->refs))
		call_rcu(&inode->rcu, inode_free);
}
