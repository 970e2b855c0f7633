// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a test is where there is no long mode: as in modes/frame.h, with the
 * ways to run that only exist here.
 */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

enum { DI, SI, BP, SP, BX, DX, CX, AX };	/* as pusha has them */

/* as entry.S pushes it; what follows flags only if the ring changed, and the last four from v86 */
struct frame {
	u32 gs, fs, es, ds;
	u32 r[8];
	u32 vector, error;
	u32 ip, cs, flags;
	u32 sp, ss;
	u32 v86_es, v86_ds, v86_fs, v86_gs;
};

struct seen {
	struct frame frame;
	u32 cr2, dr6;
	u32 entry_sp, entry_flags, entry_cs, entry_ss;
	int words;			/* the CPU pushed */
};

/* where a snippet runs; in the last three it is copied to LOW_CODE first */
enum mode { RING0, RING3, PROTECTED16, V86, REAL };

struct test {
	const char *name;
	const u8 *code;
	enum mode mode;
	u32 flags;
	void (*prepare)(void);
	int (*handle)(struct seen *seen);
	u32 resume, show;
	int every_core;
	u32 forget;
};

extern u32 start[8];

#define BIT(n) (1u << (n))
#define TRAPS (BIT(1) | BIT(2) | BIT(3) | BIT(4))
#define ALL_REGISTERS (BIT(AX) | BIT(BX) | BIT(CX) | BIT(DX))

#define SNIPPET_OF(size, name, text)					\
	extern const u8 name[];						\
	asm(".pushsection .snippets,\"ax\"; .balign 16; .code" #size "; " #name ": "	\
	    text "; int $0xf0; .code32; .popsection")
#define SNIPPET(name, text) SNIPPET_OF(32, name, text)

#define TEST(order, id, ...)						\
	__attribute__((section(".tests." #order #id), used, aligned(sizeof(long))))	\
	static const struct test test_##id =				\
		{ .name = #id, .code = id, .resume = TRAPS, __VA_ARGS__ }

enum {
	CODE = 0x08, DATA = 0x10, USER_CODE = 0x1b, USER_DATA = 0x23, TSS = 0x28,
	CODE16 = 0x30, DATA16 = 0x38, GATE = 0x40, GATE16 = 0x48, CONFORMING = 0x50,
	ABSENT_DATA = 0x58, ABSENT_CODE = 0x60, LDT = 0x68, SHIFTED = 0x70,
	REAL_CODE = 0x78, FREE = 0x80, GDT_LIMIT = 0x9f,
};

#define PAGE 4096
#define LOW_CODE 0x10000
#define LOW_STACK 0x20000		/* 64 KiB; the stack of 16-bit code begins at 0x1000 in it */
#define WINDOW 0x10000000u		/* 8 pages, mapped by window[] */

enum { P = 1, W = 2, U = 4 };

struct gate {
	u16 low, selector, type, high;
};

struct tss {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, r[8];
	u32 es, cs, ss, ds, fs, gs, ldt;
	u16 trap, map_base;
	u8 map[128];
};

extern struct gate idt[256];
extern u64 gdt[20];
extern struct tss tss;
extern u64 pages[4][512];
extern u8 case_stack[], kernel_stack[], user_stack[];

void run_test(const struct test *test);
void standard(void);
void set_gate(int vector, int type);
u64 descriptor(u32 base, u32 limit, u32 type);
void apic_write(u32 reg, u32 value);
u32 read_cr0(void);
u32 read_cr4(void);
void write_cr0(u32 value);
void write_cr4(u32 value);

void say(const char *text);
void say_hex(u64 value);
void say_at(const char *name, u64 value);
