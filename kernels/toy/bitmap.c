// SPDX-License-Identifier: GPL-2.0-only
/* Sets of small numbers, 64 to a word. The caller keeps others out. */
#include <toy/defs.h>

void bitmap_set(u64 *map, u32 bit)
{
	map[bit / 64] |= 1ul << bit % 64;
}

void bitmap_clear(u64 *map, u32 bit)
{
	map[bit / 64] &= ~(1ul << bit % 64);
}

bool bitmap_test(const u64 *map, u32 bit)
{
	return map[bit / 64] >> bit % 64 & 1;
}

/* The lowest number that is not in the set; bits if all are. */
u32 bitmap_first_zero(const u64 *map, u32 bits)
{
	for (u32 i = 0; i < bits; i += 64)
		if (~map[i / 64]) {
			u32 bit = i + __builtin_ctzl(~map[i / 64]);

			return bit < bits ? bit : bits;
		}
	return bits;
}

u32 bitmap_weight(const u64 *map, u32 bits)
{
	u32 n = 0;

	for (u32 i = 0; i < bits; i++)
		n += bitmap_test(map, i);
	return n;
}
