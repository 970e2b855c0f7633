// SPDX-License-Identifier: GPL-2.0-only
/* The other cores: started by INIT and start-up IPIs, then idle until there is something to do. */
#include "kernel.h"

#define WAKE 0xee

u32 cores;
volatile u32 starts[MAX_CORES], start_cs[MAX_CORES], start_cr0[MAX_CORES];
static action_t *volatile work[MAX_CORES];
extern const u8 trampoline[], trampoline_end[];

u32 this_core(void)
{
	return APIC(APIC_ID) >> 24;
}

static void apic_init(u32 core)
{
	traps_load();
	APIC(APIC_SVR) = 0x1ff;
	APIC(APIC_TPR) = 0;
	APIC(APIC_DFR) = 0xffffffff;
	APIC(APIC_LDR) = 1 << (24 + core);
	APIC(APIC_LINT0) = core ? 0x10700 : 0x700;
	APIC(APIC_LINT1) = 0x10400;
}

/* Called by the trampoline. */
void ap_main(u32 core, u32 cs, u32 cr0)
{
	apic_init(core);
	start_cs[core] = cs;
	start_cr0[core] = cr0;
	__atomic_fetch_add(&starts[core], 1, __ATOMIC_SEQ_CST);
	for (;;) {
		cli();
		if (work[core]) {
			work[core]();
			work[core] = 0;
		}
		asm volatile("sti; hlt" : : : "memory");
	}
}

void send_ipi(u32 destination, u32 command)
{
	APIC(APIC_ICR2) = destination << 24;
	APIC(APIC_ICR) = command;
	while (APIC(APIC_ICR) & 1 << 12)
		pause();
}

void start_core(u32 core, u32 page)
{
	u32 before = starts[core];
	u8 *to = (u8 *)(u64)(page << 12);

	for (u64 i = 0; i < (u64)(trampoline_end - trampoline); i++)
		to[i] = trampoline[i];
	send_ipi(core, 0x4500);
	send_ipi(core, 0x4600 | page);
	while (starts[core] == before)
		pause();
}

void on_core(u32 core, action_t *what)
{
	if (core == this_core()) {
		what();
		return;
	}
	work[core] = what;
	send_ipi(core, 0x4000 | WAKE);
	while (work[core])
		pause();
}

void cores_start(void)
{
	outw(0x510, 5); /* FW_CFG_NB_CPUS */
	cores = inb(0x511);
	apic_init(0);
	for (u32 core = 1; core < cores; core++)
		start_core(core, 8);
}
