// SPDX-License-Identifier: GPL-2.0-only
/* Memory: what is free, what is handed out, and that all of it comes back. */
#include "selftest.h"

#define PAGES 40
#define OBJECTS 200

void test_pages(void)
{
	static u64 *pages[PAGES];
	u64 before = free_pages;

	CHECK(before >= 512);
	for (u32 i = 0; i < PAGES; i++) {
		CHECK((pages[i] = alloc_page()) && (u64)pages[i] % PAGE_SIZE == 0);
		CHECK(free_pages == before - i - 1);
		for (u32 j = 0; j < PAGE_SIZE / 8; j++)
			CHECK(!pages[i][j]);
		memset64(pages[i], i + 1, PAGE_SIZE / 8);
	}
	for (u32 i = 0; i < PAGES; i++)
		CHECK(pages[i][0] == i + 1 && pages[i][PAGE_SIZE / 8 - 1] == i + 1);
	for (u32 i = 0; i < PAGES; i++)
		free_page(pages[i]);
	CHECK(free_pages == before);
	CHECK(virt_to_phys(pages[0]) >= IMAGE_END_PA && phys_to_virt(virt_to_phys(pages[0])) == pages[0]);
}

void test_kmalloc(void)
{
	static u64 *p[OBJECTS];
	u64 objects = kmalloc_objects, pages = free_pages;

	for (size_t size = 1; size <= 2048; size = size < 32 ? 32 : size * 2) {
		for (u32 i = 0; i < OBJECTS; i++) {
			CHECK((p[i] = kmalloc(size)) && (u64)p[i] % (size < 32 ? 32 : size) == 0);
			*p[i] = i;
		}
		CHECK(kmalloc_objects == objects + OBJECTS && free_pages < pages);
		for (u32 i = 0; i < OBJECTS; i++)
			CHECK(*p[i] == i);
		for (u32 i = 0; i < OBJECTS; i += 2)
			kfree(p[i]);
		for (u32 i = 0; i < OBJECTS; i += 2)
			CHECK((p[i] = kzalloc(size)) && !*(u8 *)p[i]);
		for (u32 i = 0; i < OBJECTS; i++)
			kfree(p[i]);
		CHECK(kmalloc_objects == objects && free_pages == pages);
	}
	CHECK(!kmalloc(2049));
	kfree(NULL);
}

static void churn(void)
{
	for (u32 i = 0; i < 100; i++) {
		u64 *a = kmalloc(64), *b = kmalloc(2000), *c = alloc_page();

		*a = *b = *c = (u64)current();
		kfree(b);
		CHECK(*a == (u64)current() && *c == (u64)current());
		free_page(c);
		kfree(a);
	}
}

void test_memory_all_cores(void)
{
	u64 objects = kmalloc_objects, pages = free_pages;

	run_on_each(churn);
	CHECK(kmalloc_objects == objects && free_pages == pages);
}
