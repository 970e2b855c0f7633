/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A queue of bytes. head and tail only grow; their difference is what is
 * inside. The caller keeps others out.
 */
#ifndef RING_H
#define RING_H

#include "types.h"

#define RING_SIZE 64			/* a power of two */

struct ring {
	u32 head;			/* bytes ever written */
	u32 tail;			/* bytes ever read */
	u8 data[RING_SIZE];
};

u32 ring_count(const struct ring *r);
u32 ring_space(const struct ring *r);
u32 ring_read(struct ring *r, void *buf, u32 n);
u32 ring_write(struct ring *r, const void *buf, u32 n);

#endif
