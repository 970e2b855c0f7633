// SPDX-License-Identifier: GPL-2.0-only
/* The open files of the current task, by number. */
#include <toy/defs.h>

int fd_alloc(void)
{
	struct files *files = &current()->files;
	u32 fd = bitmap_first_zero(files->used, NR_FILES);

	if (fd >= NR_FILES)
		return -EMFILE;
	bitmap_set(files->used, fd);
	return fd;
}

void fd_free(int fd)
{
	bitmap_clear(current()->files.used, fd);
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
}

/* All of them, when their task ends. */
void files_close(struct files *files)
{
	files->used[0] = 0;
}
