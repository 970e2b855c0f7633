// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a test is, and what is seen of it.
 *
 * A test runs a snippet of assembly with given registers in a given mode. Every
 * exception and interrupt on its way is recorded as it arrives: vector, error
 * code, what was pushed, which stack it was pushed on. The snippet ends with
 * the first one nobody wants to return from, or by itself with int 0xf0.
 */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

enum { AX, CX, DX, BX, SP, BP, SI, DI, R8, R9, R10, R11, R12, R13, R14, R15 };

/* as entry.S pushes it */
struct frame {
	u64 r[16];
	u64 vector, error;
	u64 ip, cs, flags, sp, ss;
};

struct seen {
	struct frame frame;
	u64 cr2, dr6;
	u64 entry_sp, entry_flags, entry_cs, entry_ss;
	int has_error;
};

/* where a snippet runs */
enum mode { RING0, RING3, COMPAT3, COMPAT16, COMPAT0 };

struct test {
	const char *name;
	const u8 *code;
	enum mode mode;
	u64 flags;			/* RFLAGS at the start, over 2 */
	void (*prepare)(void);
	int (*handle)(struct seen *seen); /* whether to go back; NULL: as `resume` */
	u32 resume;			/* vectors below 32 to come back from */
	u32 show;			/* general registers to print at the end */
	void (*report)(void);		/* print more */
	int every_core;
	u32 forget;			/* RFLAGS bits that are undefined here */
};

extern u64 start[16];			/* general registers a snippet starts with */

#define BIT(n) (1u << (n))
#define TRAPS (BIT(1) | BIT(2) | BIT(3) | BIT(4))

#define SNIPPET(name, text)						\
	extern const u8 name[];						\
	asm(".pushsection .snippets,\"ax\"; .balign 16; " #name ": "	\
	    text "; int $0xf0; .code64; .popsection")

#define TEST(order, id, ...)						\
	__attribute__((section(".tests." #order #id), used, aligned(sizeof(long))))	\
	static const struct test test_##id =				\
		{ .name = #id, .code = id, .resume = TRAPS, __VA_ARGS__ }

/* selectors */
enum {
	CODE32 = 0x08, CODE64 = 0x10, DATA = 0x18, USER32 = 0x23, USER_DATA = 0x2b,
	USER64 = 0x33, TSS = 0x38, GATE = 0x48, ABSENT_DATA = 0x58, CODE16 = 0x60,
	DATA16 = 0x68, CONFORMING = 0x70, USER16 = 0x7b, LDT = 0x80, ABSENT_CODE = 0x90,
	READ_ONLY = 0x98, SMALL = 0xa0, EXECUTE_ONLY = 0xa8, DOWN = 0xb0, FREE = 0xb8,
	GDT_LIMIT = 0xff,
};

#define ALIAS 0x40000000ul		/* user's view of the low 16 MiB */
#define WINDOW 0x10000000ul		/* 512 pages, mapped by window[] */
#define USER_PTR(x) ((u64)(x) + ALIAS)
#define PAGE 4096

enum { P = 1, W = 2, U = 4, NX_BIT = 63 };
#define NX (1ull << NX_BIT)

struct gate {
	u16 low, selector, type, middle;
	u32 high, zero;
};

struct tss {
	u32 reserved;
	u64 rsp[3], reserved2, ist[7], reserved3;
	u16 reserved4, map_base;
	u8 map[8193];
} __attribute__((packed));

extern struct gate idt[256];
extern u64 gdt[32];
extern struct tss tss;
extern u64 window[512], pages[8][512];
extern u64 window_after[512];	/* as the last test left it */
extern u8 case_stack[], kernel_stack[], user_stack[], ist_stack[3][PAGE];

void run_test(const struct test *test);
void enter(struct frame *frame);
void standard(void);
void set_gate(int vector, int type, int ist);
void map(int page, u64 physical, u64 flags);
u64 read_msr(u32 msr);
void write_msr(u32 msr, u64 value);
u64 read_cr0(void);
u64 read_cr4(void);
void write_cr0(u64 value);
void write_cr4(u64 value);
void flush(void);
void apic_write(u32 reg, u32 value);
u32 apic_read(u32 reg);

void say(const char *text);
void say_hex(u64 value);
void say_at(const char *name, u64 value);
