/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and selectors that assembly, C and the linker script share. */
#ifndef SEGMENTS_H
#define SEGMENTS_H

#define KERNEL32_CS	0x08
#define KERNEL_CS	0x10
#define KERNEL_DS	0x18
/* SYSRET loads ss from STAR + 8 and cs from STAR + 16, so they are in this order. */
#define USER32_CS	0x23
#define USER_DS		0x2b
#define USER_CS		0x33
#define TSS_SELECTOR	0x40

/* Physical address 0 would be here; the image begins 2 MiB above. */
#define KERNEL_BASE	0xffffffff80000000
#define IMAGE_VA	0xffffffff80200000
#define IMAGE_END_VA	0xffffffff80400000
#define LAPIC_VA	0xffffffff803ff000	/* the last page of these 2 MiB */
#define LAPIC_PA	0xfee00000

/* RAM behind the image, by 2 MiB pages: what page_alloc.c hands out. */
#define PAGE_OFFSET	0xffff888000000000
#define IMAGE_END_PA	0x400000
#define MAX_RAM		0x40000000	/* 1 GiB: one table of such pages */

/* A process has one page table: text from the bottom, the stack below the top. */
#define USER_VA		0x400000
#define USER_END_VA	0x600000

#define STACK_SIZE	8192

#define POKE_ARENA_SIZE	0x10000		/* whole pages */
#define POKE_DATA_SIZE	0x4000

#define TRAMPOLINE_PA	0x8000

/* What Linux has, less what it finds by CPUID. AM WP NE ET MP PE, and PG. */
#define CR0_VALUE	0x80050033
#define CR4_PAE		0x20
#define CR4_VALUE	0x6a0		/* OSXMMEXCPT OSFXSR PGE PAE */
/* Members of struct cpu, by %gs. */
#define CPU_KERNEL_SP	16
#define CPU_USER_FLAGS	24

#define EFER_MSR	0xc0000080
#define EFER_VALUE	0x901		/* NXE LME SCE */

#endif
