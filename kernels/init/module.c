// SPDX-License-Identifier: GPL-2.0-only
/* Modules of the kernel. */
#include "init.h"

int do_insmod(int count, char **words)
{
	char parameters[LINE_MAX];
	size_t n = 0;
	long fd, error;
	int i;

	for (i = 1; i < count; i++) {
		if (i > 1)
			parameters[n++] = ' ';
		memcpy(parameters + n, words[i], length(words[i]));
		n += length(words[i]);
	}
	parameters[n] = 0;
	fd = SYS3(open, words[0], O_RDONLY, 0);
	if (fd < 0)
		return fail_errno(words[0], fd);
	error = SYS3(finit_module, fd, parameters, 0);
	SYS1(close, fd);
	return error < 0 ? fail_errno(words[0], error) : 0;
}

/* O_NONBLOCK: EAGAIN rather than waiting until nobody uses it (delete_module(2)). */
int do_rmmod(int count, char **words)
{
	long error = SYS2(delete_module, words[0], O_NONBLOCK);

	(void)count;
	return error < 0 ? fail_errno(words[0], error) : 0;
}
