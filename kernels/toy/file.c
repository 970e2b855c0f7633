// SPDX-License-Identifier: GPL-2.0-only
/* The open files of the current task, by number. */
#include <toy/defs.h>

u32 open_files;				/* of all tasks */

int fd_alloc(void)
{
	struct files *files = &current()->files;
	u32 fd = bitmap_first_zero(files->used, NR_FILES);

	if (fd >= NR_FILES)
		return -EMFILE;
	bitmap_set(files->used, fd);
	return fd;
}

/* Takes over the reference to the inode, also if there is no number left. */
int fd_open(struct inode *inode)
{
	int fd = fd_alloc();
	struct file *f = fget(fd);

	if (!f) {
		inode_put(inode);
		return -EMFILE;
	}
	f->inode = inode;
	f->pos = 0;
	atomic_inc(&open_files);
	return fd;
}

void fd_close(int fd)
{
	struct files *files = &current()->files;

	bitmap_clear(files->used, fd);
	atomic_dec(&open_files);
	inode_put(files->file[fd].inode);
}

/* NULL if it is not open. */
struct file *fget(int fd)
{
	struct files *files = &current()->files;

	if (fd < 0 || fd >= NR_FILES || !bitmap_test(files->used, fd))
		return NULL;
	return &files->file[fd];
}

/* What fork leaves to the child: the same files, each at a position of its own. */
void files_copy(struct files *to, const struct files *from)
{
	*to = *from;
	for (u32 fd = 0; fd < NR_FILES; fd++)
		if (bitmap_test(to->used, fd)) {
			inode_get(to->file[fd].inode);
			atomic_inc(&open_files);
		}
}

/* All of the current task, when it ends. */
void files_close(void)
{
	struct files *files = &current()->files;

	for (u32 fd = 0; fd < NR_FILES; fd++)
		if (bitmap_test(files->used, fd))
			fd_close(fd);
}
