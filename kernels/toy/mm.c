// SPDX-License-Identifier: GPL-2.0-only
/* The memory of processes. */
#include <toy/defs.h>

/* Nothing is mapped but the kernel; NULL if there is no memory. */
struct mm *mm_alloc(void)
{
	struct mm *mm = kzalloc(sizeof(*mm));
	u64 *pgd;

	for (int level = 0; mm && level < MM_LEVELS; level++) {
		u64 *table = mm->table[level] = alloc_page();

		if (!table) {
			mm_free(mm);
			return NULL;
		}
		if (level)
			table[pt_index(USER_VA, level)] = virt_to_phys(mm->table[level - 1]) | PTE_USER_TABLE;
	}
	if (!mm)
		return NULL;
	pgd = mm->table[MM_LEVELS - 1];
	pgd[pt_index(IMAGE_VA, 3)] = kernel_pgd[pt_index(IMAGE_VA, 3)];
	pgd[pt_index(PAGE_OFFSET, 3)] = kernel_pgd[pt_index(PAGE_OFFSET, 3)];
	return mm;
}

/* Pages that can be written to are its own; the others are the image's. */
void mm_free(struct mm *mm)
{
	u64 *pte = mm->table[0];

	for (u32 i = 0; pte && i < 512; i++)
		if (pte[i] & PTE_W)
			free_page(phys_to_virt(pte[i] & PTE_PA));
	for (int level = 0; level < MM_LEVELS; level++)
		if (mm->table[level])
			free_page(mm->table[level]);
	kfree(mm);
}

/* The entry for va; NULL if no process has this address. */
u64 *mm_pte(const struct mm *mm, u64 va)
{
	return va >= USER_VA && va < USER_END_VA ? &mm->table[0][pt_index(va, 0)] : NULL;
}

/* A page of its own, all zero, where there is none; NULL if there is no memory. */
void *mm_add_page(struct mm *mm, u64 va)
{
	void *page = alloc_page();

	if (page)
		*mm_pte(mm, va) = virt_to_phys(page) | PTE_USER_RW;
	return page;
}

/* For fork: the same text, copies of all else. */
struct mm *mm_copy(const struct mm *from)
{
	struct mm *mm = mm_alloc();

	for (u64 va = USER_VA; mm && va < USER_END_VA; va += PAGE_SIZE) {
		u64 pte = *mm_pte(from, va);
		void *page;

		if (!(pte & PTE_W)) {
			*mm_pte(mm, va) = pte;
			continue;
		}
		page = mm_add_page(mm, va);
		if (!page) {
			mm_free(mm);
			return NULL;
		}
		memcpy64(page, phys_to_virt(pte & PTE_PA), PAGE_SIZE / 8);
	}
	return mm;
}

/* The current task goes over to it (NULL: to none), and what it had is freed. */
void mm_switch(struct mm *mm)
{
	struct task *t = current();
	struct mm *old = t->mm;

	t->mm = mm;
	WRITE_ONCE(t->cr3, mm ? mm_cr3(mm) : 0);
	cpu_take(t);
	if (old)
		mm_free(old);
}
