// SPDX-License-Identifier: GPL-2.0-only
/* The state every test starts from: flat segments, paging off. */
#include "frame.h"

extern const u8 stubs[];

struct gate idt[256] __attribute__((aligned(16)));
struct tss tss __attribute__((aligned(128)));
static u64 ldt[4];

#define CONTROL(n)							\
u32 read_cr##n(void)							\
{									\
	u32 value;							\
									\
	asm volatile("mov %%cr" #n ", %0" : "=r"(value));		\
	return value;							\
}									\
									\
void write_cr##n(u32 value)						\
{									\
	asm volatile("mov %0, %%cr" #n : : "r"(value) : "memory");	\
}
CONTROL(0)
CONTROL(4)

void apic_write(u32 reg, u32 value)
{
	*(volatile u32 *)(0xfee00000ul + reg) = value;
}

void set_gate(int vector, int type)
{
	u32 at = (u32)stubs + 16 * vector;

	idt[vector] = (struct gate){ at, CODE, type, at >> 16 };
}

/* type: bits 8 to 23 of the second word, the limit's left out */
u64 descriptor(u32 base, u32 limit, u32 type)
{
	return (u64)((base & 0xff000000) | (type & 0xf0ff) << 8 | (limit & 0xf0000) |
		     (base >> 16 & 0xff)) << 32 | base << 16 | (limit & 0xffff);
}

static void fill_gdt(void)
{
	gdt[CODE / 8] = descriptor(0, 0xfffff, 0xc09b);
	gdt[DATA / 8] = descriptor(0, 0xfffff, 0xc093);
	gdt[USER_CODE / 8] = descriptor(0, 0xfffff, 0xc0fb);
	gdt[USER_DATA / 8] = descriptor(0, 0xfffff, 0xc0f3);
	gdt[TSS / 8] = descriptor((u32)&tss, sizeof(tss) - 1, 0x0089);
	gdt[CODE16 / 8] = descriptor(LOW_CODE, 0xffff, 0x009b);
	gdt[DATA16 / 8] = descriptor(LOW_STACK, 0xffff, 0x0093);
	gdt[GATE / 8] = gdt[GATE16 / 8] = 0;
	gdt[CONFORMING / 8] = descriptor(0, 0xfffff, 0xc09f);
	gdt[ABSENT_DATA / 8] = descriptor(0, 0xfffff, 0xc013);
	gdt[ABSENT_CODE / 8] = descriptor(0, 0xfffff, 0xc01b);
	gdt[LDT / 8] = descriptor((u32)ldt, sizeof(ldt) - 1, 0x0082);
	gdt[SHIFTED / 8] = descriptor(0x100000, 0xfffff, 0xc0f3);
	gdt[REAL_CODE / 8] = descriptor(0x8000, 0xffff, 0x009b);
	ldt[1] = descriptor(0, 0xfffff, 0xc0f3);
}

void standard(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (u32)idt },
		gdtr = { GDT_LIMIT, (u32)gdt };

	write_cr0(0x33);
	write_cr4(0x600);
	fill_gdt();
	for (int vector = 0; vector < 256; vector++)
		set_gate(vector, 0x8e00);
	set_gate(3, 0xee00);
	set_gate(4, 0xee00);
	set_gate(0xf0, 0xee00);
	tss.ss0 = DATA;
	tss.esp0 = (u32)kernel_stack + PAGE;
	tss.map_base = sizeof(tss) - sizeof(tss.map);
	for (u32 i = 0; i < sizeof(tss.map); i++)
		tss.map[i] = 0xff;
	asm volatile("lgdt %0; lidt %1; ltr %w2; lldt %w3"
		     : : "m"(gdtr), "m"(idtr), "r"(TSS), "r"(0) : "memory");
	asm volatile("mov %0, %%dr7; mov %1, %%dr6" : : "r"(0x400), "r"(0xffff0ff0));
	asm volatile("wrmsr" : : "c"(0xc0000080), "a"(0), "d"(0));
	asm volatile("mov %0, %%cr2" : : "r"(0));
	apic_write(0xf0, 0x1ff);
}
