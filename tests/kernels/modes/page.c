// SPDX-License-Identifier: GPL-2.0-only
/* #PF: every bit of its error code, CR2, and what an interrupted instruction leaves behind. */
#include "frame.h"

#define PHYSICAL(n) ((u64)pages[n])

static void put_code(u64 at, const u8 *code, int size)
{
	for (int i = 0; i < size; i++)
		*(volatile u8 *)(at + i) = code[i];
}

/*
 * The window: page 0 read/write for all, 1 absent, 2 kernel read/write, 3 read-only
 * for all, 4 no-execute for all, 5 a reserved bit, 6 and 7 in the wrong order, 8 absent,
 * 9 kernel read-only.
 */
static void usual(void)
{
	for (int i = 0; i < 8; i++)
		for (int j = 0; j < 512; j++)
			pages[i][j] = 0;
	map(0, PHYSICAL(0), P | W | U);
	map(2, PHYSICAL(1), P | W);
	map(3, PHYSICAL(2), P | U);
	map(4, PHYSICAL(3), P | W | U | NX);
	map(5, PHYSICAL(4) | 1ull << 51, P | W | U);
	map(6, PHYSICAL(6), P | W | U);
	map(7, PHYSICAL(5), P | W | U);
	map(9, PHYSICAL(7), P);
	start[DI] = WINDOW;
	start[SI] = WINDOW;
	start[AX] = 0x1234;
	start[CX] = 4;
}

static void show_ptes(void)
{
	say(" ptes");
	for (int page = 0; page < 10; page++)
		say_at("", window_after[page] >> 52 << 12 | (window_after[page] & 0xfff));
}

#define ACCESS(name, mode_, text, ...)					\
	SNIPPET(name, text);						\
	TEST(9, name, .mode = mode_, .prepare = usual, __VA_ARGS__)
#define SHOW(...) .show = __VA_ARGS__
#define STRING BIT(CX) | BIT(SI) | BIT(DI)

ACCESS(read_absent, RING0, "nop; mov 0x1008(%rdi), %eax", .every_core = 1);
ACCESS(write_absent, RING0, "nop; mov %eax, 0x1008(%rdi)", .every_core = 1);
ACCESS(read_absent3, RING3, "nop; mov 0x1008(%rdi), %eax", .every_core = 1);
ACCESS(write_absent3, RING3, "nop; mov %eax, 0x1008(%rdi)");
ACCESS(read_kernel3, RING3, "mov 0x2008(%rdi), %eax", .every_core = 1);
ACCESS(write_kernel3, RING3, "mov %eax, 0x2008(%rdi)");
ACCESS(write_read_only3, RING3, "mov 0x3008(%rdi), %ecx; mov %eax, 0x3008(%rdi)");
ACCESS(write_read_only, RING0, "mov 0x3008(%rdi), %ecx; mov %eax, 0x3008(%rdi)");
ACCESS(write_kernel_read_only, RING0, "mov %eax, 0x9008(%rdi)");
ACCESS(run_absent, RING0, "lea 0x1000(%rdi), %rbx; jmp *%rbx");
ACCESS(run_absent3, RING3, "lea 0x1000(%rdi), %rbx; jmp *%rbx");
ACCESS(run_nx, RING0, "lea 0x4000(%rdi), %rbx; jmp *%rbx");
ACCESS(run_nx3, RING3, "lea 0x4000(%rdi), %rbx; jmp *%rbx");
ACCESS(run_kernel3, RING3, "lea 0x2000(%rdi), %rbx; jmp *%rbx");
ACCESS(call_absent, RING0, "lea 0x1000(%rdi), %rbx; call *%rbx");
ACCESS(return_absent, RING0, "lea 0x1000(%rdi), %rbx; push %rbx; ret");
ACCESS(read_reserved, RING0, "mov 0x5008(%rdi), %eax");
ACCESS(write_reserved3, RING3, "mov %eax, 0x5008(%rdi)");
ACCESS(run_reserved, RING0, "lea 0x5000(%rdi), %rbx; jmp *%rbx");
ACCESS(accessed_dirty, RING0, "mov (%rdi), %eax; mov %eax, 0x2000(%rdi); mov 0x3000(%rdi), %eax;"
       "mov %eax, 0x4000(%rdi)", .report = show_ptes);
ACCESS(read_upper, RING0, "mov $0xffff800000001238, %rbx; mov (%rbx), %eax");

/* across pages */
ACCESS(read_across, RING0, "mov 0xffd(%rdi), %rax");
ACCESS(write_across, RING0, "mov %rax, 0xffd(%rdi); nop");
ACCESS(write_across_back, RING0, "mov %rax, 0x1ffd(%rdi); nop");
ACCESS(read_across_kernel3, RING3, "mov 0x2ffd(%rdi), %rax");
ACCESS(write_across_read_only, RING0, "mov $-1, %rax; mov %rax, 0x2ffd(%rdi)");
ACCESS(sse_across, RING0, "movups %xmm0, 0xff8(%rdi)");
ACCESS(push_across, RING3, "lea 0x7000(%rdi), %rsp; push %rax; lea 0x2004(%rdi), %rsp; push %rax");
ACCESS(wrong_order, RING0, "movabs $0x1122334455667788, %rax; mov %rax, 0x6ffb(%rdi);"
       "mov 0x6ffb(%rdi), %rcx; mov 0x6ff8(%rdi), %rdx; mov 0x7000(%rdi), %rbx;"
       "lock addq $0x11, 0x6ffb(%rdi); mov 0x6ffb(%rdi), %rsi",
       SHOW(BIT(CX) | BIT(DX) | BIT(BX) | BIT(SI)), .every_core = 1,
       .report = show_ptes);
ACCESS(wrong_order_exchange, RING3, "movabs $0x1122334455667788, %rax; mov $-1, %rcx;"
       "mov %rcx, 0x6ffc(%rdi); xchg %rax, 0x6ffc(%rdi); mov 0x6ffc(%rdi), %rdx; xor %ebx, %ebx;"
       "lock xadd %rdx, 0x6ffc(%rdi); mov 0x6ffc(%rdi), %rbx",
       SHOW(BIT(AX) | BIT(CX) | BIT(DX) | BIT(BX)));
ACCESS(wrong_order_sse, RING3, "movups (%rdi), %xmm0; pcmpeqd %xmm1, %xmm1;"
       "movups %xmm1, 0x6ffa(%rdi); mov 0x6ff8(%rdi), %rax; mov 0x7000(%rdi), %rbx;"
       "mov 0x7008(%rdi), %rcx", SHOW(BIT(AX) | BIT(BX) | BIT(CX)));

/* what is left behind */
ACCESS(string_move, RING0, "lea 0xff8(%rdi), %rdi; rep movsl; nop", SHOW(STRING), .every_core = 1);
ACCESS(string_move3, RING3, "lea 0xff8(%rsi), %rsi; lea 0x6000(%rdi), %rdi; rep movsl; nop",
       SHOW(STRING));
ACCESS(string_move_down, RING3, "lea 0x4004(%rsi), %rsi; lea 0x7008(%rdi), %rdi; std;"
       "mov $9, %ecx; rep movsl; nop", SHOW(STRING));
ACCESS(string_store, RING3, "lea 0xffa(%rdi), %rdi; mov $20, %ecx; rep stosb; nop", SHOW(STRING));
ACCESS(string_store_across, RING3, "lea 0xff9(%rdi), %rdi; mov $20, %ecx; rep stosw; nop",
       SHOW(STRING));
ACCESS(string_compare, RING3, "lea 0x6000(%rdi), %rdi; lea 0xff8(%rsi), %rsi; xor %eax, %eax;"
       "repe cmpsb", SHOW(STRING));
ACCESS(string_compare_far, RING3, "lea 0x6000(%rdi), %rdi; lea 0xff8(%rsi), %rsi; mov $99, %ecx;"
       "xor %eax, %eax; repe cmpsw; nop", SHOW(STRING));
ACCESS(string_scan, RING3, "lea 0xff8(%rdi), %rdi; mov $99, %ecx; mov $7, %al; add $0, %al;"
       "repne scasb", SHOW(STRING));
ACCESS(pop_absent, RING0, "push %rax; pop 0x1008(%rdi)");
ACCESS(pop_to_absent_from, RING3, "lea 0x1008(%rdi), %rsp; pop %rbx", SHOW(BIT(BX)));
ACCESS(call_no_stack, RING3, "lea 0x1008(%rdi), %rsp; call 1f; 1: nop");
ACCESS(return_no_stack, RING3, "lea 0x1008(%rdi), %rsp; ret");
ACCESS(leave_no_stack, RING3, "lea 0x1008(%rdi), %rbp; leave", SHOW(BIT(BP)));
ACCESS(enter_no_stack, RING3, "lea 0x1008(%rdi), %rsp; enter $16, $0", SHOW(BIT(BP)));
ACCESS(exchange_read_only, RING3, "xchg %eax, 0x3008(%rdi)", SHOW(BIT(AX)));
ACCESS(compare_exchange_read_only, RING3, "mov $9, %eax; lock cmpxchg %ecx, 0x3008(%rdi)",
       SHOW(BIT(AX)));
ACCESS(compare_exchange8_read_only, RING3, "cmp %eax, %eax; lock cmpxchg8b 0x3008(%rdi)",
       SHOW(BIT(AX) | BIT(DX)));
ACCESS(add_read_only, RING3, "cmp %eax, %eax; addl $1, 0x3008(%rdi)");
ACCESS(xadd_read_only, RING3, "cmp %eax, %eax; lock xadd %eax, 0x3008(%rdi)", SHOW(BIT(AX)));
ACCESS(fxsave_absent, RING3, "fxsave 0x1000(%rdi)");
ACCESS(load_far_pointer, RING3, "mov $0xdead, %ebx; .byte 0x0f, 0xb4, 0x9f, 0xfe, 0x0f, 0, 0",
       SHOW(BIT(BX)));
ACCESS(in_to_absent, RING0, "mov $0x80, %edx; lea 0x1000(%rdi), %rdi; insb", SHOW(BIT(DI)));

/* CR0.WP, EFER.NXE, CR4.SMEP */
static void no_write_protect(void)
{
	usual();
	write_cr0(read_cr0() & ~0x10000ull);
}
SNIPPET(write_unprotected, "mov %eax, 0x3008(%rdi); mov %eax, 0x9008(%rdi); mov 0x9008(%rdi), %ecx");
TEST(9, write_unprotected, .prepare = no_write_protect, .report = show_ptes, .show = BIT(CX));
SNIPPET(write_unprotected3, "mov %eax, 0x3008(%rdi)");
TEST(9, write_unprotected3, .mode = RING3, .prepare = no_write_protect, .report = show_ptes);

static void no_nx(void)
{
	usual();
	write_msr(0xc0000080, 0x501);
	flush();
}
SNIPPET(read_nx_off, "mov 0x4008(%rdi), %eax");
TEST(9, read_nx_off, .prepare = no_nx);
SNIPPET(run_absent_nx_off, "lea 0x1000(%rdi), %rbx; jmp *%rbx");
TEST(9, run_absent_nx_off, .prepare = no_nx);

static void smep(void)
{
	usual();
	write_cr4(read_cr4() | 1 << 20);
}
SNIPPET(run_user_smep, "lea 0(%rdi), %rbx; jmp *%rbx");
TEST(9, run_user_smep, .prepare = smep);
SNIPPET(read_user_smep, "mov (%rdi), %rbx; mov %rax, (%rdi)");
TEST(9, read_user_smep, .prepare = smep);

/* instructions across pages */
static void code_across(void)
{
	static const u8 code[] = { 0xb8, 0x78, 0x56, 0x34, 0x12, 0xcd, 0xf0 };

	usual();
	put_code(WINDOW + 0x6ffd, code, sizeof(code));
	put_code(WINDOW + 0xffd, code, 3);
}
SNIPPET(run_across, "lea 0x6ffd(%rdi), %rbx; jmp *%rbx");
TEST(9, run_across, .prepare = code_across, .show = BIT(AX), .every_core = 1);
SNIPPET(run_across3, "lea 0x6ffd(%rdi), %rbx; jmp *%rbx");
TEST(9, run_across3, .mode = RING3, .prepare = code_across, .show = BIT(AX));
SNIPPET(run_across_absent, "lea 0xffd(%rdi), %rbx; jmp *%rbx");
TEST(9, run_across_absent, .prepare = code_across, .show = BIT(AX), .every_core = 1);
SNIPPET(run_across_absent3, "lea 0xffd(%rdi), %rbx; jmp *%rbx");
TEST(9, run_across_absent3, .mode = RING3, .prepare = code_across, .show = BIT(AX));

/* from a page that may be run into one that may not, and into one of the kernel */
static void code_into_forbidden(void)
{
	static const u8 code[] = { 0xb8, 0x78, 0x56 };

	usual();
	map(2, PHYSICAL(1), P | W | U);
	map(3, PHYSICAL(2), P | W | U | NX);
	put_code(WINDOW + 0x2ffd, code, sizeof(code));
	map(8, PHYSICAL(1), P | W | U);
	map(9, PHYSICAL(7), P | W);
}
SNIPPET(run_across_nx, "lea 0x2ffd(%rdi), %rbx; jmp *%rbx");
TEST(9, run_across_nx, .prepare = code_into_forbidden);
SNIPPET(run_across_nx3, "lea 0x2ffd(%rdi), %rbx; jmp *%rbx");
TEST(9, run_across_nx3, .mode = RING3, .prepare = code_into_forbidden);
SNIPPET(run_across_kernel3, "lea 0x8ffd(%rdi), %rbx; jmp *%rbx");
TEST(9, run_across_kernel3, .mode = RING3, .prepare = code_into_forbidden);

/* a store that faults in its second page leaves the first alone */
static int past_store(struct seen *seen)
{
	seen->frame.ip = seen->frame.r[R8];
	return seen->frame.vector == 14;
}
#define PARTIAL(name, text)						\
	SNIPPET(name, "mov $-1, %rax; lea 1f(%rip), %r8;" text "; 1: mov 0x2ff8(%rdi), %rcx");	\
	TEST(9, name, .prepare = usual, .handle = past_store, .show = BIT(CX) | BIT(AX), .every_core = 1)
PARTIAL(partial_store, "mov %rax, 0x2ffd(%rdi)");
PARTIAL(partial_add, "addq $1, 0x2ffd(%rdi)");
PARTIAL(partial_exchange, "xchg %rax, 0x2ffd(%rdi)");
PARTIAL(partial_word, "mov %ax, 0x2fff(%rdi)");

static int bring_in(struct seen *seen)
{
	static const u8 rest[] = { 0x34, 0x12, 0xcd, 0xf0 };

	if (seen->frame.vector != 14)
		return 0;
	map(1, PHYSICAL(1), P | W | U);
	put_code(WINDOW + 0x1000, rest, sizeof(rest));
	return 1;
}
SNIPPET(run_across_brought_in, "lea 0xffd(%rdi), %rbx; jmp *%rbx");
TEST(9, run_across_brought_in, .mode = RING3, .prepare = code_across, .handle = bring_in,
     .show = BIT(AX), .every_core = 1);
SNIPPET(string_brought_in, "lea 0xffa(%rdi), %rdi; mov $20, %ecx; rep stosb; nop");
TEST(9, string_brought_in, .mode = RING3, .prepare = usual, .handle = bring_in,
     .show = STRING, .every_core = 1);

/* code that changes itself */
static void self(void)
{
	usual();
	map(1, PHYSICAL(1), P | W | U);
}
SNIPPET(own_next, "movb $7, 1f + 1(%rip); nop; 1: mov $1, %eax; mov %eax, %edx;"
	"movb $1, 1b + 1(%rip)");
TEST(9, own_next, .show = BIT(AX) | BIT(DX), .every_core = 1);
SNIPPET(own_call, "movabs $0xc3cd00000001b8, %rax; mov %rax, (%rdi); movb $0xc3, 5(%rdi);"
	"call *%rdi; mov %eax, %ebx; movb $9, 1(%rdi); call *%rdi; mov %eax, %ecx;"
	"incb 1(%rdi); call *%rdi; shl $8, %ecx; or %eax, %ecx");
TEST(9, own_call, .prepare = self, .show = BIT(BX) | BIT(CX), .every_core = 1);
SNIPPET(own_loop, "movl $0xc3c0ff90, (%rdi); xor %eax, %eax; mov $5, %ecx; 1: call *%rdi;"
	"xorb $0x08, 2(%rdi); loop 1b; mov (%rdi), %edx");
TEST(9, own_loop, .prepare = self, .show = BIT(AX) | BIT(CX) | BIT(DX));
SNIPPET(own_alias, "movl $0xc307b090, (%rdi); call *%rdi; mov %eax, %ebx; movb $3, pages + 2;"
	"call *%rdi");
TEST(9, own_alias, .prepare = self, .show = BIT(AX) | BIT(BX));
