// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that can be patched: two cores, no scheduler, one loop each, and
 * nothing of the toy kernel but poke.h. If this works, poke.h says everything.
 */
#include "poke.h"

#define noinstr __attribute__((no_instrument_function, noinline))
#define APIC(reg) (*(volatile u32 *)(0xfee00000UL + (reg)))

struct pt_regs {
	u64 r11, r10, r9, r8, ax, cx, dx, si, di, code;
	u64 ip, cs, flags, sp, ss;
};

struct gate {
	u16 low, selector, type, middle;
	u32 high, zero;
};

struct bp_patching_desc bp_desc;
struct text_poke_loc tp_vec[TP_VEC_MAX];
u32 sync_core_pending[POKE_MAX_CPUS];
const u8 sync_core_vector = 0x81;
u32 cpus_online, cpus_running;
u64 results[POKE_MAX_CPUS];

static struct gate idt[256];
extern const u8 asm_int3[], asm_sync[], asm_nothing[];

/* A linear search: how it looks is the kernel's own business. */
noinstr int poke_int3_handler(struct pt_regs *regs)
{
	int refs = __atomic_load_n(&bp_desc.refs, __ATOMIC_SEQ_CST), done = 0;
	u64 ip = regs->ip - 1;

	do {
		if (!refs)
			return 0;
	} while (!__atomic_compare_exchange_n(&bp_desc.refs, &refs, refs + 1, 0,
					      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	for (int i = 0; i < bp_desc.nr_entries; i++) {
		struct text_poke_loc *tp = &bp_desc.vec[i];

		if ((u64)_stext + (long)tp->rel_addr != ip)
			continue;
		regs->ip = ip + tp->len + (long)tp->disp;
		if (tp->opcode == 0xe8) {
			regs->sp -= 8;
			*(u64 *)regs->sp = ip + 5;
		}
		done = tp->opcode == 0xe8 || tp->opcode == 0xe9;
	}
	__atomic_sub_fetch(&bp_desc.refs, 1, __ATOMIC_SEQ_CST);
	return done;
}

noinstr void int3_unhandled(struct pt_regs *regs)
{
	for (;;)
		asm volatile("outb %0, %1" : : "a"((u8)1), "Nd"((u16)0xf4));
	(void)regs;
}

noinstr void exc_int3(struct pt_regs *regs)
{
	if (!poke_int3_handler(regs))
		int3_unhandled(regs);
}

noinstr void sync_core_interrupt(void)
{
	u32 leaf = 0;

	asm volatile("cpuid" : "+a"(leaf) : : "ebx", "ecx", "edx", "memory");
	__atomic_store_n(&sync_core_pending[APIC(0x20) >> 24], 0, __ATOMIC_SEQ_CST);
	APIC(0xb0) = 0;
}

__attribute__((noinline)) u64 hot(u64 x)
{
	asm volatile("");
	return x + 1;
}

__attribute__((noinline)) u64 warm(u64 x)
{
	return hot(hot(x)) + hot(x);
}

noinstr void run(u32 id)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (u64)idt };

	asm volatile("lidt %0" : : "m"(idtr));
	APIC(0xf0) = 0x1ff;
	__atomic_add_fetch(&cpus_running, 1, __ATOMIC_SEQ_CST);
	asm volatile("sti");
	for (u64 x = 0;; x++)
		__atomic_store_n(&results[id], warm(x), __ATOMIC_RELAXED);
}

static noinstr void set_gate(int vector, const u8 *entry)
{
	u64 at = (u64)entry;

	idt[vector] = (struct gate){ at, 0x10, 0x8e00, at >> 16, at >> 32, 0 };
}

noinstr void boot(void)
{
	set_gate(3, asm_int3);
	set_gate(sync_core_vector, asm_sync);
	set_gate(0xff, asm_nothing);
	cpus_online = 2;
	APIC(0x310) = 1 << 24;
	APIC(0x300) = 0x4500;
	APIC(0x310) = 1 << 24;
	APIC(0x300) = 0x4608;
	run(0);
}
