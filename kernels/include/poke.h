/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * poke.h - what a kernel provides so that textpoke can rewrite its functions
 * while it runs.
 *
 * Nothing here is called from outside. The patcher finds everything by ELF
 * symbol and reads the layouts from DWARF, so link with symbols and -g. The
 * patcher is not a core: it executes nothing in the guest. It stores to guest
 * physical memory from outside, and it injects one interrupt. Where an address
 * lies it asks the page tables that core 0 uses at the moment, so whatever is
 * named here is mapped in all of them, also while a process runs.
 *
 * The file is ELF for x86-64 and boots by PVH: a note "Xen" of type 18 has the
 * 32-bit entry, and segments are loaded at their p_paddr.
 *
 * HOW ONE BATCH OF SITES IS REWRITTEN (P: patcher, C: every core)
 *
 *   arm    P  fills tp_vec[0..n), then stores bp_desc.vec = tp_vec, then
 *             bp_desc.nr_entries = n, and only then bp_desc.refs = 1
 *   int3   P  saves the first byte of every site in .old and stores cc there.
 *          C  a core that reaches a site takes #BP; its handler acts out the
 *             NEW instruction, so the new behaviour begins here
 *   sync1  P  interrupts every core, waits until all have serialised
 *   tail   P  stores bytes 1.. of the new instructions, behind the cc
 *   sync2  P  as sync1
 *   head   P  stores byte 0 of the new instructions
 *   sync3  P  as sync1; after it no core can meet a cc of this batch, and
 *             none is still inside the handler because of one
 *   drain  P  decrements bp_desc.refs, atomically, and waits for it to be 0.
 *             Then no handler reads vec any more and it may be filled again
 *
 * One batch at a time. vec must ascend by address, for the handler searches it
 * by halving; a vector out of order makes the handler miss entries that are in
 * it, which is a way to crash and not a way to be slow.
 *
 * A batch may begin when cpus_running equals cpus_online. No core may come
 * online during one.
 */
#ifndef POKE_H
#define POKE_H

/* A kernel that has its own u8 to u64 and s32 defines POKE_HAVE_TYPES. */
#ifndef POKE_HAVE_TYPES
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef signed int s32;
#endif

#define POKE_MAX_CPUS			8
#define TP_VEC_MAX			256
#define TEXT_POKE_MAX_OPCODE_SIZE	5

/*
 * One site of a batch. P writes all of it before refs becomes 1, except .old,
 * which P writes in phase int3; the handler only reads it, and never .old.
 *
 * opcode and disp say what the handler acts out, normally the new instruction:
 *
 *   to become          opcode     len    disp
 *   nop5, jmp rel32    e9         5      0 for the nop
 *   nop2, jmp rel8     eb         2      0 for the nop
 *   call rel32         e8         5      as encoded
 *   ret                c3         1..5   - (bytes after c3 are cc)
 *   jcc rel8           70 to 7f   2      as encoded
 *   jcc rel32          70 to 7f   6      as encoded; the 0f is not in .text
 *   int3               cc         1      - (not ours: the handler declines)
 *
 * disp counts from the end of the instruction, that is from address + len.
 */
struct text_poke_loc {
	s32 rel_addr;				/* site address minus _stext */
	s32 disp;
	u8 len;
	u8 opcode;
	u8 text[TEXT_POKE_MAX_OPCODE_SIZE];	/* the new bytes */
	u8 old;					/* the first byte before */
};

_Static_assert(sizeof(struct text_poke_loc) == 16, "the patcher writes these");

/*
 * What the handler consults. refs is 0 when there is no batch. The handler
 * takes a reference by an atomic increment that does not start from 0, looks
 * at vec and nr_entries only while it holds one, and drops it by an atomic
 * decrement. The patcher's own reference is the 1 it stored.
 */
struct bp_patching_desc {
	struct text_poke_loc *vec;
	int nr_entries;
	int refs;
};

extern struct bp_patching_desc bp_desc;
extern struct text_poke_loc tp_vec[TP_VEC_MAX];

/*
 * THE BREAKPOINT HANDLER
 *
 * #BP has a gate that clears IF: sync3 relies on a core inside the handler
 * not taking the IPI before it leaves. Nothing on the way from the gate back
 * to IRET may be a patchable function, or the handler would need itself:
 * compile it with no_instrument_function, call nothing that is instrumented.
 * Before anything else it asks poke_int3_handler():
 *
 *   1. from ring 3, or no reference to be had: not ours, return 0;
 *   2. search vec for (rip - 1): the middle element is vec[n >> 1];
 *      to its right n becomes (n - 1) >> 1, to its left n >> 1;
 *      not found, or opcode cc: drop the reference, return 0;
 *   3. act: jmp, jcc: rip = address + len [+ disp]; ret: pop rip from the
 *      interrupted stack; call: push address + 5 on the interrupted stack,
 *      rip = address + 5 + disp;
 *   4. drop the reference, return 1, IRET.
 *
 * If it returned 0, other users of int3 may be asked, and at last
 * int3_unhandled() must be called. textpoke watches that symbol: to arrive
 * there is to have crashed.
 *
 * THE GAP. The CPU pushed its frame directly below the interrupted RSP (after
 * rounding down to 16), which is where an acted-out CALL must push its return
 * address. So for #BP from ring 0 the entry code copies the frame 6 words
 * lower first and works on the copy; the push then lands in the gap. 6 words
 * are the frame (rip cs rflags rsp ss) and the error code slot, and they keep
 * the alignment.
 */
struct pt_regs;
int poke_int3_handler(struct pt_regs *regs);
void int3_unhandled(struct pt_regs *regs) __attribute__((noreturn));

/*
 * THE IPI. P stores 1 to sync_core_pending[i] for each core it wants, then
 * raises sync_core_vector at those cores, then waits until all words are 0.
 * The handler of core i executes a serialising instruction (IRET, CPUID or
 * SERIALIZE; taking the interrupt is not one) and only THEN stores 0 to its
 * own word. It must not store 0 in any other place. i is the index of the
 * core, which is also its APIC id. The IPI is maskable: cores must not wait
 * for one another with IF clear for long.
 */
extern u32 sync_core_pending[POKE_MAX_CPUS];
extern const u8 sync_core_vector;

/*
 * cpus_online: cores that were started, final before cpus_running is not 0.
 * cpus_running: those of them that have reached their first task. A core
 * counts itself once, atomically, when its IDT, its APIC and the handlers
 * above are in place.
 */
extern u32 cpus_online;
extern u32 cpus_running;

/*
 * THE SITES. Compile with -pg -mfentry -mrecord-mcount -mnop-mcount: every
 * function then begins with the 5-byte nop 0f 1f 44 00 00, and its address is
 * in the table between these symbols. Link the table in ascending order. All
 * sites lie in [_stext, _etext). Without -mnop-mcount the sites are calls and
 * the kernel must make them nops before cpus_running is set.
 */
extern const u64 __start_mcount_loc[], __stop_mcount_loc[];
extern const u8 _stext[], _etext[];

/*
 * Room for trampolines and replacement functions, which P writes. Whole pages,
 * executable, not writable by the kernel, filled with cc when the kernel was
 * linked, within 2 GiB of the text so that rel32 reaches. The kernel never
 * uses it. At least 4096 bytes; a batch of 300 functions takes 16384.
 */
extern u8 poke_arena[], poke_arena_end[];

/*
 * OPTIONAL: room for the variables of replacements, which P writes once and
 * replacements use. Not executable, writable by the kernel, which never uses
 * it, zero when the kernel was linked, within 2 GiB of the text. Without it a
 * replacement can have no variables of its own.
 */
extern u8 poke_data[], poke_data_end[];

/*
 * OPTIONAL: an empty function that a core calls when it goes from one task to
 * another, interrupts off, just before it does: Linux's tracepoint sched_switch
 * (include/trace/events/sched.h). preempt: the core is taken from prev.
 * prev_state: 0 if prev could go on, so that with preempt false it is 0 of who
 * gave up the core, and not 0 of who waits or has ended. Tasks are told by their
 * addresses. It has no site: notrace, noinline, and an asm("") that keeps it from
 * being optimised away. Without it nobody can say when a core changed its task.
 *
 *   void trace_sched_switch(bool preempt, struct task *prev, struct task *next,
 *			     unsigned int prev_state);
 */

/*
 * OPTIONAL, found by DWARF only, member by member; what is missing is merely not
 * shown. First the names, then what a list of tasks tells, then stacks:
 *
 *   struct cpu  { ... struct task *current; ... };
 *   struct cpu  cpus[POKE_MAX_CPUS];
 *   struct task { ... char comm[16]; int pid; ... };
 *
 *   struct task tasks[];		all there can be
 *   struct task {
 *	enum task_state state;		TASK_UNUSED is none, TASK_DEAD has ended: another
 *					may get its descriptor; names are shown
 *	int cpu;			where it runs
 *	int on_rq;			0: it blocks
 *	u64 nvcsw, nivcsw;		times it gave up the core, and lost it
 *
 *	u64 stack, stack_end;		its kernel stack: lowest byte, behind the last
 *	u64 sp;				of a task without a core: rsp at switch_to_resume
 *	u64 cr3;			its page tables; 0: the kernel's
 *   };
 *
 * switch_to_resume is the label in the function that switches stacks where a
 * task goes on when it gets a core. Stacks are walked by .debug_frame; assembly
 * needs .cfi directives (.cfi_sections .debug_frame), true at every instruction:
 * .cfi_signal_frame and a rule for rsp where an interrupt or a system call enters,
 * .cfi_undefined rip where a stack ends. From ring 3 the same rules lead to the
 * user's rip and rsp.
 *
 * RECOMMENDED: map text read-only, data and stacks not executable (stores to
 * pages that may be executed are several times slower in the emulator), and
 * set the accessed and dirty bits in every page table entry beforehand, so
 * that no core ever writes to a page table by merely running.
 */
#endif
