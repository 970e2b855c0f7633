/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that fault, for test_fault.c: each in a function of one argument
 * (rdi), with a struct fault_stub that says where it is. The handler resumes at
 * fault_return, which is also where an execution that cannot be ends.
 */
#include <toy/calling.h>

	.text

.macro FAULT name
	.pushsection .rodata
	.balign 8
	.globl fault_\name
fault_\name:
	.quad 1f, 2f
	.popsection
	.balign 16
1:	.cfi_startproc
.endm

.macro CANNOT_BE
	ud2
	.cfi_endproc
.endm

	FAULT de
	xor %ecx, %ecx
2:	div %ecx
	CANNOT_BE

	FAULT ud
2:	CANNOT_BE

	FAULT gp_selector
2:	mov %edi, %es
	CANNOT_BE

	FAULT read
2:	mov (%rdi), %rax
	CANNOT_BE

	FAULT write
2:	movb $0, (%rdi)
	CANNOT_BE

	/* There is no stack to deliver the page fault of the push to. */
	FAULT df
	mov %rsp, %r10
	.cfi_def_cfa_register r10
	xor %esp, %esp
2:	push %rax
	CANNOT_BE

	FUNCTION fault_df_return
	.cfi_def_cfa_register r10
	mov %r10, %rsp
	.cfi_def_cfa_register rsp
	.globl fault_return
fault_return:
	ret
	END fault_df_return

/* TF holds from the instruction after popf; the traps come after each. */
	FUNCTION step_three
	pushfq
	.cfi_adjust_cfa_offset 8
	orq $0x100, (%rsp)
	popfq
	.cfi_adjust_cfa_offset -8
	nop
1:	inc %eax
2:	lea 1(%rax), %ecx
3:	ret
	END step_three

	.section .rodata
	.balign 8
	.globl step_after
step_after:
	.quad 3b, 2b, 1b		/* the last first, as in struct fixup */

	.section .note.GNU-stack, "", @progbits
