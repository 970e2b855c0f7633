/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What gcc -mfentry calls at the start of each function, for as long as the
 * sites are calls: until ftrace_init(). A function's arguments are live here,
 * so nothing may change.
 */
#include <toy/calling.h>

	.text
	FUNCTION __fentry__
	ret
	END __fentry__

	.section .note.GNU-stack, "", @progbits
