/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An inode is a file or a directory with its name. It is found under RCU and kept
 * by a reference: one is the tree's, one that of each open file. The last to go
 * frees it, after a grace period, for somebody may just be looking at its name.
 */
#ifndef INODE_H
#define INODE_H

#include "mutex.h"
#include "rcu.h"
#include "vfs.h"

#define NAME_SIZE	16

struct inode {
	const char *name;
	struct inode *parent;		/* NULL: the root */
	const struct file_operations *fops;	/* NULL: a directory */
	int (*show)(struct seq_file *m);	/* for seq_read */
	u32 refs;

	struct inode *hash_next;	/* hash.c */
	u32 hash;

	/* ramfs.c; lock */
	struct mutex lock;
	bool in_ram;			/* it is ramfs's */
	bool unlinked;			/* it is in no directory any more */
	u32 children;			/* of a directory */
	u8 *data;
	size_t size, capacity;		/* of a file */
	char own_name[NAME_SIZE];
	struct rcu_head rcu;
};

#endif
