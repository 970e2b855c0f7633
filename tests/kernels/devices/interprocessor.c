// SPDX-License-Identifier: GPL-2.0-only
/* What cores send each other, and how they start. */
#include "kernel.h"

static void wait_taken(u32 n)
{
	for (u32 i = 0; i < 10000 && taken < n; i++)
		pm_wait(10);
	pm_wait(100);
	window();
}

/* A cluster of two cores each: 0x11, 0x12, 0x21, 0x22... */
static u32 cluster_id(u32 core)
{
	return (core / 2 + 1) << 4 | 1 << (core & 1);
}

static void set_cluster(void)
{
	APIC(APIC_DFR) = 0x0fffffff;
	APIC(APIC_LDR) = cluster_id(this_core()) << 24;
}

static void set_flat(void)
{
	APIC(APIC_DFR) = 0xffffffff;
	APIC(APIC_LDR) = 1 << (24 + this_core());
}

static void send(u32 destination, u32 command)
{
	forget();
	send_ipi(destination, command);
	window();
}

static void nmi_seen(void) {}

static volatile u32 values[6];

static void read_apic(void)
{
	values[0] = APIC(APIC_ID) >> 24;
	values[1] = APIC(APIC_VERSION);
	values[2] = APIC(APIC_SVR);
	values[3] = APIC(APIC_LDR);
	values[4] = APIC(APIC_LINT0);
	values[5] = APIC(APIC_TPR);
}

static void start_cases(void)
{
	say("smp cores: %d\n", cores);
	for (u32 core = 1; core < cores; core++) {
		on_core(core, read_apic);
		say("smp core %d: cs %04x cr0 %08x starts %d, id %x version %x svr %x ldr %x lint0 %x\n",
		    core, start_cs[core], start_cr0[core], starts[core], values[0], values[1],
		    values[2], values[3], values[4]);
	}
	for (u32 core = 1; core < cores; core++) {
		send_ipi(core, 0x4600 | 8);
		pm_wait(200);
		on_core(core, read_apic);
		say("smp core %d: start-up IPI while it runs: starts %d\n", core, starts[core]);
		send_ipi(core, 0x8500);
		pm_wait(200);
		on_core(core, read_apic);
		say("smp core %d: INIT de-asserted: starts %d\n", core, starts[core]);
		start_core(core, 0x12);
		on_core(core, read_apic);
		say("smp core %d: INIT and start-up at 12000: cs %04x starts %d svr %x\n", core,
		    start_cs[core], starts[core], values[2]);
	}
	if (cores > 1) {
		u32 before = starts[1];

		send_ipi(1, 0x4500);
		forget();
		send_ipi(1, 0x4044);
		pm_wait(200);
		say("smp core 1: waiting: took %s, ", log_text());
		send_ipi(1, 0x4612);
		send_ipi(1, 0x4612);
		while (starts[1] == before)
			pause();
		pm_wait(200);
		say("two start-up IPIs: starts %d\n", starts[1] - before);
	}
}

static void destination_cases(void)
{
	for (u32 core = 0; core < cores; core++) {
		send(core, 0x4044);
		wait_taken(1);
		say("smp fixed to %d: %s\n", core, log_text());
		send(1 << core, 0x4844);
		wait_taken(1);
		say("smp logical %02x: %s\n", 1 << core, log_text());
		forget();
		action[2] = nmi_seen;
		send_ipi(core, 0x4400);
		wait_taken(1);
		say("smp nmi to %d: %s\n", core, log_text());
	}
	send(0xff, 0x4044);
	wait_taken(cores);
	say("smp physical ff: %d\n", taken);
	send(0, 0x44044);
	wait_taken(1);
	say("smp self: %s\n", log_text());
	send(0, 0x84044);
	wait_taken(cores);
	say("smp all: %d\n", taken);
	send(0, 0xc4044);
	wait_taken(cores - 1);
	say("smp all but self: %d\n", taken);
	send(0x0c, 0x4044);
	wait_taken(0);
	say("smp to nobody: %d\n", taken);
	send(0xff, 0x4844);
	wait_taken(cores);
	say("smp logical ff: %d\n", taken);
	send(0x05, 0x4844);
	wait_taken(1 + (cores > 2));
	say("smp logical 05: %d\n", taken);
	send(0x00, 0x4844);
	wait_taken(0);
	say("smp logical 00: %d\n", taken);
	send(0xff, 0x4944);
	wait_taken(1);
	say("smp lowest priority: %d\n", taken);
	send(1 << (cores - 1), 0x4944);
	wait_taken(1);
	say("smp lowest priority of one: %s\n", log_text());
	say("smp icr: %x\n", APIC(APIC_ICR) & 0xccfff);
}

static void cluster_cases(void)
{
	for (u32 core = 0; core < cores; core++)
		on_core(core, set_cluster);
	for (u32 core = 0; core < cores; core++) {
		send(cluster_id(core), 0x4844);
		wait_taken(1);
		say("smp cluster %02x: %s\n", cluster_id(core), log_text());
	}
	send(0x13, 0x4844);
	wait_taken(cores > 1 ? 2 : 1);
	say("smp cluster 13: %d\n", taken);
	send(0x1c, 0x4844);
	wait_taken(0);
	say("smp cluster 1c: %d\n", taken);
	send(0x14, 0x4844);
	wait_taken(0);
	say("smp cluster 14: %d\n", taken);
	for (u32 core = 0; core < cores; core++)
		on_core(core, set_flat);
}

void smp_cases(void)
{
	start_cases();
	destination_cases();
	cluster_cases();
}
