// SPDX-License-Identifier: GPL-2.0-only
/* Running one test, and writing down what arrives meanwhile. */
#include "frame.h"

enum { DONE = 0xf0, MOST = 24, VM = 0x20000 };

/* not compared: see modes/trap.c */
#define RF 0x10000

/* the low copy of entry.S's .low */
#define LOW(symbol) ((void *)(0x8000 + ((const u8 *)(symbol) - trampoline)))

struct real_record {
	u16 entry_flags, ds;
	u32 r[8];
	u16 vector, ip, cs, flags;
	u16 more[2];
	u16 ss, sp;
	u16 unused[2];
};

extern const u8 trampoline[], came_back[], real_stubs[], real_log[], real_count[], real_resume[],
	real_start[];
extern u32 entry_esp, entry_ss, entry_flags, entry_cs;
void enter(struct frame *frame);
void enter_here(struct frame *frame);
void enter_real(void);

u32 start[8];
static const struct test *running;
static struct seen log[MOST];
static int count;

static u32 read_cr2(void)
{
	u32 value;

	asm volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static u32 read_dr6(void)
{
	u32 value;

	asm volatile("mov %%dr6, %0" : "=r"(value));
	return value;
}

static int goes_on(struct seen *seen)
{
	u32 vector = seen->frame.vector;

	if (vector == DONE || count >= MOST)
		return 0;
	if (running->handle)
		return running->handle(seen);
	if (vector >= 32) {
		apic_write(0xb0, 0);
		return 1;
	}
	return running->resume >> vector & 1;
}

/* words of a frame before what the CPU pushed; the error code counts as one of ours */
enum { OURS = 14 };

void trap(struct frame *frame)
{
	struct seen *seen = &log[count++], changed;
	int error = frame->error != 0xeeeeeeee;
	int words = frame->flags & VM ? 9 : (frame->cs & 3) != (entry_cs & 3) ? 5 : 3;

	for (int i = 0; i < OURS + words; i++)
		((u32 *)&seen->frame)[i] = ((u32 *)frame)[i];
	seen->cr2 = read_cr2();
	seen->dr6 = read_dr6();
	seen->entry_sp = entry_esp + 4 * (OURS - error);
	seen->entry_flags = entry_flags;
	seen->entry_cs = entry_cs & 0xffff;
	seen->entry_ss = entry_ss & 0xffff;
	seen->words = words + error;
	if (words == 3) {		/* as it was before the CPU pushed */
		seen->frame.sp = entry_esp + 4 * (OURS + words);
		seen->frame.ss = seen->entry_ss;
	}
	changed = *seen;
	if (goes_on(&changed)) {
		frame->ip = changed.frame.ip;
		frame->flags = changed.frame.flags;
		return;
	}
	entry_esp = (u32)case_stack + PAGE - 4 * (OURS + 3);
	entry_ss = DATA;
	frame = (struct frame *)entry_esp;
	frame->gs = frame->fs = frame->es = frame->ds = DATA;
	frame->ip = (u32)came_back;
	frame->cs = CODE;
	frame->flags = 2;
}

static void say_stack(u32 sp)
{
	static const struct { u32 base; const char *name; } stacks[] = {
		{ (u32)case_stack, "S" }, { (u32)kernel_stack, "K" }, { (u32)user_stack, "U" },
	};

	for (unsigned i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
		u32 top = stacks[i].base + PAGE;

		if (sp > top - PAGE && sp <= top) {
			say(stacks[i].name);
			say("-");
			say_hex(top - sp);
			return;
		}
	}
	say_hex(sp);
}

static void say_ip(u32 ip)
{
	u32 code = running->mode >= PROTECTED16 ? 0 : (u32)running->code;

	if (ip - code < 0x400) {
		say("+");
		ip -= code;
	}
	say_hex(ip);
}

static void say_seen(const struct seen *seen)
{
	const struct frame *frame = &seen->frame;

	if (frame->vector == DONE) {
		say(" | end");
	} else {
		say(" | #");
		say_hex(frame->vector);
		if (frame->error != 0xeeeeeeee)
			say_at("err", frame->error);
	}
	say(" at ");
	say_ip(frame->ip);
	say_at("cs", frame->cs & 0xffff);
	say_at("fl", frame->flags & ~(running->forget | RF));
	say(" sp=");
	say_stack(frame->sp);
	say_at("ss", frame->ss & 0xffff);
	say(" to ");
	say_stack(seen->entry_sp);
	say_at("cs", seen->entry_cs);
	say_at("fl", seen->entry_flags & 0x3f7700);
	say_at("ss", seen->entry_ss);
	say_at("ds", frame->ds & 0xffff);
	if (frame->flags & VM) {
		say_at("v", frame->v86_es & 0xffff);
		say_at("", frame->v86_ds & 0xffff);
		say_at("", frame->v86_fs & 0xffff);
		say_at("", frame->v86_gs & 0xffff);
	}
	if (frame->vector == 14)
		say_at("cr2", seen->cr2);
	if (frame->vector == 1)
		say_at("dr6", seen->dr6);
}

void finish_report(const struct test *test)
{
	static const char *const names[] = { "di", "si", "bp", "sp", "bx", "dx", "cx", "ax" };

	for (int i = 0; i < count; i++)
		say_seen(&log[i]);
	say(" |");
	for (int i = 7; i >= 0; i--)
		if (test->show >> i & 1)
			say_at(names[i], log[count - 1].frame.r[i]);
	say("\n");
}

static void copy_low(const u8 *code)
{
	for (int i = 0; i < 0x200; i++)
		((volatile u8 *)LOW_CODE)[i] = code[i];
}

static void run_real(const struct test *test)
{
	volatile u32 *starts = LOW(real_start), *vectors = (volatile u32 *)0;
	const struct real_record *records = LOW(real_log);

	asm("" : "+r"(vectors));
	for (int i = 0; i < 256; i++)
		vectors[i] = 0x8000 + (real_stubs - trampoline) + 8 * i;
	for (int i = 0; i < 8; i++)
		starts[i] = start[i];
	starts[8] = 2 | test->flags;
	*(volatile u32 *)LOW(real_count) = 0;
	*(volatile u32 *)LOW(real_resume) = test->resume;
	enter_real();
	count = *(volatile u32 *)LOW(real_count);
	for (int i = 0; i < count; i++) {
		const struct real_record *from = &records[i];
		struct seen *to = &log[i];

		for (int j = 0; j < 8; j++)
			to->frame.r[j] = from->r[j];
		to->frame.vector = from->vector;
		to->frame.error = 0xeeeeeeee;
		to->frame.ip = from->ip;
		to->frame.cs = from->cs;
		to->frame.flags = from->flags;
		to->frame.ds = from->ds;
		to->frame.ss = to->entry_ss = from->ss;
		to->entry_sp = (u16)(from->sp + 38);
		to->frame.sp = (u16)(from->sp + 44);
		to->entry_flags = from->entry_flags;
		to->entry_cs = 0;
		to->dr6 = 0;
	}
}

void run_test(const struct test *test)
{
	static const struct { u32 cs, ss, sp; } places[] = {
		[RING0] = { CODE, DATA, (u32)case_stack + PAGE },
		[RING3] = { USER_CODE, USER_DATA, (u32)user_stack + PAGE },
		[PROTECTED16] = { CODE16, DATA16, 0x1000 },
		[V86] = { LOW_CODE >> 4, LOW_STACK >> 4, 0x1000 },
	};
	struct frame frame = { .flags = 2 | test->flags };

	standard();
	for (int i = 0; i < 8; i++)
		start[i] = 0x11111111u * (i + 1);
	running = test;
	count = 0;
	if (test->mode >= PROTECTED16)
		copy_low(test->code);
	if (test->prepare)
		test->prepare();
	if (test->mode == REAL) {
		run_real(test);
		standard();
		return;
	}
	frame.cs = places[test->mode].cs;
	frame.ss = places[test->mode].ss;
	frame.sp = places[test->mode].sp;
	frame.ip = test->mode >= PROTECTED16 ? 0 : (u32)test->code;
	frame.gs = frame.fs = frame.es = frame.ds = test->mode == RING3 ? USER_DATA : DATA;
	if (test->mode == V86) {
		frame.flags |= VM;
		frame.v86_es = frame.v86_fs = frame.v86_gs = frame.ss;
		frame.v86_ds = frame.ss;
	}
	for (int i = 0; i < 8; i++)
		frame.r[i] = start[i];
	if (test->mode == RING0 || test->mode == PROTECTED16)
		enter_here(&frame);
	else
		enter(&frame);
	standard();
}
