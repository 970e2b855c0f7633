/* SPDX-License-Identifier: GPL-2.0-only */
/* How both cores come to run(), and what their interrupts enter. */
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
	mov $0x100, %eax		/* LME */
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

	.section .low, "ax", @progbits
	.code16
trampoline:				/* at 0x8000, where the second core begins */
	cli
	mov %cs, %ax
	mov %ax, %ds
	lgdtl gdt_ptr - trampoline
	LONG_MODE
	ljmpl $0x10, $1f
	.code64
1:	DATA_SEGMENTS
	mov $stack1_end, %rsp
	mov $1, %edi
	call run
gdt_ptr:
	.word 4 * 8 - 1
	.long gdt, 0

	.text
	.code32
	.globl pvh_start
pvh_start:
	cli
	lgdt gdt_ptr
	LONG_MODE
	ljmp $0x10, $1f
	.code64
1:	DATA_SEGMENTS
	mov $stack0_end, %rsp
	call boot

.macro SAVE
	push %rdi; push %rsi; push %rdx; push %rcx; push %rax
	push %r8; push %r9; push %r10; push %r11
	cld
.endm

.macro RESTORE
	pop %r11; pop %r10; pop %r9; pop %r8
	pop %rax; pop %rcx; pop %rdx; pop %rsi; pop %rdi
.endm

	.globl asm_int3, asm_sync, asm_nothing
asm_int3:
	push $0
	.rept 6				/* the gap */
	push 5*8(%rsp)
	.endr
	SAVE
	mov %rsp, %rdi
	call exc_int3
	RESTORE
	add $8, %rsp
	iretq

asm_sync:
	SAVE
	push %rbx
	call sync_core_interrupt
	pop %rbx
	RESTORE
asm_nothing:
	iretq

	.section .tables, "aw", @progbits
	.balign 16
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00af9b000000ffff, 0x00cf93000000ffff
	.balign 4096
pgd:	.quad pud + 0x63
	.fill 511, 8, 0
pud:	.quad pmd_low + 0x63, 0, 0, pmd_apic + 0x63
	.fill 508, 8, 0
pmd_low:				/* the first 16 MiB */
	.set i, 0
	.rept 8
	.quad (i << 21) + 0xe3
	.set i, i + 1
	.endr
	.fill 504, 8, 0
pmd_apic:
	.fill 503, 8, 0
	.quad 0xfee000fb		/* uncached */
	.fill 8, 8, 0

	.bss
	.balign 16
	.skip 4096
stack0_end:
	.skip 4096
stack1_end:
	.section .note.GNU-stack, "", @progbits
