// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of RAM, one at a time. A bit for each says whether it is taken: so are,
 * for ever, all below the end of the image and all that is not RAM. The lowest
 * free one is handed out, so that little of a large RAM is ever touched.
 *
 * Interrupts may allocate, so the lock is taken with interrupts off.
 */
#include <toy/defs.h>
#include <toy/start_info.h>

#define WORDS		(MAX_RAM / PAGE_SIZE / 64)
#define LEAST_RAM	(16ul << 20)	/* for loaders that do not say how much there is */

static u64 taken[WORDS];
static u64 first_word;			/* no free page is in one below */
static struct spinlock lock;

u64 free_pages;
u64 min_free_pages;			/* so many are kept back; tests make memory scarce by it */

/* Whole pages of 2 MiB only: these are what mmu.c maps. */
static void add_ram(u64 from, u64 to)
{
	from = from < IMAGE_END_PA ? IMAGE_END_PA : (from + LARGE_SIZE - 1) & -LARGE_SIZE;
	to = to > MAX_RAM ? MAX_RAM : to & -LARGE_SIZE;
	for (u64 pa = from; pa < to; pa += 64 * PAGE_SIZE) {
		if (!taken[pa / PAGE_SIZE / 64])
			continue;	/* the map said so before */
		taken[pa / PAGE_SIZE / 64] = 0;
		free_pages += 64;
	}
}

/* Must come before mmu_init(), which asks for the RAM and unmaps the map of it. */
void page_alloc_init(u64 start_info)
{
	const struct hvm_start_info *info = start_info_at(start_info);
	const struct hvm_memmap_table_entry *e;

	memset64(taken, -1ul, WORDS);
	if (!info || info->version < 1 || !info->memmap_entries ||
	    !info->memmap_paddr || info->memmap_paddr >= LOW_MEMORY) {
		add_ram(0, LEAST_RAM);
		return;
	}
	e = (void *)info->memmap_paddr;
	for (u32 i = 0; i < info->memmap_entries; i++)
		if (e[i].type == HVM_MEMMAP_TYPE_RAM)
			add_ram(e[i].addr, e[i].addr + e[i].size);
}

/* Before the first allocation: whether the pages around pa can be handed out. */
bool page_is_ram(u64 pa)
{
	return !taken[pa / PAGE_SIZE / 64];
}

/* All zero; NULL if there is none left. */
void *alloc_page(void)
{
	u64 flags = raw_lock_irqsave(&lock);
	u64 *page = NULL;

	if (free_pages > min_free_pages) {
		u64 bit;

		while (taken[first_word] == -1ul)
			first_word++;
		bit = __builtin_ctzl(~taken[first_word]);

		taken[first_word] |= 1ul << bit;
		free_pages--;
		page = phys_to_virt((first_word * 64 + bit) * PAGE_SIZE);
	}
	raw_unlock_irqrestore(&lock, flags);
	if (page)
		memset64(page, 0, PAGE_SIZE / 8);
	return page;
}

void free_page(void *page)
{
	u64 pa = virt_to_phys(page), n = pa / PAGE_SIZE, flags;

	if (pa % PAGE_SIZE || pa < IMAGE_END_PA || pa >= MAX_RAM)
		panic("panic: free_page of %lx", (u64)page);
	flags = raw_lock_irqsave(&lock);
	if (!(taken[n / 64] & 1ul << n % 64))
		panic("panic: page %lx is freed twice", (u64)page);
	taken[n / 64] &= ~(1ul << n % 64);
	free_pages++;
	if (n / 64 < first_word)
		first_word = n / 64;
	raw_unlock_irqrestore(&lock, flags);
}
