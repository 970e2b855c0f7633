// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's page tables: the image, the page of the LAPIC, and the RAM behind
 * the image. What can be written cannot be executed, and the other way round;
 * nothing that is text has a second address. There is no map of low memory: what
 * is needed from there was copied before.
 */
#include <toy/defs.h>

u64 kernel_pgd[512] __aligned(PAGE_SIZE);
static u64 kernel_pud[512] __aligned(PAGE_SIZE);
static u64 kernel_pmd[512] __aligned(PAGE_SIZE);
static u64 kernel_pte[512] __aligned(PAGE_SIZE);
static u64 direct_pud[512] __aligned(PAGE_SIZE);
static u64 direct_pmd[512] __aligned(PAGE_SIZE);

static void map(const void *from, const void *to, u64 rights)
{
	for (u64 va = (u64)from; va < (u64)to; va += PAGE_SIZE)
		kernel_pte[pt_index(va, 0)] = (va - KERNEL_BASE) | rights;
}

/* All RAM that page_alloc.c will hand out. */
static void map_ram(void)
{
	for (u64 pa = IMAGE_END_PA; pa < MAX_RAM; pa += LARGE_SIZE)
		if (page_is_ram(pa))
			direct_pmd[pt_index(pa, 1)] = pa | PTE_RW | PTE_PS;
	direct_pud[pt_index(PAGE_OFFSET, 2)] = virt_to_phys(direct_pmd) | PTE_TABLE;
	kernel_pgd[pt_index(PAGE_OFFSET, 3)] = virt_to_phys(direct_pud) | PTE_TABLE;
}

/* The boot core, once. */
void mmu_init(void)
{
	map(_stext, poke_arena_end, PTE_RX);
	map(_srodata, _erodata, PTE_R);
	map(_sdata, _edata, PTE_RW);
	kernel_pte[pt_index(LAPIC_VA, 0)] = LAPIC_PA | PTE_IO;

	kernel_pmd[pt_index(IMAGE_VA, 1)] = virt_to_phys(kernel_pte) | PTE_TABLE;
	kernel_pud[pt_index(IMAGE_VA, 2)] = virt_to_phys(kernel_pmd) | PTE_TABLE;
	kernel_pgd[pt_index(IMAGE_VA, 3)] = virt_to_phys(kernel_pud) | PTE_TABLE;
	map_ram();
}

/* Each core: leaves the tables of boot.S. Global pages only from here on. */
void mmu_load(void)
{
	write_cr3(virt_to_phys(kernel_pgd));
	write_cr4(CR4_VALUE);
}
