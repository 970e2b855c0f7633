// SPDX-License-Identifier: GPL-2.0-only
/* The commands, as find_command() and help know them. */
#include "init.h"

#define ANY WORDS_MAX

static const struct command commands[] = {
	{ "echo", 0, ANY, do_echo, "echo TEXT [> FILE | >> FILE]",
	  "say it, or write it to a file, with one write and a newline" },
	{ "cat", 1, ANY, do_cat, "cat FILE...", "show files" },
	{ "head", 2, 2, do_head, "head N FILE", "its first N lines" },
	{ "grep", 2, 2, do_grep, "grep TEXT FILE", "its lines that contain TEXT" },
	{ "count", 1, 2, do_count, "count FILE [TEXT]",
	  "how many lines it has, or how many contain TEXT" },
	{ "ls", 1, 1, do_ls, "ls FOLDER", "names in a folder, sorted" },
	{ "cd", 1, 1, do_cd, "cd FOLDER", "names of files begin here from now on" },
	{ "mkdir", 1, 1, do_mkdir, "mkdir FOLDER", "make a folder" },
	{ "rmdir", 1, 1, do_rmdir, "rmdir FOLDER", "remove an empty folder" },
	{ "dmesg", 0, 1, do_dmesg, "dmesg [TEXT]",
	  "the kernel's messages, or those that contain TEXT" },
	{ "uptime", 0, 0, do_uptime, "uptime", "seconds since the start, to the nanosecond" },
	{ "insmod", 1, ANY, do_insmod, "insmod FILE [PARAMETER=VALUE...]", "load a module" },
	{ "rmmod", 1, 1, do_rmmod, "rmmod NAME", "unload a module" },
	{ "sleep", 1, 1, do_sleep, "sleep SECONDS", "0.25 is a quarter of one" },
	{ "wait", 2, 2, do_wait, "wait FILE TEXT | wait gone FILE",
	  "until FILE contains TEXT, or is not there" },
	{ "patience", 1, 1, do_patience, "patience SECONDS", "of wait, before it fails; 30" },
	{ "expect", 2, 3, do_expect, "expect FILE TEXT | expect not FILE TEXT | expect gone FILE",
	  "fail unless it is so now" },
	{ "fail", 0, ANY, do_fail, "fail [TEXT]", "end the script as an error does" },
	{ "kill", 1, 1, do_kill, "kill NAME", "end a process that spawn began" },
	{ "join", 1, 1, do_join, "join NAME", "wait until it ends; its failure is ours" },
	{ "run", 1, ANY, do_run, "run PROGRAM [WORD...]", "a program of yours; it must exit with 0" },
	{ "cpu", 1, 1, do_cpu, "cpu N", "run on CPU N from now on; any: on all of them" },
	{ "getpid", 1, 1, do_getpid, "getpid N", "N times a system call that does nothing" },
	{ "fork", 1, 1, do_fork, "fork N", "N times a child that exits at once" },
	{ "exec", 1, 1, do_exec, "exec N", "the same, and the child executes a program" },
	{ "read", 1, 2, do_read, "read FILE [N]", "read a file N times, and show nothing" },
	{ "prompt", 0, 0, do_prompt, "prompt", "commands from the console, until Ctrl-D" },
	{ "poweroff", 0, 1, do_poweroff, "poweroff [STATUS]", "switch the machine off" },
	{ "help", 0, 0, do_help, "help", "this list" },
};

const struct words *current_words;

static const struct command *const last = commands + sizeof(commands) / sizeof(*commands);

const struct command *find_command(const char *name)
{
	const struct command *command;

	for (command = commands; command < last; command++)
		if (same(name, command->name))
			return command;
	return NULL;
}

/* The words from first on are a command that check_script() has seen. */
int run_command(const struct words *words, int first)
{
	const struct command *command = find_command(words->at[first]);
	int status;

	current_words = words;
	status = command->run(words->count - first - 1, (char **)words->at + first + 1);
	flush();
	return status;
}

static void help(const char *usage, const char *purpose)
{
	size_t n = length(usage);

	put(usage);
	if (n >= 36) {
		put("\n");
		n = 0;
	}
	for (; n < 36; n++)
		put(" ");
	put(purpose);
	put("\n");
}

int do_help(int count, char **words)
{
	const struct command *command;

	(void)count;
	(void)words;
	for (command = commands; command < last; command++)
		help(command->usage, command->purpose);
	help("try COMMAND", "its error does not end the script");
	help("repeat [N | cpus]", "the lines up to end: N times, once a CPU, for ever; $i counts from 0");
	help("spawn NAME", "the lines up to end, in a process of their own");
	return 0;
}
