/* SPDX-License-Identifier: GPL-2.0-only */
/* Where programs begin: addresses of ring 3, for exec.c. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

void user_start(void);			/* crt.S */
int user_main(long arg);
int child_main(long arg);
int usertest_main(long arg);
int fault_main(long arg);

#endif
