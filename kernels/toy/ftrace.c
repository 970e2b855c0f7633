// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sites are made nops while one core runs and text can be written. The compiler
 * left them in two ways, as it does for Linux: a call of __fentry__, or the nop
 * at once (see the Makefile). Whatever else is found at a site means that table
 * and text do not belong together, and nothing is safe then. After Linux,
 * kernel/trace/ftrace.c: ftrace_update_code, ftrace_bug; arch/x86/kernel/ftrace.c:
 * ftrace_make_nop, ftrace_modify_code_direct.
 */
#include <toy/defs.h>

#define CALL_INSN	0xe8

u32 ftrace_made_nops;			/* sites that were calls */

static const u8 nop5[SITE_SIZE] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };

static __cold void ftrace_bug(const u8 *ip, const char *why)
{
	panic("ftrace: the site at %lx %s: %x %x %x %x %x", (u64)ip, why,
	      ip[0], ip[1], ip[2], ip[3], ip[4]);
}

/* What is there: a nop, a call of __fentry__, or neither. */
enum ftrace_site ftrace_verify(const u8 *ip)
{
	s32 disp;

	if (!memcmp(ip, nop5, SITE_SIZE))
		return FTRACE_NOP;
	memcpy(&disp, ip + 1, sizeof(disp));
	if (ip[0] == CALL_INSN && ip + SITE_SIZE + disp == (u8 *)__fentry__)
		return FTRACE_CALL;
	return FTRACE_BUG;
}

static void ftrace_make_nop(u8 *ip)
{
	memcpy(ip, nop5, SITE_SIZE);
	ftrace_made_nops++;
}

static void ftrace_update_code(u8 *ip)
{
	switch (ftrace_verify(ip)) {
	case FTRACE_NOP: break;
	case FTRACE_CALL: ftrace_make_nop(ip); break;
	case FTRACE_BUG: ftrace_bug(ip, "is neither call nor nop");
	}
}

/* The boot core, before any other runs and on the page tables of boot.S. */
void ftrace_init(void)
{
	for (const u64 *loc = __start_mcount_loc; loc < __stop_mcount_loc; loc++) {
		u8 *ip = (u8 *)*loc;

		if (ip < _stext || ip + SITE_SIZE > _etext)
			panic("ftrace: the site at %lx is not in text", *loc);
		if (loc > __start_mcount_loc && loc[-1] >= *loc)
			ftrace_bug(ip, "is not above the one before it");
		ftrace_update_code(ip);
	}
	sync_core();			/* what was fetched before may be the calls */
}
