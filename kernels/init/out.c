// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is said on the console. It is gathered and written at once, so that the
 * lines of two processes do not mix, and few system calls are made. It has left
 * the terminal before anything else happens (tcdrain), or what the kernel says by
 * itself would overtake it: printk() does not use the terminal's buffer.
 */
#include "init.h"

const char *job_name;	/* of the process this is, if it is not init itself */

static char gathered[4096];
static size_t used;

void flush(void)
{
	size_t done = 0;

	while (done < used) {
		long n = SYS3(write, 1, gathered + done, used - done);

		if (n <= 0 && n != -EINTR && n != -EAGAIN)
			break;		/* no console: nobody to tell */
		if (n > 0)
			done += (size_t)n;
	}
	if (used)
		SYS3(ioctl, 1, TCSBRK, 1);
	used = 0;
}

void put_bytes(const char *bytes, size_t n)
{
	while (n--) {
		if (used == sizeof(gathered))
			flush();
		gathered[used++] = *bytes++;
	}
}

void put(const char *text)
{
	put_bytes(text, length(text));
}

void put_number(long value)
{
	char buffer[24];

	put(decimal(value, buffer));
}

/* "init: script line 7: insmod /lp.ko: No such file or directory"; returns -1. */
int fail(const char *what, const char *why)
{
	flush();
	put("init: ");
	if (current_line) {
		put(current_script->name);
		put(" line ");
		put_number(current_line);
		put(": ");
	}
	if (job_name) {
		put("in ");
		put(job_name);
		put(": ");
	}
	put(what);
	if (why) {
		put(": ");
		put(why);
	}
	put("\n");
	flush();
	return -1;
}

/* The names that C libraries give to the errors a script is likely to meet. */
static const char *const names[] = {
	[1] = "Operation not permitted",
	[2] = "No such file or directory",
	[3] = "No such process",
	[5] = "Input/output error",
	[6] = "No such device or address",
	[7] = "Argument list too long",
	[8] = "Exec format error",
	[9] = "Bad file descriptor",
	[10] = "No child processes",
	[11] = "Resource temporarily unavailable",
	[12] = "Cannot allocate memory",
	[13] = "Permission denied",
	[14] = "Bad address",
	[16] = "Device or resource busy",
	[17] = "File exists",
	[19] = "No such device",
	[20] = "Not a directory",
	[21] = "Is a directory",
	[22] = "Invalid argument",
	[28] = "No space left on device",
	[30] = "Read-only file system",
	[38] = "Function not implemented",
	[95] = "Operation not supported",
};

/* error is -errno. */
int fail_errno(const char *what, long error)
{
	char text[40] = "error ", digits[24];
	const char *s = decimal(-error, digits);
	size_t n = length(text);

	if (-error > 0 && -error < (long)(sizeof(names) / sizeof(*names)) && names[-error])
		return fail(what, names[-error]);
	memcpy(text + n, s, length(s) + 1);
	return fail(what, text);
}
