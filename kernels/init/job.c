// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that a script begins, by name. A process ends with the one that
 * began it (PR_SET_PDEATHSIG), so that kill leaves nothing behind.
 */
#include "init.h"

#define JOBS 64
#define NAME_MAX 32
#define RUNS (-1L)

struct job {
	char name[NAME_MAX];	/* empty: no job */
	long pid;
	long status;		/* as wait4() tells it, or RUNS */
};

long cpus;

static struct job jobs[JOBS];
static unsigned long allowed[128];	/* a bit for each CPU, 8192 of them */

static struct job *find_job(const char *name)
{
	struct job *job;

	for (job = jobs; job < jobs + JOBS; job++)
		if (same(job->name, name))
			return job;
	return NULL;
}

/* What kill and join work on; NULL having said that there is none. */
static struct job *known_job(const char *name)
{
	struct job *job = *name ? find_job(name) : NULL;

	if (!job)
		fail(name, "no process has this name; spawn gives it");
	return job;
}

static void note_end(long pid, int status)
{
	struct job *job;

	for (job = jobs; job < jobs + JOBS; job++)
		if (job->name[0] && job->pid == pid && job->status == RUNS)
			job->status = status;
}

/* All that have ended: init is the parent of whoever has none, too. */
void reap(void)
{
	int status = 0;
	long pid;

	while ((pid = SYS4(wait4, -1, &status, WNOHANG, 0)) > 0)
		note_end(pid, status);
}

static long wait_for(struct job *job)
{
	while (job->status == RUNS) {
		int status = 0;
		long pid = SYS4(wait4, -1, &status, 0, 0);

		if (pid > 0)
			note_end(pid, status);
		else if (pid != -EINTR)
			job->status = 0xff00;
	}
	return job->status;
}

/* 0 if a process exited with 0; otherwise says how it ended. */
int ended(const char *what, long status)
{
	char text[32] = "killed by signal ", digits[24];
	const char *s = decimal(status & 0x7f ? status & 0x7f : status >> 8, digits);

	if (!status)
		return 0;
	if (!(status & 0x7f))
		memcpy(text, "exit status ", 13);
	memcpy(text + length(text), s, length(s) + 1);
	return fail(what, text);
}

int spawn(const char *name, const struct script *script, int from, int to)
{
	struct job *job = find_job("");
	int i;

	if (!name[0] || length(name) >= NAME_MAX)
		return fail(name, "a name of a process has 1 to 31 bytes");
	if (find_job(name))
		return fail(name, "a process has this name; join or kill frees it");
	if (!job)
		return fail(name, "too many processes");
	flush();
	job->pid = SYS0(fork);
	if (job->pid < 0)
		return fail_errno("fork", job->pid);
	memcpy(job->name, name, length(name) + 1);
	job->status = RUNS;
	if (job->pid)
		return 0;
	SYS2(prctl, PR_SET_PDEATHSIG, SIGKILL);
	job_name = job->name;
	for (i = 0; i < JOBS; i++)
		if (jobs + i != job)
			jobs[i].name[0] = 0;
	job->pid = 0;
	i = run_lines(script, from, to);
	flush();
	SYS1(exit, i ? 1 : 0);
	return -1;
}

int do_kill(int count, char **words)
{
	struct job *job = known_job(words[0]);

	(void)count;
	if (!job)
		return -1;
	if (job->status == RUNS)
		SYS2(kill, job->pid, SIGKILL);
	wait_for(job);
	job->name[0] = 0;
	return 0;
}

int do_join(int count, char **words)
{
	struct job *job = known_job(words[0]);

	(void)count;
	if (!job)
		return -1;
	wait_for(job);
	job->name[0] = 0;
	return ended(words[0], job->status);
}

int do_run(int count, char **words)
{
	int status = 0;
	long pid, error;

	(void)count;
	flush();
	pid = SYS0(fork);
	if (pid < 0)
		return fail_errno("fork", pid);
	if (!pid) {
		SYS2(prctl, PR_SET_PDEATHSIG, SIGKILL);
		error = SYS3(execve, words[0], words, environment);
		fail_errno(words[0], error);
		SYS1(exit, 127);
	}
	while ((error = SYS4(wait4, -1, &status, 0, 0)) != pid) {
		if (error > 0)
			note_end(error, status);
		else if (error != -EINTR)
			return fail_errno(words[0], error);
	}
	return ended(words[0], status);
}

long count_cpus(void)
{
	long bytes = SYS3(sched_getaffinity, 0, sizeof(allowed), allowed), i, n = 0;

	for (i = 0; i < bytes * 8; i++)
		n += allowed[i / 64] >> (i % 64) & 1;
	return n;
}

int do_cpu(int count, char **words)
{
	unsigned long mask[128] = { 0 };
	bool any = same(words[0], "any");
	long n, error;

	(void)count;
	if (!any && (!number(words[0], &n) || n >= 8192))
		return fail("cpu", "which one?");
	if (!any)
		mask[n / 64] = 1UL << (n % 64);
	error = SYS3(sched_setaffinity, 0, sizeof(mask), any ? allowed : mask);
	return error < 0 ? fail_errno("cpu", error) : 0;
}
