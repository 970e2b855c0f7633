// SPDX-License-Identifier: GPL-2.0-only
/* The guest's half of the contract, with sites whose cc is always there. */
#include "selftest.h"

#define ALL_FLAGS (X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

void test_arena(void)
{
	CHECK((u64)poke_arena % PAGE_SIZE == 0);
	for (const u8 *p = poke_arena; p < poke_arena_end; p++)
		CHECK(*p == 0xcc);
}

/* A batch begins: one site, or as many as tp_vec has been given. */
static void arm(u32 n)
{
	bp_desc.vec = tp_vec;
	bp_desc.nr_entries = n;
	barrier();
	WRITE_ONCE(bp_desc.refs, 1);
}

/* It ends: nobody has kept a reference. */
static void disarm(void)
{
	CHECK(__atomic_sub_fetch(&bp_desc.refs, 1, __ATOMIC_SEQ_CST) == 0);
}

static void set_entry(u32 i, const u8 *site, u8 opcode, u8 len, const u8 *to)
{
	tp_vec[i] = (struct text_poke_loc){
		.rel_addr = site - _stext,
		.disp = to ? to - (site + len) : 0,
		.len = len,
		.opcode = opcode,
	};
}

static u64 act(u64 (*fn)(void), const u8 *site, u8 opcode, u8 len, const u8 *to)
{
	u64 result;

	set_entry(0, site, opcode, len, to);
	arm(1);
	result = fn();
	disarm();
	return result;
}

void test_int3_nop(void)
{
	CHECK(act(int3_nop5, site_nop5, 0xe9, 5, NULL) == 1);
	CHECK(act(int3_nop2, site_nop2, 0xeb, 2, NULL) == 1);
}

void test_int3_call(void)
{
	CHECK(act(int3_call, site_call, 0xe8, 5, int3_callee) == (u64)site_call + 5);
}

void test_int3_jmp(void)
{
	CHECK(act(int3_jmp32, site_jmp32, 0xe9, 5, to_jmp32) == 1);
	CHECK(act(int3_jmp8, site_jmp8, 0xeb, 2, to_jmp8) == 1);
}

void test_int3_ret(void)
{
	CHECK(act(int3_ret, site_ret, 0xc3, 1, NULL) == 1);
	CHECK(act(int3_ret, site_ret, 0xc3, 5, NULL) == 1);
}

static void check_jcc(u64 (*fn)(u64), const u8 *site, u8 len, const u8 *to)
{
	for (u32 cc = 0; cc < 16; cc++) {
		u64 (*real)(u64) = (void *)(setcc + 16 * cc);

		set_entry(0, site, 0x70 + cc, len, to);
		arm(1);
		for (u64 f = 0; f <= ALL_FLAGS; f++)
			if (!(f & ~(u64)ALL_FLAGS))
				CHECK(fn(f | X86_EFLAGS_IF) == real(f | X86_EFLAGS_IF));
		disarm();
	}
}

void test_int3_jcc(void)
{
	check_jcc(int3_jcc8, site_jcc8, 2, to_jcc8);
	check_jcc(int3_jcc32, site_jcc32, 6, to_jcc32);
}

/* As if the core had just met a cc at ip. */
static int hit(struct pt_regs *regs, u64 ip)
{
	regs->cs = KERNEL_CS;
	regs->ip = ip + 1;
	return poke_int3_handler(regs);
}

/* Batches of many sizes up to 256: what is in them is found, and nothing else. */
void test_int3_search(void)
{
	struct pt_regs regs;

	for (u32 n = 1; n <= TP_VEC_MAX; n += n < 8 ? 1 : n == 8 ? 8 : 48) {
		for (u32 i = 0; i < n; i++)
			set_entry(i, _stext + 16 * (i + 1), 0xe9, 5, _stext + i);
		arm(n);
		for (u32 i = 0; i < n; i++) {
			CHECK(hit(&regs, (u64)_stext + 16 * (i + 1)) && regs.ip == (u64)_stext + i);
			CHECK(!hit(&regs, (u64)_stext + 16 * (i + 1) + 1));
		}
		CHECK(!hit(&regs, (u64)_stext) && !hit(&regs, (u64)_stext + 16 * (n + 1)));
		CHECK(bp_desc.refs == 1);
		disarm();
	}
}

void test_int3_decline(void)
{
	struct pt_regs regs;
	u64 low = (u64)_stext + 0x1000, high = (u64)_stext + 0x2000;

	set_entry(0, (u8 *)low, 0xe9, 5, NULL);
	CHECK(!hit(&regs, low) && regs.ip == low + 1);		/* no batch */
	arm(1);
	CHECK(hit(&regs, low) && regs.ip == low + 5);
	regs.ip = low + 1;
	regs.cs = 0x33;
	CHECK(!poke_int3_handler(&regs));			/* from ring 3 */
	set_entry(0, (u8 *)low, 0xcc, 1, NULL);
	CHECK(!hit(&regs, low) && regs.ip == low + 1);		/* to be an int3 */

	/* Out of order: the earlier one cannot be found, as in Linux. */
	set_entry(0, (u8 *)high, 0xe9, 5, NULL);
	set_entry(1, (u8 *)low, 0xe9, 5, NULL);
	bp_desc.nr_entries = 2;
	CHECK(hit(&regs, low) && !hit(&regs, high));
	CHECK(bp_desc.refs == 1);
	disarm();
}

/* Nobody knows the int3 any more, and it is not there any more. */
void test_int3_vanished(void)
{
	struct pt_regs regs = { .cs = KERNEL_CS };
	u32 before = int3_recheck;

	regs.ip = (u64)mix + 1;
	int3_recheck = 0;
	CHECK(!int3_vanished(&regs) && regs.ip == (u64)mix + 1);
	int3_recheck = 1;
	CHECK(int3_vanished(&regs) && regs.ip == (u64)mix);
	regs.ip = (u64)site_nop5 + 1;				/* it is still there */
	CHECK(!int3_vanished(&regs) && regs.ip == (u64)site_nop5 + 1);
	regs.ip = (u64)mix + 1;
	regs.cs = 0x33;						/* from ring 3 */
	CHECK(!int3_vanished(&regs) && regs.ip == (u64)mix + 1);
	int3_recheck = before;
}

static void hit_both(void)
{
	for (int i = 0; i < 100; i++) {
		CHECK(int3_nop5() == 1);
		CHECK(int3_call() == (u64)site_call + 5);
	}
}

void test_int3_all_cores(void)
{
	set_entry(0, site_nop5, 0xe9, 5, NULL);
	set_entry(1, site_call, 0xe8, 5, int3_callee);
	arm(2);
	run_on_each(hit_both);
	disarm();
}
