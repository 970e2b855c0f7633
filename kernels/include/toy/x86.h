/* SPDX-License-Identifier: GPL-2.0-only */
/* One C function for each instruction that C does not have. */
#ifndef X86_H
#define X86_H

#include "types.h"

#define X86_EFLAGS_CF	0x0001
#define X86_EFLAGS_FIXED 0x0002
#define X86_EFLAGS_PF	0x0004
#define X86_EFLAGS_ZF	0x0040
#define X86_EFLAGS_SF	0x0080
#define X86_EFLAGS_TF	0x0100
#define X86_EFLAGS_IF	0x0200
#define X86_EFLAGS_DF	0x0400
#define X86_EFLAGS_OF	0x0800
#define X86_EFLAGS_IOPL	0x3000
#define X86_EFLAGS_NT	0x4000
#define X86_EFLAGS_RF	0x10000
#define X86_EFLAGS_AC	0x40000

#define MSR_STAR	0xc0000081
#define MSR_LSTAR	0xc0000082
#define MSR_SYSCALL_MASK 0xc0000084
#define MSR_GS_BASE	0xc0000101

static __always_inline u8 inb(u16 port)
{
	u8 v;

	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static __always_inline void outb(u16 port, u8 v)
{
	asm volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static __always_inline void outw(u16 port, u16 v)
{
	asm volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static __always_inline void wrmsr(u32 msr, u64 v)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static __always_inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static __always_inline u64 read_cr0(void)
{
	u64 v;

	asm volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}

static __always_inline u64 read_cr2(void)
{
	u64 v;

	asm volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static __always_inline u64 read_cr4(void)
{
	u64 v;

	asm volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static __always_inline u64 read_cr3(void)
{
	u64 v;

	asm volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

static __always_inline void write_cr3(u64 v)
{
	asm volatile("mov %0, %%cr3" : : "r"(v) : "memory");
}

static __always_inline void write_cr4(u64 v)
{
	asm volatile("mov %0, %%cr4" : : "r"(v) : "memory");
}

static __always_inline u64 read_flags(void)
{
	u64 v;

	asm volatile("pushfq; pop %0" : "=r"(v) : : "memory");
	return v;
}

static __always_inline void cli(void) { asm volatile("cli" ::: "memory"); }
static __always_inline void sti(void) { asm volatile("sti" ::: "memory"); }
static __always_inline void cpu_relax(void) { asm volatile("pause" ::: "memory"); }

/* STI opens the window only after HLT began: no wakeup falls between them. */
static __always_inline void safe_halt(void) { asm volatile("sti; hlt" ::: "memory"); }

static __always_inline u64 irq_save(void)
{
	u64 flags = read_flags();

	cli();
	return flags;
}

static __always_inline void irq_restore(u64 flags)
{
	if (flags & X86_EFLAGS_IF)
		sti();
}

static __always_inline void memset64(u64 *to, u64 v, size_t words)
{
	asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(v) : "memory");
}

static __always_inline void memcpy64(u64 *to, const u64 *from, size_t words)
{
	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

static __always_inline u32 xchg(u32 *p, u32 v)
{
	asm volatile("xchgl %0, %1" : "+r"(v), "+m"(*p) : : "memory");
	return v;
}

/* True if it is 0 now. */
static __always_inline bool atomic_dec_and_test(u32 *p)
{
	bool zero;

	asm volatile("lock decl %0" : "+m"(*p), "=@ccz"(zero) : : "memory");
	return zero;
}

static __always_inline void atomic_dec(u32 *p)
{
	asm volatile("lock decl %0" : "+m"(*p) : : "memory");
}

static __always_inline void atomic_inc(u32 *p)
{
	asm volatile("lock incl %0" : "+m"(*p) : : "memory");
}

#endif
