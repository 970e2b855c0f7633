// SPDX-License-Identifier: GPL-2.0-only
/*
 * A static key, switched while every other core runs through its branches: as
 * Linux does it by int3 (arch/x86/kernel/alternative.c, text_poke_bp_batch),
 * and by stopping the others (kernel/stop_machine.c).
 */
#include "kernel.h"

#define SYNC 0xfc
#define STOP 0xfb

struct key {
	u64 address, target;
};
extern const struct key _keys[], _keys_end[];

enum { OFF, ON, CHANGING };
static volatile u32 state, running, arrived, stopping;
static volatile u64 poked;
static u8 poked_bytes[5];

#define BRANCH(label)                                                 \
	asm goto("1: .byte 0x0f, 0x1f, 0x44, 0, 0\n"                  \
		 ".pushsection .keys, \"a\"; .quad 1b, %l0; .popsection" \
		 : : : : label)

static __attribute__((noinline)) u32 first(void)
{
	BRANCH(on);
	return 10;
on:
	return 20;
}

static __attribute__((noinline)) u32 second(u32 value)
{
	u32 sum = value * 3;

	BRANCH(on);
	return sum + 1;
on:
	return sum + 1000;
}

/* One branch that is between two looks at the key has to agree with them. */
static void check(u32 value)
{
	u32 before = state, one = first(), two = second(value), after = state;

	if ((one != 10 && one != 20) || (two != value * 3 + 1 && two != value * 3 + 1000))
		bad++;
	else if (before == after && before != CHANGING)
		bad += one != (before == ON ? 20 : 10) ||
		       two != value * 3 + (before == ON ? 1000 : 1);
}

static void load(u32 core)
{
	for (u32 i = 0; running; i++) {
		check(core + i);
		if (i % 4 == 0)
			pause();
	}
}

static void bytes_of(const struct key *key, u32 on, u8 *bytes)
{
	for (u32 i = 0; i < 5; i++)
		bytes[i] = NOP5[i];
	if (on) {
		bytes[0] = 0xe9;
		*(u32 *)(bytes + 1) = key->target - (key->address + 5);
	}
}

/* Called for int3: go on as the new instruction would. */
void int3(u64 *rip)
{
	if (*rip - 1 != poked)
		bad++;
	else if (poked_bytes[0] == 0xe9)
		*rip += 4 + *(int *)(poked_bytes + 1);
	else
		*rip += 4;
}

void sync_ipi(void)
{
	serialise();
	end_of_interrupt();
	__atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
}

void stop_ipi(void)
{
	__atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
	while (stopping)
		pause();
	serialise();
	end_of_interrupt();
	__atomic_fetch_sub(&arrived, 1, __ATOMIC_SEQ_CST);
}

static void sync_all(void)
{
	arrived = 0;
	send_others(SYNC);
	while (arrived != cores - 1)
		pause();
	serialise();
}

static void poke(const struct key *key, u32 on)
{
	u8 *site = (u8 *)key->address;

	bytes_of(key, on, poked_bytes);
	poked = key->address;
	copy_text(site, "\xcc", 1);
	sync_all();
	copy_text(site + 1, poked_bytes + 1, 4);
	sync_all();
	copy_text(site, poked_bytes, 1);
	sync_all();
	poked = 0;
}

void toggle_by_int3(u32 times)
{
	state = OFF;
	running = 1;
	start_all(load);
	for (u32 i = 0; i < times; i++) {
		u32 on = state == OFF;

		state = CHANGING;
		for (const struct key *key = _keys; key < _keys_end; key++)
			poke(key, on);
		state = on;
		check(i);
	}
	running = 0;
	wait_all();
}

void toggle_stopped(u32 times)
{
	u8 bytes[5];

	state = OFF;
	running = 1;
	start_all(load);
	for (u32 i = 0; i < times; i++) {
		arrived = 0;
		stopping = 1;
		send_others(STOP);
		while (arrived != cores - 1)
			pause();
		state = state == OFF;
		for (const struct key *key = _keys; key < _keys_end; key++) {
			bytes_of(key, state, bytes);
			copy_text((void *)key->address, bytes, 5);
		}
		stopping = 0;
		while (arrived)
			pause();
		serialise();
		check(i);
	}
	running = 0;
	wait_all();
}
