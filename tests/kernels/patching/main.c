// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel that changes its own text in every way that kernels do, and prints
 * what came of it: nothing that depends on speed or on the number of cores.
 */
#include "kernel.h"

#define APIC(reg) (*(volatile u32 *)(0xfee00000UL + (reg)))
#define ALIAS 0x40000000UL

u32 cores;
volatile u32 bad;
static volatile u32 online = 1, jobs, done;
static void (*volatile job)(u32 core);
static u64 idt[256][2];
extern const u8 trampoline[], trampoline_end[], enter_int3[], enter_sync[], enter_stop[];
u32 store_to_next(u32 value);
u32 grow(void);
u32 copy_to_next(void);

static void outb(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static u8 inb(u16 port)
{
	u8 value;
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static void put(char c)
{
	while (!(inb(0x3fd) & 0x20))
		pause();
	outb(0x3f8, c);
}

void say(const char *name, u32 value)
{
	while (*name)
		put(*name++);
	put(':');
	put(' ');
	for (int shift = 28; shift >= 0; shift -= 4)
		put("0123456789abcdef"[value >> shift & 15]);
	put('\n');
}

void copy_text(void *to, const void *from, u32 size)
{
	volatile u8 *alias = (u8 *)((u64)to + ALIAS);

	for (u32 i = 0; i < size; i++)
		alias[i] = ((const u8 *)from)[i];
}

void end_of_interrupt(void)
{
	APIC(0xb0) = 0;
}

void send_others(u32 vector)
{
	APIC(0x300) = 0xc4000 | vector;
	while (APIC(0x300) & 1 << 12)
		pause();
}

static void gate(u32 vector, const u8 *entry)
{
	u64 at = (u64)entry;

	idt[vector][0] = (at & 0xffff) | 0x10 << 16 | 0x8eUL << 40 | (at >> 16 & 0xffff) << 48;
	idt[vector][1] = at >> 32;
}

static void core_init(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (u64)idt };

	asm volatile("lidt %0; sti" : : "m"(pointer) : "memory");
	APIC(0xf0) = 0x1ff;
}

void ap_main(u32 core)
{
	u32 seen = jobs;

	core_init();
	__atomic_fetch_add(&online, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		while (jobs == seen)
			pause();
		seen = jobs;
		job(core);
		__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
	}
}

void start_all(void (*what)(u32 core))
{
	job = what;
	done = 0;
	jobs++;
}

void wait_all(void)
{
	while (done != cores - 1)
		pause();
}

static void cores_start(void)
{
	asm volatile("outw %0, %1" : : "a"((u16)5), "Nd"((u16)0x510)); /* FW_CFG_NB_CPUS */
	cores = inb(0x511);
	for (u32 i = 0; i < (u32)(trampoline_end - trampoline); i++)
		((volatile u8 *)0x8000)[i] = trampoline[i];
	APIC(0x300) = 0xc4500;
	APIC(0x300) = 0xc4608;
	while (online != cores)
		pause();
}

static u8 page[2 * 4096] __attribute__((aligned(4096)));
static u8 *volatile code;
static volatile u32 sums[MAX_CORES];

/* Each core calls what was generated, once it has made sure to fetch it anew. */
static void call_generated(u32 core)
{
	u32 sum = 0;

	serialise();
	for (u32 i = 0; i < 50; i++)
		sum += ((u32(*)(u32))code)(i);
	sums[core] = sum;
}

/* lea added(%rdi), %eax; ret */
static void generate(const char *name, u8 *at, u32 added)
{
	at[0] = 0x8d;
	at[1] = 0x87;
	for (u32 i = 0; i < 4; i++)
		at[2 + i] = added >> 8 * i;
	at[6] = 0xc3;
	code = at;
	start_all(call_generated);
	wait_all();
	call_generated(0);
	for (u32 core = 1; core < cores; core++)
		bad += sums[core] != sums[0];
	say(name, sums[0]);
}

void boot(void)
{
	gate(3, enter_int3);
	gate(0xfc, enter_sync);
	gate(0xfb, enter_stop);
	core_init();
	for (u32 i = 1; i < 4; i++)
		say("store to the next instruction", store_to_next(i * 0x1234567));
	say("loop that changes itself", grow());
	say("and again", grow());
	say("copy to the next instruction", copy_to_next());
	say("copied before", copy_to_next());
	cores_start();
	for (u32 i = 0; i < 4; i++)
		generate("page reused", page, i << 8);
	for (u32 i = 1; i < 4; i++)
		generate("over two pages", page + 4096 - 3, i << 8);
	toggle_by_int3(20);
	say("by int3, bad", bad);
	toggle_stopped(10);
	say("stopped, bad", bad);
	outb(0xf4, 0);
	for (;;)
		asm volatile("cli; hlt");
}
