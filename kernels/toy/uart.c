// SPDX-License-Identifier: GPL-2.0-only
/* A 16550 at 3f8, for output: 115200 8N1, no interrupts, the status is asked. */
#include <toy/defs.h>

#define COM1		0x3f8
#define UART_TX		(COM1 + 0)	/* with DLAB: divisor low */
#define UART_IER	(COM1 + 1)	/* with DLAB: divisor high */
#define UART_FCR	(COM1 + 2)
#define UART_LCR	(COM1 + 3)
#define UART_MCR	(COM1 + 4)
#define UART_LSR	(COM1 + 5)

#define LCR_DLAB	0x80
#define LCR_8N1		0x03
#define LSR_THRE	0x20

void uart_init(void)
{
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_DLAB);
	outb(UART_TX, 1);
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_8N1);
	outb(UART_FCR, 0x07);
	outb(UART_MCR, 0x03);
}

notrace void uart_putc(char c)
{
	if (c == '\n')
		uart_putc('\r');
	while (!(inb(UART_LSR) & LSR_THRE))
		cpu_relax();
	outb(UART_TX, c);
}
