/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ways into the kernel and back. All gates clear IF; the kernel runs at ring 0
 * only, so GS is right already. Each entry saves a struct pt_regs, calls one C
 * function with it, and leaves by what that function made of it.
 */
#include <toy/segments.h>
#include <toy/vectors.h>

	.text

.macro SAVE_REGS
	push %rdi
	push %rsi
	push %rdx
	push %rcx
	push %rax
	push %r8
	push %r9
	push %r10
	push %r11
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	cld
	mov %rsp, %rdi
.endm

.macro EXCEPTION name vector error=0 handler=exc_fault
	.balign 16
	.globl asm_exc_\name
	.type asm_exc_\name, @function
asm_exc_\name:
	.if \error == 0
	push $0
	.endif
	SAVE_REGS
	mov $\vector, %esi
	call \handler
	jmp restore_regs
	.size asm_exc_\name, . - asm_exc_\name
.endm

.macro INTERRUPT name handler
	.balign 16
	.globl asm_sysvec_\name
	.type asm_sysvec_\name, @function
asm_sysvec_\name:
	push $0
	SAVE_REGS
	call \handler
	jmp restore_regs
	.size asm_sysvec_\name, . - asm_sysvec_\name
.endm

	EXCEPTION divide_error		X86_TRAP_DE
	EXCEPTION debug			X86_TRAP_DB 0 exc_debug
	EXCEPTION nmi			X86_TRAP_NMI
	EXCEPTION overflow		X86_TRAP_OF
	EXCEPTION bounds		X86_TRAP_BR
	EXCEPTION invalid_op		X86_TRAP_UD
	EXCEPTION device_not_available	X86_TRAP_NM
	EXCEPTION double_fault		X86_TRAP_DF 1
	EXCEPTION invalid_tss		X86_TRAP_TS 1
	EXCEPTION segment_not_present	X86_TRAP_NP 1
	EXCEPTION stack_segment		X86_TRAP_SS 1
	EXCEPTION general_protection	X86_TRAP_GP 1
	EXCEPTION page_fault		X86_TRAP_PF 1
	EXCEPTION coprocessor_error	X86_TRAP_MF
	EXCEPTION alignment_check	X86_TRAP_AC 1
	EXCEPTION machine_check		X86_TRAP_MC
	EXCEPTION simd_coprocessor_error X86_TRAP_XF

	INTERRUPT apic_timer		sysvec_apic_timer
	INTERRUPT sync_core		sysvec_sync_core
	INTERRUPT reschedule		sysvec_reschedule
	INTERRUPT spurious_apic		sysvec_spurious_apic

/*
 * A breakpoint in the kernel. To act out a CALL, the handler must push onto the
 * interrupted stack, exactly where the core has just pushed its frame. So the
 * frame and the slot of the error code move 6 words down, each push copying the
 * word 5 above it, and leave a gap.
 */
	.balign 16
	.globl asm_exc_int3
	.type asm_exc_int3, @function
asm_exc_int3:
	push $0
	testb $3, 2*8(%rsp)		/* cs */
	jnz 1f
	.rept 6
	push 5*8(%rsp)
	.endr
1:	SAVE_REGS
	call exc_int3
	.size asm_exc_int3, . - asm_exc_int3
	/* falls through */

restore_regs:
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rax
	pop %rcx
	pop %rdx
	pop %rsi
	pop %rdi
	add $8, %rsp			/* error code */
	iretq

/*
 * void sync_core(void): returns by IRET, which serialises: instructions that
 * were fetched before it, and are perhaps no longer what memory holds, do not
 * execute after it.
 */
	.balign 16
	.globl sync_core
	.type sync_core, @function
sync_core:
	pop %rax			/* where to return to */
	mov %rsp, %rdx
	push $KERNEL_DS
	push %rdx
	pushfq
	push $KERNEL_CS
	push %rax
	iretq
	.size sync_core, . - sync_core

	.section .note.GNU-stack, "", @progbits
