// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes and strings. The compiler may call the mem functions wherever it likes,
 * so they are not traced; the others are ordinary.
 */
#include <toy/types.h>
#include <toy/defs.h>

notrace void *memcpy(void *to, const void *from, size_t n)
{
	u8 *t = to;
	const u8 *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}

notrace void *memset(void *to, int c, size_t n)
{
	u8 *t = to;

	while (n--)
		*t++ = c;
	return to;
}

notrace int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return p - s;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	while (n && *a && *a == *b)
		a++, b++, n--;
	return n ? (u8)*a - (u8)*b : 0;
}

/* Copies what fits, always with an end; returns the length, or that it did not fit. */
long strscpy(char *to, const char *from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		to[i] = from[i];
		if (!from[i])
			return i;
	}
	if (size)
		to[size - 1] = 0;
	return -E2BIG;
}

/* The first c in s, or the end of s. */
const char *strchrnul(const char *s, char c)
{
	while (*s && *s != c)
		s++;
	return s;
}
