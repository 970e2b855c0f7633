// SPDX-License-Identifier: GPL-2.0-only
/* A ring's bytes go in and out; see ring.h. */
#include <toy/ring.h>

u32 ring_count(const struct ring *r)
{
	return r->head - r->tail;
}

u32 ring_space(const struct ring *r)
{
	return RING_SIZE - (r->head - r->tail);
}

/* Takes up to n bytes out; returns how many. */
u32 ring_read(struct ring *r, void *buf, u32 n)
{
	u8 *p = buf;
	u32 count = ring_count(r);

	if (n > count)
		n = count;
	for (u32 i = 0; i < n; i++)
		p[i] = r->data[r->tail++ % RING_SIZE];
	return n;
}

/*
 * All functions begin on a multiple of 16, so that the 5 bytes of a site lie in
 * one aligned word of 8, which a store changes at once. Not so this one (nor
 * those of straddle.c): it begins at 16k + 6, and its site has 2 bytes in one
 * word and 3 in the next. It is here for those who believe that a site can be
 * written in one go. kernel.ld refuses to link if the place is another.
 */
asm(".text\n\t.balign 16, 0xcc\n\t.skip 6, 0xcc");

__attribute__((aligned(2)))
/* Puts up to n bytes in; returns how many. */
u32 ring_write(struct ring *r, const void *buf, u32 n)
{
	const u8 *p = buf;
	u32 space = ring_space(r);

	if (n > space)
		n = space;
	for (u32 i = 0; i < n; i++)
		r->data[r->head++ % RING_SIZE] = p[i];
	return n;
}
