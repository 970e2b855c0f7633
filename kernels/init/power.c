// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end, the quickest way first; each does nothing where there is no such
 * device:
 *
 *	port 0xf4	only if there is a STATUS: QEMU's isa-debug-exit and textpoke's exit port,
 *			whose run then ends with 2 * STATUS + 1
 *	port 0x604	PM1a_CNT of ACPI on both: SLP_EN, sleep type 0, is power off
 *	reboot(2)	the kernel's own way
 */
#include "init.h"

static void outb(unsigned short port, unsigned char value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void outw(unsigned short port, unsigned short value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

int do_poweroff(int count, char **words)
{
	long status = 0;

	if (count && (!number(words[0], &status) || status > 127))
		return fail("poweroff", "its status is a number up to 127");
	put("init: power off\n");
	flush();
	if (SYS1(iopl, 3) == 0) {
		if (count)
			outb(0xf4, (unsigned char)status);
		outw(0x604, 1 << 13);
	}
	return fail_errno("reboot", SYS4(reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
					 LINUX_REBOOT_CMD_POWER_OFF, 0));
}
