/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and selectors that assembly, C and the linker script share. */
#ifndef SEGMENTS_H
#define SEGMENTS_H

#define KERNEL32_CS	0x08
#define KERNEL_CS	0x10
#define KERNEL_DS	0x18
#define TSS_SELECTOR	0x40

/* Physical address 0 would be here; the image begins 2 MiB above. */
#define KERNEL_BASE	0xffffffff80000000
#define IMAGE_VA	0xffffffff80200000
#define IMAGE_END_VA	0xffffffff80400000
#define LAPIC_VA	0xffffffff803ff000	/* the last page of these 2 MiB */
#define LAPIC_PA	0xfee00000

#define STACK_SIZE	8192

#define POKE_ARENA_SIZE	0x10000		/* whole pages */
#define POKE_DATA_SIZE	0x4000

#define TRAMPOLINE_PA	0x8000

/* What Linux has, less what it finds by CPUID. AM WP NE ET MP PE, and PG. */
#define CR0_VALUE	0x80050033
#define CR4_PAE		0x20
#define CR4_VALUE	0x6a0		/* OSXMMEXCPT OSFXSR PGE PAE */
#define EFER_MSR	0xc0000080
#define EFER_VALUE	0x901		/* NXE LME SCE */

#endif
