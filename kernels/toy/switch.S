/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * void switch_to(struct task *prev, struct task *next)
 *
 * Leaves what a C function must preserve on prev's stack, and takes it from
 * next's. It returns to where next called it. Interrupts are off and the lock
 * of the run queue is held, across the switch. Both stacks have the same shape,
 * so what is said of the one frame stays true of the other.
 */
#include <toy/calling.h>

	.text
	FUNCTION switch_to
	PUSH_REG rbp
	PUSH_REG rbx
	PUSH_REG r12
	PUSH_REG r13
	PUSH_REG r14
	PUSH_REG r15
	mov %rsp, (%rdi)		/* task.sp */
	mov (%rsi), %rsp
	.globl switch_to_resume
switch_to_resume:			/* here goes on who has no core */
	POP_REG r15
	POP_REG r14
	POP_REG r13
	POP_REG r12
	POP_REG rbx
	POP_REG rbp
	ret
	END switch_to

/* Where a new thread arrives first: rbx is its function, r12 the argument. */
	FUNCTION task_begin
	END_OF_STACK
	call finish_switch
	sti
	mov %r12, %rdi
	call *%rbx
	xor %edi, %edi
	call do_exit			/* does not return */
	ud2
	END task_begin

	.section .note.GNU-stack, "", @progbits
