/* SPDX-License-Identifier: GPL-2.0-only */
/* Where programs begin and end, and their system calls. */
#include <toy/unistd.h>
#include <toy/calling.h>

	.text

/* rdi is main, rsi its argument; see exec_regs(). */
	FUNCTION user_start
	END_OF_STACK
	mov %rdi, %rax
	mov %rsi, %rdi
	call *%rax
	movslq %eax, %rdi
	call exit			/* does not return */
	ud2
	END user_start

/* The number in rax; arguments are where C has them already. rcx and r11 are lost. */
.macro SYSTEM_CALL name number
	FUNCTION \name
	mov $\number, %eax
	syscall
	ret
	END \name
.endm

	SYSTEM_CALL read		__NR_read
	SYSTEM_CALL write		__NR_write
	SYSTEM_CALL open		__NR_open
	SYSTEM_CALL close		__NR_close
	SYSTEM_CALL lseek		__NR_lseek
	SYSTEM_CALL sched_yield	__NR_sched_yield
	SYSTEM_CALL nanosleep		__NR_nanosleep
	SYSTEM_CALL getpid		__NR_getpid
	SYSTEM_CALL fork		__NR_fork
	SYSTEM_CALL exec		__NR_execve
	SYSTEM_CALL exit		__NR_exit
	SYSTEM_CALL wait		__NR_wait4
	SYSTEM_CALL ftruncate		__NR_ftruncate
	SYSTEM_CALL mkdir		__NR_mkdir
	SYSTEM_CALL creat		__NR_creat
	SYSTEM_CALL unlink		__NR_unlink

/* long syscall(long number), without arguments. */
	FUNCTION syscall
	mov %rdi, %rax
	syscall
	ret
	END syscall

	.section .note.GNU-stack, "", @progbits
