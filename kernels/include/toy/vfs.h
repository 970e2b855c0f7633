/* SPDX-License-Identifier: GPL-2.0-only */
/* Files: an inode (inode.h) has a name and operations, a file is an inode being used. */
#ifndef VFS_H
#define VFS_H

#include "types.h"

struct file;
struct inode;
struct seq_file;

struct file_operations {
	long (*read)(struct file *f, char *buf, size_t n);
	long (*write)(struct file *f, const char *buf, size_t n);
	int (*truncate)(struct inode *inode, size_t size);
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
