/* SPDX-License-Identifier: GPL-2.0-only */
/* The first instruction: the stack holds argc, argv, 0, envp, 0 (System V ABI, 3.4.1). */
	.text
	.globl _start
	.type _start, @function
_start:
	xor %ebp, %ebp
	mov (%rsp), %edi
	lea 8(%rsp), %rsi
	lea 16(%rsp, %rdi, 8), %rdx
	and $-16, %rsp
	call main			/* does not return */
	ud2
	.size _start, . - _start

	.section .note.GNU-stack, "", @progbits
