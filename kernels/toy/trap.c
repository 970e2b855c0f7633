// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IDT, and exceptions. The kernel causes none by itself, so one means
 * panic, unless a test has said beforehand where it expects it. A process that
 * causes one is killed.
 */
#include <toy/defs.h>

struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_mid;
	u32 offset_high, zero;
};

static struct gate idt[256] __aligned(PAGE_SIZE);

struct fixup fixup;
bool show_unhandled_signals = true;

static const char *const names[32] = {
	[X86_TRAP_DE] = "divide error",
	[X86_TRAP_DB] = "debug",
	[X86_TRAP_NMI] = "nmi",
	[X86_TRAP_BP] = "int3",
	[X86_TRAP_OF] = "overflow",
	[X86_TRAP_BR] = "bounds",
	[X86_TRAP_UD] = "invalid opcode",
	[X86_TRAP_NM] = "device not available",
	[X86_TRAP_DF] = "double fault",
	[X86_TRAP_TS] = "invalid tss",
	[X86_TRAP_NP] = "segment not present",
	[X86_TRAP_SS] = "stack segment",
	[X86_TRAP_GP] = "general protection",
	[X86_TRAP_PF] = "page fault",
	[X86_TRAP_MF] = "x87 error",
	[X86_TRAP_AC] = "alignment check",
	[X86_TRAP_MC] = "machine check",
	[X86_TRAP_XF] = "simd error",
};

static void set_gate(int vector, void (*entry)(void), int ist)
{
	u64 offset = (u64)entry;

	idt[vector] = (struct gate){
		.offset_low = offset,
		.offset_mid = offset >> 16,
		.offset_high = offset >> 32,
		.selector = KERNEL_CS,
		.ist = ist,
		.type = 0x8e,		/* present, ring 0, clears IF */
	};
}

void trap_init(void)
{
	set_gate(X86_TRAP_DE, asm_exc_divide_error, 0);
	set_gate(X86_TRAP_DB, asm_exc_debug, 0);
	set_gate(X86_TRAP_NMI, asm_exc_nmi, 0);
	set_gate(X86_TRAP_BP, asm_exc_int3, 0);
	idt[X86_TRAP_BP].type |= 3 << 5;	/* ring 3 may, too */
	set_gate(X86_TRAP_OF, asm_exc_overflow, 0);
	set_gate(X86_TRAP_BR, asm_exc_bounds, 0);
	set_gate(X86_TRAP_UD, asm_exc_invalid_op, 0);
	set_gate(X86_TRAP_NM, asm_exc_device_not_available, 0);
	set_gate(X86_TRAP_DF, asm_exc_double_fault, IST_DF);
	set_gate(X86_TRAP_TS, asm_exc_invalid_tss, 0);
	set_gate(X86_TRAP_NP, asm_exc_segment_not_present, 0);
	set_gate(X86_TRAP_SS, asm_exc_stack_segment, 0);
	set_gate(X86_TRAP_GP, asm_exc_general_protection, 0);
	set_gate(X86_TRAP_PF, asm_exc_page_fault, 0);
	set_gate(X86_TRAP_MF, asm_exc_coprocessor_error, 0);
	set_gate(X86_TRAP_AC, asm_exc_alignment_check, 0);
	set_gate(X86_TRAP_MC, asm_exc_machine_check, 0);
	set_gate(X86_TRAP_XF, asm_exc_simd_coprocessor_error, 0);
	set_gate(LOCAL_TIMER_VECTOR, asm_sysvec_apic_timer, 0);
	set_gate(SYNC_CORE_VECTOR, asm_sysvec_sync_core, 0);
	set_gate(RESCHEDULE_VECTOR, asm_sysvec_reschedule, 0);
	set_gate(SPURIOUS_APIC_VECTOR, asm_sysvec_spurious_apic, 0);
}

/* Each core. */
void trap_load(void)
{
	struct { u16 limit; u64 base; } __attribute__((packed)) idtr = {
		sizeof(idt) - 1, (u64)idt
	};

	asm volatile("lidt %0" : : "m"(idtr));
}

/* Interrupts were on, as always in ring 3. */
static void kill(struct pt_regs *regs, int vector)
{
	sti();
	if (show_unhandled_signals)
		printk("%s[%d]: %s at %lx\n", current()->comm, current()->pid, names[vector],
		       regs->ip);
	do_exit(EXIT_KILLED + vector);
}

void exc_fault(struct pt_regs *regs, int vector)
{
	if (user_mode(regs))
		kill(regs, vector);
	if (fixup.at && regs->ip == fixup.at) {
		fixup.vector = vector;
		fixup.error = regs->orig_ax;
		fixup.cr2 = vector == X86_TRAP_PF ? read_cr2() : 0;
		fixup.at = 0;
		regs->ip = fixup.to;
		return;
	}
	panic("panic: %s at %lx error %lx cr2 %lx cpu %d", names[vector], regs->ip,
	      regs->orig_ax, read_cr2(), this_cpu()->id);
}

/* Single steps, for as long as a test wants them. */
void exc_debug(struct pt_regs *regs, int vector)
{
	if (user_mode(regs) || !fixup.steps) {
		exc_fault(regs, vector);
		return;
	}
	fixup.step_ip[--fixup.steps] = regs->ip;
	if (!fixup.steps)
		regs->flags &= ~(u64)X86_EFLAGS_TF;
}
