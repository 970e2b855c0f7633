// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands from the console, a line at a time; the terminal itself does echo
 * and backspace (it is in canonical mode). A line that opens a block is
 * executed when the block is closed. Ctrl-D goes back to the script.
 */
#include "init.h"

static struct script console;
static bool prompting;

/* How many bytes, with the newline; 0: Ctrl-D, or nobody will ever type. */
static long read_line(char *line, size_t size)
{
	long n;

	flush();
	do
		n = SYS3(read, 0, line, size);
	while (n == -EINTR || n == -EAGAIN);
	return n < 0 ? 0 : n;
}

static void prompt(const char *text)
{
	put(text);
	flush();
}

/* One command, or one block, which is executed; false at the end of input. */
static bool read_and_run(void)
{
	char line[LINE_MAX];

	empty_script(&console, "console");
	do {
		long n;

		prompt(console.lines ? "  ... " : "init# ");
		n = read_line(line, sizeof(line));
		if (!n)
			return false;
		while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			n--;
		if (!add_line(&console, line, (size_t)n)) {
			fail("console", "too many lines");
			return true;
		}
	} while (depth(&console, 0, console.lines) > 0);
	if (!check_script(&console, 0, console.lines))
		run_lines(&console, 0, console.lines);
	reap();
	return true;
}

int do_prompt(int count, char **words)
{
	const struct script *script = current_script;
	int line = current_line;

	(void)count;
	(void)words;
	if (job_name || prompting)
		return fail("prompt", "somebody else has the console");
	prompting = true;
	put("init: commands from the console; help lists them, Ctrl-D goes on\n");
	while (read_and_run())
		;
	put("\n");
	prompting = false;
	current_script = script;
	current_line = line;
	return 0;
}
