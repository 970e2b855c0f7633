// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text for the console: %s %d %u %x, and %lu %lx for 64 bits. Not traced: panic()
 * must be able to speak whatever is happening to the rest of the kernel.
 */
#include <toy/defs.h>

static struct spinlock console;

static notrace void put_string(const char *s)
{
	while (*s)
		uart_putc(*s++);
}

static notrace void put_number(u64 v, u32 base)
{
	char digits[21];
	int i = sizeof(digits);

	digits[--i] = 0;
	do {
		digits[--i] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	put_string(digits + i);
}

static notrace void put_int(int v)
{
	if (v < 0)
		uart_putc('-');
	put_number(v < 0 ? -(u64)v : (u64)v, 10);
}

notrace void vprintk(const char *fmt, va_list args)
{
	for (; *fmt; fmt++) {
		bool wide = false;

		if (*fmt != '%') {
			uart_putc(*fmt);
			continue;
		}
		if (*++fmt == 'l') {
			wide = true;
			fmt++;
		}
		switch (*fmt) {
		case 's': put_string(__builtin_va_arg(args, const char *)); break;
		case 'd': put_int(__builtin_va_arg(args, int)); break;
		case 'u':
		case 'x':
			put_number(wide ? __builtin_va_arg(args, u64) : __builtin_va_arg(args, u32),
				   *fmt == 'x' ? 16 : 10);
			break;
		default: uart_putc(*fmt); break;
		}
	}
}

/* A line is not mixed with that of another core. */
notrace void printk(const char *fmt, ...)
{
	u64 flags = irq_save();
	va_list args;

	raw_lock(&console);
	__builtin_va_start(args, fmt);
	vprintk(fmt, args);
	__builtin_va_end(args);
	raw_unlock(&console);
	irq_restore(flags);
}
