/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a PVH loader passes: Xen's public/arch-x86/hvm/start_info.h. All of it
 * lies in low memory, which is mapped only until mmu_load().
 */
#ifndef START_INFO_H
#define START_INFO_H

#include "types.h"

#define START_INFO_MAGIC	0x336ec578
#define LOW_MEMORY		(1ul << 30)	/* what boot.S maps */

struct hvm_start_info {
	u32 magic, version, flags, nr_modules;
	u64 modlist_paddr, cmdline_paddr, rsdp_paddr;
	u64 memmap_paddr;			/* from version 1 on */
	u32 memmap_entries, reserved;
};

#define HVM_MEMMAP_TYPE_RAM	1

struct hvm_memmap_table_entry {
	u64 addr, size;
	u32 type, reserved;
};

/* NULL if the loader passed none. */
static __always_inline const struct hvm_start_info *start_info_at(u64 pa)
{
	const struct hvm_start_info *info = (void *)pa;

	return pa && pa < LOW_MEMORY && info->magic == START_INFO_MAGIC ? info : NULL;
}

#endif
