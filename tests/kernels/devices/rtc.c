// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MC146818 and its CMOS memory. The date is set before it is printed. Left out: the periodic
 * flag without its interrupt enabled, which QEMU does not set, and the square wave.
 */
#include "kernel.h"

enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH,
       YEAR, A, B, C, D, CENTURY = 0x32 };
enum { SET = 0x80, PIE = 0x40, AIE = 0x20, UIE = 0x10, BINARY = 4, H24 = 2 };

static u8 seen[64];

u8 cmos(u8 index)
{
	outb(0x70, index);
	return inb(0x71);
}

void cmos_write(u8 index, u8 value)
{
	outb(0x70, index);
	outb(0x71, value);
}

void rtc_quiet(void)
{
	cmos_write(A, 0x26);
	cmos_write(B, H24);
	cmos(C);
}

void rtc_raise(void)
{
	cmos_write(A, 0x26);
	cmos_write(B, H24 | PIE);
	cmos(C);
	while (!(pic_read(0xa0, 0x0a) & 1))
		pm_wait(100);
}

static void note(void)
{
	u32 n = count[0x28] - 1;

	if (n < sizeof(seen))
		seen[n] = cmos(C);
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

static void no_note(void)
{
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

static void listen(action_t *what)
{
	forget();
	cmos(C);
	action[0x28] = what;
	pic_init(1);
	outb(0x21, 0xfb);
	outb(0xa1, 0xfe);
}

/* Halt until the clock has just advanced. */
static void next_update(void)
{
	u8 b = cmos(B);

	listen(note);
	cmos_write(B, (b & ~(SET | PIE | AIE)) | UIE);
	while (!count[0x28])
		asm volatile("sti; hlt; cli" : : : "memory");
	cmos_write(B, b & ~UIE);
	outb(0xa1, 0xff);
	cmos(C);
}

static void set_clock(u8 format, const u8 *bytes)
{
	cmos_write(B, SET | format);
	cmos_write(SECONDS, bytes[5]);
	cmos_write(MINUTES, bytes[4]);
	cmos_write(HOURS, bytes[3]);
	cmos_write(WEEKDAY, bytes[6]);
	cmos_write(DAY, bytes[2]);
	cmos_write(MONTH, bytes[1]);
	cmos_write(YEAR, bytes[0]);
	cmos_write(CENTURY, bytes[7]);
	cmos_write(B, format);
}

static void say_clock(void)
{
	say(" %02x-%02x-%02x %02x:%02x:%02x day %x century %02x", cmos(YEAR), cmos(MONTH), cmos(DAY),
	    cmos(HOURS), cmos(MINUTES), cmos(SECONDS), cmos(WEEKDAY), cmos(CENTURY));
}

static void register_cases(void)
{
	say("rtc registers: a %02x b %02x c %02x d %02x\n", cmos(A) & 0x7f, cmos(B), cmos(C),
	    cmos(D));
	cmos_write(D, 0);
	cmos_write(C, 0xff);
	say("rtc c and d cannot be written: c %02x d %02x\n", cmos(C), cmos(D));
	say("rtc a keeps:");
	for (u32 rate = 0; rate < 16; rate++) {
		cmos_write(A, 0x20 | rate);
		say(" %02x", cmos(A) & 0x7f);
	}
	say("\n");
	cmos_write(A, 0x26);
	cmos_write(B, UIE | H24);
	cmos_write(B, SET | UIE | H24);
	say("rtc set clears uie: b %02x\n", cmos(B));
	cmos_write(B, H24);
	cmos(C);
	outb(0x70, 0x80 | 0x7f);
	outb(0x71, 0x5a);
	say("rtc index with the nmi mask: %02x, port 70 reads %02x\n", cmos(0x7f), inb(0x70));
	cmos_write(0x7e, 0xa5);
	say("rtc memory: %02x %02x\n", cmos(0x7e), cmos(0x7f));
	cmos_write(0x0f, 0x0a);
	say("rtc shutdown byte: %02x\n", cmos(0x0f));
	cmos_write(0x0f, 0);
}

static void memory_cases(void)
{
	say("rtc floppy %02x, fpu %d, disks %02x\n", cmos(0x10), cmos(0x14) >> 1 & 1, cmos(0x12));
	say("rtc base memory %d KiB\n", cmos(0x15) | cmos(0x16) << 8);
	say("rtc memory from 1 MiB %d KiB %d KiB\n", cmos(0x17) | cmos(0x18) << 8,
	    cmos(0x30) | cmos(0x31) << 8);
	say("rtc memory from 16 MiB %d KiB\n", (cmos(0x34) | cmos(0x35) << 8) * 64);
	say("rtc memory from 4 GiB %d\n", cmos(0x5b) | cmos(0x5c) << 8 | cmos(0x5d) << 16);
	say("rtc cores - 1: %d\n", cmos(0x5f));
}

static void date_cases(void)
{
	static const struct {
		const char *name;
		u8 format, bytes[8];
	} dates[] = {
		{ "bcd 24h new century", H24, { 0x99, 0x12, 0x31, 0x23, 0x59, 0x59, 6, 0x19 } },
		{ "bcd 24h leap day", H24, { 0x24, 2, 0x28, 0x23, 0x59, 0x59, 4, 0x20 } },
		{ "bcd 24h no leap day", H24, { 0x23, 2, 0x28, 0x23, 0x59, 0x59, 3, 0x20 } },
		{ "bcd 24h april", H24, { 0x23, 4, 0x30, 0x23, 0x59, 0x59, 1, 0x20 } },
		{ "bcd 24h nine", H24, { 0x23, 9, 0x09, 0x09, 0x09, 0x59, 7, 0x20 } },
		{ "bcd 12h noon", 0, { 0x23, 4, 0x10, 0x11, 0x59, 0x59, 2, 0x20 } },
		{ "bcd 12h one pm", 0, { 0x23, 4, 0x10, 0x92, 0x59, 0x59, 2, 0x20 } },
		{ "bcd 12h midnight", 0, { 0x23, 4, 0x10, 0x91, 0x59, 0x59, 2, 0x20 } },
		{ "binary 24h", BINARY | H24, { 29, 12, 31, 19, 59, 59, 2, 20 } },
		{ "binary 12h", BINARY, { 29, 12, 30, 0x8b, 59, 59, 1, 20 } },
	};

	for (u32 i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		next_update();
		set_clock(dates[i].format, dates[i].bytes);
		say("rtc %s:", dates[i].name);
		say_clock();
		pass_us(1500000);
		say(" ->");
		say_clock();
		say("\n");
	}
	next_update();
	set_clock(H24, dates[0].bytes);
	cmos_write(B, SET | H24);
	pass_us(3000000);
	say("rtc while set: uip %d,", cmos(A) >> 7);
	say_clock();
	say("\n");
	cmos_write(B, H24);
	next_update();
	u32 busy = 0;
	pass_us(500000);
	busy |= cmos(A) >> 7;
	pass_us(499900);
	busy |= cmos(A) >> 7 << 1;
	pass_us(200);
	busy |= cmos(A) >> 7 << 2;
	say("rtc uip: half way %d, just before %d, just after %d\n", busy & 1, busy >> 1 & 1, busy >> 2);
}

/* The divider held in reset stops the clock; its first update comes half a second after. */
static void divider_cases(void)
{
	static const u8 noon[8] = { 0x23, 4, 0x10, 0x12, 0, 0, 2, 0x20 };

	next_update();
	set_clock(H24, noon);
	cmos_write(A, 0x76);
	pass_us(2000000);
	say("rtc divider in reset: seconds %02x, uip %d", cmos(SECONDS), cmos(A) >> 7);
	cmos_write(A, 0x26);
	pass_us(450000);
	say(", 0.45 s after %02x", cmos(SECONDS));
	pass_us(100000);
	say(", 0.55 s after %02x\n", cmos(SECONDS));
}

static void say_seen(void)
{
	for (u32 i = 0; i < count[0x28]; i++)
		say(" %02x", seen[i]);
	say(", then %02x\n", cmos(C));
}

static void interrupt_cases(void)
{
	static const u8 noon[8] = { 0x23, 4, 0x10, 0x12, 0, 0, 2, 0x20 };

	next_update();
	listen(note);
	cmos_write(B, H24 | UIE);
	open_us(3500000);
	cmos_write(B, H24);
	say("rtc update ended, 3.5 s: %d, c", count[0x28]);
	say_seen();
	next_update();
	set_clock(H24, noon);
	cmos_write(SECONDS_ALARM, 0x02);
	cmos_write(MINUTES_ALARM, 0);
	cmos_write(HOURS_ALARM, 0x12);
	listen(note);
	cmos_write(B, H24 | AIE);
	open_us(3500000);
	cmos_write(B, H24);
	say("rtc alarm at second 2, 3.5 s: %d, c", count[0x28]);
	say_seen();
	static const u8 any[] = { 0xff, 0xc0 };
	for (u32 i = 0; i < 2; i++) {
		next_update();
		set_clock(H24, noon);
		cmos_write(SECONDS_ALARM, any[i]);
		cmos_write(MINUTES_ALARM, any[i]);
		cmos_write(HOURS_ALARM, any[i]);
		listen(note);
		cmos_write(B, H24 | AIE);
		open_us(3500000);
		cmos_write(B, H24);
		say("rtc alarm every second (%02x), 3.5 s: %d, c", any[i], count[0x28]);
		say_seen();
	}
	cmos_write(SECONDS_ALARM, 0x30);
	cmos_write(MINUTES_ALARM, 0xff);
	cmos_write(HOURS_ALARM, 0xff);
	next_update();
	set_clock(H24, noon);
	listen(note);
	cmos_write(B, H24 | AIE);
	for (u32 i = 0; i < 35; i++)
		open_us(2000000);
	cmos_write(B, H24);
	say("rtc alarm every minute at 30, 70 s: %d, c", count[0x28]);
	say_seen();
	next_update();
	set_clock(H24, noon);
	cmos_write(SECONDS_ALARM, 0x01);
	cmos(C);
	pass_us(2500000);
	say("rtc flags without interrupts: c %02x\n", cmos(C) & 0x30);
}

static void periodic_cases(void)
{
	for (u32 rate = 1; rate < 16; rate++) {
		u32 hz = 32768 >> ((rate < 3 ? rate + 7 : rate) - 1);
		cmos_write(A, 0x20 | rate);
		listen(note);
		cmos_write(B, H24 | PIE);
		for (u32 i = 0; i < 85; i++) /* in pieces: QEMU, skipping idle time, skips ticks */
			open_us(100000 / hz);
		cmos_write(B, H24);
		u32 other = 0;
		for (u32 i = 0; i < count[0x28]; i++)
			other |= (seen[i] & ~0x30) != 0xc0;
		say("rtc rate %d: %d Hz: %s, c c0: %s\n", rate, hz,
		    yes(count[0x28] == 8 || count[0x28] == 9), yes(!other));
	}
	cmos_write(A, 0x20);
	listen(note);
	cmos_write(B, H24 | PIE);
	open_us(1000000);
	say("rtc rate 0: %d\n", count[0x28]);
	cmos_write(A, 0x26);
	listen(no_note);
	open_us(50000);
	say("rtc c not read: %d", count[0x28]);
	say(", c %02x", cmos(C) & 0xc0);
	open_us(1500);
	say(", read: more: %s\n", yes(count[0x28] > 1));
	rtc_quiet();
	say("rtc quiet: c %02x\n", cmos(C));
}

void rtc_cases(void)
{
	register_cases();
	memory_cases();
	date_cases();
	divider_cases();
	interrupt_cases();
	periodic_cases();
}
