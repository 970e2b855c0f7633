// SPDX-License-Identifier: GPL-2.0-only
/* Running one test, and writing down what arrives meanwhile. */
#include "frame.h"

/* QEMU does not set RF in what a fault pushes (SDM 3A 17.3.1.1): not compared */
#define RF 0x10000

enum { DONE = 0xf0, MOST = 24 };

extern const u8 came_back[];

u64 start[16], window_after[512];
static const struct test *running;
static struct seen log[MOST];
static int count;

static u64 read_cr2(void)
{
	u64 value;

	asm volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static u64 read_dr6(void)
{
	u64 value;

	asm volatile("mov %%dr6, %0" : "=r"(value));
	return value;
}

static int goes_on(struct seen *seen)
{
	u64 vector = seen->frame.vector;

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

/* entry.S calls it with what it pushed, and how the CPU came in */
void trap(struct frame *frame, u64 flags, u64 ss, u64 cs)
{
	struct seen *seen = &log[count++];
	u64 *after = (u64 *)(frame + 1);
	struct seen changed;

	seen->frame = *frame;
	seen->cr2 = read_cr2();
	seen->dr6 = read_dr6();
	seen->has_error = frame->error != ~0ull;
	seen->entry_sp = (u64)(after - 5 - seen->has_error);
	seen->entry_flags = flags;
	seen->entry_cs = cs;
	seen->entry_ss = ss;
	changed = *seen;
	if (goes_on(&changed)) {
		*frame = changed.frame;
		return;
	}
	frame->ip = (u64)came_back;
	frame->cs = CODE64;
	frame->flags = 2;
	frame->ss = DATA;
	frame->sp = (u64)case_stack + PAGE;
}

static void say_stack(u64 sp)
{
	static const struct { const u8 *base; const char *name; } stacks[] = {
		{ case_stack, "S" }, { kernel_stack, "K" }, { user_stack, "U" },
		{ ist_stack[0], "I1" }, { ist_stack[1], "I2" }, { ist_stack[2], "I3" },
	};
	u64 at = sp >= ALIAS && sp < ALIAS + (16 << 20) ? sp - ALIAS : sp;

	for (unsigned i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
		u64 top = (u64)stacks[i].base + PAGE;

		if (at > top - PAGE && at <= top) {
			say(stacks[i].name);
			say("-");
			say_hex(top - at);
			return;
		}
	}
	say_hex(sp);
}

static void say_ip(u64 ip)
{
	u64 code = (u64)running->code;

	if (running->mode == COMPAT16 && ip < 0x10000)
		ip += 0x400000;
	if (ip - code - ALIAS < 0x400)
		ip -= ALIAS;
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
		if (seen->has_error)
			say_at("err", frame->error);
	}
	say(" at ");
	say_ip(frame->ip);
	say_at("cs", frame->cs);
	say_at("fl", frame->flags & ~(u64)(running->forget | RF));
	say(" sp=");
	say_stack(frame->sp);
	say_at("ss", frame->ss);
	say(" to ");
	say_stack(seen->entry_sp);
	say_at("cs", seen->entry_cs);
	say_at("fl", seen->entry_flags & 0x3f7700);
	say_at("ss", seen->entry_ss);
	if (frame->vector == 14)
		say_at("cr2", seen->cr2);
	if (frame->vector == 1)
		say_at("dr6", seen->dr6);
}

static void report(const struct test *test)
{
	static const char *const names[] = {
		"ax", "cx", "dx", "bx", "sp", "bp", "si", "di",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
	};

	for (int i = 0; i < count; i++)
		say_seen(&log[i]);
	say(" |");
	for (int i = 0; i < 16; i++)
		if (test->show >> i & 1)
			say_at(names[i], log[count - 1].frame.r[i]);
	if (test->report)
		test->report();
}

/* on this core, from the standard state; leaves its text to core 0 */
void run_test(const struct test *test)
{
	static const struct { u64 cs, ss; } segments[] = {
		[RING0] = { CODE64, DATA }, [RING3] = { USER64, USER_DATA },
		[COMPAT3] = { USER32, USER_DATA }, [COMPAT16] = { USER16, USER_DATA },
		[COMPAT0] = { CODE32, DATA },
	};
	struct frame frame = { .flags = 2 | test->flags };

	standard();
	for (int i = 0; i < 16; i++)
		start[i] = 0x1111111111111111ull * i;
	running = test;
	count = 0;
	frame.cs = segments[test->mode].cs;
	frame.ss = segments[test->mode].ss;
	frame.ip = (u64)test->code;
	frame.sp = (u64)case_stack + PAGE;
	if (frame.cs & 3) {
		frame.ip += ALIAS;
		frame.sp = USER_PTR(user_stack) + PAGE;
	}
	if (test->mode == COMPAT16)
		frame.ip -= ALIAS + 0x400000;	/* the base of its code */
	if (test->prepare)
		test->prepare();
	for (int i = 0; i < 16; i++)
		frame.r[i] = start[i];
	enter(&frame);
	for (int i = 0; i < 512; i++)
		window_after[i] = window[i];
	standard();
}

void finish_report(const struct test *test)
{
	report(test);
	say("\n");
}
