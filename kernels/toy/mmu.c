// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page tables that last: the image and the page of the LAPIC, and nothing
 * else. What can be written cannot be executed, and the other way round. There
 * is no map of low memory: what is needed from there was copied before.
 *
 * A and D are set in every entry, also in read-only ones, so a core that walks
 * these tables never writes to them: memory changes only by what is stored.
 */
#include <toy/defs.h>

#define PTE_P		(1ul << 0)
#define PTE_W		(1ul << 1)
#define PTE_PWT		(1ul << 3)
#define PTE_PCD		(1ul << 4)
#define PTE_A		(1ul << 5)
#define PTE_D		(1ul << 6)
#define PTE_G		(1ul << 8)
#define PTE_NX		(1ul << 63)

#define PTE_TABLE	(PTE_P | PTE_W | PTE_A | PTE_D)
#define PTE_RX		(PTE_P | PTE_A | PTE_D | PTE_G)
#define PTE_R		(PTE_RX | PTE_NX)
#define PTE_RW		(PTE_R | PTE_W)
#define PTE_IO		(PTE_RW | PTE_PCD | PTE_PWT)

static u64 kernel_pgd[512] __aligned(PAGE_SIZE);
static u64 kernel_pud[512] __aligned(PAGE_SIZE);
static u64 kernel_pmd[512] __aligned(PAGE_SIZE);
static u64 kernel_pte[512] __aligned(PAGE_SIZE);

static u64 kernel_pa(const void *p)
{
	return (u64)p - KERNEL_BASE;
}

static void map(const void *from, const void *to, u64 rights)
{
	for (u64 va = (u64)from; va < (u64)to; va += PAGE_SIZE)
		kernel_pte[va / PAGE_SIZE % 512] = (va - KERNEL_BASE) | rights;
}

/* The boot core, once. */
void mmu_init(void)
{
	map(_stext, poke_arena_end, PTE_RX);
	map(_srodata, _erodata, PTE_R);
	map(_sdata, _edata, PTE_RW);
	kernel_pte[LAPIC_VA / PAGE_SIZE % 512] = LAPIC_PA | PTE_IO;

	kernel_pmd[IMAGE_VA >> 21 & 511] = kernel_pa(kernel_pte) | PTE_TABLE;
	kernel_pud[IMAGE_VA >> 30 & 511] = kernel_pa(kernel_pmd) | PTE_TABLE;
	kernel_pgd[IMAGE_VA >> 39 & 511] = kernel_pa(kernel_pud) | PTE_TABLE;
}

/* Each core: leaves the tables of boot.S. Global pages only from here on. */
void mmu_load(void)
{
	write_cr3(kernel_pa(kernel_pgd));
	write_cr4(CR4_VALUE);
}
