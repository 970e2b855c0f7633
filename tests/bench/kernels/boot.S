/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the PVH entry, and from a start-up IPI, to 64-bit C. Text is mapped RX, all else RW and not
 * executable; accessed and dirty bits are set beforehand.
 */
#define TRAMPOLINE	0x8000
#define TEXT		0x100000
#define PAGE_RX		0x61
#define PAGE_RW		0x8000000000000063
#define TABLE		0x63
#define LAPIC_2M	0x80000000fee000fb	/* uncached */

	.section .note.pvh, "a", @note
	.long	4, 4, 18
	.asciz	"Xen"
	.long	start

	.section .text.boot, "ax"
	.code32
	.globl	start
start:				/* ebx: struct hvm_start_info */
	cld
	mov	$trampoline, %esi
	mov	$TRAMPOLINE, %edi
	mov	$(trampoline_end - trampoline), %ecx
	rep movsb
	mov	24(%ebx), %esi	/* the command line: one number, anywhere */
	xor	%eax, %eax
	xor	%edx, %edx
1:	lodsb
	test	%al, %al
	jz	enter
	sub	$'0', %al
	cmp	$9, %al
	ja	1b
	imul	$10, %edx
	add	%eax, %edx
	mov	%edx, rounds
	jmp	1b

enter:
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$0x20, %eax	/* PAE */
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx
	mov	$0x900, %eax	/* LME, NXE */
	xor	%edx, %edx
	wrmsr
	mov	$0x80010033, %eax
	mov	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$8, $1f
	.code64
1:	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$1, %edi
	lock xadd %edi, next_core
	lea	1(%rdi), %eax
	shl	$14, %eax
	lea	stacks(%rax), %rsp
	call	core_main
1:	cli
	hlt
	jmp	1b

	.code16
trampoline:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	TRAMPOLINE + (1f - trampoline)
	mov	$0x11, %eax
	mov	%eax, %cr0
	ljmpl	$24, $protected
	.balign 4
1:	.word	31
	.long	gdt
trampoline_end:

	.code32
protected:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	jmp	enter

	.section .data
	.balign 8
gdt:	.quad	0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
gdt_pointer:
	.word	31
	.long	gdt
	.balign 4
	.globl	rounds
rounds:	.long	1000
next_core:
	.long	0

	.balign 4096
pml4:	.quad	pdpt + TABLE
	.zero	4096 - 8
pdpt:	.quad	pd_low + TABLE, 0, 0, pd_high + TABLE
	.zero	4096 - 32
pd_low:	.quad	pt_low + TABLE, pt_data + TABLE
	.zero	4096 - 16
pd_high:
	.zero	8 * 503
	.quad	LAPIC_2M
	.zero	8 * 8
pt_low:					/* 0 to 2 MiB */
	.set	page, 0
	.rept	512
	.if	page == TRAMPOLINE || (page >= TEXT && page < TEXT + 0x10000)
	.quad	page + PAGE_RX
	.else
	.quad	page + PAGE_RW
	.endif
	.set	page, page + 4096
	.endr
pt_data:				/* 2 to 4 MiB */
	.rept	512
	.quad	page + PAGE_RW
	.set	page, page + 4096
	.endr

	.section .bss
	.balign 16
stacks:	.zero	4 << 14
	.section .note.GNU-stack, "", @progbits
