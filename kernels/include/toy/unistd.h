/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls: the number in rax, arguments in rdi, rsi, rdx. Numbers are Linux's. */
#ifndef UNISTD_H
#define UNISTD_H

#define __NR_read		0
#define __NR_write		1
#define __NR_open		2
#define __NR_close		3
#define __NR_lseek		8
#define __NR_sched_yield	24
#define __NR_nanosleep		35
#define __NR_getpid		39
#define __NR_fork		57
#define __NR_execve		59
#define __NR_exit		60
#define __NR_wait4		61
#define __NR_ftruncate		77
#define __NR_mkdir		83
#define __NR_creat		85
#define __NR_unlink		87
#define NR_syscalls		96

#endif
