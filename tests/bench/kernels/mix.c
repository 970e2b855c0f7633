// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fixed amount of work on four cores between two lines on the serial port: a mix of what
 * programs do, and a checksum of all of it, so that two machines can be held against each other.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

#define CORES		4
#define LAPIC(r)	(*(volatile u32 *)(0xfee00000ul + (r)))
#define WORDS		32

extern u32 rounds;
static volatile u32 ready, go, done;
static u64 checksum;

struct node {
	struct node *next;
	u64 value;
};

static struct work {
	u64 seed, from[WORDS], to[WORDS], sorted[64];
	u32 pile[12];
	struct node list[24];
} work[CORES];

static void out(unsigned short port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void say(const char *text)
{
	while (*text)
		out(0x3f8, *text++);
}

static __attribute__((noinline)) u64 xorshift(u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	return *seed ^= *seed << 17;
}

static __attribute__((noinline)) u32 fnv(const u8 *data, u32 size)
{
	u32 hash = 2166136261u;

	while (size--)
		hash = (hash ^ *data++) * 16777619u;
	return hash;
}

static __attribute__((noinline)) void copy(volatile u64 *to, const volatile u64 *from)
{
	for (int i = 0; i < WORDS; i++)
		to[i] = from[i];
}

static __attribute__((noinline)) u64 walk(const struct node *node)
{
	u64 sum = 0;

	for (; node; node = node->next)
		sum += node->value;
	return sum;
}

static __attribute__((noinline)) u32 search(const u64 *sorted, u64 value)
{
	u32 low = 0, high = 64;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (sorted[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static __attribute__((noinline, optimize("O1"))) u32 fib(u32 n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static __attribute__((noinline)) u32 sort(u32 *pile, u64 seed)
{
	for (int i = 0; i < 12; i++)
		pile[i] = seed >> (4 * i) & 255;
	for (int i = 1; i < 12; i++) {
		u32 value = pile[i];
		int at = i;

		for (; at && pile[at - 1] > value; at--)
			pile[at] = pile[at - 1];
		pile[at] = value;
	}
	return pile[5];
}

static u64 twice(u64 x) { return 2 * x; }
static u64 third(u64 x) { return x / 3; }
static u64 flip(u64 x) { return ~x; }
static u64 (*const volatile calls[4])(u64) = { twice, third, flip, third };

static void mix(struct work *w)
{
	u64 sum = 0, all = 0;

	for (u32 round = 0; round < rounds; round++) {
		u64 x = xorshift(&w->seed);

		w->from[round % WORDS] = x;
		copy(w->to, w->from);
		sum += fnv((const u8 *)w->to, 64);
		sum += walk(w->list) + search(w->sorted, x >> 40) + fib(8) + sort(w->pile, x);
		for (int i = 0; i < 8; i++)
			sum = calls[i % 4](sum);
		all ^= sum + round;
		asm volatile("lock xaddq %0, %1" : "+r"(all), "+m"(w->seed));
		all &= 0xffffffff;
	}
	asm volatile("lock addq %1, %0" : "+m"(checksum) : "r"(sum ^ all));
}

static void prepare(struct work *w, u32 core)
{
	w->seed = 88172645463325252ul + core;
	for (int i = 0; i < 64; i++)
		w->sorted[i] = (u64)i << 18;
	for (int i = 0; i < 24; i++) {
		w->list[i].value = i * 7 + core;
		w->list[i].next = i < 23 ? &w->list[i + 1] : 0;
	}
}

void core_main(u32 core)
{
	prepare(&work[core], core);
	if (core == 0) {
		LAPIC(0xf0) = 0x1ff;
		LAPIC(0x300) = 0xc4500;		/* INIT to all others */
		LAPIC(0x300) = 0xc4608;		/* start-up at 0x8000 */
		while (ready != CORES - 1)
			asm volatile("pause");
		say("start\n");
		go = 1;
	} else {
		asm volatile("lock incl %0" : "+m"(ready));
		while (!go)
			asm volatile("pause");
	}
	mix(&work[core]);
	asm volatile("lock incl %0" : "+m"(done));
	if (core != 0)
		return;
	while (done != CORES)
		asm volatile("pause");
	say("end ");
	for (int i = 60; i >= 0; i -= 4)
		out(0x3f8, "0123456789abcdef"[checksum >> i & 15]);
	say("\n");
	out(0xf4, 0);
}
