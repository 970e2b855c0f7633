/*
 * What a replacement may have, for tests of the reader of objects: fix.elf is this file, made by
 *	gcc -O2 -g -gdwarf-4 -ffreestanding -fno-pic -mcmodel=kernel -mgeneral-regs-only
 *	-fno-asynchronous-unwind-tables -fno-common -fcf-protection=none
 *	-ffile-prefix-map=$PWD/= -c -o fix.elf fix.c
 */
struct seq_file;
void seq_puts(struct seq_file *m, const char *s);
extern unsigned int cpus_online;

static const char *const words[] = { "one", "two" };
static unsigned long calls = 5;
static unsigned long zeroes[4];

int cmdline_proc_show(struct seq_file *m)
{
	zeroes[calls++ % 4]++;
	seq_puts(m, words[cpus_online % 2]);
	return 0;
}
