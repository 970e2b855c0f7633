// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/counter: counts what is written, reads as 8 bytes. Each core counts on
 * its own line of memory, and by one instruction, which no interrupt divides.
 */
#include <toy/defs.h>

static struct {
	u64 n;
} __aligned(64) counters[MAX_CPUS];

void counter_add(u64 n)
{
	asm volatile("addq %1, %0" : "+m"(counters[this_cpu()->id].n) : "er"(n));
}

u64 counter_sum(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < cpus_online; i++)
		sum += READ_ONCE(counters[i].n);
	return sum;
}

long counter_read(struct file *f, char *buf, size_t n)
{
	u64 sum = counter_sum();

	(void)f;
	if (n < sizeof(sum))
		return -EINVAL;
	memcpy(buf, &sum, sizeof(sum));
	return sizeof(sum);
}

long counter_write(struct file *f, const char *buf, size_t n)
{
	(void)f;
	(void)buf;
	counter_add(n);
	return n;
}

const struct file_operations counter_fops = {
	.read = counter_read,
	.write = counter_write,
};
