// SPDX-License-Identifier: GPL-2.0-only
/* What each core has for itself: segments, a stack for #DF, and struct cpu in GS. */
#include <toy/defs.h>

struct tss {
	u32 reserved;
	u64 rsp[3], reserved2, ist[7];
	u8 reserved3[10];
	u16 iomap;
} __attribute__((packed));

static struct tss tss[MAX_CPUS] __aligned(16);
static u64 gdt[MAX_CPUS][10] __aligned(16);
static u8 df_stack[MAX_CPUS][2048] __aligned(16);

struct cpu cpus[MAX_CPUS];

/* Flags that SYSCALL clears: as at a gate, and those that would disturb C. */
#define SYSCALL_MASK (X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_IOPL | \
		      X86_EFLAGS_NT | X86_EFLAGS_AC)

static void gdt_init(u32 id)
{
	u64 base = (u64)&tss[id], limit = sizeof(struct tss) - 1;
	u64 *g = gdt[id];
	struct { u16 limit; u64 base; } __attribute__((packed)) gdtr = {
		sizeof(gdt[id]) - 1, (u64)g
	};

	tss[id].ist[IST_DF - 1] = (u64)df_stack[id] + sizeof(df_stack[id]);
	tss[id].iomap = sizeof(struct tss);

	/* Accessed is set: to load a segment does not write to the table. */
	g[KERNEL_CS / 8] = 0x00af9b000000ffff;
	g[KERNEL_DS / 8] = 0x00cf93000000ffff;
	g[USER32_CS / 8] = 0x00cffb000000ffff;
	g[USER_DS / 8] = 0x00cff3000000ffff;
	g[USER_CS / 8] = 0x00affb000000ffff;
	g[TSS_SELECTOR / 8] = limit | (base & 0xffffff) << 16 | 0x89ul << 40 |
			      (base >> 24 & 0xff) << 56;
	g[TSS_SELECTOR / 8 + 1] = base >> 32;

	asm volatile("lgdt %0\n\t"
		     "mov %1, %%ds\n\tmov %1, %%es\n\tmov %1, %%ss\n\t"
		     "mov %2, %%fs\n\tmov %2, %%gs\n\t"
		     "ltr %w3"
		     : : "m"(gdtr), "r"(KERNEL_DS), "r"(0), "r"(TSS_SELECTOR) : "memory");
}

static void syscall_init(void)
{
	wrmsr(MSR_STAR, (u64)USER32_CS << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)entry_SYSCALL_64);
	wrmsr(MSR_SYSCALL_MASK, SYSCALL_MASK);
}

/* Gets the core ready for a task: its memory, and its stack for the next entry. */
void cpu_take(struct task *t)
{
	struct cpu *c = this_cpu();
	u64 cr3 = t->cr3 ? t->cr3 : virt_to_phys(kernel_pgd);

	if (cr3 != read_cr3())
		write_cr3(cr3);
	tss[c->id].rsp[0] = t->stack_end;
	c->kernel_sp = t->stack_end;
}

/* Each core, on the stack of its idle task. */
void cpu_init(u32 id)
{
	struct cpu *c = &cpus[id];

	gdt_init(id);			/* zeroes GS, so this comes first */
	wrmsr(MSR_GS_BASE, (u64)c);
	c->self = c;
	c->id = c->apic_id = id;
	c->current = c->idle = idle_init(id);
	list_init(&c->queue);
	syscall_init();
	trap_load();
}
