// SPDX-License-Identifier: GPL-2.0-only
/* What is said waits until the serial port is nobody's case: then it is sent, polled. */
#include <stdarg.h>
#include "kernel.h"

static char held[16384];
static u32 length;

void flush(void)
{
	for (u32 i = 0; i < length; i++) {
		while (!(inb(0x3fd) & 0x20))
			pause();
		outb(0x3f8, held[i]);
	}
	length = 0;
}

static void put(char c)
{
	if (length < sizeof(held))
		held[length++] = c;
}

static void number(u64 value, u32 base, u32 width)
{
	char digits[20];
	u32 n = 0;

	do
		digits[n++] = "0123456789abcdef"[value % base];
	while (value /= base);
	while (n < width)
		digits[n++] = '0';
	while (n)
		put(digits[--n]);
}

void say(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	for (const char *c = format; *c; c++) {
		u32 width = 0;

		if (*c != '%') {
			put(*c);
			continue;
		}
		for (c++; *c >= '0' && *c <= '9'; c++)
			width = width * 10 + *c - '0';
		if (*c == 's')
			for (const char *s = va_arg(values, const char *); *s; s++)
				put(*s);
		else
			number(va_arg(values, u32), *c == 'x' ? 16 : 10, width);
	}
	va_end(values);
}

void finish(u8 status)
{
	for (;;)
		outb(0xf4, status);
}
