// SPDX-License-Identifier: GPL-2.0-only
/* The command line: words apart by spaces, some of them key=number. */
#include <toy/defs.h>
#include <toy/start_info.h>

char saved_command_line[128];

/* Must come before mmu_init(): afterwards low memory is not mapped. */
void cmdline_init(u64 start_info)
{
	const struct hvm_start_info *info = start_info_at(start_info);

	if (info && info->cmdline_paddr && info->cmdline_paddr < LOW_MEMORY)
		strscpy(saved_command_line, (const char *)info->cmdline_paddr,
			sizeof(saved_command_line));
}

/* What follows the key in the first word that is it, or is it and a "="; or NULL. */
const char *cmdline_find(const char *key)
{
	const char *p = saved_command_line;
	size_t n = strlen(key);

	for (; *p; p = *p ? p + 1 : p) {
		if (!strncmp(p, key, n) && (!p[n] || p[n] == ' ' || p[n] == '='))
			return p + n;
		p = strchrnul(p, ' ');
	}
	return NULL;
}

bool cmdline_has(const char *word)
{
	const char *p = cmdline_find(word);

	return p && *p != '=';
}

u64 cmdline_number(const char *key, u64 otherwise)
{
	const char *p = cmdline_find(key);
	u64 v = 0;

	if (!p || *p++ != '=' || *p < '0' || *p > '9')
		return otherwise;
	while (*p >= '0' && *p <= '9')
		v = v * 10 + *p++ - '0';
	return v;
}
