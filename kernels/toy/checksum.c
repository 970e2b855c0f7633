// SPDX-License-Identifier: GPL-2.0-only
/* The checksum of the internet protocols: 16-bit words, carries come round. */
#include <toy/defs.h>

/* Adds n bytes to a sum, which is not folded yet. Words are little endian. */
u32 csum_partial(const void *buf, size_t n, u32 sum)
{
	const u8 *p = buf;

	for (; n > 1; n -= 2, p += 2)
		sum += p[0] | p[1] << 8;
	if (n)
		sum += *p;
	return sum;
}

u16 csum_fold(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}
