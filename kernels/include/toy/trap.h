/* SPDX-License-Identifier: GPL-2.0-only */
/* Entry points of entry.S, and the exception a test may expect. */
#ifndef TRAP_H
#define TRAP_H

#include "ptregs.h"
#include "vectors.h"

#define MAX_STEPS 8

/* One at a time, whichever core meets it. */
struct fixup {
	u64 at;				/* in: this instruction will fault; 0: none */
	u64 to;				/* in: go on here */
	int vector;			/* out */
	u64 error, cr2;			/* out */

	int steps;			/* in: this many #DB, counted down */
	u64 step_ip[MAX_STEPS];		/* out: the last one first */
};

extern struct fixup fixup;

/* Who is killed by an exception has exited with this plus the vector. */
#define EXIT_KILLED 256

extern bool show_unhandled_signals;	/* a line for each of them */

void asm_exc_divide_error(void);
void asm_exc_debug(void);
void asm_exc_nmi(void);
void asm_exc_int3(void);
void asm_exc_overflow(void);
void asm_exc_bounds(void);
void asm_exc_invalid_op(void);
void asm_exc_device_not_available(void);
void asm_exc_double_fault(void);
void asm_exc_invalid_tss(void);
void asm_exc_segment_not_present(void);
void asm_exc_stack_segment(void);
void asm_exc_general_protection(void);
void asm_exc_page_fault(void);
void asm_exc_coprocessor_error(void);
void asm_exc_alignment_check(void);
void asm_exc_machine_check(void);
void asm_exc_simd_coprocessor_error(void);
void asm_sysvec_apic_timer(void);
void asm_sysvec_sync_core(void);
void asm_sysvec_reschedule(void);
void asm_sysvec_spurious_apic(void);

#endif
