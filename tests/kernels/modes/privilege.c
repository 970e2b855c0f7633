// SPDX-License-Identifier: GPL-2.0-only
/* #GP, #NP, #SS and #TS: what privilege and selectors forbid. */
#include "frame.h"

/* privileged instructions in ring 3 */
#define FORBIDDEN(name, text)						\
	SNIPPET(name, "nop; " text);					\
	TEST(5, name, .mode = RING3)

FORBIDDEN(user_hlt, "hlt");
FORBIDDEN(user_cli, "cli");
FORBIDDEN(user_sti, "sti");
FORBIDDEN(user_in, "in $0x80, %al");
FORBIDDEN(user_out, "out %al, $0x80");
FORBIDDEN(user_insb, "mov $0x80, %edx; insb");
FORBIDDEN(user_outsb, "mov $0x80, %edx; outsb");
FORBIDDEN(user_read_cr0, "mov %cr0, %rax");
FORBIDDEN(user_write_cr3, "mov %rax, %cr3");
FORBIDDEN(user_read_cr8, "mov %cr8, %rax");
FORBIDDEN(user_read_dr7, "mov %dr7, %rax");
FORBIDDEN(user_write_dr0, "mov %rax, %dr0");
FORBIDDEN(user_rdmsr, "rdmsr");
FORBIDDEN(user_wrmsr, "wrmsr");
FORBIDDEN(user_lgdt, "lgdt (%rsp)");
FORBIDDEN(user_lidt, "lidt (%rsp)");
FORBIDDEN(user_lldt, "lldt %ax");
FORBIDDEN(user_ltr, "ltr %ax");
FORBIDDEN(user_invlpg, "invlpg (%rsp)");
FORBIDDEN(user_invd, "invd");
FORBIDDEN(user_wbinvd, "wbinvd");
FORBIDDEN(user_clts, "clts");
FORBIDDEN(user_lmsw, "lmsw %ax");
FORBIDDEN(user_sysret, "sysretl");
FORBIDDEN(user_sysexit, "sysexitl");
FORBIDDEN(user_xsetbv, "xor %ecx, %ecx; xsetbv");
FORBIDDEN(user_int, "int $0x20");
FORBIDDEN(user_int_gp, "int $13");
FORBIDDEN(user_int1, "int $1");
FORBIDDEN(user_gate_of_nmi, "int $2");

SNIPPET(user_sees_tables, "sidt -16(%rsp); movzwl -16(%rsp), %eax; sgdt -16(%rsp);"
	"movzwl -16(%rsp), %ecx; str %edx; sldt %ebx; smsw %esi; and $0xff, %esi");
TEST(5, user_sees_tables, .mode = RING3,
     .show = BIT(AX) | BIT(CX) | BIT(DX) | BIT(BX) | BIT(SI));
SNIPPET(compat_cli, ".code32; cli");
TEST(5, compat_cli, .mode = COMPAT3);
SNIPPET(compat16_hlt, ".code16; nop; hlt");
TEST(5, compat16_hlt, .mode = COMPAT16);

/* ring 0 */
SNIPPET(not_canonical_load, "mov $0x800000000000, %rbx; mov (%rbx), %eax");
TEST(6, not_canonical_load, .every_core = 1);
SNIPPET(not_canonical_store, "mov $0xffff7fffffffffff, %rbx; mov %eax, (%rbx)");
TEST(6, not_canonical_store);
SNIPPET(not_canonical_user, "mov $0x800000000000, %rbx; mov (%rbx), %eax");
TEST(6, not_canonical_user, .mode = RING3);
SNIPPET(int_0x20, "mov $5, %eax; int $0x20; nop");
static int back(struct seen *seen)
{
	return seen->frame.vector >= 0x20;
}
TEST(6, int_0x20, .handle = back);
SNIPPET(int_13, "int $13; nop");
TEST(6, int_13, .handle = back);

static void absent_gate(void)
{
	set_gate(0x20, 0x0e00, 0);
	set_gate(0x21, 0x6e00, 0);
}
SNIPPET(int_absent, "int $0x20");
TEST(6, int_absent, .prepare = absent_gate);
SNIPPET(int_absent_user, "int $0x21");
TEST(6, int_absent_user, .mode = RING3, .prepare = absent_gate);

static void bad_gate(void)
{
	idt[0x20].type = 0x8c00;	/* a call gate has no business in an IDT */
	idt[0x21].selector = DATA;
	idt[0x22].selector = 0;
	idt[0x23].selector = 0x1f8;	/* beyond the GDT */
	idt[0x24].selector = ABSENT_CODE;
	idt[0x25].selector = CODE32;	/* not 64-bit code */
}
#define BAD_GATE(n)							\
	SNIPPET(bad_gate_##n, "int $0x2" #n);				\
	TEST(6, bad_gate_##n, .prepare = bad_gate)
BAD_GATE(0);
BAD_GATE(1);
BAD_GATE(2);
BAD_GATE(3);
BAD_GATE(4);
BAD_GATE(5);

static void short_idt(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = { 0xf1 * 16 - 1, (u64)idt };

	asm volatile("lidt %0" : : "m"(idtr));
}
SNIPPET(int_beyond_idt, "int $0xf8");
TEST(6, int_beyond_idt, .prepare = short_idt);

/* loading data segments */
static void selectors(void)
{
	gdt[FREE / 8] = 0x00cf93000000ffff;	/* ring 0 data: for comparison */
	gdt[FREE / 8 + 1] = 0x00cfd3000000ffff; /* DPL 2 */
}
#define LOAD(name, segment, selector, mode_)				\
	SNIPPET(name, "mov $" #selector ", %eax; mov %eax, %" #segment);	\
	TEST(7, name, .mode = mode_, .prepare = selectors)

LOAD(load_beyond, ds, 0x1f8, RING0);
LOAD(load_absent, es, 0x58, RING0);
LOAD(load_execute_only, fs, 0xa8, RING0);
LOAD(load_tss, gs, 0x38, RING0);
LOAD(load_ring0_in_3, ds, 0x18, RING3);
LOAD(load_rpl3_of_ring0, ds, 0x1b, RING0);
LOAD(load_null, ds, 0, RING0);
LOAD(load_null_rpl3, ds, 3, RING3);
LOAD(load_readable_code, ds, 0x10, RING0);
LOAD(load_from_no_ldt, ds, 0x0c, RING0);
LOAD(load_ss_null, ss, 0, RING0);
LOAD(load_ss_null3, ss, 3, RING3);
LOAD(load_ss_absent, ss, 0x58, RING0);
LOAD(load_ss_code, ss, 0x10, RING0);
LOAD(load_ss_read_only, ss, 0x98, RING0);
LOAD(load_ss_rpl, ss, 0x1b, RING0);
LOAD(load_ss_dpl, ss, 0x28, RING0);
LOAD(load_ss_beyond, ss, 0x1f8, RING0);

SNIPPET(load_from_ldt, "mov $0x80, %eax; lldt %ax; mov $0x0f, %eax; mov %eax, %ds; sldt %ecx;"
	"mov %ds, %edx; mov $0x14, %eax; mov %eax, %es");
TEST(7, load_from_ldt, .show = BIT(CX) | BIT(DX));
SNIPPET(lldt_of_tss, "mov $0x38, %eax; lldt %ax");
TEST(7, lldt_of_tss);
SNIPPET(lldt_in_ldt, "mov $0x84, %eax; lldt %ax");
TEST(7, lldt_in_ldt);
SNIPPET(lldt_null, "xor %eax, %eax; lldt %ax; sldt %eax");
TEST(7, lldt_null, .show = BIT(AX));
SNIPPET(ltr_busy, "mov $0x38, %eax; ltr %ax");
TEST(7, ltr_busy);
SNIPPET(ltr_data, "mov $0x18, %eax; ltr %ax");
TEST(7, ltr_data);
SNIPPET(ltr_makes_busy, "mov gdt + 0x38, %rax; btr $41, %rax; mov %rax, gdt + 0x38;"
	"mov $0x38, %ecx; ltr %cx; mov gdt + 0x38, %rcx; str %edx");
TEST(7, ltr_makes_busy, .show = BIT(DX));

/* asking about selectors */
#define ASK(name, text, mode_)						\
	SNIPPET(name, "xor %eax, %eax; xor %edx, %edx;" text);		\
	TEST(7, name, .mode = mode_, .show = BIT(AX) | BIT(DX) | BIT(BX), .forget = 0x895)
ASK(lar_code, "mov $0x10, %ecx; lar %ecx, %eax; lsl %ecx, %edx", RING0);
ASK(lar_code3, "mov $0x10, %ecx; lar %ecx, %eax; lsl %ecx, %edx", RING3);
ASK(lar_tss, "mov $0x38, %ecx; lar %ecx, %eax; lsl %ecx, %edx", RING0);
ASK(lar_null, "mov $0, %ecx; lar %ecx, %eax; lsl %ecx, %edx", RING0);
ASK(lar_small, "mov $0xa0, %ecx; lar %ecx, %eax; lsl %ecx, %edx", RING0);
ASK(verr_data, "mov $0x18, %ecx; verr %cx", RING0);
ASK(verr_data3, "mov $0x18, %ecx; verr %cx", RING3);
ASK(verr_execute_only, "mov $0xa8, %ecx; verr %cx", RING3);
ASK(verr_conforming3, "mov $0x70, %ecx; verr %cx", RING3);
ASK(verw_read_only, "mov $0x98, %ecx; verw %cx", RING3);
ASK(verw_data3, "mov $0x2b, %ecx; verw %cx", RING3);

/* TSS: the stack for ring 0 */
static void bad_rsp0(void)
{
	tss.rsp[0] = 0x800000001000;
	set_gate(12, 0x8e00, 1);
	set_gate(13, 0x8e00, 1);
	set_gate(8, 0x8e00, 2);
}
SNIPPET(rsp0_not_canonical, "int3");
TEST(8, rsp0_not_canonical, .mode = RING3, .prepare = bad_rsp0, .resume = 0);
