/* SPDX-License-Identifier: GPL-2.0-only */
/* How the cores come to C, and what their interrupts enter. */
	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long pvh_start

.macro LONG_MODE
	mov $0x20, %eax			/* PAE */
	mov %eax, %cr4
	mov $pgd, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	mov $0x900, %eax		/* LME, NXE */
	xor %edx, %edx
	wrmsr
	mov $0x80010033, %eax
	mov %eax, %cr0
.endm

.macro DATA_SEGMENTS
	mov $0x18, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
.endm

	.text
	.code32
	.globl pvh_start
pvh_start:
	cli
	mov %ebx, %ebp			/* hvm_start_info */
	lgdt gdt_ptr
	LONG_MODE
	ljmp $0x10, $1f
	.code64
1:	DATA_SEGMENTS
	mov $stacks + 8192, %rsp
	mov %ebp, %edi
	call boot

/*
 * Copied to a page below one megabyte: where a start-up IPI sends a core. What
 * it finds there goes into start_cr0 and start_cs.
 */
	.globl trampoline, trampoline_end
	.code16
trampoline:
	cli
	mov %cr0, %esi
	mov %cs, %ax
	mov %ax, %ds
	movzx %ax, %ebp
	lgdtl gdt_ptr - trampoline
	LONG_MODE
	ljmpl $0x10, $1f
gdt_ptr:
	.word 4 * 8 - 1
	.long gdt, 0
trampoline_end:
	.code64
1:	DATA_SEGMENTS
	mov $0xfee00020, %eax
	mov (%rax), %edi
	shr $24, %edi			/* the core */
	lea 1(%rdi), %eax
	shl $13, %eax
	lea stacks(%rax), %rsp
	xchg %esi, %ebp
	mov %ebp, %edx			/* CR0 as it began */
	call ap_main			/* (core, CS, CR0) */

	.balign 16
	.globl stubs
stubs:					/* 16 bytes for each vector */
	.set vector, 0
	.rept 256
	.balign 16
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17
	nop; nop
	.else
	push $0
	.endif
	.byte 0x68			/* push imm32 */
	.long vector
	.byte 0xe9			/* jmp rel32 */
	.long common - . - 4
	.set vector, vector + 1
	.endr

common:
	push %rdi; push %rsi; push %rdx; push %rcx; push %rax
	push %r8; push %r9; push %r10; push %r11
	mov 9*8(%rsp), %rdi		/* vector */
	mov 11*8(%rsp), %rsi		/* RIP */
	cld
	call interrupt
	pop %r11; pop %r10; pop %r9; pop %r8
	pop %rax; pop %rcx; pop %rdx; pop %rsi; pop %rdi
	add $16, %rsp
	iretq

	.section .tables, "aw", @progbits
	.balign 16
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00af9b000000ffff, 0x00cf93000000ffff
	.balign 4096
pgd:	.quad pud + 0x63
	.fill 511, 8, 0
	.balign 4096
pud:	.quad pmd_low + 0x63, 0, 0, pmd_high + 0x63
	.fill 508, 8, 0
	.balign 4096
pmd_low:				/* 16 MiB, executable below 6 MiB */
	.set i, 0
	.rept 8
	.if i < 3
	.quad (i << 21) + 0xe3
	.else
	.quad (i << 21) + 0xe3 + (1 << 63)
	.endif
	.set i, i + 1
	.endr
	.fill 504, 8, 0
	.balign 4096
pmd_high:				/* the APICs, uncached */
	.fill 502, 8, 0
	.quad 0x80000000fec000fb, 0x80000000fee000fb
	.fill 8, 8, 0

	.bss
	.balign 16
	.globl stacks
stacks:	.skip 9 * 8192
	.section .note.GNU-stack, "", @progbits
