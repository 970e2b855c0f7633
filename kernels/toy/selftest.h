/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <toy/defs.h>

#define CHECK(what) \
	do { \
		if (!(what)) \
			panic("selftest: %s line %d: %s", __FILE__, __LINE__, #what); \
	} while (0)

// selftest.c
void run_on(u32 cpu, void (*fn)(void));
void wait_all(void);
void run_on_each(void (*fn)(void));
void wait_ticks(u64 n);

// fault_stubs.S
struct fault_stub {
	void (*run)(u64 arg);
	u64 at;				/* the instruction that faults */
};

extern const struct fault_stub fault_de, fault_ud, fault_gp_selector, fault_read,
	fault_write, fault_df;
void fault_return(void);
void step_three(void);
extern const u64 step_after[];

// int3_stubs.S
u64 int3_nop5(void), int3_nop2(void), int3_call(void), int3_jmp32(void), int3_jmp8(void);
u64 int3_ret(void), int3_jcc8(u64 flags), int3_jcc32(u64 flags);
extern const u8 site_nop5[], site_nop2[], site_call[], site_jmp32[], site_jmp8[];
extern const u8 site_ret[], site_jcc8[], site_jcc32[];
extern const u8 int3_callee[], to_jmp32[], to_jmp8[], to_jcc8[], to_jcc32[];
extern const u8 setcc[];		/* 16 functions, 16 bytes each */

// test_*.c
void test_registers(void);
void test_text(void);
void test_rodata(void);
void test_data(void);
void test_unmapped(void);
void test_page_tables(void);
void test_exceptions(void);
void test_double_fault(void);
void test_single_step(void);

void test_pages(void);
void test_kmalloc(void);
void test_memory_all_cores(void);

void test_user_files(void);
void test_user_pointers(void);
void test_user_ramfs(void);
void test_user_registers(void);
void test_user_faults(void);
void test_user_tables(void);
void test_no_memory(void);
void test_fork(void);
void test_exec(void);
void test_wait(void);
void test_storm(void);

void test_strings(void);
void test_bitmap(void);
void test_checksum(void);
void test_list(void);
void test_ring(void);
void test_hash(void);
void test_files(void);

void test_ticks(void);
void test_hlt(void);
void test_yield(void);
void test_preemption(void);
void test_preempt_off(void);
void test_sleep(void);
void test_exit(void);

void test_online(void);
void test_spinlock(void);
void test_atomic(void);
void test_sync_core(void);

void test_mutex(void);
void test_completion(void);
void test_timers(void);
void test_timeout(void);
void test_rcu(void);
void test_call_rcu(void);
void test_watchdog(void);
void test_passes(void);

void test_workqueue(void);

void test_ramfs(void);
void test_directories(void);
void test_names(void);
void test_pipe(void);

void test_sites(void);
void test_ftrace(void);
void test_leaves(void);
void test_weak(void);
void test_cold(void);

void test_arena(void);
void test_int3_nop(void);
void test_int3_call(void);
void test_int3_jmp(void);
void test_int3_ret(void);
void test_int3_jcc(void);
void test_int3_search(void);
void test_int3_decline(void);
void test_int3_vanished(void);
void test_int3_all_cores(void);

#endif
