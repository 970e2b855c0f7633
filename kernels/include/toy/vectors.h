/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupt vectors. The numbers are those of Linux. */
#ifndef VECTORS_H
#define VECTORS_H

#define X86_TRAP_DE	0
#define X86_TRAP_DB	1
#define X86_TRAP_NMI	2
#define X86_TRAP_BP	3
#define X86_TRAP_OF	4
#define X86_TRAP_BR	5
#define X86_TRAP_UD	6
#define X86_TRAP_NM	7
#define X86_TRAP_DF	8
#define X86_TRAP_TS	10
#define X86_TRAP_NP	11
#define X86_TRAP_SS	12
#define X86_TRAP_GP	13
#define X86_TRAP_PF	14
#define X86_TRAP_MF	16
#define X86_TRAP_AC	17
#define X86_TRAP_MC	18
#define X86_TRAP_XF	19

#define LOCAL_TIMER_VECTOR	0xec
#define SYNC_CORE_VECTOR	0xfb
#define RESCHEDULE_VECTOR	0xfd
#define SPURIOUS_APIC_VECTOR	0xff

#define IST_DF		1		/* the only stack of its own: #DF */

#endif
