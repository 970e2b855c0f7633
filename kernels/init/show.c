// SPDX-License-Identifier: GPL-2.0-only
/* What can be seen: files, folders, the kernel's messages, the time. */
#include "init.h"

/* The last but one word is > or >>, and was not in quotes. */
static int redirection(int count, char **words)
{
	int first = current_words->count - count;

	if (count < 2 || current_words->quoted[first + count - 2])
		return 0;
	if (same(words[count - 2], ">"))
		return O_TRUNC;
	return same(words[count - 2], ">>") ? O_APPEND : 0;
}

int do_echo(int count, char **words)
{
	char text[LINE_MAX];
	int flags = redirection(count, words), i;
	size_t n = 0;
	long error;

	for (i = 0; i < (flags ? count - 2 : count); i++) {
		if (i)
			text[n++] = ' ';
		memcpy(text + n, words[i], length(words[i]));
		n += length(words[i]);
	}
	text[n++] = '\n';
	if (!flags) {
		put_bytes(text, n);
		return 0;
	}
	error = write_file(words[count - 1], flags, text, n);
	return error < 0 ? fail_errno(words[count - 1], error) : 0;
}

int do_cat(int count, char **words)
{
	int i;

	for (i = 0; i < count; i++) {
		long error = copy_out(words[i]);

		if (error < 0)
			return fail_errno(words[i], error);
	}
	return 0;
}

struct choice {
	const char *text;	/* only lines with it; NULL: all */
	long rest;		/* as many lines more */
	long count;
	bool show;
};

static bool choose(const char *line, void *data)
{
	struct choice *choice = data;

	if (choice->text && !contains(line, choice->text))
		return true;
	choice->count++;
	if (choice->show) {
		put(line);
		put("\n");
	}
	return --choice->rest != 0;
}

static int choose_lines(const char *path, struct choice *choice)
{
	long error = choice->rest ? each_line(path, choose, choice) : 0;

	return error < 0 ? fail_errno(path, error) : 0;
}

int do_head(int count, char **words)
{
	struct choice choice = { .show = true };

	(void)count;
	if (!number(words[0], &choice.rest))
		return fail("head", "how many lines?");
	return choose_lines(words[1], &choice);
}

int do_grep(int count, char **words)
{
	struct choice choice = { .text = words[0], .rest = -1, .show = true };

	(void)count;
	return choose_lines(words[1], &choice);
}

int do_count(int count, char **words)
{
	struct choice choice = { .text = count > 1 ? words[1] : NULL, .rest = -1 };

	if (choose_lines(words[0], &choice))
		return -1;
	put_number(choice.count);
	put(" ");
	put(words[0]);
	put("\n");
	return 0;
}

/* Adds the names in a buffer of getdents64, each in its place. */
static int add_names(char *buffer, long n, const char **names, int count, int most)
{
	long at;
	int i;

	for (at = 0; at < n; at += ((struct linux_dirent64 *)(buffer + at))->d_reclen) {
		const char *name = ((struct linux_dirent64 *)(buffer + at))->d_name;

		if (name[0] == '.' || count == most)
			continue;
		for (i = count++; i > 0; i--) {
			const char *a = names[i - 1], *b = name;

			while (*a && *a == *b) {
				a++;
				b++;
			}
			if (*a <= *b)
				break;
			names[i] = names[i - 1];
		}
		names[i] = name;
	}
	return count;
}

int do_ls(int count, char **words)
{
	static char buffer[32768];
	static const char *names[1024];
	long fd = SYS3(open, words[0], O_RDONLY | O_DIRECTORY, 0), n;
	size_t used = 0;
	int i;

	if (fd < 0)
		return fail_errno(words[0], fd);
	count = 0;
	while ((n = SYS3(getdents64, fd, buffer + used, sizeof(buffer) - used)) > 0) {
		count = add_names(buffer + used, n, names, count, 1024);
		used += (size_t)n;
	}
	SYS1(close, fd);
	if (n < 0)
		return fail_errno(words[0], n);
	for (i = 0; i < count; i++) {
		put(names[i]);
		put("\n");
	}
	return 0;
}

int do_cd(int count, char **words)
{
	long error = SYS1(chdir, words[0]);

	(void)count;
	return error < 0 ? fail_errno(words[0], error) : 0;
}

int do_mkdir(int count, char **words)
{
	long error = SYS2(mkdir, words[0], 0755);

	(void)count;
	return error < 0 ? fail_errno(words[0], error) : 0;
}

int do_rmdir(int count, char **words)
{
	long error = SYS1(rmdir, words[0]);

	(void)count;
	return error < 0 ? fail_errno(words[0], error) : 0;
}

static void put_padded(long value, int width, char pad)
{
	char digits[24];
	const char *s = decimal(value, digits);
	int n;

	for (n = (int)length(s); n < width; n++)
		put_bytes(&pad, 1);
	put(s);
}

/* A record of /dev/kmsg is "6,339,5140900,-;text", microseconds third; then " KEY=VALUE". */
static bool show_message(const char *line, void *data)
{
	const char *text = line, *wanted = data;
	long usec = 0;
	int comma = 0;

	while (*text && *text != ';')
		text++;
	if (!*text || line[0] == ' ' || (wanted && !contains(text + 1, wanted)))
		return true;
	for (; *line && comma < 3; line++) {
		if (*line == ',')
			comma++;
		else if (comma == 2)
			usec = usec * 10 + (*line - '0');
	}
	put("[");
	put_padded(usec / 1000000, 5, ' ');
	put(".");
	put_padded(usec % 1000000, 6, '0');
	put("] ");
	put(text + 1);
	put("\n");
	return true;
}

int do_dmesg(int count, char **words)
{
	long error = each_line("/dev/kmsg", show_message, count ? words[0] : NULL);

	return error < 0 ? fail_errno("/dev/kmsg", error) : 0;
}

int do_uptime(int count, char **words)
{
	struct timespec now;

	(void)count;
	(void)words;
	SYS2(clock_gettime, CLOCK_MONOTONIC, &now);
	put("uptime ");
	put_number(now.tv_sec);
	put(".");
	put_padded(now.tv_nsec, 9, '0');
	put("\n");
	return 0;
}
