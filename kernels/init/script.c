// SPDX-License-Identifier: GPL-2.0-only
/*
 * A script: lines, some of which open a block that "end" closes.
 *
 *	repeat N | repeat cpus | repeat	N times; once for each CPU; for ever
 *	spawn NAME			a process of its own
 *	try COMMAND			its error is told of, and does not end the script
 *
 * The whole script is checked before its first line is executed: blocks, names
 * of commands, how many words they have. An error while it runs ends it.
 */
#include "init.h"

const struct script *current_script;
int current_line;
long current_round;

void empty_script(struct script *script, const char *name)
{
	script->name = name;
	script->lines = 0;
	script->used = 0;
}

bool add_line(struct script *script, const char *text, size_t n)
{
	char *at = script->text + script->used;

	script->full = script->lines == (int)(sizeof(script->line) / sizeof(*script->line)) ||
		       (size_t)script->used + n + 1 > sizeof(script->text);
	if (script->full)
		return false;
	memcpy(at, text, n);
	at[n] = 0;
	script->used += (int)n + 1;
	script->line[script->lines++] = at;
	return true;
}

static bool load_line(const char *line, void *data)
{
	return add_line(data, line, length(line));
}

/* 0 or -errno. */
long load_script(struct script *script, const char *path)
{
	long error;

	empty_script(script, "script");
	error = each_line(path, load_line, script);
	return !error && script->full ? -E2BIG : error;
}

static bool opens(const struct words *words)
{
	return words->count && (same(words->at[0], "repeat") || same(words->at[0], "spawn"));
}

static bool closes(const struct words *words)
{
	return words->count && same(words->at[0], "end");
}

/* How many blocks are open behind these lines; below 0 if one is closed too often. */
int depth(const struct script *script, int from, int to)
{
	struct words words;
	int open = 0;

	for (; from < to && open >= 0; from++) {
		split(script->line[from], &words);
		open += opens(&words) - closes(&words);
	}
	return open;
}

/* The line of the "end" that closes the block which line `at` opens. */
static int end_of_block(const struct script *script, int at)
{
	struct words words;
	int open = 1;

	while (open) {
		split(script->line[++at], &words);
		open += opens(&words) - closes(&words);
	}
	return at;
}

static int check_command(const struct words *words, int first)
{
	const struct command *command = find_command(words->at[first]);
	int follow = words->count - first - 1;

	if (!command)
		return fail(words->at[first], "no such command; help lists them");
	if (follow < command->least || follow > command->most)
		return fail("usage", command->usage);
	return 0;
}

static int check_line(const struct words *words)
{
	const char *word = words->at[0];
	long n;

	if (same(word, "end"))
		return words->count == 1 ? 0 : fail("usage", "end");
	if (same(word, "spawn"))
		return words->count == 2 ? 0 : fail("usage", "spawn NAME");
	if (same(word, "repeat")) {
		if (words->count == 1 || (words->count == 2 && (same(words->at[1], "cpus") ||
								number(words->at[1], &n))))
			return 0;
		return fail("usage", "repeat [N | cpus]");
	}
	if (same(word, "try"))
		return words->count > 1 ? check_command(words, 1) : fail("usage", "try COMMAND");
	return check_command(words, 0);
}

/* 0, or -1 after all that is wrong has been told. */
int check_script(const struct script *script, int from, int to)
{
	struct words words;
	int at, open = 0, opened = 0, status = 0;

	current_script = script;
	for (at = from; at < to; at++) {
		current_line = at + 1;
		if (!split(script->line[at], &words)) {
			status = fail("a quote does not end, or the line is too long", NULL);
			continue;
		}
		if (!words.count)
			continue;
		if (check_line(&words))
			status = -1;
		if (opens(&words) && !open++)
			opened = at + 1;
		if (closes(&words) && --open < 0) {
			status = fail("end", "no block is open here");
			open = 0;
		}
	}
	if (open) {
		current_line = opened;
		status = fail("this block has no end", NULL);
	}
	current_line = 0;
	return status;
}

static int repeat(const struct script *script, const struct words *words, int from, int to)
{
	long outer = current_round, round, rounds = -1;
	int status = 0;

	if (words->count > 1 && same(words->at[1], "cpus"))
		rounds = cpus;
	else if (words->count > 1)
		number(words->at[1], &rounds);
	for (round = 0; !status && round != rounds; round++) {
		current_round = round;
		status = run_lines(script, from, to);
	}
	current_round = outer;
	return status;
}

/* Lines from to to - 1, which have been checked; -1 as soon as one of them fails. */
int run_lines(const struct script *script, int from, int to)
{
	struct words words;
	int at, status = 0;

	for (at = from; at < to && !status; at++) {
		reap();
		split(script->line[at], &words);
		if (!words.count)
			continue;
		current_script = script;
		current_line = at + 1;
		if (opens(&words)) {
			int end = end_of_block(script, at);

			if (same(words.at[0], "repeat"))
				status = repeat(script, &words, at + 1, end);
			else
				status = spawn(words.at[1], script, at + 1, end);
			at = end;
		} else if (same(words.at[0], "try")) {
			run_command(&words, 1);
		} else {
			status = run_command(&words, 0);
		}
	}
	return status;
}
