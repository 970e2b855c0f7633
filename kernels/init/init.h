/* SPDX-License-Identifier: GPL-2.0-only */
/* All that the files of init know of each other, by file. */
#ifndef INIT_H
#define INIT_H

#include <stddef.h>
#include <stdbool.h>
#include "abi.h"

#define LINE_MAX	2048	/* bytes of a line, of a script and of a file that is searched */
#define WORDS_MAX	32

/* text.c */
size_t length(const char *s);
bool same(const char *a, const char *b);
bool contains(const char *line, const char *text);
bool number(const char *s, long *value);
bool seconds(const char *s, struct timespec *time);
const char *decimal(long value, char *buffer);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);

/* out.c */
extern const char *job_name;
void put(const char *text);
void put_bytes(const char *bytes, size_t n);
void put_number(long value);
void flush(void);
int fail(const char *what, const char *why);
int fail_errno(const char *what, long error);

/* file.c */
typedef bool (*line_function)(const char *line, void *data);
long each_line(const char *path, line_function function, void *data);
long copy_out(const char *path);
long read_through(const char *path);
long write_file(const char *path, int flags, const char *text, size_t n);
bool there(const char *path);
long file_contains(const char *path, const char *text);

/* words.c */
struct words {
	int count;
	char *at[WORDS_MAX + 1];	/* the last one is followed by NULL, as argv is */
	bool quoted[WORDS_MAX];
	char text[LINE_MAX];
};
bool split(const char *line, struct words *words);

/* script.c */
struct script {
	const char *name;	/* "script", or "console" */
	int lines, used;
	bool full;		/* a line had no place */
	const char *line[4096];
	char text[128 * 1024];
};
extern const struct script *current_script;
extern int current_line;	/* from 1; 0: nothing runs */
extern long current_round;	/* what $i is */
void empty_script(struct script *script, const char *name);
long load_script(struct script *script, const char *path);
bool add_line(struct script *script, const char *text, size_t n);
int depth(const struct script *script, int from, int to);
int check_script(const struct script *script, int from, int to);
int run_lines(const struct script *script, int from, int to);

/* commands.c: each gets its words behind the first one, and returns 0, or -1 having said why */
struct command {
	const char *name;
	int least, most;	/* how many words may follow */
	int (*run)(int count, char **words);
	const char *usage, *purpose;
};
const struct command *find_command(const char *name);
int run_command(const struct words *words, int first);
extern const struct words *current_words;	/* of the command that runs, all of them */

/* The commands, by file. */
int do_echo(int count, char **words);		/* show.c */
int do_cat(int count, char **words);
int do_head(int count, char **words);
int do_grep(int count, char **words);
int do_count(int count, char **words);
int do_ls(int count, char **words);
int do_dmesg(int count, char **words);
int do_uptime(int count, char **words);
int do_cd(int count, char **words);
int do_mkdir(int count, char **words);
int do_rmdir(int count, char **words);
int do_insmod(int count, char **words);		/* module.c */
int do_rmmod(int count, char **words);
int do_sleep(int count, char **words);		/* wait.c */
int do_wait(int count, char **words);
int do_patience(int count, char **words);
int do_expect(int count, char **words);
int do_fail(int count, char **words);
int do_kill(int count, char **words);		/* job.c */
int do_join(int count, char **words);
int do_run(int count, char **words);
int do_cpu(int count, char **words);
int do_getpid(int count, char **words);		/* load.c */
int do_fork(int count, char **words);
int do_exec(int count, char **words);
int do_read(int count, char **words);
int do_poweroff(int count, char **words);	/* power.c */
int do_help(int count, char **words);		/* commands.c */
int do_prompt(int count, char **words);		/* prompt.c */

/* job.c */
extern long cpus;	/* on which we may run: those that are online */
long count_cpus(void);
int spawn(const char *name, const struct script *script, int from, int to);
void reap(void);
int ended(const char *what, long status);

/* main.c */
extern char **environment;

#endif
