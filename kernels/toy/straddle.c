// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two functions whose sites lie across a border: 2 bytes before, 3 behind. No
 * alignment that a core promises anything for holds all 5 bytes. kernel.ld
 * refuses to link if the place is another. See ring_write() for a word.
 */
#include <toy/defs.h>

/* A line of the cache, and two words of 8. */
asm(".text\n\t.balign 4096, 0xcc\n.Lpage:\n\t.skip 62, 0xcc");

__attribute__((aligned(2)))
u32 cross_line(u32 x)
{
	return x << 1 | x >> 31;
}

/* A page, and a line, and two words. */
asm(".text\n\t.org .Lpage + 4094, 0xcc");

__attribute__((aligned(2)))
u32 cross_page(u32 x)
{
	return x >> 1 | x << 31;
}
