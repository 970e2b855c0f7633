/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that fault, for test_fault.c: each in a function of one argument
 * (rdi), with a struct fault_stub that says where it is. The handler resumes at
 * fault_return, which is also where an execution that cannot be ends.
 */
	.text

.macro FAULT name
	.pushsection .rodata
	.balign 8
	.globl fault_\name
fault_\name:
	.quad 1f, 2f
	.popsection
	.balign 16
1:
.endm

	FAULT de
	xor %ecx, %ecx
2:	div %ecx
	ud2

	FAULT ud
2:	ud2

	FAULT gp_selector
2:	mov %edi, %es
	ud2

	FAULT read
2:	mov (%rdi), %rax
	ud2

	FAULT write
2:	movb $0, (%rdi)
	ud2

	/* There is no stack to deliver the page fault of the push to. */
	FAULT df
	mov %rsp, %r10
	xor %esp, %esp
2:	push %rax
	ud2
	.balign 16
	.globl fault_df_return
fault_df_return:
	mov %r10, %rsp
	.globl fault_return
fault_return:
	ret

/* TF holds from the instruction after popf; the traps come after each. */
	.balign 16
	.globl step_three
step_three:
	pushfq
	orq $0x100, (%rsp)
	popfq
	nop
1:	inc %eax
2:	lea 1(%rax), %ecx
3:	ret

	.section .rodata
	.balign 8
	.globl step_after
step_after:
	.quad 3b, 2b, 1b		/* the last first, as in struct fixup */

	.section .note.GNU-stack, "", @progbits
