/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registers of whoever was interrupted, as entry.S leaves them on the
 * stack, lowest address first. Names and order are those of Linux.
 */
#ifndef PTREGS_H
#define PTREGS_H

#include "types.h"

struct pt_regs {
	u64 r15, r14, r13, r12, bp, bx;			/* 0x00 */
	u64 r11, r10, r9, r8, ax, cx, dx, si, di;	/* 0x30 */
	u64 orig_ax;					/* 0x78: error code, or 0 */
	u64 ip, cs, flags, sp, ss;			/* 0x80: pushed by the core */
};

static __always_inline bool user_mode(const struct pt_regs *regs)
{
	return (regs->cs & 3) == 3;
}

#endif
