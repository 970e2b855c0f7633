// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the tests in order, each on core 0 and some on every other core after
 * it. Command line: a number, the first test to run; or the word triple.
 */
#include <frame.h>

extern const struct test _tests[], _tests_end[];
extern const u8 trampoline[], trampoline_end[], ap_seen[];

#define LOW ((u8 *)0x8000)	/* where application processors begin */
void finish_report(const struct test *test);
void triple_fault(void);

static const struct test *volatile work[8];
static volatile u32 arrived;

static u8 in_byte(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static u32 count_cores(void)
{
	asm volatile("outw %0, %1" : : "a"((u16)5), "Nd"((u16)0x510));
	return in_byte(0x511);
}

void application_processor(u32 id)
{
	standard();
	arrived = id;
	for (;;) {
		while (!work[id])
			asm volatile("pause");
		run_test(work[id]);
		work[id] = 0;
	}
}

static void start_core(u32 id)
{
	const u32 *seen;

	apic_write(0x310, id << 24);
	apic_write(0x300, 0x4500);
	apic_write(0x310, id << 24);
	apic_write(0x300, 0x4608);
	while (arrived != id)
		asm volatile("pause");
	seen = (const u32 *)(LOW + (ap_seen - trampoline));
	say("started core ");
	say_hex(id);
	say(":");
	say_at("cs+fl", seen[0]);
	say_at("cr0", seen[1] & ~0x60000000u);
	say_at("sp", seen[2]);
	say("\n");
}

static void announce(const struct test *test, u32 core)
{
	say_hex(test - _tests);
	say(" ");
	say(test->name);
	if (core) {
		say("@");
		say_hex(core);
	}
	say(":");
}

static u32 number(const char *text)
{
	u32 value = 0;

	while (*text >= '0' && *text <= '9')
		value = 10 * value + *text++ - '0';
	return value;
}

void boot(const u32 *start_info)
{
	const char *words = (const char *)(unsigned long)start_info[6];
	u32 have = count_cores();

	for (long i = 0; i < trampoline_end - trampoline; i++)
		LOW[i] = trampoline[i];
	/* no interrupts of the PC's timer, which firmware left running */
	asm volatile("outb %0, $0x21; outb %0, $0xa1" : : "a"((u8)0xff));
	standard();
	if (words && words[0] == 't')
		triple_fault();
	for (u32 id = 1; id < have; id++)
		start_core(id);
	for (const struct test *test = _tests + (words ? number(words) : 0); test < _tests_end;
	     test++) {
		announce(test, 0);
		run_test(test);
		finish_report(test);
		for (u32 id = 1; id < have && test->every_core; id++) {
			announce(test, id);
			work[id] = test;
			while (work[id])
				asm volatile("pause");
			finish_report(test);
		}
	}
	say("done\n");
	asm volatile("outb %0, %1" : : "a"((u8)0), "Nd"((u16)0xf4));
	for (;;)
		asm volatile("hlt");
}
