// SPDX-License-Identifier: GPL-2.0-only
/* 32-bit protected mode: rings, gates, the TSS's stacks, selectors, ports. */
#include "frame.h"

#define ARITHMETIC 0x8d5
#define IN(ring, name, text, ...)					\
	SNIPPET(name, text);						\
	TEST(3, name, .mode = ring, __VA_ARGS__)

IN(RING0, p_breakpoint, "nop; int3; nop; .byte 0xcd, 3", .every_core = 1);
IN(RING3, p_breakpoint3, "nop; int3; nop; .byte 0xcd, 3", .every_core = 1);
IN(RING0, p_divide, "xor %ecx, %ecx; div %ecx", .forget = ARITHMETIC);
IN(RING3, p_divide3, "xor %ecx, %ecx; div %ecx", .forget = ARITHMETIC, .every_core = 1);
IN(RING3, p_overflow, "mov $0x7fffffff, %eax; inc %eax; into; int $4");
IN(RING3, p_bound, "push $20; push $10; mov $21, %eax; bound %eax, (%esp)");
IN(RING0, p_undefined, "nop; ud2");
IN(RING3, p_hlt, "nop; hlt");
IN(RING3, p_cli, "cli");
IN(RING3, p_int, "int $0x20");
IN(RING3, p_out, "out %al, $0x80");
IN(RING0, p_load_beyond, "mov $0xf8, %eax; mov %eax, %ds");
IN(RING0, p_load_absent, "mov $0x58, %eax; mov %eax, %es");
IN(RING0, p_load_ss_absent, "mov $0x58, %eax; mov %eax, %ss");
IN(RING0, p_load_ss_null, "xor %eax, %eax; mov %eax, %ss");
IN(RING3, p_load_ring0, "mov $0x10, %eax; mov %eax, %fs");
IN(RING0, p_null_segment, "xor %eax, %eax; mov %eax, %gs; mov %gs, %ecx", .show = BIT(CX));
IN(RING0, p_ltr_busy, "mov $0x28, %eax; ltr %ax");
IN(RING0, p_lldt, "mov $0x68, %eax; lldt %ax; mov $0x0f, %eax; mov %eax, %fs; mov %fs, %ecx",
   .show = BIT(CX));
IN(RING0, p_shifted, "mov $0x70, %eax; mov %eax, %fs; mov $0x12345678, %ecx; mov %ecx, 0x100080;"
   "mov %fs:0x80, %edx; mov $0xfff00080, %ebx; mov %ecx, 0x80; mov %fs:(%ebx), %ebx",
   .show = BIT(DX) | BIT(BX));
IN(RING3, p_arpl, "mov $0x10, %eax; mov $3, %ecx; arpl %cx, %ax; setz %dl; movzx %dl, %edx",
   .show = BIT(AX) | BIT(DX));
IN(RING0, p_pusha, "pusha; mov 24(%esp), %eax; mov %eax, 16(%esp); popa; pushf; popf; push %ds;"
   "pop %es; push $0x23; push $0x77; les (%esp), %eax; mov %es, %ecx",
   .show = BIT(AX) | BIT(BX) | BIT(CX));
IN(RING0, p_bcd, "mov $0x9f, %eax; add $1, %al; daa; mov %eax, %ebx; mov $0x0105, %eax; aam; mov %eax, %ecx;"
   "aad; mov %eax, %edx; mov $0x0f, %al; aaa", .show = ALL_REGISTERS, .forget = ARITHMETIC);
IN(RING0, p_step, "pushf; orl $0x100, (%esp); popf; nop; mov %ss, %eax; mov %eax, %ss; nop; nop;"
   "pushf; andl $~0x100, (%esp); popf; nop", .every_core = 1);
IN(RING3, p_step3, "pushf; orl $0x100, (%esp); popf; nop; int3; nop; nop", .every_core = 1);
IN(RING3, p_popf, "pushf; orl $0x7200, (%esp); popf; pushf; pop %eax; push $2; popf", .show = BIT(AX));
IN(RING3, p_popf_iopl3, "pushf; orl $0x4200, (%esp); popf; pushf; pop %eax; push $2; popf",
   .flags = 0x3000, .show = BIT(AX));

static void gates(void)
{
	set_gate(0x20, 0x0e00);
	set_gate(0x21, 0x6e00);
	set_gate(0x22, 0xef00);		/* trap gate */
	idt[0x23].type = 0xee00;
	idt[0x23].selector = DATA;
	idt[0x24].type = 0xec00;	/* a call gate */
	idt[0x25].type = 0xee00;
	idt[0x25].selector = ABSENT_CODE;
	idt[0x27].type = 0xee00;
	idt[0x27].selector = USER_CODE;
}
IN(RING0, p_gate_absent, "int $0x20", .prepare = gates);
IN(RING3, p_gate_absent3, "int $0x21", .prepare = gates);
IN(RING3, p_gate_trap, "nop; int $0x22; nop", .prepare = gates, .flags = 0x200);
IN(RING3, p_gate_data, "int $0x23", .prepare = gates);
IN(RING3, p_gate_type, "int $0x24", .prepare = gates);
IN(RING3, p_gate_code_absent, "int $0x25", .prepare = gates);
IN(RING0, p_gate_outwards, "int $0x27", .prepare = gates);

static void short_idt(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) idtr = { 0xf1 * 8 - 1, (u32)idt };

	asm volatile("lidt %0" : : "m"(idtr));
}
IN(RING0, p_beyond_idt, "int $0xf8", .prepare = short_idt);

/* 16-bit interrupt gate: six bytes on the stack */
SNIPPET(gate16_code, "movzwl (%esp), %eax; movzwl 2(%esp), %ecx; movzwl 4(%esp), %edx; mov %esp, %ebx;"
	"and $0xfff, %ebx");
static void gate16(void)
{
	gdt[FREE / 8] = descriptor((u32)gate16_code, 0xfffff, 0xc09b);
	idt[0x20] = (struct gate){ 0, FREE, 0xe600, 0 };
}
IN(RING0, p_gate16, "nop; int $0x20", .prepare = gate16, .show = ALL_REGISTERS);

/* the TSS */
static void other_esp0(void) { tss.esp0 -= 0x123; }
IN(RING3, p_other_esp0, "int3; nop; hlt", .prepare = other_esp0, .every_core = 1);

/* call gates: 32-bit with two parameters, and 16-bit */
SNIPPET(gate_code, "mov (%esp), %eax; mov 4(%esp), %ecx; mov 8(%esp), %edx; mov 12(%esp), %ebx;"
	"mov 16(%esp), %esi; mov 20(%esp), %edi; lret $8");
static void call_gate(void)
{
	u32 at = (u32)gate_code;

	gdt[GATE / 8] = (at & 0xffff) | CODE << 16 | (u64)((at & 0xffff0000) | 0xec02) << 32;
}
#define MOST_REGISTERS ALL_REGISTERS | BIT(SI) | BIT(DI)
IN(RING3, p_call_gate, "push $0x1111; push $0x2222; lcall $0x40, $0; nop", .prepare = call_gate,
   .show = MOST_REGISTERS, .every_core = 1);
IN(RING0, p_call_gate_same, "push $0x1111; push $0x2222; lcall $0x40, $0; nop",
   .prepare = call_gate, .show = BIT(CX) | BIT(DX) | BIT(BX));
static void closed_gate(void)
{
	call_gate();
	gdt[GATE / 8] &= ~((u64)0x6000 << 32);
}
IN(RING3, p_call_gate_closed, "lcall $0x40, $0", .prepare = closed_gate);
static void absent_gate(void)
{
	call_gate();
	gdt[GATE / 8] &= ~((u64)0x8000 << 32);
}
IN(RING3, p_call_gate_absent, "lcall $0x40, $0", .prepare = absent_gate);
SNIPPET(gate16_called, "movzwl (%esp), %eax; movzwl 2(%esp), %ecx; movzwl 4(%esp), %edx;"
	"movzwl 6(%esp), %ebx; movzwl 8(%esp), %esi; mov %esp, %edi; and $0xfff, %edi");
static void call_gate16(void)
{
	gdt[FREE / 8] = descriptor((u32)gate16_called, 0xfffff, 0xc09b);
	gdt[GATE16 / 8] = (u64)FREE << 16 | (u64)0xe402 << 32;
}
IN(RING0, p_call_gate16, "pushw $0x1111; pushw $0x2222; lcall $0x48, $0; nop",
   .prepare = call_gate16, .show = ALL_REGISTERS);

/* far transfers */
IN(RING0, p_far_call, "lcall $0x08, $1f; jmp 2f; 1: mov 4(%esp), %eax; lret; 2: nop", .show = BIT(AX));
IN(RING3, p_far_conforming, "ljmp $0x50, $1f; nop; 1: mov %cs, %eax", .show = BIT(AX));
IN(RING3, p_far_inwards, "ljmp $0x08, $1f; 1: nop");
IN(RING0, p_far_data, "ljmp $0x10, $1f; 1: nop");
IN(RING0, p_far_absent, "ljmp $0x60, $1f; 1: nop");
IN(RING0, p_far_null, "ljmp $0, $1f; 1: nop");
IN(RING0, p_return_outwards, "mov $user_stack + 0x800, %ecx; push $0x23; push %ecx; push $0x1b; push $1f;"
   "lret; 1: mov %cs, %eax; mov %ss, %edx; mov %ds, %ecx", .show = BIT(AX) | BIT(DX) | BIT(CX),
   .every_core = 1);
IN(RING0, p_return_outwards_ds, "mov $0x23, %eax; mov %eax, %es; mov $user_stack + 0x800, %ecx;"
   "push $0x23; push %ecx; push $0x1b; push $1f; lret; 1: mov %ds, %eax; mov %es, %edx; mov %fs, %ecx",
   .show = BIT(AX) | BIT(DX) | BIT(CX));
IN(RING3, p_return_inwards, "push $0x08; push $1f; lret; 1: nop");
IN(RING0, p_iret_outwards, "mov $user_stack + 0x800, %ecx; push $0x23; push %ecx; push $0x3202;"
   "push $0x1b; push $1f; iret; 1: mov %ds, %ecx; cli; nop", .show = BIT(CX), .every_core = 1);
IN(RING0, p_iret_bad_ss, "push $0x13; push $0; push $2; push $0x1b; push $1f; iret; 1: nop");
IN(RING0, p_iret_bad_cs, "push $2; push $0x10; push $1f; iret; 1: nop");
IN(RING0, p_iret_flags, "push $0x240ed7; push $0x08; push $1f; iret; 1: nop");
IN(RING3, p_iret_flags3, "push $0x243ed7; push $0x1b; push $1f; iret; 1: nop");

/* ports */
static void ports(void)
{
	tss.map[0x80 / 8] = 0xfe;
}
IN(RING3, p_port_allowed, "out %al, $0x80; nop", .prepare = ports, .every_core = 1);
IN(RING3, p_port_forbidden, "out %al, $0x80; out %al, $0x81", .prepare = ports);
IN(RING3, p_port_word, "out %ax, $0x80", .prepare = ports);
IN(RING3, p_port_iopl, "out %al, $0x81; cli; sti", .flags = 0x3000);

/* double fault */
static void no_gp(void) { set_gate(13, 0x0e00); }
IN(RING0, p_double, "mov $0xf8, %eax; mov %eax, %ds", .prepare = no_gp, .every_core = 1);
IN(RING3, p_double3, "nop; hlt", .prepare = no_gp);

/* SYSENTER */
SNIPPET(entered, "mov %esp, %eax; mov %ss, %edx; mov %cs, %ecx");
static void sysenter(void)
{
	asm volatile("wrmsr" : : "c"(0x174), "a"(CODE), "d"(0));
	asm volatile("wrmsr" : : "c"(0x175), "a"(kernel_stack + 0x800), "d"(0));
	asm volatile("wrmsr" : : "c"(0x176), "a"(entered), "d"(0));
}
IN(RING3, p_sysenter, "nop; sysenter", .prepare = sysenter, .flags = 0x200, .show = ALL_REGISTERS,
   .every_core = 1);
IN(RING0, p_sysexit, "mov $1f, %edx; mov $user_stack + 0x800, %ecx; sysexit; 1: mov %cs, %eax;"
   "mov %ss, %ebx", .prepare = sysenter, .show = ALL_REGISTERS);

/* interrupts to oneself */
IN(RING0, p_interrupt, "mov $0xfee00000, %edi; movl $0x44041, 0x300(%edi); sti; nop; nop; cli",
   .every_core = 1);
IN(RING0, p_interrupt_hlt, "mov $0xfee00000, %edi; movl $0x44041, 0x300(%edi); sti; hlt; nop; cli");
IN(RING0, p_pop_ss, "push %ss; pop %ss; nop");

/* #TS: a stack for ring 1 that is none; and a back link that is none */
SNIPPET(ring1_code, "nop");
static void ring1(u32 ss1)
{
	gdt[FREE / 8] = descriptor(0, 0xfffff, 0xc0bb);
	gdt[GATE / 8] = ((u32)ring1_code & 0xffff) | (FREE | 1) << 16 |
			(u64)(((u32)ring1_code & 0xffff0000) | 0xec00) << 32;
	gdt[FREE / 8 + 1] = descriptor(0, 0xfffff, 0xc0b3);	/* its stack segment */
	tss.ss1 = ss1;
	tss.esp1 = (u32)kernel_stack + 0x800;
}
#define RING1(name, ss1)						\
	static void name##_prepare(void) { ring1(ss1); }		\
	IN(RING3, name, "lcall $0x40, $0; nop", .prepare = name##_prepare)
RING1(p_ring1, FREE + 8 + 1);
RING1(p_ring1_null_ss, 0);
RING1(p_ring1_ring0_ss, DATA);
RING1(p_ring1_beyond_ss, 0xf9);
static void bad_link(void) { tss.link = DATA; }
IN(RING0, p_nested_no_task, "pushf; orl $0x4000, (%esp); popf; iret", .prepare = bad_link);

/* tasks: by jump, by call and back, through a task gate; all registers are in the TSS */
struct tss other __attribute__((aligned(128)));
SNIPPET(task_code, "1: mov %cs, %esi; pushf; pop %ecx; inc %eax; str %edx; mov %ss, %ebp; ljmp $0x28, $0; jmp 1b");
static void second_task(void)
{
	for (u32 i = 0; i < sizeof(other) / 4; i++)
		((u32 *)&other)[i] = 0;
	other.eip = (u32)task_code;
	other.eflags = 2;
	other.r[4] = (u32)user_stack + 0x800;	/* ESP: EAX, ECX, EDX, EBX, ESP... here */
	other.r[0] = 0x777;
	other.cs = CODE;
	other.ss = other.ds = other.es = DATA;
	other.map_base = sizeof(other);
	gdt[FREE / 8] = descriptor((u32)&other, sizeof(other) - 1, 0x0089);
	idt[0x20] = (struct gate){ 0, FREE, 0xe500, 0 };
	idt[8] = (struct gate){ 0, FREE, 0x8500, 0 };
}
SNIPPET(task_jump, "mov $5, %eax; ljmp $0x80, $0; mov other + 40, %ecx; str %edx; mov %cr0, %ebx; clts");
/* QEMU may mix the flags of the old task with those the new one loads: they are not compared */
TEST(3, task_jump, .prepare = second_task, .forget = 0x8d5, .show = ALL_REGISTERS, .every_core = 1);
SNIPPET(task_body, "1: pushf; pop %edx; mov other, %ebx; mov %edx, 0x20004; mov %ebx, 0x20008;"
	"iret; jmp 1b");
static void body(void)
{
	second_task();
	other.eip = (u32)task_body;
}
SNIPPET(task_call, "mov $5, %eax; lcall $0x80, $0; mov 0x20004, %ecx; mov 0x20008, %ebx; str %edx; clts");
TEST(3, task_call, .prepare = body, .show = ALL_REGISTERS, .every_core = 1);
SNIPPET(task_gate, "mov $5, %eax; int $0x20; mov 0x20004, %ecx; mov 0x20008, %ebx; str %edx; clts");
TEST(3, task_gate, .mode = RING3, .prepare = body, .show = ALL_REGISTERS);
static void busy_task(void)
{
	second_task();
	gdt[FREE / 8] |= (u64)0x200 << 32;
}
SNIPPET(task_busy, "ljmp $0x80, $0");
TEST(3, task_busy, .prepare = busy_task);
static void absent_task(void)
{
	second_task();
	gdt[FREE / 8] &= ~((u64)0x8000 << 32);
}
SNIPPET(task_absent, "ljmp $0x80, $0");
TEST(3, task_absent, .prepare = absent_task);
static void short_task(void)
{
	second_task();
	gdt[FREE / 8] = descriptor((u32)&other, 0x66, 0x0089);
}
SNIPPET(task_short, "ljmp $0x80, $0");
TEST(3, task_short, .prepare = short_task);
