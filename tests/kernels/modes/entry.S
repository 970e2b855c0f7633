/* SPDX-License-Identifier: GPL-2.0-only */
/* From PVH or a start-up IPI to long mode; into a snippet; from a vector to trap(). */
	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long pvh_start

.macro LONG_MODE
	mov $0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	mov %eax, %cr4
	mov $pgd, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	mov $0x901, %eax		/* LME, NX, SCE */
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
	mov %eax, %fs
	mov %eax, %gs
.endm

	.section .low, "aw", @progbits
	.code16
	.globl trampoline, trampoline_end
trampoline:				/* boot() copies it to 0x8000 */
	cli
	mov %cs, %cs:ap_seen - trampoline
	pushfw				/* SS:SP is 0:0: to 0:fffe */
	popw %ax
	mov %ax, %cs:ap_seen + 2 - trampoline
	mov %cr0, %eax
	mov %eax, %cs:ap_seen + 4 - trampoline
	mov %sp, %cs:ap_seen + 8 - trampoline
	mov %cs, %ax
	mov %ax, %ds
	lgdtl gdt_ptr - trampoline
	LONG_MODE
	ljmpl $0x10, $1f
	.code64
1:	DATA_SEGMENTS
	mov $0xfee00020, %edi
	mov (%rdi), %edi
	shr $24, %edi
	mov %edi, %esp
	shl $12, %rsp
	add $idle_stacks + 4096, %rsp
	call application_processor
gdt_ptr:
	.word 0xff
	.long gdt, 0
	.balign 8
	.globl ap_seen
ap_seen:
	.quad 0, 0
trampoline_end:

	.text
	.code32
	.globl pvh_start
pvh_start:
	cli
	lgdt gdt_here
	LONG_MODE
	ljmp $0x10, $1f
	.code64
1:	DATA_SEGMENTS
	mov $idle_stacks + 4096, %rsp
	mov %ebx, %edi
	call boot

gdt_here:
	.word 0xff
	.long gdt, 0

/* enter(frame): go to a snippet; trap() ends it by returning to came_back */
	.globl enter
enter:
	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15
	mov %rsp, %cs:back
	mov %rdi, %rsp
	pop %rax; pop %rcx; pop %rdx; pop %rbx
	add $8, %rsp
	pop %rbp; pop %rsi; pop %rdi
	pop %r8; pop %r9; pop %r10; pop %r11; pop %r12; pop %r13; pop %r14; pop %r15
	add $16, %rsp
	iretq

	.globl came_back
came_back:
	cld
	DATA_SEGMENTS
	mov back, %rsp
	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
	ret

/* all vectors */
	.globl stubs
	.balign 16
stubs:
	.set i, 0
	.rept 256
	.balign 16
	pushq $i
	jmp common
	.set i, i + 1
	.endr

common:
	/* The CPU aligned its frame of 5 or 6 words to 16 bytes: one word more tells which. */
	test $8, %spl
	jnz 1f				/* 6 and 1 words: there is an error code */
	push (%rsp)			/* 5 and 1: make room, vector again */
	movq $-1, 8(%rsp)
1:	push %r15; push %r14; push %r13; push %r12; push %r11; push %r10; push %r9; push %r8
	push %rdi; push %rsi; push %rbp; push $0; push %rbx; push %rdx; push %rcx; push %rax
	pushfq
	pop %rsi
	cld
	mov %ss, %edx
	mov %cs, %ecx
	mov %rsp, %rdi
	push %rdi
	and $-16, %rsp
	push %rdi
	push %rdi
	call trap
	pop %rsp
	pop %rax; pop %rcx; pop %rdx; pop %rbx
	add $8, %rsp
	pop %rbp; pop %rsi; pop %rdi
	pop %r8; pop %r9; pop %r10; pop %r11; pop %r12; pop %r13; pop %r14; pop %r15
	add $16, %rsp
	iretq

	.section .tables, "aw", @progbits
	.balign 4096
	.globl pgd, gdt, window, pages
pgd:	.quad pud + 7
	.fill 511, 8, 0
pud:	.quad pmd_low + 7, pmd_alias + 7, 0, pmd_apic + 7
	.fill 508, 8, 0
pmd_low:				/* the first 16 MiB, and at 256 MiB the window */
	.set i, 0
	.rept 8
	.quad (i << 21) + 0xe3
	.set i, i + 1
	.endr
	.fill 120, 8, 0
	.quad window + 7
	.fill 383, 8, 0
pmd_alias:				/* the first 16 MiB for ring 3 */
	.set i, 0
	.rept 8
	.quad (i << 21) + 0xe7
	.set i, i + 1
	.endr
	.fill 504, 8, 0
pmd_apic:
	.fill 503, 8, 0
	.quad 0xfee000fb		/* uncached */
	.fill 8, 8, 0
window:	.fill 512, 8, 0
pages:	.fill 8 * 512, 8, 0
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00af9b000000ffff, 0x00cf93000000ffff
	.fill 28, 8, 0
	.data
back:	.quad 0

	.bss
	.balign 4096
	.globl case_stack, kernel_stack, user_stack, ist_stack
case_stack:	.skip 4096
kernel_stack:	.skip 4096
user_stack:	.skip 4096
ist_stack:	.skip 3 * 4096
idle_stacks:	.skip 8 * 4096
	.section .note.GNU-stack, "", @progbits
