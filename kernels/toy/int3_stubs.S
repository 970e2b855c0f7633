/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sites that are being patched for ever, for test_int3.c: all their bytes are
 * cc, so who resumes inside one traps again. Each function returns 1 if its
 * site did what is asked of it (call: the return address that was pushed).
 */
	.text

.macro SITE name size
	.globl site_\name
site_\name:
	.fill \size, 1, 0xcc
.endm

.macro FUNCTION name
	.balign 16
	.globl int3_\name
	.type int3_\name, @function
int3_\name:
.endm

	FUNCTION nop5
	SITE nop5 5
	mov $1, %eax
	ret

	FUNCTION nop2
	SITE nop2 2
	mov $1, %eax
	ret

	FUNCTION call
	xor %eax, %eax
	SITE call 5
	ret
	.globl int3_callee
int3_callee:
	mov (%rsp), %rax
	ret

	FUNCTION jmp32
	SITE jmp32 5
	ud2
	.fill 300, 1, 0xcc
	.globl to_jmp32
to_jmp32:
	mov $1, %eax
	ret

	.balign 16			/* backwards */
	.globl to_jmp8
to_jmp8:
	mov $1, %eax
	ret
	FUNCTION jmp8
	SITE jmp8 2
	ud2

	FUNCTION ret
	mov $1, %eax
	SITE ret 1
	ud2

.macro JCC name size
	FUNCTION \name
	push %rdi
	popfq
	SITE \name \size
	mov $0, %eax
	ret
	.globl to_\name
to_\name:
	mov $1, %eax
	ret
.endm

	JCC jcc8 2
	JCC jcc32 6

/* What the conditions really are. */
	.balign 16
	.globl setcc
setcc:
	.irp cc, o, no, b, ae, e, ne, be, a, s, ns, p, np, l, ge, le, g
	.balign 16
	push %rdi
	popfq
	set\cc %al
	movzbl %al, %eax
	ret
	.endr

	.section .note.GNU-stack, "", @progbits
