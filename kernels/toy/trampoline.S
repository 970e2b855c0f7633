/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the other cores wake up: real mode, at TRAMPOLINE_PA, to which smp.c
 * has copied these bytes. They go to long mode in one step, on the page tables
 * of boot.S, and to ap_start() on the stack of their idle task. What runs from the
 * copy has no call frame information; secondary_startup_64 has, and ends the stack.
 */
#include <toy/segments.h>
#include <toy/calling.h>

#define HERE(label)	(label - trampoline)

	.section .rodata
	.code16
	.globl trampoline, trampoline_end
trampoline:
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	lgdtl HERE(gdt_ptr)
	mov $CR4_PAE, %eax
	mov %eax, %cr4
	mov $boot_pgd, %eax
	mov %eax, %cr3
	mov $EFER_MSR, %ecx
	mov $EFER_VALUE, %eax
	xor %edx, %edx
	wrmsr
	mov $CR0_VALUE, %eax
	mov %eax, %cr0
	ljmpl $KERNEL_CS, $(TRAMPOLINE_PA + HERE(long_mode))
	.code64
long_mode:
	mov $KERNEL_DS, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $secondary_startup_64, %rax
	jmp *%rax
gdt_ptr:
	.word 4 * 8 - 1
	.long boot_gdt
trampoline_end:

	.text
	FUNCTION secondary_startup_64
	END_OF_STACK
	mov ap_stack, %rsp
	xor %ebp, %ebp
	call ap_start			/* does not return */
	ud2
	END secondary_startup_64

	.section .note.GNU-stack, "", @progbits
