// SPDX-License-Identifier: GPL-2.0-only
/* The state every test starts from: tables, control registers, MSRs. */
#include "frame.h"

extern const u8 stubs[], pgd[];

struct gate idt[256] __attribute__((aligned(16)));
struct tss tss __attribute__((aligned(16)));
static u64 ldt[4];

u64 read_msr(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

void write_msr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

#define CONTROL(n)							\
u64 read_cr##n(void)							\
{									\
	u64 value;							\
									\
	asm volatile("mov %%cr" #n ", %0" : "=r"(value));		\
	return value;							\
}									\
									\
void write_cr##n(u64 value)						\
{									\
	asm volatile("mov %0, %%cr" #n : : "r"(value) : "memory");	\
}
CONTROL(0)
CONTROL(4)

void flush(void)
{
	asm volatile("mov %0, %%cr3" : : "r"(pgd) : "memory");
}

void apic_write(u32 reg, u32 value)
{
	*(volatile u32 *)(0xfee00000ul + reg) = value;
}

u32 apic_read(u32 reg)
{
	return *(volatile u32 *)(0xfee00000ul + reg);
}

/* type: as in the descriptor's third word, 0x8e00 an interrupt gate for ring 0 */
void set_gate(int vector, int type, int ist)
{
	u64 at = (u64)stubs + 16 * vector;

	idt[vector] = (struct gate){ at, CODE64, type | ist, at >> 16, at >> 32, 0 };
}

void map(int page, u64 physical, u64 flags)
{
	window[page] = physical | flags;
	asm volatile("invlpg (%0)" : : "r"(WINDOW + PAGE * page) : "memory");
}

static u64 low_half(u64 base, u64 limit, u64 type)
{
	return (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56 | (limit & 0xffff) |
	       (limit >> 16 & 15) << 48 | type << 40;
}

static void fill_gdt(void)
{
	gdt[CODE32 / 8] = 0x00cf9b000000ffff;
	gdt[CODE64 / 8] = 0x00af9b000000ffff;
	gdt[DATA / 8] = 0x00cf93000000ffff;
	gdt[USER32 / 8] = 0x00cffb000000ffff;
	gdt[USER_DATA / 8] = 0x00cff3000000ffff;
	gdt[USER64 / 8] = 0x00affb000000ffff;
	gdt[TSS / 8] = low_half((u64)&tss, sizeof(tss) - 1, 0x89);
	gdt[TSS / 8 + 1] = 0;
	gdt[GATE / 8] = gdt[GATE / 8 + 1] = 0;
	gdt[ABSENT_DATA / 8] = 0x00cf13000000ffff;
	gdt[CODE16 / 8] = 0x00009b000000ffff;
	gdt[DATA16 / 8] = 0x000093000000ffff;
	gdt[CONFORMING / 8] = 0x00af9f000000ffff;
	gdt[USER16 / 8] = 0x4000fb400000ffff;	/* base 0x40400000 */
	gdt[LDT / 8] = low_half((u64)ldt, sizeof(ldt) - 1, 0x82);
	gdt[LDT / 8 + 1] = 0;
	gdt[ABSENT_CODE / 8] = 0x00af1b000000ffff;
	gdt[READ_ONLY / 8] = 0x00cff1000000ffff;
	gdt[SMALL / 8] = 0x0040f300000000ff;
	gdt[EXECUTE_ONLY / 8] = 0x00cff9000000ffff;
	gdt[DOWN / 8] = 0x0040f70000000fff;	/* expand-down: 0x1000 and above */
	ldt[1] = 0x00cff3000000ffff;
}

static void fill_tss(void)
{
	tss.rsp[0] = (u64)kernel_stack + PAGE;
	for (int i = 0; i < 3; i++)
		tss.ist[i] = (u64)ist_stack[i] + PAGE;
	tss.map_base = sizeof(tss) - sizeof(tss.map);
	for (u32 i = 0; i < sizeof(tss.map); i++)
		tss.map[i] = 0xff;
}

void standard(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (u64)idt },
		gdtr = { GDT_LIMIT, (u64)gdt };
	u64 zero = 0, dr6 = 0xffff0ff0, dr7 = 0x400;

	fill_gdt();
	fill_tss();
	for (int vector = 0; vector < 256; vector++)
		set_gate(vector, 0x8e00, 0);
	set_gate(3, 0xee00, 0);
	set_gate(4, 0xee00, 0);
	set_gate(0xf0, 0xee00, 0);
	asm volatile("lgdt %0; lidt %1; ltr %w2; lldt %w3"
		     : : "m"(gdtr), "m"(idtr), "r"(TSS), "r"(0) : "memory");
	write_cr0(0x80010033);
	write_cr4(0x620);
	write_msr(0xc0000080, 0xd01);
	asm volatile("mov %0, %%cr8; mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3;"
		     "mov %1, %%dr6; mov %2, %%dr7; mov %0, %%cr2"
		     : : "r"(zero), "r"(dr6), "r"(dr7));
	write_msr(0xc0000081, (u64)(USER32 << 16 | CODE64) << 32);
	write_msr(0xc0000084, 0);
	write_msr(0xc0000100, 0);
	write_msr(0xc0000101, 0);
	write_msr(0xc0000102, 0);
	write_msr(0x174, 0);
	for (int page = 0; page < 512; page++)
		window[page] = 0;
	flush();
	asm volatile("fninit");
	asm volatile("ldmxcsr %0" : : "m"((u32){ 0x1f80 }));
	apic_write(0xf0, 0x1ff);
}
