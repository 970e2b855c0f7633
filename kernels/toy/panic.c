// SPDX-License-Identifier: GPL-2.0-only
/* The two ways to end. The machine's exit port has the last word. */
#include <toy/defs.h>

#define EXIT_PORT	0xf4

notrace void machine_exit(u8 value)
{
	cli();
	outb(EXIT_PORT, value);
	for (;;)			/* no such port here */
		asm volatile("hlt");
}

/*
 * Says why on a line of its own, without asking for the console's lock: its
 * holder may be who panics. The first core to panic speaks, any other halts.
 */
notrace void panic(const char *fmt, ...)
{
	static u32 panicking;
	va_list args;

	cli();
	while (xchg(&panicking, 1))
		asm volatile("hlt");
	__builtin_va_start(args, fmt);
	uart_putc('\n');
	vprintk(fmt, args);
	uart_putc('\n');
	__builtin_va_end(args);
	machine_exit(1);
}
