/* SPDX-License-Identifier: GPL-2.0-only */
/* From PVH or a start-up IPI to protected mode; into a snippet; from a vector to trap(). */
	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long pvh_start

.macro DATA_SEGMENTS
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss
.endm

	.section .low, "aw", @progbits
	.globl trampoline, trampoline_end, ap_seen, real_stubs, real_enter, real_log
	.globl real_count, real_resume, real_start
	.set LOW, 0x8000
	.code16
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
	mov $0x11, %eax
	mov %eax, %cr0
	ljmpl $8, $1f
	.code32
1:	DATA_SEGMENTS
	mov 0xfee00020, %eax
	shr $24, %eax
	mov %eax, %edx
	shl $12, %eax
	lea idle_stacks + 4096(%eax), %esp
	push %edx
	call application_processor
gdt_ptr:
	.word 0x9f
	.long gdt
	.balign 8
ap_seen:
	.quad 0, 0

/* real_enter, in 16-bit protected mode at its place in low memory: to real mode and the snippet */
	.code16
real_enter:
	mov $0x38, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %fs
	mov %ax, %gs
	mov %ax, %ss
	mov %cr0, %eax
	and $~1, %al
	mov %eax, %cr0
	ljmpw $0, $1f - trampoline + LOW
1:	xor %ax, %ax
	mov %ax, %ds
	lidtl real_idt - trampoline + LOW
	mov $0x2000, %ax
	mov %ax, %es
	mov %ax, %fs
	mov %ax, %gs
	mov %ax, %ss
	mov $0x1000, %esp
	pushl real_start + 32 - trampoline + LOW	/* EFLAGS */
	popfl
	mov real_start - trampoline + LOW, %edi
	mov real_start + 4 - trampoline + LOW, %esi
	mov real_start + 8 - trampoline + LOW, %ebp
	mov real_start + 16 - trampoline + LOW, %ebx
	mov real_start + 20 - trampoline + LOW, %edx
	mov real_start + 24 - trampoline + LOW, %ecx
	mov real_start + 28 - trampoline + LOW, %eax
	ljmpw $0x1000, $0

/* every vector of the real mode: a record of 48 bytes */
real_common:				/* vector, IP, CS, FLAGS on the stack */
	pushal
	pushw %ds
	pushfw
	cld
	xor %ax, %ax
	mov %ax, %ds
	mov %sp, %bp
	movzwl real_count - trampoline + LOW, %ebx
	incw real_count - trampoline + LOW
	imul $56, %bx
	add $real_log - trampoline + LOW, %bx
	mov %ss, 48(%bx)
	mov %sp, 50(%bx)
	xor %si, %si
1:	mov %ss:(%bp, %si), %ax		/* flags, ds, pusha, vector, ip, cs, flags: 44 bytes */
	mov %ax, (%bx, %si)
	add $2, %si
	cmp $44, %si
	jb 1b
	mov 36(%bx), %cx
	cmp $32, %cx
	jae 2f
	mov $1, %eax
	shl %cl, %eax
	test %eax, real_resume - trampoline + LOW
	jz 2f
	add $2, %sp
	popw %ds
	popal
	add $2, %sp
	iretw
2:	lgdtl gdt_ptr - trampoline + LOW
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $8, $real_back

	.balign 8
real_stubs:
	.set i, 0
	.rept 256
	.balign 8
	pushw $i
	jmp real_common
	.set i, i + 1
	.endr
real_idt:
	.word 0x3ff
	.long 0
	.balign 4
real_count:	.long 0
real_resume:	.long 0
real_start:	.skip 36
real_log:	.skip 56 * 24
trampoline_end:

	.text
	.code32
	.globl pvh_start
pvh_start:
	cli
	lgdt gdt_here
	ljmp $8, $1f
1:	DATA_SEGMENTS
	mov $idle_stacks + 4096, %esp
	push %ebx
	call boot

gdt_here:
	.word 0x9f
	.long gdt

/* enter_real(): to the snippet in real mode; back by real_back */
	.globl enter_real
enter_real:
	push %ebx; push %ebp; push %esi; push %edi
	mov %esp, back
	ljmp $0x78, $real_enter - trampoline	/* base of 0x78: 0x8000 */

real_back:
	jmp came_back

/* enter(frame): to a snippet, by iret */
	.globl enter
enter:
	mov 4(%esp), %eax
	push %ebx; push %ebp; push %esi; push %edi
	mov %esp, back
	mov %eax, %esp
	pop %gs; pop %fs; pop %es; pop %ds
	popal
	add $8, %esp
	iret

/* enter_here(frame): the same in ring 0: iret does not change the stack there */
	.globl enter_here
enter_here:
	mov 4(%esp), %eax
	push %ebx; push %ebp; push %esi; push %edi
	mov %esp, back
	mov 68(%eax), %ecx		/* sp */
	mov 72(%eax), %edx		/* ss */
	mov %edx, %es
	pushl 56(%eax)
	popl %es:-12(%ecx)
	pushl 60(%eax)
	popl %es:-8(%ecx)
	pushl 64(%eax)
	popl %es:-4(%ecx)
	mov %edx, %ss
	lea -12(%ecx), %esp
	mov 0(%eax), %gs
	mov 4(%eax), %fs
	mov 8(%eax), %es
	mov 16(%eax), %edi
	mov 20(%eax), %esi
	mov 24(%eax), %ebp
	mov 32(%eax), %ebx
	mov 36(%eax), %edx
	mov 40(%eax), %ecx
	mov 12(%eax), %ds
	mov %cs:44(%eax), %eax
	iret

	.globl came_back
came_back:
	cld
	DATA_SEGMENTS
	mov back, %esp
	pop %edi; pop %esi; pop %ebp; pop %ebx
	ret

	.globl stubs
	.balign 16
stubs:
	.set i, 0
	.rept 256
	.balign 16
	.if !(i == 8 || (i >= 10 && i <= 14) || i == 17)
	pushl $0xeeeeeeee
	.endif
	pushl $i
	jmp common
	.set i, i + 1
	.endr

common:
	pushal
	push %ds; push %es; push %fs; push %gs
	pushf
	cld
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	popl entry_flags
	mov %ss, entry_ss
	mov %esp, entry_esp
	mov %cs, entry_cs
	mov %esp, %ebx
	mov %ss, %ecx
	cmp $0x38, %ecx			/* the 16-bit stack */
	jne 1f
	movzwl %bx, %ebx
	mov %ebx, entry_esp
	add $0x20000, %ebx
1:	mov %eax, %ss
	mov $trap_stack + 4096, %esp
	push %ebx
	call trap
	lss entry_esp, %esp
	pop %gs; pop %fs; pop %es; pop %ds
	popal
	add $8, %esp
	iret

	.section .tables, "aw", @progbits
	.balign 4096
	.globl gdt
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
	.fill 17, 8, 0

	.data
back:	.long 0
	.globl entry_esp, entry_ss, entry_flags, entry_cs
entry_esp:	.long 0
entry_ss:	.long 0
entry_flags:	.long 0
entry_cs:	.long 0

	.bss
	.balign 4096
	.globl case_stack, kernel_stack, user_stack
case_stack:	.skip 4096
kernel_stack:	.skip 4096
user_stack:	.skip 4096
trap_stack:	.skip 4096
idle_stacks:	.skip 8 * 4096
	.section .note.GNU-stack, "", @progbits
