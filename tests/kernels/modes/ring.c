// SPDX-License-Identifier: GPL-2.0-only
/* Ways between rings and modes: iret, far transfers, gates, SYSCALL, SYSENTER, IST, IOPL. */
#include "frame.h"

#define IF 0x200
#define ARITHMETIC 0x8d5

#define GO(name, mode_, text, ...)					\
	SNIPPET(name, text);						\
	TEST(d, name, .mode = mode_, __VA_ARGS__)

/* iretq to cs, ss and flags; the stack stays where it is */
#define IRETQ(cs, ss, flags, base)					\
	"mov %rsp, %rcx; add $" #base ", %rcx; push $" #ss "; push %rcx; push $" #flags "; push $" #cs \
	"; lea 1f(%rip), %rax; add $" #base ", %rax; push %rax; iretq; 1: nop;"

GO(iret_same, RING0, IRETQ(0x10, 0x18, 0x2, 0), .every_core = 1);
GO(iret_flags, RING0, IRETQ(0x10, 0x18, 0x240ed7, 0), .forget = 0);
GO(iret_null_ss, RING0, IRETQ(0x10, 0, 0x2, 0));
GO(iret_user, RING0, IRETQ(0x33, 0x2b, 0x3202, 0x40000000), .every_core = 1);
GO(iret_compat, RING0, IRETQ(0x23, 0x2b, 0x202, 0x40000000) ".code32; .byte 0x40; nop",
   .show = BIT(AX), .forget = ARITHMETIC);
GO(iret_compat0, RING0, IRETQ(0x08, 0x18, 0x2, 0) ".byte 0x40; nop", .show = BIT(AX),
   .forget = ARITHMETIC);
GO(iret_user_null_ss, RING0, IRETQ(0x33, 3, 0x2, 0x40000000));
GO(iret_user_bad_ss, RING0, IRETQ(0x33, 0x18, 0x2, 0x40000000));
GO(iret_user_absent_ss, RING0, IRETQ(0x33, 0x5b, 0x2, 0x40000000));
GO(iret_null_cs, RING0, IRETQ(0, 0x18, 0x2, 0));
GO(iret_data_cs, RING0, IRETQ(0x18, 0x18, 0x2, 0));
GO(iret_absent_cs, RING0, IRETQ(0x90, 0x18, 0x2, 0));
GO(iret_beyond_cs, RING0, IRETQ(0x1f8, 0x18, 0x2, 0));
GO(iret_rpl_cs, RING0, IRETQ(0x13, 0x1b, 0x2, 0));
GO(iret_inwards, RING3, IRETQ(0x10, 0x18, 0x2, 0));
GO(iret_nested, RING0, "pushfq; orl $0x4000, (%rsp); popfq;" IRETQ(0x10, 0x18, 0x2, 0));
GO(iret_from_compat, COMPAT3, ".code32; mov %esp, %ecx; push $0x2b; push %ecx; push $0x2; push $0x23;"
   "call 1f; 1: addl $6, (%esp); .byte 0xcf, 0x90, 0x90; nop");
GO(iret_user_iopl, RING3, IRETQ(0x33, 0x2b, 0x3202, 0), .every_core = 1);
GO(iret_in_user_iopl3, RING3, IRETQ(0x33, 0x2b, 0x2, 0), .flags = 0x3200);

/* far transfers */
GO(far_return, RING0, "push $0x10; lea 1f(%rip), %rax; push %rax; lretq; 1: nop");
GO(far_return_compat0, RING0, "push $0x08; lea 1f(%rip), %rax; push %rax; lretq; 1: .code32;"
   ".byte 0x40; .byte 0x41; .byte 0x90", .show = BIT(AX) | BIT(CX), .forget = ARITHMETIC);
GO(far_return_user, RING0, "mov %rsp, %rcx; add $0x40000000, %rcx; push $0x2b; push %rcx; push $0x33;"
   "lea 1f(%rip), %rax; add $0x40000000, %rax; push %rax; lretq; 1: nop");
GO(far_return_inwards, RING3, "push $0x10; lea 1f(%rip), %rax; push %rax; lretq; 1: nop");
GO(far_return_imm, RING0, "push $7; push $8; push $0x10; lea 1f(%rip), %rax; push %rax; lretq $16;"
   "1: nop");
GO(far_jump_indirect, RING0, "lea 1f(%rip), %rax; mov %eax, -16(%rsp); movw $0x10, -12(%rsp);"
   "ljmpl *-16(%rsp); 1: nop");
GO(far_jump_conforming, RING3, "lea 1f(%rip), %rax; mov %eax, -16(%rsp); movw $0x70, -12(%rsp);"
   "ljmpl *-16(%rsp); 1: nop");
GO(far_jump_data, RING0, "lea 1f(%rip), %rax; mov %eax, -16(%rsp); movw $0x18, -12(%rsp);"
   "ljmpl *-16(%rsp); 1: nop");
GO(far_jump_absent, RING0, "lea 1f(%rip), %rax; mov %eax, -16(%rsp); movw $0x90, -12(%rsp);"
   "ljmpl *-16(%rsp); 1: nop");
GO(far_jump_tss, RING0, "movl $0, -16(%rsp); movw $0x38, -12(%rsp); ljmpl *-16(%rsp); 1: nop");
GO(far_jump_inwards, RING3, "lea 1f(%rip), %rax; mov %eax, -16(%rsp); movw $0x10, -12(%rsp);"
   "ljmpl *-16(%rsp); 1: nop");
GO(far_jump_null, RING0, "movl $0, -16(%rsp); movw $0, -12(%rsp); ljmpl *-16(%rsp)");
GO(far_call, RING0, "lea 1f(%rip), %rax; mov %eax, -64(%rsp); movw $0x10, -60(%rsp);"
   "lcalll *-64(%rsp); nop; jmp 2f; 1: mov (%rsp), %rdx; lretl; 2: nop", .every_core = 1);
GO(compat_to_long, COMPAT3, ".code32; call 1f; 1: pop %eax; add $(2f - 1b), %eax; push $0x33; push %eax;"
   "lret; .code64; 2: mov %rsp, %rax; inc %r8; nop", .show = BIT(AX) | BIT(R8),
   .forget = ARITHMETIC, .every_core = 1);
GO(compat_and_back, COMPAT3, ".code32; call 1f; 1: pop %ebx; lea 2f-1b(%ebx), %eax; push $0x33; push %eax;"
   "lret; .code64; 2: mov $-1, %r9; lea 3f(%rip), %rax; push $0x23; push %rax; lretq; .code32;"
   "3: .byte 0x40; nop", .show = BIT(R9) | BIT(SP), .forget = ARITHMETIC);
GO(compat16_run, COMPAT16, ".code16; mov $0x1234, %ax; mov $0x12345678, %ecx; push %ax; pop %dx;"
   "pushl %ecx; popl %ebx; jmp 1f; .byte 0xf; 1: nop",
   .show = BIT(AX) | BIT(CX) | BIT(DX) | BIT(BX));
GO(compat_registers, COMPAT3, ".code32; pusha; mov %esp, %ecx; popa; inc %eax; push %ds; pop %es;"
   "aaa; daa; pushf; popf; nop", .forget = ARITHMETIC, .show = BIT(SI) | BIT(BX));
GO(compat_wrap, COMPAT3, ".code32; mov $0xfffffffc, %ebx; mov $0x50400000, %eax;"
   "mov (%ebx, %eax, 1), %ecx; sub %ebx, %ebx", .show = BIT(BX));

/* a call gate: 64-bit, DPL 3, to gate_code; it changes to the stack of TSS.RSP0 */
SNIPPET(gate_code, "mov (%rsp), %rax; mov 8(%rsp), %rcx; mov 24(%rsp), %rdx; mov %ss, %ebx; lretq");
static void call_gate(void)
{
	u64 at = (u64)gate_code;

	gdt[GATE / 8] = (at & 0xffff) | CODE64 << 16 | 0xec00ull << 32 | (at >> 16 & 0xffff) << 48;
	gdt[GATE / 8 + 1] = at >> 32;
}
#define CALL_GATE "movl $0, -16(%rsp); movw $0x48, -12(%rsp); lcalll *-16(%rsp); nop"
GO(gate_call, RING3, CALL_GATE, .prepare = call_gate, .every_core = 1,
   .show = BIT(AX) | BIT(CX) | BIT(DX) | BIT(BX));
GO(gate_call_same, RING0, CALL_GATE, .prepare = call_gate, .show = BIT(CX) | BIT(BX));
GO(gate_jump, RING3, "movl $0, -16(%rsp); movw $0x48, -12(%rsp); ljmpl *-16(%rsp); nop",
   .prepare = call_gate);
static void closed_gate(void)
{
	call_gate();
	gdt[GATE / 8] &= ~(0x60ull << 40);
}
GO(gate_closed, RING3, CALL_GATE, .prepare = closed_gate);
static void absent_gate(void)
{
	call_gate();
	gdt[GATE / 8] &= ~(0x80ull << 40);
}
GO(gate_absent, RING3, CALL_GATE, .prepare = absent_gate);
static void gate_to_data(void)
{
	call_gate();
	gdt[GATE / 8] = (gdt[GATE / 8] & ~0xffff0000ull) | DATA << 16;
}
GO(gate_to_data_, RING3, CALL_GATE, .prepare = gate_to_data);

/* SYSCALL, SYSRET */
SNIPPET(kernel_side, "mov %rsp, %rbx; pushfq; pop %rax; mov %ss, %edx; mov %cs, %esi");
SNIPPET(kernel_returns, "pushfq; pop %rax; mov %ss, %edx; mov %cs, %esi; sysretq");
SNIPPET(kernel_returns_compat, "mov %ss, %edx; sysretl");
static void fast(const u8 *to, u64 mask)
{
	write_msr(0xc0000082, (u64)to);
	write_msr(0xc0000083, 0xdead);
	write_msr(0xc0000084, mask);
}
static void to_kernel(void) { fast(kernel_side, 0); }
static void to_kernel_masked(void) { fast(kernel_side, 0x47700 | ARITHMETIC); }
static void and_back(void) { fast(kernel_returns, 0x700); }
static void and_back_compat(void) { fast(kernel_returns_compat, 0x700); }
#define SEEN BIT(AX) | BIT(CX) | BIT(DX) | BIT(BX) | BIT(SI) | BIT(R11)
GO(system_call, RING3, "nop; syscall; nop", .prepare = to_kernel, .show = SEEN, .every_core = 1);
GO(system_call_masked, RING3, "xor %eax, %eax; std; syscall; nop", .prepare = to_kernel_masked,
   .flags = IF, .show = SEEN, .every_core = 1);
GO(system_call_return, RING3, "std; syscall; nop", .prepare = and_back, .flags = IF, .show = SEEN,
   .every_core = 1);
GO(system_call_return_compat, RING3, "syscall; .code32; .byte 0x40; nop", .flags = IF,
   .prepare = and_back_compat, .show = BIT(CX) | BIT(DX) | BIT(R11), .forget = ARITHMETIC);
GO(system_call_ring0, RING0, "syscall; nop", .prepare = to_kernel, .show = SEEN);
GO(system_return_rf, RING0, "lea 1f(%rip), %rcx; add $0x40000000, %rcx; mov $0x247fd7, %r11;"
   "sysretq; 1: nop", .forget = 0x100);

/* SYSENTER, SYSEXIT */
static void enter_kernel(void)
{
	write_msr(0x174, CODE64);
	write_msr(0x175, (u64)kernel_stack + 0x800);
	write_msr(0x176, (u64)kernel_side);
}
GO(sys_enter, RING3, "nop; sysenter", .flags = IF, .prepare = enter_kernel, .show = SEEN,
   .every_core = 1);
GO(sys_enter_compat, COMPAT3, ".code32; nop; sysenter", .prepare = enter_kernel, .show = SEEN);
GO(sys_enter_off, RING3, "nop; sysenter");
GO(sys_exit_compat, RING0, "lea 1f(%rip), %rdx; add $0x40000000, %rdx; lea 0x40000000(%rsp), %rcx;"
   "sysexitl; 1: .code32; .byte 0x40; nop", .prepare = enter_kernel, .show = BIT(AX),
   .forget = ARITHMETIC);
GO(sys_exit_long, RING0, "lea 1f(%rip), %rdx; add $0x40000000, %rdx; lea 0x40000000(%rsp), %rcx;"
   "rex.w sysexit; 1: nop", .prepare = enter_kernel, .every_core = 1);

/* stacks */
static void ist(void)
{
	set_gate(3, 0xee00, 1);
	set_gate(6, 0x8e00, 2);
	set_gate(0xf0, 0xee00, 3);
}
GO(ist_ring0, RING0, "int3; sub $24, %rsp; int3", .prepare = ist, .every_core = 1);
GO(ist_ring3, RING3, "int3; nop; int3; ud2", .prepare = ist, .every_core = 1);
GO(unaligned_stack, RING0, "sub $3, %rsp; int3; nop; ud2");
GO(unaligned_user, RING3, "sub $3, %rsp; int3; nop; ud2");
static void odd_rsp0(void)
{
	tss.rsp[0] = (u64)kernel_stack + 0x805;
}
GO(odd_rsp0_, RING3, "int3; ud2", .prepare = odd_rsp0);

/* double faults */
static void no_gp_gate(void)
{
	set_gate(13, 0x0e00, 0);
	set_gate(8, 0x8e00, 1);
}
GO(double_gp, RING0, "mov $0x1f8, %eax; mov %eax, %ds", .prepare = no_gp_gate, .every_core = 1);
GO(double_gp3, RING3, "nop; hlt", .prepare = no_gp_gate);
static void no_de_gate(void)
{
	set_gate(0, 0x0e00, 0);
	set_gate(8, 0x8e00, 1);
}
GO(double_de, RING0, "xor %ecx, %ecx; div %ecx", .prepare = no_de_gate, .forget = ARITHMETIC);
static void no_ud_gate(void)
{
	set_gate(6, 0x0e00, 0);
	set_gate(8, 0x8e00, 1);
}
GO(absent_ud, RING0, "nop; ud2", .prepare = no_ud_gate);
static void no_page_gate(void)
{
	set_gate(14, 0x0e00, 0);
	set_gate(8, 0x8e00, 1);
	start[DI] = WINDOW;
}
GO(double_page, RING3, "mov (%rdi), %eax", .prepare = no_page_gate, .every_core = 1);
static void no_stack(void)
{
	set_gate(8, 0x8e00, 1);
	start[DI] = WINDOW + 0x800;
}
GO(double_stack, RING0, "mov %rdi, %rsp; int3", .prepare = no_stack);
GO(double_stack_page, RING0, "mov %rdi, %rsp; mov (%rdi), %eax", .prepare = no_stack,
   .every_core = 1);
static void page_on_ist(void)
{
	no_stack();
	set_gate(14, 0x8e00, 2);
}
GO(page_of_stack, RING0, "mov %rdi, %rsp; nop; int3", .prepare = page_on_ist);
GO(page_of_stack_ud, RING0, "mov %rdi, %rsp; nop; ud2", .prepare = page_on_ist);
GO(page_of_stack_gp, RING0, "mov %rdi, %rsp; mov $0x1f8, %eax; mov %eax, %ds",
   .prepare = page_on_ist);
static int map_stack(struct seen *seen)
{
	if (seen->frame.vector == 14)
		map(0, (u64)pages[0], P | W);
	return seen->frame.vector == 14 || seen->frame.vector == 3;
}
GO(page_of_stack_again, RING0, "mov %rdi, %rsp; nop; int3; nop", .prepare = page_on_ist,
   .handle = map_stack);

/* GS */
static void bases(void)
{
	write_msr(0xc0000101, (u64)&start[1]);
	write_msr(0xc0000102, (u64)&start[2]);
	write_msr(0xc0000100, (u64)&start[3]);
}
GO(swap_gs, RING0, "mov %gs:0, %rax; swapgs; mov %gs:0, %rcx; mov %fs:0, %rdx; swapgs; mov %gs:0, %rbx",
   .prepare = bases, .show = BIT(AX) | BIT(CX) | BIT(DX) | BIT(BX), .every_core = 1);
GO(gs_null_load, RING0, "mov %gs:0, %rax; xor %ecx, %ecx; mov $0xc0000101, %ecx; mov $0x18, %edx;"
   "mov %edx, %gs; rdmsr; sub $0, %eax", .prepare = bases, .show = BIT(AX) | BIT(DX));

/* IOPL, IF and the TSS's port map */
#define POPF "pushfq; orl $0x7202, (%rsp); popfq; pushfq; pop %rax; btr $14, %rax; push %rax; popfq"
GO(popf_iopl0, RING3, POPF, .show = BIT(AX), .every_core = 1);
GO(popf_iopl3, RING3, POPF, .flags = 0x3000, .show = BIT(AX), .forget = 1);
GO(popf_ring0, RING0, "pushfq; orl $0x247000, (%rsp); popfq; pushfq; pop %rax; push $2; popfq",
   .show = BIT(AX));
GO(popf_high, RING3, "pushfq; orl $0x3f0000, (%rsp); popfq; pushfq; pop %rax; push $2; popfq",
   .show = BIT(AX));
GO(cli_iopl3, RING3, "cli; nop; sti; nop; pushfq; pop %rax", .flags = 0x3000, .show = BIT(AX),
   .every_core = 1);
GO(cli_iopl2, RING3, "cli", .flags = 0x2000);
GO(out_iopl3, RING3, "out %al, $0x80; in $0x80, %al", .flags = 0x3000, .every_core = 1);
static void ports(void)
{
	tss.map[0x80 / 8] = 0xfe;	/* port 0x80, but not 0x81 */
	tss.map[0x88 / 8] = 0;
	tss.map[0x90 / 8] = 0x7f;	/* port 0x97, but not 0x98 */
}
GO(port_allowed, RING3, "out %al, $0x80; nop", .prepare = ports, .every_core = 1);
GO(port_forbidden, RING3, "out %al, $0x80; out %al, $0x81", .prepare = ports, .every_core = 1);
GO(port_word, RING3, "out %ax, $0x8a; out %ax, $0x80", .prepare = ports);
GO(port_long, RING3, "out %eax, $0x88; out %eax, $0x85", .prepare = ports);
GO(port_across, RING3, "out %al, $0x97; out %ax, $0x97", .prepare = ports);
GO(port_in, RING3, "mov $0x80, %edx; in %dx, %al; inc %edx; in %dx, %al", .prepare = ports,
   .forget = ARITHMETIC);
GO(port_string, RING3, "mov $0x80, %edx; lea -64(%rsp), %rsi; mov $2, %ecx; rep outsb; inc %edx;"
   "outsb", .prepare = ports, .forget = ARITHMETIC, .show = BIT(CX));
GO(port_compat, COMPAT3, ".code32; out %al, $0x80; out %al, $0x81", .prepare = ports);
static void no_map(void)
{
	ports();
	tss.map_base = 0xffff;
}
GO(port_no_map, RING3, "out %al, $0x80", .prepare = no_map);
GO(port_high, RING3, "mov $0xfff8, %edx; out %al, %dx", .prepare = ports);
