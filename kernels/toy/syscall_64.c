// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls of processes: from registers to arguments. What these point to is
 * copied, so that sys_read() and the others only ever see the kernel's memory,
 * whoever calls them.
 */
#include <toy/defs.h>
#include <toy/unistd.h>

#define MAX_PATH	64
#define MAX_IO		256		/* at once; that a read is short is no error */

static size_t io_size(const struct pt_regs *regs)
{
	return regs->dx < MAX_IO ? regs->dx : MAX_IO;
}

long __x64_sys_read(const struct pt_regs *regs)
{
	char buf[MAX_IO];
	size_t n = io_size(regs);
	long count = sys_read(regs->di, buf, n);

	/* A patched function may return any number, but only n bytes are there. */
	if (count > 0 && (size_t)count <= n && copy_to_user((void *)regs->si, buf, count))
		return -EFAULT;
	return count;
}

long __x64_sys_write(const struct pt_regs *regs)
{
	char buf[MAX_IO];
	size_t n = io_size(regs);

	if (copy_from_user(buf, (void *)regs->si, n))
		return -EFAULT;
	return sys_write(regs->di, buf, n);
}

/* Those whose one argument is a path. */
static long with_path(const struct pt_regs *regs, int (*call)(const char *path))
{
	char path[MAX_PATH];
	long n = strncpy_from_user(path, (char *)regs->di, sizeof(path));

	return n < 0 ? n : call(path);
}

long __x64_sys_open(const struct pt_regs *regs)
{
	return with_path(regs, sys_open);
}

long __x64_sys_creat(const struct pt_regs *regs)
{
	return with_path(regs, sys_creat);
}

long __x64_sys_mkdir(const struct pt_regs *regs)
{
	return with_path(regs, sys_mkdir);
}

long __x64_sys_unlink(const struct pt_regs *regs)
{
	return with_path(regs, sys_unlink);
}

long __x64_sys_ftruncate(const struct pt_regs *regs)
{
	return sys_ftruncate(regs->di, regs->si);
}

long __x64_sys_close(const struct pt_regs *regs)
{
	return sys_close(regs->di);
}

long __x64_sys_lseek(const struct pt_regs *regs)
{
	return sys_lseek(regs->di, regs->si);
}

long __x64_sys_sched_yield(const struct pt_regs *regs)
{
	(void)regs;
	yield();
	return 0;
}

/* Not a struct timespec: a number of nanoseconds. */
long __x64_sys_nanosleep(const struct pt_regs *regs)
{
	return sys_nanosleep(regs->di);
}

long __x64_sys_getpid(const struct pt_regs *regs)
{
	(void)regs;
	return sys_getpid();
}

long __x64_sys_fork(const struct pt_regs *regs)
{
	(void)regs;
	return sys_fork();
}

/* The name of a program and a number for it. */
long __x64_sys_execve(const struct pt_regs *regs)
{
	char program[sizeof(current()->comm)];
	long n = strncpy_from_user(program, (char *)regs->di, sizeof(program));

	return n < 0 ? n : sys_exec(program, regs->si);
}

long __x64_sys_exit(const struct pt_regs *regs)
{
	sys_exit(regs->di & 0xff);
}

/* Where to store the exit code, or NULL. */
long __x64_sys_wait4(const struct pt_regs *regs)
{
	long code, pid = sys_wait(&code);

	if (pid > 0 && regs->di && copy_to_user((void *)regs->di, &code, sizeof(code)))
		return -EFAULT;
	return pid;
}

typedef long (*sys_call_ptr_t)(const struct pt_regs *regs);

const sys_call_ptr_t sys_call_table[NR_syscalls] = {
	[__NR_read] = __x64_sys_read,
	[__NR_write] = __x64_sys_write,
	[__NR_open] = __x64_sys_open,
	[__NR_close] = __x64_sys_close,
	[__NR_lseek] = __x64_sys_lseek,
	[__NR_sched_yield] = __x64_sys_sched_yield,
	[__NR_nanosleep] = __x64_sys_nanosleep,
	[__NR_getpid] = __x64_sys_getpid,
	[__NR_fork] = __x64_sys_fork,
	[__NR_execve] = __x64_sys_execve,
	[__NR_exit] = __x64_sys_exit,
	[__NR_wait4] = __x64_sys_wait4,
	[__NR_ftruncate] = __x64_sys_ftruncate,
	[__NR_mkdir] = __x64_sys_mkdir,
	[__NR_creat] = __x64_sys_creat,
	[__NR_unlink] = __x64_sys_unlink,
};

/*
 * SYSRET takes rip from rcx and rflags from r11, so both must be what the caller
 * would lose anyway; exec, for one, makes them differ. It loads no RF, and the
 * trap of a TF would come too late. And with a rip that is not canonical, SYSRET
 * of Intel's cores faults while still in ring 0 but on the user's stack: whoever
 * owns that stack then owns the kernel (CVE-2012-0217). So only below USER_END_VA.
 */
static bool can_sysret(const struct pt_regs *regs)
{
	return regs->cx == regs->ip && regs->r11 == regs->flags &&
	       regs->cs == USER_CS && regs->ss == USER_DS &&
	       !(regs->flags & (X86_EFLAGS_RF | X86_EFLAGS_TF)) && regs->ip < USER_END_VA;
}

/* Whether it may be left by SYSRET. Interrupts are on in between. */
bool do_syscall_64(struct pt_regs *regs)
{
	u64 nr = regs->orig_ax;

	sti();
	if (nr < NR_syscalls && sys_call_table[nr])
		regs->ax = sys_call_table[nr](regs);
	else
		regs->ax = -ENOSYS;
	cli();
	return can_sysret(regs);
}
