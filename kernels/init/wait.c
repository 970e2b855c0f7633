// SPDX-License-Identifier: GPL-2.0-only
/* What a script waits for and what it insists on. */
#include "init.h"

static struct timespec patience = { 30, 0 };
static const struct timespec between = { 0, 10000000 };	/* looks, of wait */

int do_sleep(int count, char **words)
{
	struct timespec time;

	(void)count;
	if (!seconds(words[0], &time))
		return fail("sleep", "how many seconds?");
	SYS2(nanosleep, &time, &time);
	return 0;
}

int do_patience(int count, char **words)
{
	(void)count;
	return seconds(words[0], &patience) ? 0 : fail("patience", "how many seconds?");
}

enum what { HAS, HAS_NOT, GONE };

/* 1 if it is so, 0 if not, -errno. */
static long holds(enum what what, const char *path, const char *text)
{
	long found;

	if (what == GONE)
		return !there(path);
	found = file_contains(path, text);
	return found < 0 || what == HAS ? found : !found;
}

static bool late(const struct timespec *from)
{
	struct timespec now;
	long sec, nsec;

	SYS2(clock_gettime, CLOCK_MONOTONIC, &now);
	sec = now.tv_sec - from->tv_sec - patience.tv_sec;
	nsec = now.tv_nsec - from->tv_nsec - patience.tv_nsec;
	return sec * 1000000000 + nsec > 0;
}

/* A file that is not there yet may come. */
int do_wait(int count, char **words)
{
	bool gone = same(words[0], "gone");
	const char *path = words[gone];
	struct timespec from;

	(void)count;
	SYS2(clock_gettime, CLOCK_MONOTONIC, &from);
	for (;;) {
		long found = holds(gone ? GONE : HAS, path, words[1]);

		if (found == 1)
			return 0;
		if (found < 0 && found != -ENOENT)
			return fail_errno(path, found);
		if (late(&from))
			return fail(path, gone ? "waited in vain: it is still there"
					       : "waited in vain for its text");
		SYS2(nanosleep, &between, NULL);
	}
}

int do_expect(int count, char **words)
{
	enum what what = HAS;
	long found;

	if (count == 3) {
		if (!same(words[0], "not"))
			return fail("usage", find_command("expect")->usage);
		what = HAS_NOT;
		words++;
	} else if (same(words[0], "gone")) {
		what = GONE;
		words++;
	}
	found = holds(what, words[0], words[1]);
	if (found < 0)
		return fail_errno(words[0], found);
	if (found)
		return 0;
	if (what == GONE)
		return fail(words[0], "expected to be gone");
	put(words[0]);
	put(what == HAS ? " does not contain: " : " contains: ");
	put(words[1]);
	put("\n");
	return fail(words[0], what == HAS ? "lacks what is expected" : "has what is not expected");
}

int do_fail(int count, char **words)
{
	char text[LINE_MAX];
	size_t n = 0;
	int i;

	for (i = 0; i < count; i++) {
		memcpy(text + n, words[i], length(words[i]));
		n += length(words[i]);
		text[n++] = ' ';
	}
	text[n ? n - 1 : 0] = 0;
	return fail("fail", count ? text : NULL);
}
