// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files whose text is made when they are read: inode->show puts it together,
 * into the reader's buffer. Reading on finds the end.
 */
#include <toy/defs.h>

void seq_putc(struct seq_file *m, char c)
{
	if (m->count < m->size)
		m->buf[m->count++] = c;
}

void seq_puts(struct seq_file *m, const char *s)
{
	size_t i = m->count;

	while (*s && i < m->size)
		m->buf[i++] = *s++;
	m->count = i;
}

notrace void seq_put_dec(struct seq_file *m, u64 v)
{
	char digits[20];
	int i = 0;

	do
		digits[i++] = '0' + v % 10;
	while (v /= 10);
	while (i)
		seq_putc(m, digits[--i]);
}

long seq_read(struct file *f, char *buf, size_t n)
{
	struct seq_file m = { .buf = buf, .size = n };
	int error;

	if (f->pos)
		return 0;
	error = f->inode->show(&m);
	if (error)
		return error;
	f->pos = m.count;
	return m.count;
}
