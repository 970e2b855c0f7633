/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sites that are being patched for ever, for test_int3.c: all their bytes are
 * cc, so who resumes inside one traps again. Each function returns 1 if its
 * site did what is asked of it (call: the return address that was pushed).
 */
#include <toy/calling.h>

	.text

.macro SITE name size
	.globl site_\name
site_\name:
	.fill \size, 1, 0xcc
.endm

	FUNCTION int3_nop5
	SITE nop5 5
	mov $1, %eax
	ret
	END int3_nop5

	FUNCTION int3_nop2
	SITE nop2 2
	mov $1, %eax
	ret
	END int3_nop2

	FUNCTION int3_call
	xor %eax, %eax
	SITE call 5
	ret
	.globl int3_callee
int3_callee:
	mov (%rsp), %rax
	ret
	END int3_call

	FUNCTION int3_jmp32
	SITE jmp32 5
	ud2
	.fill 300, 1, 0xcc
	.globl to_jmp32
to_jmp32:
	mov $1, %eax
	ret
	END int3_jmp32

	FUNCTION to_jmp8		/* backwards */
	mov $1, %eax
	ret
	END to_jmp8
	FUNCTION int3_jmp8
	SITE jmp8 2
	ud2
	END int3_jmp8

	FUNCTION int3_ret
	mov $1, %eax
	SITE ret 1
	ud2
	END int3_ret

.macro JCC name size
	FUNCTION int3_\name
	PUSH_WORD %rdi
	popfq
	.cfi_adjust_cfa_offset -8
	SITE \name \size
	mov $0, %eax
	ret
	.globl to_\name
to_\name:
	mov $1, %eax
	ret
	END int3_\name
.endm

	JCC jcc8 2
	JCC jcc32 6

/* What the conditions really are. */
	FUNCTION setcc
	.irp cc, o, no, b, ae, e, ne, be, a, s, ns, p, np, l, ge, le, g
	.balign 16
	PUSH_WORD %rdi
	popfq
	.cfi_adjust_cfa_offset -8
	set\cc %al
	movzbl %al, %eax
	ret
	.endr
	END setcc

	.section .note.GNU-stack, "", @progbits
