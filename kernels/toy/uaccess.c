// SPDX-License-Identifier: GPL-2.0-only
/*
 * Between the kernel and the memory of the current process. The kernel looks up
 * itself what the process may touch, and uses its own address for it, so a bad
 * pointer is found before it is used and no fault needs to be repaired.
 */
#include <toy/defs.h>

/* Where the kernel sees the byte at va, or NULL: the process may not do this. */
static void *user_byte(u64 va, bool write)
{
	struct mm *mm = current()->mm;
	u64 *pte = mm ? mm_pte(mm, va) : NULL;

	if (!pte || !(*pte & PTE_U) || (write && !(*pte & PTE_W)))
		return NULL;
	return phys_to_virt(*pte & PTE_PA) + va % PAGE_SIZE;
}

/* How much of n bytes at va lies in the page of the first. */
static size_t in_page(u64 va, size_t n)
{
	size_t rest = PAGE_SIZE - va % PAGE_SIZE;

	return n < rest ? n : rest;
}

/* 0 or -EFAULT; then some of it may have been copied. */
long copy_from_user(void *to, const void *from, size_t n)
{
	for (size_t part; n; to += part, from += part, n -= part) {
		void *p = user_byte((u64)from, false);

		if (!p)
			return -EFAULT;
		part = in_page((u64)from, n);
		memcpy(to, p, part);
	}
	return 0;
}

long copy_to_user(void *to, const void *from, size_t n)
{
	for (size_t part; n; to += part, from += part, n -= part) {
		void *p = user_byte((u64)to, true);

		if (!p)
			return -EFAULT;
		part = in_page((u64)to, n);
		memcpy(p, from, part);
	}
	return 0;
}

/* The length of the string; -E2BIG if it does not fit, with its end, into n bytes. */
long strncpy_from_user(char *to, const char *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *p = user_byte((u64)from + i, false);

		if (!p)
			return -EFAULT;
		to[i] = *p;
		if (!*p)
			return i;
	}
	return -E2BIG;
}
