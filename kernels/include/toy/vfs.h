/* SPDX-License-Identifier: GPL-2.0-only */
/* Files: an inode has a name and operations, a file is an inode being used. */
#ifndef VFS_H
#define VFS_H

#include "types.h"

struct file;
struct seq_file;

struct file_operations {
	long (*read)(struct file *f, char *buf, size_t n);
	long (*write)(struct file *f, const char *buf, size_t n);
};

struct inode {
	const char *name;
	struct inode *parent;		/* NULL: the root */
	const struct file_operations *fops;	/* NULL: a directory */
	int (*show)(struct seq_file *m);	/* for seq_read */

	struct inode *hash_next;
	u32 hash;
};

struct file {
	struct inode *inode;
	size_t pos;
};

#define NR_FILES 8

/* The open files of a task; nobody else touches them, so there is no lock. */
struct files {
	u64 used[1];			/* a bit for each of file[] */
	struct file file[NR_FILES];
};

/* Text that is being made: what does not fit is dropped. */
struct seq_file {
	char *buf;
	size_t size;
	size_t count;
};

#endif
