// SPDX-License-Identifier: GPL-2.0-only
/*
 * A line is words between blanks. '...' and "..." make one word of what they
 * enclose, and take the meaning from > and >>. $i, not in '...', is the number
 * of the round of the innermost repeat. A word that begins with # begins a
 * comment. Nothing else is special: a kernel's files are full of punctuation.
 */
#include "init.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool of_a_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* False: a quote that does not end, or too much of anything. */
bool split(const char *line, struct words *words)
{
	char *to = words->text, *end = words->text + sizeof(words->text) - 24;
	char quote = 0, digits[24];

	words->count = 0;
	for (;;) {
		while (blank(*line))
			line++;
		if (!*line || *line == '#')
			break;
		if (words->count == WORDS_MAX)
			return false;
		words->quoted[words->count] = false;
		words->at[words->count++] = to;
		for (; *line && (quote || !blank(*line)); line++) {
			if (to >= end)
				return false;
			if (quote ? *line == quote : *line == '"' || *line == '\'') {
				quote = quote ? 0 : *line;
				words->quoted[words->count - 1] = true;
			} else if (quote != '\'' && line[0] == '$' && line[1] == 'i' &&
				   !of_a_name(line[2])) {
				const char *s = decimal(current_round, digits);

				while (*s)
					*to++ = *s++;
				line++;
			} else {
				*to++ = *line;
			}
		}
		*to++ = 0;
	}
	words->at[words->count] = NULL;
	return !quote;
}
