// SPDX-License-Identifier: GPL-2.0-only
/* What a program has instead of a C library: nothing of the kernel's can be called. */
#include "ulib.h"

size_t string_length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* Fletcher's, so that the order counts too. */
u32 checksum(const void *buf, size_t n)
{
	const u8 *p = buf;
	u32 a = 0, b = 0;

	while (n--) {
		a += *p++;
		b += a;
	}
	return b << 16 | (a & 0xffff);
}
