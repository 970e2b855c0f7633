// SPDX-License-Identifier: GPL-2.0-only
/* #DB: single steps, breakpoints in the debug registers, DR6 and DR7. */
#include "frame.h"

#define TF 0x100
#define RF 0x10000

extern const u8 step_syscall_to[];

/* TF */
SNIPPET(step_plain, "nop; mov $1, %eax; xor %ebx, %ebx; nop");
TEST(a, step_plain, .flags = TF, .every_core = 1);
SNIPPET(step_plain3, "nop; mov $1, %eax; xor %ebx, %ebx; nop");
TEST(a, step_plain3, .mode = RING3, .flags = TF, .every_core = 1);
SNIPPET(step_jump, "jmp 1f; nop; 1: call 2f; nop; jmp 3f; 2: ret; 3: nop");
TEST(a, step_jump, .flags = TF);
SNIPPET(step_branch, "xor %eax, %eax; je 1f; nop; 1: jne 2f; nop; 2: nop");
TEST(a, step_branch, .flags = TF);
SNIPPET(step_int3, "nop; int3; nop; nop");
TEST(a, step_int3, .flags = TF, .every_core = 1);
SNIPPET(step_int3_user, "nop; int3; nop; nop");
TEST(a, step_int3_user, .mode = RING3, .flags = TF);
static void user_f1(void)
{
	set_gate(0xf1, 0xee00, 0);
}
static int all(struct seen *seen)
{
	return seen->frame.vector == 1 || seen->frame.vector == 3 || seen->frame.vector >= 0xf1;
}
SNIPPET(step_int, "nop; int $0xf1; nop");
TEST(a, step_int, .mode = RING3, .flags = TF, .prepare = user_f1, .handle = all);
static void trap_gate(void)
{
	set_gate(0xf1, 0xef00, 0);
}
SNIPPET(step_trap_gate, "nop; int $0xf1; nop");
TEST(a, step_trap_gate, .mode = RING3, .flags = TF | 0x200, .prepare = trap_gate, .handle = all);
SNIPPET(step_fault, "nop; nop; ud2");
TEST(a, step_fault, .flags = TF);
SNIPPET(step_begins, "pushfq; orl $0x100, (%rsp); popfq; nop; nop; pushfq; andl $~0x100, (%rsp);"
	"popfq; nop");
TEST(a, step_begins, .every_core = 1);
SNIPPET(step_begins3, "pushfq; orl $0x100, (%rsp); popfq; nop; nop; pushfq; andl $~0x100, (%rsp);"
	"popfq; nop");
TEST(a, step_begins3, .mode = RING3);
SNIPPET(step_pushf, "pushfq; pop %rax; nop");
TEST(a, step_pushf, .flags = TF, .show = BIT(AX));
SNIPPET(step_mov_ss, "mov %ss, %eax; mov %eax, %ss; nop; nop; nop");
TEST(a, step_mov_ss, .flags = TF);
SNIPPET(step_pop_ss, ".code32; push %ss; pop %ss; nop; nop; nop");
TEST(a, step_pop_ss, .mode = COMPAT3, .flags = TF);
SNIPPET(step_string, "mov $3, %ecx; cld; lea -64(%rsp), %rdi; rep stosb; nop");
TEST(a, step_string, .mode = RING3, .flags = TF, .show = BIT(CX) | BIT(DI), .every_core = 1);
SNIPPET(step_string_move, "mov $2, %ecx; lea -64(%rsp), %rdi; mov %rdi, %rsi; rep movsq; nop");
TEST(a, step_string_move, .flags = TF, .show = BIT(CX));
SNIPPET(step_string_none, "xor %ecx, %ecx; rep stosb; nop");
TEST(a, step_string_none, .flags = TF);
SNIPPET(step_iret, "mov %ss, %eax; push %rax; lea 8(%rsp), %rcx; push %rcx; pushfq;"
	"orl $0x100, (%rsp); mov %cs, %eax; push %rax; lea 1f(%rip), %rax; push %rax; iretq;"
	"1: nop; nop; nop");
TEST(a, step_iret);
SNIPPET(step_iret_out, "mov %ss, %eax; push %rax; lea 8(%rsp), %rcx; push %rcx; pushfq;"
	"andl $~0x100, (%rsp); mov %cs, %eax; push %rax; lea 1f(%rip), %rax; push %rax; iretq;"
	"1: nop; nop; nop");
TEST(a, step_iret_out, .flags = TF);
SNIPPET(step_compat, ".code32; nop; mov $1, %eax; push %eax; pop %ecx; int3; nop");
TEST(a, step_compat, .mode = COMPAT3, .flags = TF);
SNIPPET(step_port, "in $0x80, %al; out %al, $0x80; nop");
TEST(a, step_port, .flags = TF);
SNIPPET(step_apic, "mov $0xfee00000, %edi; mov 0x30(%rdi), %eax; mov %eax, 0x3e0(%rdi); nop");
TEST(a, step_apic, .flags = TF);
SNIPPET(step_cpuid, "xor %eax, %eax; cpuid; nop; rdtsc; nop; pause; nop");
TEST(a, step_cpuid, .flags = TF);
SNIPPET(step_control, "mov %cr0, %rax; mov %rax, %cr0; mov %cr3, %rax; mov %rax, %cr3; nop");
TEST(a, step_control, .flags = TF);
SNIPPET(step_msr, "mov $0xc0000102, %ecx; rdmsr; wrmsr; nop");
TEST(a, step_msr, .flags = TF);

static void into_kernel(void)
{
	write_msr(0xc0000082, (u64)step_syscall_to);
	write_msr(0xc0000084, 0);
}
static void into_kernel_masked(void)
{
	write_msr(0xc0000082, (u64)step_syscall_to);
	write_msr(0xc0000084, TF);
}
SNIPPET(step_syscall_to, "nop; mov %r11, %rax; sysretq");
SNIPPET(step_syscall, "nop; mov %ss, %edx; syscall; nop; nop");
TEST(a, step_syscall, .mode = RING3, .flags = TF, .prepare = into_kernel);
SNIPPET(step_syscall_masked, "nop; mov %ss, %edx; syscall; nop; nop");
TEST(a, step_syscall_masked, .mode = RING3, .flags = TF, .prepare = into_kernel_masked,
     .every_core = 1);

/* breakpoints: DR7 is set before the snippet, DR0-3 hold addresses in it or in the window */
static void set_dr(int number, u64 value)
{
	switch (number) {
	case 0: asm volatile("mov %0, %%dr0" : : "r"(value)); break;
	case 1: asm volatile("mov %0, %%dr1" : : "r"(value)); break;
	case 2: asm volatile("mov %0, %%dr2" : : "r"(value)); break;
	case 3: asm volatile("mov %0, %%dr3" : : "r"(value)); break;
	case 7: asm volatile("mov %0, %%dr7" : : "r"(value)); break;
	}
}

enum { EXECUTE, WRITE, PORT, ANY };
enum { ONE, TWO, EIGHT, FOUR };
#define WHEN(n, kind, length) (3ul << 2 * (n) | (u64)(kind) << (16 + 4 * (n)) | \
			       (u64)(length) << (18 + 4 * (n)) | 0x400)

static void data_pages(void)
{
	map(0, (u64)pages[0], P | W | U);
	map(1, (u64)pages[1], P | W | U);
	start[DI] = WINDOW + 0x100;
}

static int step_over(struct seen *seen)
{
	if (seen->frame.vector != 1)
		return 0;
	seen->frame.flags |= RF;
	return 1;
}

#define BREAK_DATA(name_, mode_, text, kind, length, address, ...)		\
	static void name_##_prepare(void)				\
	{								\
		data_pages();						\
		set_dr(0, address);					\
		set_dr(7, WHEN(0, kind, length));			\
	}								\
	SNIPPET(name_, text);						\
	TEST(b, name_, .mode = mode_, .prepare = name_##_prepare, __VA_ARGS__)

#define EACH "mov (%rdi), %al; nop; mov %al, (%rdi); nop; mov %ax, -1(%rdi); nop;"	\
	"mov %al, -1(%rdi); nop; mov %al, 1(%rdi); nop; mov %eax, -3(%rdi); nop;"	\
	"mov %eax, -4(%rdi); nop; mov %eax, 4(%rdi); nop; mov %rax, -8(%rdi); nop; mov %al, 7(%rdi); nop"
BREAK_DATA(break_write1, RING0, EACH, WRITE, ONE, WINDOW + 0x100, .every_core = 1);
BREAK_DATA(break_write2, RING3, EACH, WRITE, TWO, WINDOW + 0x100);
BREAK_DATA(break_write4, RING3, EACH, WRITE, FOUR, WINDOW + 0x100);
BREAK_DATA(break_write8, RING3, EACH, WRITE, EIGHT, WINDOW + 0x100);
BREAK_DATA(break_any1, RING3, EACH, ANY, ONE, WINDOW + 0x100, .every_core = 1);
BREAK_DATA(break_any4, RING0, EACH, ANY, FOUR, WINDOW + 0x100);
BREAK_DATA(break_elsewhere, RING0, EACH, ANY, FOUR, WINDOW + 0x120);
BREAK_DATA(break_modify, RING0, "incl (%rdi); nop; lock incl (%rdi); nop; xchg %eax, (%rdi); nop",
	   WRITE, FOUR, WINDOW + 0x100);
BREAK_DATA(break_push, RING0, "lea 0x708(%rdi), %rsp; push %rax; nop; nop; pop %rax; nop",
	   ANY, FOUR, WINDOW + 0x800);
BREAK_DATA(break_string, RING3, "sub $2, %rdi; mov $5, %ecx; rep stosb; nop", WRITE, ONE,
	   WINDOW + 0x100, .show = BIT(CX) | BIT(DI));
BREAK_DATA(break_sse, RING3, "movups %xmm0, -8(%rdi); nop; movups -8(%rdi), %xmm0; nop", ANY, ONE,
	   WINDOW + 0x100);
BREAK_DATA(break_across, RING0, "mov %rax, 0xefd(%rdi); nop", WRITE, ONE, WINDOW + 0x1001);

#define BREAK_CODE(name_, mode_, base, text, where, ...)			\
	extern const u8 name_##_here[];					\
	static void name_##_prepare(void)				\
	{								\
		data_pages();						\
		set_dr(1, (u64)name_##_here + base + where);		\
		set_dr(7, WHEN(1, EXECUTE, ONE));			\
	}								\
	SNIPPET(name_, text);						\
	TEST(b, name_, .mode = mode_, .prepare = name_##_prepare, .handle = step_over, __VA_ARGS__)

BREAK_CODE(break_code, RING0, 0, "nop; break_code_here: mov $1, %eax; nop", 0, .show = BIT(AX),
	   .every_core = 1);
BREAK_CODE(break_code3, RING3, ALIAS, "nop; break_code3_here: mov $1, %eax; nop", 0,
	   .every_core = 1);
BREAK_CODE(break_loop, RING0, 0, "mov $3, %ecx; 1: nop; break_loop_here: dec %ecx; jnz 1b", 0,
	   .show = BIT(CX));
BREAK_CODE(break_first, RING0, 0, "break_first_here: nop; nop", 0);
BREAK_CODE(break_middle, RING0, 0, "nop; break_middle_here: mov $1, %eax; nop", 2);
BREAK_CODE(break_fault, RING0, 0, "nop; break_fault_here: ud2; nop", 0);
BREAK_CODE(break_popf_rf, RING0, 0, "pushfq; orl $0x10000, (%rsp); popfq; break_popf_rf_here: nop",
	   0);
BREAK_CODE(break_iret_rf, RING0, 0, "mov %ss, %eax; push %rax; lea 8(%rsp), %rcx; push %rcx;"
	   "pushfq; orl $0x10000, (%rsp); mov %cs, %eax; push %rax; lea break_iret_rf_here(%rip), %rax;"
	   "push %rax; iretq; break_iret_rf_here: nop; nop; jmp 1f; 1: nop", 0);

static void two(void)
{
	data_pages();
	set_dr(0, WINDOW + 0x100);
	set_dr(3, WINDOW + 0x102);
	set_dr(7, WHEN(0, WRITE, ONE) | WHEN(3, ANY, TWO));
}
SNIPPET(break_two, "mov %ax, (%rdi); nop; mov %al, 1(%rdi); nop; mov (%rdi), %eax; nop");
TEST(b, break_two, .prepare = two, .every_core = 1);

static void watched_not_enabled(void)
{
	data_pages();
	set_dr(0, WINDOW + 0x100);
	set_dr(7, WHEN(0, WRITE, ONE) & ~3ul);
}
SNIPPET(break_disabled, "mov %eax, (%rdi); nop; mov %dr6, %rax");
TEST(b, break_disabled, .prepare = watched_not_enabled, .show = BIT(AX));

/* the registers themselves */
SNIPPET(debug_registers, "mov $-1, %ebx; mov %rbx, %dr0; mov %rbx, %dr3; mov %dr0, %rcx;"
	"mov %dr3, %rdx; mov $0xe00d, %eax; mov %rax, %dr6; mov %dr6, %rax;"
	"mov $0x700, %esi; mov %rsi, %dr7; mov %dr7, %rsi");
TEST(b, debug_registers, .show = BIT(AX) | BIT(CX) | BIT(DX) | BIT(SI), .every_core = 1);
SNIPPET(debug_alias, "mov $0x400, %esi; mov %rsi, %dr5; mov %dr5, %rax; mov %dr4, %rcx");
TEST(b, debug_alias, .show = BIT(AX) | BIT(CX));
static void extensions(void)
{
	write_cr4(read_cr4() | 8);
}
SNIPPET(debug_alias_off, "nop; mov %dr4, %rax");
TEST(b, debug_alias_off, .prepare = extensions);
SNIPPET(debug_high, "mov $1, %eax; shl $32, %rax; mov %rax, %dr7");
TEST(b, debug_high);
SNIPPET(int1, "nop; int $1; nop");
TEST(b, int1);
static void watch_port(void)
{
	write_cr4(read_cr4() | 8);
	set_dr(2, 0x80);
	set_dr(7, WHEN(2, PORT, ONE));
}
SNIPPET(break_port, "in $0x80, %al; nop; out %al, $0x80; nop; out %al, $0x81; nop");
TEST(b, break_port, .prepare = watch_port);
