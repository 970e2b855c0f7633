/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of page tables. A and D are set in every one, also in read-only ones,
 * so a core that walks these tables never writes to them.
 */
#ifndef PGTABLE_H
#define PGTABLE_H

#include "segments.h"
#include "types.h"

#define PTE_P		(1ul << 0)
#define PTE_W		(1ul << 1)
#define PTE_U		(1ul << 2)
#define PTE_PWT		(1ul << 3)
#define PTE_PCD		(1ul << 4)
#define PTE_A		(1ul << 5)
#define PTE_D		(1ul << 6)
#define PTE_PS		(1ul << 7)	/* a page of 2 MiB */
#define PTE_G		(1ul << 8)
#define PTE_NX		(1ul << 63)
#define PTE_PA		0x000ffffffffff000ul

#define PTE_TABLE	(PTE_P | PTE_W | PTE_A | PTE_D)
#define PTE_RX		(PTE_P | PTE_A | PTE_D | PTE_G)
#define PTE_R		(PTE_RX | PTE_NX)
#define PTE_RW		(PTE_R | PTE_W)
#define PTE_IO		(PTE_RW | PTE_PCD | PTE_PWT)

#define PTE_USER_TABLE	(PTE_TABLE | PTE_U)
#define PTE_USER_RX	(PTE_P | PTE_U | PTE_A | PTE_D)
#define PTE_USER_RW	(PTE_USER_RX | PTE_W | PTE_NX)

#define PAGE_SHIFT	12
#define LARGE_SIZE	(1ul << 21)

/* The entry for va in a table; level 0 is the page table, 3 the topmost. */
static __always_inline u32 pt_index(u64 va, int level)
{
	return va >> (PAGE_SHIFT + 9 * level) & 511;
}

/* The kernel sees the image at one place, and RAM behind it at another. */
static __always_inline void *phys_to_virt(u64 pa)
{
	return (void *)(pa + (pa < IMAGE_END_PA ? KERNEL_BASE : PAGE_OFFSET));
}

static __always_inline u64 virt_to_phys(const void *p)
{
	return (u64)p - ((u64)p >= IMAGE_VA ? KERNEL_BASE : PAGE_OFFSET);
}

#endif
