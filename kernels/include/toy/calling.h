/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Call frame information for assembly: who reads .debug_frame knows at every
 * instruction where the caller's registers are. CFA is the address behind what
 * the entry itself left: the return address of a call, or the core's five words.
 */
#ifndef CALLING_H
#define CALLING_H

	.cfi_sections .debug_frame

.macro PUSH_REG reg
	push %\reg
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset \reg, 0
.endm

.macro POP_REG reg
	pop %\reg
	.cfi_adjust_cfa_offset -8
	.cfi_same_value \reg
.endm

/* A word that is nobody's register. */
.macro PUSH_WORD word:vararg
	push \word
	.cfi_adjust_cfa_offset 8
.endm

.macro FUNCTION name
	.balign 16
	.globl \name
	.type \name, @function
\name:
	.cfi_startproc
.endm

.macro END name
	.cfi_endproc
	.size \name, . - \name
.endm

/* Nobody called it: here a stack ends. */
.macro END_OF_STACK
	.cfi_undefined rip
.endm

#endif
