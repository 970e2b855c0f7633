// SPDX-License-Identifier: GPL-2.0-only
/* Where functions can be patched, and the functions made to be patched there. */
#include "selftest.h"

static bool has_site(const void *p)
{
	for (const u64 *loc = __start_mcount_loc; loc < __stop_mcount_loc; loc++)
		if (*loc == (u64)p)
			return true;
	return false;
}

static bool is_cold(u64 p)
{
	return p >= (u64)__cold_text_start && p < (u64)__cold_text_end;
}

void test_sites(void)
{
	u32 straddling = 0;

	CHECK(__stop_mcount_loc - __start_mcount_loc > 64 + LEAVES);
	for (const u64 *loc = __start_mcount_loc; loc < __stop_mcount_loc; loc++) {
		CHECK(loc == __start_mcount_loc || loc[-1] < *loc);
		CHECK(*loc >= (u64)_stext && *loc + SITE_SIZE <= (u64)_etext);
		CHECK(*loc < (u64)__noinstr_text_start || *loc >= (u64)__noinstr_text_end);
		CHECK(ftrace_verify((u8 *)*loc) == FTRACE_NOP);
		straddling += *loc % 8 > 3;
	}
	CHECK(straddling == 3 && (u64)ring_write % 8 == 6);
	CHECK((u64)cross_line % 64 == 62 && (u64)cross_page % PAGE_SIZE == 4094);
	CHECK(cross_line(0x80000001) == 3 && cross_page(3) == 0x80000001);
	CHECK(has_site((void *)ring_write) && has_site((void *)cross_page));
	CHECK(!has_site((void *)hash_next) && !has_site((void *)memcpy));
}

void test_ftrace(void)
{
	u8 site[SITE_SIZE] = { 0xe8 };
	s32 disp = (u8 *)__fentry__ - (site + SITE_SIZE);

	/* From a stack to the text is less than 2 GiB. */
	memcpy(site + 1, &disp, sizeof(disp));
	CHECK(ftrace_verify(site) == FTRACE_CALL);
	site[1]++;
	CHECK(ftrace_verify(site) == FTRACE_BUG);
	memcpy(site, (void *)ring_write, SITE_SIZE);
	CHECK(ftrace_verify(site) == FTRACE_NOP);
	site[0] = 0x90;
	CHECK(ftrace_verify(site) == FTRACE_BUG);
	CHECK(ftrace_made_nops > LEAVES);
	CHECK(ftrace_made_nops < __stop_mcount_loc - __start_mcount_loc);
}

void test_leaves(void)
{
	u32 x = 7;

	for (u32 i = 0; i < LEAVES; i++)
		CHECK(leaf_table[i](3) == 93 + i);
	for (u32 i = 0; i < 2 * LEAVES; i++)
		x = 31 * x + (LEAVES / 2 + i) % LEAVES;
	CHECK(leaf_walk(LEAVES / 2, 2 * LEAVES, 7) == x);
	for (u32 i = 0; i < LEAVES; i++)
		CHECK(mix(i) == i);
}

/* The site of the function that gave way is there, in front of the other weak one. */
void test_weak(void)
{
	const u64 *loc = __start_mcount_loc;

	CHECK(arch_mix(0) == 0x544f5959 && arch_unmix(0x544f5959) == 0);
	while (loc < __stop_mcount_loc && *loc != (u64)arch_unmix)
		loc++;
	CHECK(loc > __start_mcount_loc && loc < __stop_mcount_loc);
	CHECK(loc[-1] > (u64)arch_mix && ((u32 (*)(u32))loc[-1])(1) == ~1u);
}

void test_cold(void)
{
	u64 before = this_cpu()->not_found;

	CHECK(is_cold((u64)not_found) && has_site((void *)not_found));
	CHECK(!is_cold((u64)path_walk));
	CHECK(sys_open("/none") == -ENOENT);
	CHECK(this_cpu()->not_found == before + 1);
}
