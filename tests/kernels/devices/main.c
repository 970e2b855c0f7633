// SPDX-License-Identifier: GPL-2.0-only
/* The command line names the cases to run, separated by blanks. */
#include "kernel.h"

static const struct {
	const char *name;
	action_t *run;
} groups[] = {
	{ "pic", pic_cases }, { "priority", priority_cases }, { "pit", pit_cases },
	{ "rtc", rtc_cases }, { "uart", uart_cases }, { "input", input_cases },
	{ "ioapic", ioapic_cases }, { "lapic", lapic_cases }, { "smp", smp_cases },
	{ "storm", storm_cases }, { "fw_cfg", fw_cfg_cases }, { "port", port_cases },
	{ "triple", end_triple }, { "8042", end_8042 }, { "cf9", end_cf9 },
	{ "port92", end_port92 }, { "s5", end_s5 },
};

const char *command_line;

static int begins(const char *text, const char *word)
{
	while (*word && *text == *word)
		text++, word++;
	return !*word && (*text == ' ' || !*text);
}

static void quiet(void)
{
	cli();
	pit_quiet();
	uart_quiet();
	rtc_quiet();
	pic_init(1);
	forget();
}

void boot(u8 *start_info)
{
	command_line = (const char *)*(u64 *)(start_info + 24);
	traps_init();
	quiet();
	cores_start();
	for (const char *word = command_line; *word; word++) {
		if (*word == ' ' || (word != command_line && word[-1] != ' '))
			continue;
		for (u32 i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
			if (!begins(word, groups[i].name))
				continue;
			quiet();
			groups[i].run();
			quiet();
			flush();
		}
	}
	say("end\n");
	flush();
	finish(0);
}
