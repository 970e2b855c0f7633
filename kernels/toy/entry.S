/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ways into the kernel and back. Each entry saves a struct pt_regs, calls one C
 * function with it, and leaves by what that function made of it. Interrupts are
 * off at all entries. Who comes from ring 3 has the user's GS, and is on the
 * stack that the TSS names: the whole stack of its task, which was empty.
 */
#include <toy/segments.h>
#include <toy/vectors.h>
#include <toy/calling.h>

	.text

/* The core pushed ss, rsp, rflags, cs, rip, and perhaps an error code. */
.macro INTERRUPTED_AT name error=0
	.balign 16
	.globl \name
	.type \name, @function
\name:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa rsp, (5 + \error) * 8
	.cfi_offset rip, -5*8
	.cfi_offset rsp, -2*8
	.irp reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	.cfi_same_value \reg
	.endr
.endm

/* The error code is there: to the kernel's GS, if it is not there already. */
.macro SWAPGS_FROM_USER
	testb $3, 2*8(%rsp)		/* cs */
	jz 1f
	swapgs
1:
.endm

.macro SAVE_REGS
	PUSH_REG rdi
	PUSH_REG rsi
	PUSH_REG rdx
	PUSH_REG rcx
	PUSH_REG rax
	PUSH_REG r8
	PUSH_REG r9
	PUSH_REG r10
	PUSH_REG r11
	PUSH_REG rbx
	PUSH_REG rbp
	PUSH_REG r12
	PUSH_REG r13
	PUSH_REG r14
	PUSH_REG r15
	cld
	mov %rsp, %rdi
.endm

.macro RESTORE_REGS
	POP_REG r15
	POP_REG r14
	POP_REG r13
	POP_REG r12
	POP_REG rbp
	POP_REG rbx
	POP_REG r11
	POP_REG r10
	POP_REG r9
	POP_REG r8
	POP_REG rax
	POP_REG rcx
	POP_REG rdx
	POP_REG rsi
	POP_REG rdi
.endm

/* With a whole struct pt_regs on the stack, and nothing else. */
.macro PT_REGS_AT name
	.balign 16
	.globl \name
	.type \name, @function
\name:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa rsp, 21*8
	.cfi_offset rip, -5*8
	.cfi_offset rsp, -2*8
	.set at, -21*8
	.irp reg, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi
	.cfi_offset \reg, at
	.set at, at + 8
	.endr
.endm

.macro EXCEPTION name vector error=0 handler=exc_fault
	INTERRUPTED_AT asm_exc_\name \error
	.if \error == 0
	PUSH_WORD $0
	.endif
	SWAPGS_FROM_USER
	SAVE_REGS
	mov $\vector, %esi
	call \handler
	jmp restore_regs
	END asm_exc_\name
.endm

.macro INTERRUPT name handler
	INTERRUPTED_AT asm_sysvec_\name
	PUSH_WORD $0
	SWAPGS_FROM_USER
	SAVE_REGS
	call \handler
	jmp restore_regs
	END asm_sysvec_\name
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
 * word 5 above it, and leave a gap. From then on the copy is what counts.
 */
	INTERRUPTED_AT asm_exc_int3
	PUSH_WORD $0
	testb $3, 2*8(%rsp)		/* cs */
	jnz 1f
	.rept 6
	PUSH_WORD 5*8(%rsp)
	.endr
	.cfi_def_cfa_offset 6*8
	jmp 2f
1:	swapgs
2:	SAVE_REGS
	call exc_int3
	jmp restore_regs
	END asm_exc_int3

/*
 * SYSCALL from ring 3: rip is in rcx, rflags in r11, rsp is still the user's.
 * The frame is made to look as if an interrupt had come. r11 carries the user's
 * rsp over to the new stack, so that it is in a register or in memory always.
 */
	.balign 16
	.globl entry_SYSCALL_64
	.type entry_SYSCALL_64, @function
entry_SYSCALL_64:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa rsp, 0
	.cfi_register rip, rcx
	.irp reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	.cfi_same_value \reg
	.endr
	swapgs
	mov %r11, %gs:CPU_USER_FLAGS
	mov %rsp, %r11
	.cfi_def_cfa_register r11
	.cfi_undefined r11
	mov %gs:CPU_KERNEL_SP, %rsp
	push $USER_DS
	push %r11
	.cfi_def_cfa rsp, 2*8
	.cfi_offset rsp, -2*8
	PUSH_WORD %gs:CPU_USER_FLAGS
	mov %gs:CPU_USER_FLAGS, %r11
	.cfi_same_value r11
	PUSH_WORD $USER_CS
	PUSH_WORD %rcx
	.cfi_offset rip, -5*8
	PUSH_WORD %rax			/* orig_ax: the number */
	SAVE_REGS
	call do_syscall_64
	test %al, %al
	jz restore_regs			/* only IRET can do it */
	RESTORE_REGS			/* rcx is rip, r11 is rflags */
	mov 4*8(%rsp), %rsp
	.cfi_def_cfa rsp, 0
	.cfi_register rip, rcx
	.cfi_restore rsp
	swapgs
	sysretq
	END entry_SYSCALL_64

/* Where a new process arrives first, with its registers already on the stack. */
	PT_REGS_AT ret_from_fork
	call finish_switch
	jmp restore_regs
	END ret_from_fork

	PT_REGS_AT restore_regs
	testb $3, 17*8(%rsp)		/* cs */
	jz 1f
	swapgs
1:	RESTORE_REGS
	add $8, %rsp			/* error code */
	.cfi_adjust_cfa_offset -8
	iretq
	END restore_regs

/*
 * void sync_core(void): returns by IRET, which serialises: instructions that
 * were fetched before it, and are perhaps no longer what memory holds, do not
 * execute after it.
 */
	FUNCTION sync_core
	pop %rax			/* where to return to */
	.cfi_def_cfa_offset 0
	.cfi_register rip, rax
	mov %rsp, %rdx
	PUSH_WORD $KERNEL_DS
	PUSH_WORD %rdx
	pushfq
	.cfi_adjust_cfa_offset 8
	PUSH_WORD $KERNEL_CS
	PUSH_WORD %rax
	iretq
	END sync_core

	.section .note.GNU-stack, "", @progbits
