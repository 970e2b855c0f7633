// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring_write with all that a patch may have of its own: static variables, one
 * for each core, a table of constants and a function. What it writes is what
 * it always wrote; how often each core wrote how much is in written[][].
 *
 *	textpoke patch toy ring_write --with ring_write.c
 */
#include <toy/defs.h>

static const u32 limits[] = { 0, 1, 2, 8, RING_SIZE };
static u64 written[MAX_CPUS][ARRAY_SIZE(limits)];

static void count(u32 n)
{
	for (u32 i = 0; i < ARRAY_SIZE(limits); i++)
		if (n <= limits[i]) {
			written[this_cpu()->id][i]++;
			break;
		}
}

u32 ring_write(struct ring *r, const void *buf, u32 n)
{
	const u8 *p = buf;
	u32 space = ring_space(r);

	if (n > space)
		n = space;
	count(n);
	for (u32 i = 0; i < n; i++)
		r->data[r->head++ % RING_SIZE] = p[i];
	return n;
}
