/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the cores come to C, and what their interrupts enter. The container is
 * chosen by a macro: PVH, ELF32 (a Multiboot header) or BARE (one with
 * addresses). All memory below 16 MiB is mapped twice, the second time at
 * 1 GiB, for stores to text.
 */
#ifdef PVH
	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long start
#else
	.section .header, "a"
	.balign 4
#ifdef BARE
header:	.long 0x1badb002, 1 << 16, -(0x1badb002 + (1 << 16))
	.long header, _start, _load_end, _end, start
#else
	.long 0x1badb002, 0, -0x1badb002
#endif
#endif

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

	.text
	.code32
	.globl start
start:
	cli
	lgdt gdt_ptr
	LONG_MODE
	ljmp $0x10, $1f
	.code64
1:	DATA_SEGMENTS
	mov $stacks + 8192, %rsp
	call boot

/* Copied to 0x8000, where a start-up IPI sends the other cores. */
	.globl trampoline, trampoline_end
	.code16
trampoline:
	cli
	mov %cs, %ax
	mov %ax, %ds
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
	call ap_main

.macro ENTRY name, handler
	.globl \name
\name:
	push %rdi; push %rsi; push %rdx; push %rcx; push %rax
	push %r8; push %r9; push %r10; push %r11
	lea 9*8(%rsp), %rdi		/* RIP */
	cld
	call \handler
	pop %r11; pop %r10; pop %r9; pop %r8
	pop %rax; pop %rcx; pop %rdx; pop %rsi; pop %rdi
	iretq
.endm
	ENTRY enter_int3, int3
	ENTRY enter_sync, sync_ipi
	ENTRY enter_stop, stop_ipi

/* Stores its argument over the immediate of the next instruction. */
	.globl store_to_next
store_to_next:
	mov %edi, 1f + 1(%rip)
1:	mov $0x11111111, %eax
	ret

/* Changes an instruction of the loop it is in, each time round: 10 + ... */
	.globl grow
grow:	mov $10, %ecx
	xor %eax, %eax
1:	add $1, %eax
	incb 1b + 2(%rip)
	dec %ecx
	jnz 1b
	movb $1, 1b + 2(%rip)
	ret

/* Copies an instruction over the one behind the copying. */
	.globl copy_to_next
copy_to_next:
	lea 1f(%rip), %rdi
	lea 2f(%rip), %rsi
	mov $6, %ecx
	rep movsb
1:	mov $1, %eax
	ret
2:	mov $2, %eax
	ret

	.section .tables, "aw", @progbits
	.balign 16
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00af9b000000ffff, 0x00cf93000000ffff
	.balign 4096
pgd:	.quad pud + 0x63
	.fill 511, 8, 0
pud:	.quad pmd_low + 0x63, pmd_low + 0x63, 0, pmd_apic + 0x63
	.fill 508, 8, 0
pmd_low:
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
stacks:	.skip 9 * 8192
	.section .note.GNU-stack, "", @progbits
