/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program of x86-64 Linux knows of its kernel: the numbers of system
 * calls (arch/x86/entry/syscalls/syscall_64.tbl), flags and structures
 * (include/uapi). Here, so that no header of a C library is needed to build it.
 */
#ifndef ABI_H
#define ABI_H

#define __NR_read		0
#define __NR_write		1
#define __NR_open		2
#define __NR_close		3
#define __NR_ioctl		16
#define __NR_dup2		33
#define __NR_pause		34
#define __NR_nanosleep		35
#define __NR_getpid		39
#define __NR_fork		57
#define __NR_execve		59
#define __NR_exit		60
#define __NR_wait4		61
#define __NR_kill		62
#define __NR_chdir		80
#define __NR_mkdir		83
#define __NR_rmdir		84
#define __NR_prctl		157
#define __NR_mount		165
#define __NR_reboot		169
#define __NR_iopl		172
#define __NR_delete_module	176
#define __NR_uname		63
#define __NR_sched_setaffinity	203
#define __NR_sched_getaffinity	204
#define __NR_getdents64		217
#define __NR_clock_gettime	228
#define __NR_finit_module	313

#define O_RDONLY	0
#define O_WRONLY	1
#define O_RDWR		2
#define O_CREAT		0100
#define O_TRUNC		01000
#define O_APPEND	02000
#define O_NONBLOCK	04000
#define O_DIRECTORY	0200000

#define ENOENT		2
#define EINTR		4
#define E2BIG		7
#define EAGAIN		11
#define EBUSY		16
#define EPIPE		32

#define CLOCK_MONOTONIC	1
#define WNOHANG		1
#define SIGKILL		9
#define PR_SET_PDEATHSIG	1
#define TCSBRK		0x5409	/* with 1: tcdrain() */

#define LINUX_REBOOT_MAGIC1		0xfee1dead
#define LINUX_REBOOT_MAGIC2		672274793
#define LINUX_REBOOT_CMD_POWER_OFF	0x4321fedc

struct timespec {
	long tv_sec;
	long tv_nsec;
};

struct new_utsname {
	char sysname[65], nodename[65], release[65];
	char version[65], machine[65], domainname[65];
};

struct linux_dirent64 {
	unsigned long d_ino;
	long d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

/* rax is the number and then the result, -errno if it failed; rcx and r11 are lost. */
static inline long syscall5(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

#define SYS5(name, a, b, c, d, e) \
	syscall5(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define SYS4(name, a, b, c, d)	SYS5(name, a, b, c, d, 0)
#define SYS3(name, a, b, c)	SYS4(name, a, b, c, 0)
#define SYS2(name, a, b)	SYS4(name, a, b, 0, 0)
#define SYS1(name, a)		SYS4(name, a, 0, 0, 0)
#define SYS0(name)		SYS4(name, 0, 0, 0, 0)

#endif
