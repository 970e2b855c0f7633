/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * void switch_to(struct task *prev, struct task *next)
 *
 * Leaves what a C function must preserve on prev's stack, and takes it from
 * next's. It returns to where next called it. Interrupts are off and the lock
 * of the run queue is held, across the switch.
 */
	.text
	.balign 16
	.globl switch_to
	.type switch_to, @function
switch_to:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, (%rdi)		/* task.sp */
	mov (%rsi), %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret
	.size switch_to, . - switch_to

/* Where a new task arrives first: rbx is its function, r12 the argument. */
	.balign 16
	.globl task_begin
	.type task_begin, @function
task_begin:
	call finish_switch
	sti
	mov %r12, %rdi
	call *%rbx
	call task_exit			/* does not return */
	ud2
	.size task_begin, . - task_begin

	.section .note.GNU-stack, "", @progbits
