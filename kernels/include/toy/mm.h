/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of a process: [USER_VA, USER_END_VA), by four tables of its own,
 * the topmost of which shares the kernel's half. Text is that of the image and
 * the same for all; data and stack are pages that belong to it alone.
 */
#ifndef MM_H
#define MM_H

#include "pgtable.h"

#define MM_LEVELS 4

struct mm {
	u64 *table[MM_LEVELS];		/* [0] has the pages, [3] is for CR3 */
};

/* For CR3 and task.cr3. */
static __always_inline u64 mm_cr3(const struct mm *mm)
{
	return virt_to_phys(mm->table[MM_LEVELS - 1]);
}

/* The flat program that all processes run, as the image has it; kernel.ld. */
extern const u8 user_image[];		/* text, then data, where the kernel sees them */
extern const u8 user_text[], user_text_end[];	/* where processes see them */
extern const u8 user_data[], user_data_end[];

#endif
