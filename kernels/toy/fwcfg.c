// SPDX-License-Identifier: GPL-2.0-only
/* The machine's own description of itself: a key is selected, bytes are read. */
#include <toy/defs.h>

#define FW_CFG_SELECTOR	0x510
#define FW_CFG_DATA	0x511

#define FW_CFG_SIGNATURE 0x0000
#define FW_CFG_NB_CPUS	0x0005

static void fwcfg_read(u16 key, u8 *buf, size_t n)
{
	outw(FW_CFG_SELECTOR, key);
	while (n--)
		*buf++ = inb(FW_CFG_DATA);
}

/* 1 if the machine does not say. */
u32 fwcfg_nr_cpus(void)
{
	u8 b[4];

	fwcfg_read(FW_CFG_SIGNATURE, b, 4);
	if (memcmp(b, "QEMU", 4))
		return 1;
	fwcfg_read(FW_CFG_NB_CPUS, b, 2);
	u32 n = b[0] | b[1] << 8;

	return n < 1 ? 1 : n > MAX_CPUS ? MAX_CPUS : n;
}
