// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files, most of them the kernel's: what a read returns may depend on how it is
 * asked. They are opened with O_NONBLOCK, so that trace_pipe and /dev/kmsg end
 * where there is no more yet. /dev/kmsg gives a record for each read, and EPIPE
 * for records that have been overwritten, behind which it goes on.
 */
#include "init.h"

static char chunk[16384];

static long open_file(const char *path, int flags)
{
	return SYS3(open, path, flags, 0644);
}

/* How many bytes, 0 at the end, -errno. */
static long read_chunk(long fd)
{
	long n;

	do
		n = SYS3(read, fd, chunk, sizeof(chunk));
	while (n == -EINTR || n == -EPIPE);
	return n == -EAGAIN ? 0 : n;
}

/*
 * Calls function for each line, without its newline, until it returns false. A
 * line of more than LINE_MAX - 1 bytes is given in pieces. Returns 0 or -errno.
 */
long each_line(const char *path, line_function function, void *data)
{
	static char line[LINE_MAX];
	long fd = open_file(path, O_RDONLY | O_NONBLOCK), n, i;
	size_t used = 0;
	bool more = true;

	if (fd < 0)
		return fd;
	while (more && (n = read_chunk(fd)) > 0) {
		for (i = 0; more && i < n; i++) {
			bool end = chunk[i] == '\n' || !chunk[i];

			if (!end)
				line[used++] = chunk[i];
			if (end || used == LINE_MAX - 1) {
				line[used] = 0;
				used = 0;
				more = function(line, data);
			}
		}
	}
	SYS1(close, fd);
	if (n < 0 && more)
		return n;
	if (more && used) {
		line[used] = 0;
		function(line, data);
	}
	return 0;
}

/* Writes a whole file on the console. */
long copy_out(const char *path)
{
	long fd = open_file(path, O_RDONLY | O_NONBLOCK), n;

	if (fd < 0)
		return fd;
	while ((n = read_chunk(fd)) > 0)
		put_bytes(chunk, (size_t)n);
	SYS1(close, fd);
	return n;
}

/* Reads a whole file for nothing. */
long read_through(const char *path)
{
	long fd = open_file(path, O_RDONLY | O_NONBLOCK), n;

	if (fd < 0)
		return fd;
	while ((n = read_chunk(fd)) > 0)
		;
	SYS1(close, fd);
	return n;
}

/* tracefs takes a word for each write, so the rest is written again. */
long write_file(const char *path, int flags, const char *text, size_t n)
{
	long fd = open_file(path, O_WRONLY | O_CREAT | flags), done, error;

	if (fd < 0)
		return fd;
	do {
		done = SYS3(write, fd, text, n);
		if (done > 0) {
			text += done;
			n -= (size_t)done;
		}
	} while ((done > 0 && n) || done == -EINTR);
	error = SYS1(close, fd);
	return done < 0 ? done : error;
}

/* A file, or a folder. */
bool there(const char *path)
{
	long fd = open_file(path, O_RDONLY | O_NONBLOCK);

	if (fd >= 0)
		SYS1(close, fd);
	return fd != -ENOENT;
}

struct search {
	const char *text;
	bool found;
};

static bool search_line(const char *line, void *data)
{
	struct search *search = data;

	search->found = contains(line, search->text);
	return !search->found;
}

/* 1 if a line of the file contains the text, 0 if none does, -errno. */
long file_contains(const char *path, const char *text)
{
	struct search search = { text, false };
	long error = each_line(path, search_line, &search);

	return error < 0 ? error : search.found;
}
