/* SPDX-License-Identifier: GPL-2.0-only */
/* What the cases of the 8259A share. */
#pragma once
#include "kernel.h"

#define MASTER 0x20
#define SLAVE 0xa0

void pic_again(u8 icw4);

static inline u8 irr(u16 port) { return pic_read(port, 0x0a); }
static inline u8 isr(u16 port) { return pic_read(port, 0x0b); }

static inline void masks(u8 master, u8 slave)
{
	outb(MASTER + 1, master);
	outb(SLAVE + 1, slave);
}

static inline void raise_all(void)
{
	pit_fire();
	uart_raise();
	rtc_raise();
}
