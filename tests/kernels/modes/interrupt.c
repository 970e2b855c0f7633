// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts to oneself: when they come, which comes first, and what holds them back. */
#include "frame.h"

#define IF 0x200
#define TF 0x100

static void apic(void)
{
	start[DI] = 0xfee00000;
	start[SI] = 0;
}

#define SEND(vector) "movl $0x440" #vector ", 0x300(%rdi);"
#define SEND_NMI "movl $0x44400, 0x300(%rdi);"
#define INTERRUPT(name, text, ...)					\
	SNIPPET(name, text);						\
	TEST(c, name, .prepare = apic, __VA_ARGS__)

INTERRUPT(sti_shadow, SEND(41) "sti; mov $1, %esi; mov $2, %esi; nop; cli", .show = BIT(SI),
	  .every_core = 1);
INTERRUPT(sti_nop, SEND(41) "sti; nop; nop; cli", .every_core = 1);
INTERRUPT(sti_cli, SEND(41) "sti; cli; nop; nop");
INTERRUPT(sti_sti, SEND(41) "sti; sti; nop; nop; cli");
INTERRUPT(sti_again, SEND(41) "nop; sti; nop; cli; " SEND(42) "sti; nop; nop; cli");
INTERRUPT(popf_if, SEND(41) "pushfq; orl $0x200, (%rsp); popfq; nop; nop; cli", .every_core = 1);
INTERRUPT(priority, SEND(41) SEND(93) SEND(52) "sti; nop; nop; cli", .every_core = 1);
INTERRUPT(same_twice, SEND(41) SEND(41) "sti; nop; nop; cli");
INTERRUPT(masked, SEND(41) "nop; nop; nop; mov 0x220(%rdi), %eax", .show = BIT(AX));
INTERRUPT(hlt_wakes, SEND(41) "sti; hlt; nop; cli", .every_core = 1);
INTERRUPT(iret_if, SEND(41) "mov %ss, %eax; push %rax; lea 8(%rsp), %rcx; push %rcx; pushfq;"
	  "orl $0x200, (%rsp); mov %cs, %eax; push %rax; lea 1f(%rip), %rax; push %rax; iretq;"
	  "1: nop; nop; cli");
INTERRUPT(request_register, SEND(41) "mov 0x220(%rdi), %eax; sti; nop; cli; mov 0x220(%rdi), %ecx;"
	  "mov 0x120(%rdi), %edx", .show = BIT(AX) | BIT(CX) | BIT(DX));

/* task priority */
INTERRUPT(tpr_holds, "mov $5, %eax; mov %rax, %cr8;" SEND(41) "sti; nop; nop; xor %eax, %eax;"
	  "mov %rax, %cr8; nop; nop; cli", .every_core = 1);
INTERRUPT(tpr_same_class, "mov $4, %eax; mov %rax, %cr8;" SEND(4f) "sti; nop; xor %eax, %eax;"
	  "mov %rax, %cr8; nop; cli");
INTERRUPT(tpr_below, "mov $4, %eax; mov %rax, %cr8;" SEND(51) "sti; nop; nop; cli");
INTERRUPT(tpr_of_apic, "movl $0x60, 0x80(%rdi); mov %cr8, %rax; mov $3, %ecx; mov %rcx, %cr8;"
	  "mov 0x80(%rdi), %edx; mov %cr8, %rcx; mov 0xa0(%rdi), %esi; movl $0, 0x80(%rdi)",
	  .show = BIT(AX) | BIT(CX) | BIT(DX) | BIT(SI), .every_core = 1);

/* in service: one that nobody has ended holds back its class and those below */
static int keep_in_service(struct seen *seen)
{
	if (seen->frame.vector < 32)
		return 0;
	if (seen->frame.vector == 0x52)
		apic_write(0xb0, 0);
	return 1;
}
INTERRUPT(in_service, SEND(52) "sti; nop; cli;" SEND(51) "sti; nop; cli; movl $0, 0xb0(%rdi);"
	  "sti; nop; cli; movl $0, 0xb0(%rdi)", .handle = keep_in_service);
INTERRUPT(in_service_holds, SEND(63) "sti; nop; cli;" SEND(61) "sti; nop; cli; mov 0x130(%rdi), %edx;"
	  "mov 0xa0(%rdi), %ecx; movl $0, 0xb0(%rdi); sti; nop; cli; movl $0, 0xb0(%rdi)",
	  .handle = keep_in_service, .show = BIT(DX) | BIT(CX));
INTERRUPT(in_service_above, SEND(63) "sti; nop; cli;" SEND(71) "sti; nop; cli;"
	  "movl $0, 0xb0(%rdi); movl $0, 0xb0(%rdi)", .handle = keep_in_service);

/* from ring 3, and to it */
SNIPPET(user_interrupted, "1: jmp 1b; nop");
static int leave_loop(struct seen *seen)
{
	if (seen->frame.vector < 2)
		return seen->frame.vector;
	if (seen->frame.vector >= 32)
		apic_write(0xb0, 0);
	if (*(const u16 *)(seen->frame.ip & ~ALIAS) == 0xfeeb)	/* 1: jmp 1b */
		seen->frame.ip += 2;
	return 1;
}
static void pending(void)
{
	apic_write(0x300, 0x44041);
}
TEST(c, user_interrupted, .mode = RING3, .flags = IF, .prepare = pending, .handle = leave_loop,
     .every_core = 1);
SNIPPET(compat_interrupted, ".code32; 1: jmp 1b; nop");
TEST(c, compat_interrupted, .mode = COMPAT3, .flags = IF, .prepare = pending,
     .handle = leave_loop);
SNIPPET(interrupt_and_step, "1: jmp 1b; nop; nop");
TEST(c, interrupt_and_step, .mode = RING3, .flags = IF | TF, .prepare = pending,
     .handle = leave_loop);
SNIPPET(interrupt_string, "mov $3, %ecx; lea -64(%rsp), %rdi; rep stosb; nop");
TEST(c, interrupt_string, .mode = RING3, .flags = IF, .prepare = pending, .show = BIT(CX));

/* NMI */
static int twice(struct seen *seen)
{
	static int nested;

	if (seen->frame.vector != 2)
		return 0;
	nested = !nested;
	if (nested) {
		apic_write(0x300, 0x44400);
		apic_write(0x300, 0x44400);	/* one is remembered */
	}
	seen->frame.ip += nested ? 0 : 2;
	return 1;
}
INTERRUPT(nmi, SEND_NMI "1: jmp 1b; nop", .handle = leave_loop, .every_core = 1);
INTERRUPT(nmi_again, SEND_NMI "1: jmp 1b; nop;" SEND_NMI "1: jmp 1b; nop", .handle = leave_loop);
INTERRUPT(nmi_in_nmi, SEND_NMI "1: jmp 1b; nop", .handle = twice, .every_core = 1);
INTERRUPT(nmi_and_interrupt, SEND(41) SEND_NMI "1: jmp 1b; sti; nop; cli", .handle = leave_loop);
static void nmi_stack(void)
{
	apic();
	set_gate(2, 0x8e00, 2);
}
SNIPPET(nmi_on_ist, SEND_NMI "1: jmp 1b; nop");
TEST(c, nmi_on_ist, .prepare = nmi_stack, .handle = leave_loop, .every_core = 1);
