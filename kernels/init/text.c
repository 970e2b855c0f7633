// SPDX-License-Identifier: GPL-2.0-only
/* Strings and numbers. */
#include "init.h"

size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool begins(const char *line, const char *text)
{
	while (*text && *line == *text) {
		line++;
		text++;
	}
	return !*text;
}

bool contains(const char *line, const char *text)
{
	for (; *line; line++)
		if (begins(line, text))
			return true;
	return !*text;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Decimal, 0 to 10^15. */
bool number(const char *s, long *value)
{
	*value = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (!digit(*s) || *value >= 100000000000000)
			return false;
		*value = *value * 10 + (*s - '0');
	}
	return true;
}

/* "3", "0.25": down to a nanosecond. */
bool seconds(const char *s, struct timespec *time)
{
	long unit = 100000000;

	time->tv_sec = 0;
	time->tv_nsec = 0;
	if (!digit(*s))
		return false;
	for (; digit(*s); s++) {
		if (time->tv_sec >= 1000000)
			return false;
		time->tv_sec = time->tv_sec * 10 + (*s - '0');
	}
	if (*s == '.')
		for (s++; digit(*s); s++, unit /= 10)
			time->tv_nsec += unit * (*s - '0');
	return !*s;
}

/* Into a buffer of 24 bytes; what is returned lies at its end. */
const char *decimal(long value, char *buffer)
{
	unsigned long rest = value < 0 ? -(unsigned long)value : (unsigned long)value;
	char *s = buffer + 23;

	*s = 0;
	do {
		*--s = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		*--s = '-';
	return s;
}

/* gcc calls these two for structures. */
void *memcpy(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	char *t = to;

	while (n--)
		*t++ = (char)byte;
	return to;
}
