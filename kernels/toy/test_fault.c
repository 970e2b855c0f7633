// SPDX-License-Identifier: GPL-2.0-only
/* What must not be possible: the fault comes, at the right place, and says why. */
#include "selftest.h"

#define PF_P	0x01
#define PF_W	0x02
#define PF_I	0x10

#define PTE_AD	(PTE_A | PTE_D)

void fault_df_return(void);

static void expect(u64 at, void (*to)(void))
{
	fixup.to = (u64)to;
	fixup.vector = -1;
	fixup.at = at;
}

static bool got(int vector, u64 error, u64 cr2)
{
	return fixup.vector == vector && fixup.error == error && fixup.cr2 == cr2;
}

static bool faults(const struct fault_stub *stub, u64 arg, int vector, u64 error, u64 cr2)
{
	expect(stub->at, fault_return);
	stub->run(arg);
	return got(vector, error, cr2);
}

static bool cannot_write(const void *p)
{
	return faults(&fault_write, (u64)p, X86_TRAP_PF, PF_P | PF_W, (u64)p);
}

static bool cannot_execute(const void *p)
{
	expect((u64)p, fault_return);
	((void (*)(void))p)();
	return got(X86_TRAP_PF, PF_P | PF_I, (u64)p);
}

static void check_registers(void)
{
	CHECK(read_cr0() == CR0_VALUE);
	CHECK(read_cr4() == CR4_VALUE);
	CHECK(rdmsr(EFER_MSR) == (EFER_VALUE | 0x400));		/* LMA */
	CHECK(rdmsr(MSR_GS_BASE) == (u64)this_cpu());
}

void test_registers(void)
{
	run_on_each(check_registers);
}

void test_text(void)
{
	CHECK(cannot_write(_stext));
	CHECK(cannot_write((void *)vfs_read));
	CHECK(cannot_write(poke_arena));
	CHECK(cannot_write(poke_arena + PAGE_SIZE));
}

void test_rodata(void)
{
	CHECK(cannot_write(__start_mcount_loc));
	CHECK(cannot_execute(__start_mcount_loc));
}

void test_data(void)
{
	u64 local = 0xc3c3c3c3;

	CHECK(cannot_execute(&tp_vec));
	CHECK(cannot_execute(&local));
	CHECK(cannot_execute((void *)LAPIC_VA));
}

void test_unmapped(void)
{
	CHECK(faults(&fault_read, 0, X86_TRAP_PF, 0, 0));
	CHECK(faults(&fault_write, TRAMPOLINE_PA, X86_TRAP_PF, PF_W, TRAMPOLINE_PA));
	CHECK(faults(&fault_read, IMAGE_VA - 8, X86_TRAP_PF, 0, IMAGE_VA - 8));
	CHECK(faults(&fault_read, IMAGE_END_VA, X86_TRAP_PF, 0, IMAGE_END_VA));
}

/* How many pages of 4096 bytes; the large ones are RAM. */
static u32 check_table(u64 pa, int level)
{
	const u64 *table = phys_to_virt(pa);
	u32 pages = 0;

	for (int i = 0; i < 512; i++) {
		if (!(table[i] & PTE_P))
			continue;
		CHECK((table[i] & PTE_AD) == PTE_AD);
		if (level > 1 && !(table[i] & PTE_PS)) {
			pages += check_table(table[i] & PTE_PA, level - 1);
			continue;
		}
		CHECK(!(table[i] & PTE_W) || (table[i] & PTE_NX));
		CHECK(!(table[i] & PTE_U));
		if (level == 1)
			pages++;
		else			/* never the image a second time */
			CHECK(level == 2 && (table[i] & PTE_PA) >= IMAGE_END_PA);
	}
	return pages;
}

void test_page_tables(void)
{
	CHECK(check_table(read_cr3() & PTE_PA, 4) == (_edata - _stext) / PAGE_SIZE + 1);
}

void test_exceptions(void)
{
	CHECK(faults(&fault_de, 0, X86_TRAP_DE, 0, 0));
	CHECK(faults(&fault_ud, 0, X86_TRAP_UD, 0, 0));
	CHECK(faults(&fault_gp_selector, 0xfff8, X86_TRAP_GP, 0xfff8, 0));
	CHECK(faults(&fault_read, 1ul << 60, X86_TRAP_GP, 0, 0));
	CHECK(faults(&fault_read, 8, X86_TRAP_PF, 0, 8));
	CHECK(faults(&fault_write, 8, X86_TRAP_PF, PF_W, 8));
}

void test_double_fault(void)
{
	preempt_disable();
	cli();				/* no interrupt while there is no stack */
	expect(fault_df.at, fault_df_return);
	fault_df.run(0);
	sti();
	preempt_enable();
	CHECK(got(X86_TRAP_DF, 0, 0));
}

void test_single_step(void)
{
	fixup.steps = 3;
	step_three();
	CHECK(fixup.steps == 0);
	for (int i = 0; i < 3; i++)
		CHECK(fixup.step_ip[i] == step_after[i]);
}
