/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What gcc -mfentry calls at the start of each function, for as long as the
 * sites are calls: until ftrace_init(). A function's arguments are live here,
 * so nothing may change.
 */
	.text
	.balign 16
	.globl __fentry__
	.type __fentry__, @function
__fentry__:
	.cfi_startproc
	ret
	.cfi_endproc
	.size __fentry__, . - __fentry__

	.section .note.GNU-stack, "", @progbits
