// SPDX-License-Identifier: GPL-2.0-only
/* The firmware configuration device at 0x510. Source: QEMU docs/specs/fw_cfg.rst. */
#include "kernel.h"

enum { SIGNATURE = 0, ID = 1, RAM_SIZE = 3, NB_CPUS = 5, MAX_CPUS = 15, CMDLINE_SIZE = 0x14,
       CMDLINE_DATA = 0x15, FILE_DIR = 0x19 };

static void select(u32 key)
{
	outw(0x510, key);
}

static u64 number(u32 key, u32 bytes)
{
	u64 value = 0;

	select(key);
	for (u32 i = 0; i < bytes; i++)
		value |= (u64)inb(0x511) << 8 * i;
	return value;
}

static u32 big_endian(void)
{
	u32 value = 0;

	for (u32 i = 0; i < 4; i++)
		value = value << 8 | inb(0x511);
	return value;
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static void directory(void)
{
	select(FILE_DIR);
	for (u32 n = big_endian(); n; n--) {
		u32 size = big_endian();
		char name[56];

		for (u32 i = 0; i < 4; i++)
			inb(0x511);
		for (u32 i = 0; i < sizeof(name); i++)
			name[i] = inb(0x511);
		if (same(name, "etc/e820"))
			say("fw_cfg etc/e820: entries of 20 bytes: %s\n", yes(size && size % 20 == 0));
	}
}

void fw_cfg_cases(void)
{
	char text[5] = "";

	select(SIGNATURE);
	for (u32 i = 0; i < 4; i++)
		text[i] = inb(0x511);
	say("fw_cfg signature: %s, then %02x\n", text, inb(0x511));
	say("fw_cfg interface by ports: %d\n", (u32)number(ID, 4) & 1);
	say("fw_cfg ram: %d MiB\n", (u32)(number(RAM_SIZE, 8) >> 20));
	say("fw_cfg cores: %d\n", (u32)number(NB_CPUS, 2));
	u32 size = number(CMDLINE_SIZE, 4), wrong = 0;
	select(CMDLINE_DATA);
	for (u32 i = 0; i < size; i++)
		wrong += inb(0x511) != (u8)command_line[i];
	say("fw_cfg command line: %s\n", yes(size > 1 && !wrong));
	say("fw_cfg key of nobody: %02x\n", (u32)number(0x1234, 1));
	directory();
}
