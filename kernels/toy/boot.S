/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From what a PVH loader leaves (32 bits, no paging, ebx = hvm_start_info) to
 * start_kernel(). Linked and loaded at 1 MiB, where address = physical address.
 *
 * The page tables here are only to get on the way, for the boot core and later
 * for each other core: the first GiB at its physical address, and the image at
 * its own address, both by 2 MiB pages and with everything allowed. mmu.c makes
 * those that last. A and D are set, so nobody ever writes to these tables.
 */
#include <toy/segments.h>
#include <toy/calling.h>

#define TABLE	0x63			/* dirty accessed writable present */
#define LARGE	0xe3			/* the same, 2 MiB */

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18			/* sizes of name and entry, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long pvh_start

	.section .boot, "ax", @progbits
	.code32
	.globl pvh_start
pvh_start:
	.cfi_startproc simple		/* registers by number: this is not 64 bits yet */
	.cfi_def_cfa 7, 0
	.cfi_undefined 16
	cli
	cld
	lgdt boot_gdt_ptr
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
	ljmp $KERNEL_CS, $1f
	.code64
1:	mov $KERNEL_DS, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $stacks + STACK_SIZE, %rsp	/* of the first idle task */
	mov %ebx, %edi
	mov $start_kernel, %rax
	xor %ebp, %ebp
	call *%rax			/* does not return */
	ud2
	.cfi_endproc

	.balign 16
	.globl boot_gdt
boot_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff	/* KERNEL32_CS; accessed is set in all three */
	.quad 0x00af9b000000ffff	/* KERNEL_CS */
	.quad 0x00cf93000000ffff	/* KERNEL_DS */
boot_gdt_ptr:
	.word . - boot_gdt - 1
	.long boot_gdt, 0

	.balign 4096
	.globl boot_pgd
boot_pgd:
	.quad boot_pud_low + TABLE
	.fill 510, 8, 0
	.quad boot_pud_high + TABLE
boot_pud_low:
	.quad boot_pmd_low + TABLE
	.fill 511, 8, 0
boot_pud_high:
	.fill 510, 8, 0
	.quad boot_pmd_high + TABLE
	.quad 0
boot_pmd_low:
	.set i, 0
	.rept 512
	.quad (i << 21) + LARGE
	.set i, i + 1
	.endr
boot_pmd_high:
	.quad 0
	.quad (1 << 21) + LARGE		/* IMAGE_VA */
	.fill 510, 8, 0

	.section .note.GNU-stack, "", @progbits
