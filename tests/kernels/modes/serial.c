// SPDX-License-Identifier: GPL-2.0-only
/* Text on the first serial port. */
#include <frame.h>

static void put(char c)
{
	asm volatile("outb %0, %1" : : "a"(c), "Nd"((u16)0x3f8));
}

void say(const char *text)
{
	while (*text)
		put(*text++);
}

void say_hex(u64 value)
{
	int digits = 1;

	while (digits < 16 && value >> 4 * digits)
		digits++;
	while (digits--)
		put("0123456789abcdef"[value >> 4 * digits & 15]);
}

/* " name=value" */
void say_at(const char *name, u64 value)
{
	put(' ');
	say(name);
	put('=');
	say_hex(value);
}
