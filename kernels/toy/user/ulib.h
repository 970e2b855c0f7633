/* SPDX-License-Identifier: GPL-2.0-only */
/* What a program of ring 3 has: system calls and two functions. */
#ifndef ULIB_H
#define ULIB_H

#include <toy/types.h>

// crt.S: less than 0 is an error
long read(int fd, void *buf, size_t n);
long write(int fd, const void *buf, size_t n);
int open(const char *path);
int close(int fd);
int creat(const char *path);
int mkdir(const char *path);
int unlink(const char *path);
int ftruncate(int fd, size_t size);
long lseek(int fd, size_t pos);
long sched_yield(void);
long nanosleep(u64 ns);
long getpid(void);
long fork(void);
long exec(const char *program, long arg);
void exit(long code) __noreturn;
long wait(long *code);
long syscall(long number);

// ulib.c
size_t string_length(const char *s);
u32 checksum(const void *buf, size_t n);

#endif
