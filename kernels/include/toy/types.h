/* SPDX-License-Identifier: GPL-2.0-only */
/* The small words every file uses. No header of the host is included. */
#ifndef TYPES_H
#define TYPES_H

#include <poke.h>

typedef unsigned long size_t;
typedef _Bool bool;
typedef signed long s64;
typedef __builtin_va_list va_list;

#define NULL		((void *)0)
#define true		1
#define false		0

#define offsetof(t, m)	__builtin_offsetof(t, m)
#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define READ_ONCE(x)	(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))
#define barrier()	asm volatile("" ::: "memory")

#define __noreturn	__attribute__((noreturn))
#define __aligned(n)	__attribute__((aligned(n)))
#define __printf(f, a)	__attribute__((format(printf, f, a)))

/* Every function begins with a patchable nop unless it says one of these. */
#define notrace		__attribute__((no_instrument_function))
#define __always_inline	inline notrace __attribute__((always_inline))
/* Below the breakpoint handler: also kept together, so that it can be tested. */
#define noinstr		notrace __attribute__((noinline, section(".noinstr.text")))

/* Another file may define the same function, and all then call that one. */
#define __weak		__attribute__((weak))
/* Rarely called: kept away from the rest, behind all of it, as are the sites. */
#define __cold		__attribute__((cold, noinline, aligned(16), \
				       section(".text.unlikely"), fentry_section("__mcount_loc.unlikely")))

#define SITE_SIZE	5
#define PAGE_SIZE	4096
#define MAX_CPUS	POKE_MAX_CPUS

/* Names of errors are Linux's, negative when returned. */
#define EPERM		1
#define ENOENT		2
#define E2BIG		7
#define EBADF		9
#define ECHILD		10
#define EAGAIN		11
#define ENOMEM		12
#define EFAULT		14
#define EEXIST		17
#define EINVAL		22
#define EMFILE		24
#define EFBIG		27
#define ENOSYS		38
#define ENOTEMPTY	39

#endif
