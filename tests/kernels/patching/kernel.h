/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts share: other cores, stores to text, printing. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define MAX_CORES 8
#define NOP5 "\x0f\x1f\x44\x00\x00"

extern u32 cores;
extern volatile u32 bad; /* answers that were neither right before nor after */

static inline void pause(void)
{
	asm volatile("pause" : : : "memory");
}

static inline void serialise(void)
{
	u32 leaf = 0;
	asm volatile("cpuid" : "+a"(leaf) : : "ebx", "ecx", "edx", "memory");
}

void copy_text(void *to, const void *from, u32 size); /* through the second mapping */
void say(const char *name, u32 value);
void start_all(void (*what)(u32 core)); /* on every core but this */
void wait_all(void);
void send_others(u32 vector);
void end_of_interrupt(void);

void toggle_by_int3(u32 times);
void toggle_stopped(u32 times);
