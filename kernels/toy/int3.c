// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's half of live patching: what a core does when it meets the cc of a
 * site that is just being rewritten. It acts out the instruction that will be
 * there, and goes on. See poke.h for the other half and for the rules.
 *
 * Any function of the kernel may be the one with the cc, so nothing here may
 * depend on any: no function with a site, but for int3_init() at the end, and no
 * calls out of this file but of panic(), which has none either, and for ring 3.
 */
#include <toy/defs.h>

#define INT3_INSN	0xcc
#define CALL_INSN	0xe8
#define JMP32_INSN	0xe9
#define JMP8_INSN	0xeb
#define RET_INSN	0xc3
#define JCC8_INSN	0x70		/* to 7f */

#define INT3_INSN_SIZE	1
#define CALL_INSN_SIZE	5

struct bp_patching_desc bp_desc;
struct text_poke_loc tp_vec[TP_VEC_MAX];
u32 int3_recheck;			/* int3=6.1 */

/* A reference keeps vec from being filled anew while it is read. */
static __always_inline struct bp_patching_desc *try_get_desc(void)
{
	int old = READ_ONCE(bp_desc.refs);

	do {
		if (old == 0)
			return NULL;
	} while (!__atomic_compare_exchange_n(&bp_desc.refs, &old, old + 1, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return &bp_desc;
}

static __always_inline void put_desc(struct bp_patching_desc *desc)
{
	asm volatile("lock decl %0" : "+m"(desc->refs) : : "memory");
}

static __always_inline u64 poke_addr(const struct text_poke_loc *tp)
{
	return (u64)_stext + (s64)tp->rel_addr;
}

/*
 * Halves the vector as Linux does, so that a vector out of order misses the
 * same entries: of [2000, 1000] the middle is 1000, and 2000 is never found.
 */
static __always_inline struct text_poke_loc *
find_poke(struct text_poke_loc *base, int n, u64 ip)
{
	while (n > 0) {
		struct text_poke_loc *tp = base + (n >> 1);

		if (ip == poke_addr(tp))
			return tp;
		if (ip > poke_addr(tp)) {
			base = tp + 1;
			n--;
		}
		n >>= 1;
	}
	return NULL;
}

static __always_inline void push(struct pt_regs *regs, u64 v)
{
	regs->sp -= 8;			/* into the gap of asm_exc_int3 */
	*(u64 *)regs->sp = v;
}

static __always_inline u64 pop(struct pt_regs *regs)
{
	u64 v = *(u64 *)regs->sp;

	regs->sp += 8;
	return v;
}

/* The low bit of a condition negates it. */
static __always_inline bool condition(u8 cc, u64 flags)
{
	bool sf_ne_of = !(flags & X86_EFLAGS_SF) != !(flags & X86_EFLAGS_OF);
	bool met;

	switch (cc >> 1 & 7) {
	case 0: met = flags & X86_EFLAGS_OF; break;
	case 1: met = flags & X86_EFLAGS_CF; break;
	case 2: met = flags & X86_EFLAGS_ZF; break;
	case 3: met = flags & (X86_EFLAGS_CF | X86_EFLAGS_ZF); break;
	case 4: met = flags & X86_EFLAGS_SF; break;
	case 5: met = flags & X86_EFLAGS_PF; break;
	case 6: met = sf_ne_of; break;
	default: met = sf_ne_of || (flags & X86_EFLAGS_ZF); break;
	}
	return met != (cc & 1);
}

/* 1: it was a site of the batch and regs stand behind its new instruction. */
noinstr int poke_int3_handler(struct pt_regs *regs)
{
	struct bp_patching_desc *desc;
	struct text_poke_loc *tp;
	u64 ip, next;
	int consumed = 1;

	if (user_mode(regs))
		return 0;

	/*
	 * The cc was seen, so refs is seen to be 1: x86 keeps loads in order,
	 * and the compiler must not turn them round either.
	 */
	barrier();
	desc = try_get_desc();
	if (!desc)
		return 0;

	ip = regs->ip - INT3_INSN_SIZE;
	tp = find_poke(desc->vec, desc->nr_entries, ip);
	if (!tp) {
		put_desc(desc);
		return 0;
	}

	next = ip + tp->len;
	switch (tp->opcode) {
	case INT3_INSN:
		consumed = 0;		/* somebody else wants to hear of it */
		break;
	case RET_INSN:
		regs->ip = pop(regs);
		break;
	case CALL_INSN:
		push(regs, ip + CALL_INSN_SIZE);
		regs->ip = next + tp->disp;
		break;
	case JMP32_INSN:
	case JMP8_INSN:			/* nops are jumps to the next instruction */
		regs->ip = next + tp->disp;
		break;
	case JCC8_INSN ... JCC8_INSN + 15:
		regs->ip = next + (condition(tp->opcode, regs->flags) ? tp->disp : 0);
		break;
	default:
		panic("int3: opcode %x in the vector at %lx", tp->opcode, ip);
	}
	put_desc(desc);
	return consumed;
}

noinstr void int3_unhandled(struct pt_regs *regs)
{
	panic("int3: unhandled at %lx on cpu %d", regs->ip - INT3_INSN_SIZE, this_cpu()->id);
}

/*
 * What kprobe_int3_handler() did up to Linux 6.1, and commit 8e791f7eba4c took
 * out: if nobody knows the int3, and it is no longer there, whoever made it has
 * taken it away meanwhile, so the instruction is begun anew. This also hides
 * that a core was still on its way to a handler when the site was done.
 */
noinstr int int3_vanished(struct pt_regs *regs)
{
	const u8 *site = (u8 *)(regs->ip - INT3_INSN_SIZE);

	if (!int3_recheck || user_mode(regs) || *site == INT3_INSN)
		return 0;
	regs->ip = (u64)site;
	return 1;
}

/* First the patcher: to ask anybody else may be to run into its breakpoints. */
noinstr void exc_int3(struct pt_regs *regs)
{
	if (poke_int3_handler(regs) || int3_vanished(regs))
		return;
	if (user_mode(regs))
		exc_fault(regs, X86_TRAP_BP);
	int3_unhandled(regs);
}

void int3_init(void)
{
	if (cmdline_has("int3=6.1"))
		int3_recheck = 1;
	else if (cmdline_find("int3") && !cmdline_has("int3=6.12"))
		panic("panic: int3 is 6.1 or 6.12, not what the command line says");
}
