/* SPDX-License-Identifier: GPL-2.0-only */
/* All that one file uses of another, by file; what has a header of its own is there. */
#ifndef DEFS_H
#define DEFS_H

#include "types.h"
#include "segments.h"
#include "x86.h"
#include "list.h"
#include "spinlock.h"
#include "ptregs.h"
#include "trap.h"
#include "pgtable.h"
#include "mm.h"
#include "vfs.h"
#include "ring.h"
#include "task.h"
#include "mutex.h"
#include "rcu.h"
#include "inode.h"
#include "timer.h"
#include "workqueue.h"

extern const u8 __noinstr_text_start[], __noinstr_text_end[];
extern const u8 __cold_text_start[], __cold_text_end[];
extern const u8 _srodata[], _erodata[];
extern u8 _sdata[], _edata[];

// cmdline.c
extern char saved_command_line[];
const char *cmdline_find(const char *key);
void cmdline_init(u64 start_info);
bool cmdline_has(const char *word);
u64 cmdline_number(const char *key, u64 otherwise);

// cpu.c
void cpu_init(u32 id);
void cpu_take(struct task *t);

// entry.S
void sync_core(void);
void entry_SYSCALL_64(void);
void ret_from_fork(void);

// exec.c
struct task *user_task_create(const char *program, long arg, u32 cpu);
long sys_exec(const char *program, long arg);

// exit.c
void do_exit(long code) __noreturn;
void exit_notify(struct task *t);
long sys_exit(long code) __noreturn;
long sys_wait(long *code);

// fentry.S
void __fentry__(void);

// fork.c
long sys_fork(void);
long sys_getpid(void);

// ftrace.c
enum ftrace_site { FTRACE_NOP, FTRACE_CALL, FTRACE_BUG };
extern u32 ftrace_made_nops;
enum ftrace_site ftrace_verify(const u8 *ip);
void ftrace_init(void);

// fwcfg.c
u32 fwcfg_nr_cpus(void);

// int3.c
extern u32 int3_recheck;
void int3_init(void);
int int3_vanished(struct pt_regs *regs);

// lapic.c
void lapic_init(void);
void lapic_timer_start(void);
void lapic_eoi(void);
void lapic_send(u32 apic_id, u32 command);
void lapic_timer_init(void);
extern u32 timer_period;

// main.c
void idle_loop(void) __noreturn;
void init(void *unused);

// mm.c
struct mm *mm_alloc(void);
struct mm *mm_copy(const struct mm *from);
void mm_free(struct mm *mm);
u64 *mm_pte(const struct mm *mm, u64 va);
void *mm_add_page(struct mm *mm, u64 va);
void mm_switch(struct mm *mm);

// mmu.c
void mmu_init(void);
void mmu_load(void);
extern u64 kernel_pgd[512];

// page_alloc.c
extern u64 free_pages, min_free_pages;
void page_alloc_init(u64 start_info);
bool page_is_ram(u64 pa);
void *alloc_page(void);
void free_page(void *page);

// panic.c
void panic(const char *fmt, ...) __noreturn __printf(1, 2);
void machine_exit(u8 value) __noreturn;

// passes.c
void passes_init(void);
bool passes_wanted(void);
void passes_run(u32 cpu) __noreturn;
u32 pass_leaf(u32 x);
u32 pass_step(u32 x);

// printk.c
void printk(const char *fmt, ...) __printf(1, 2);
void vprintk(const char *fmt, va_list args);

// sched.c
void trace_sched_switch(bool preempt, struct task *prev, struct task *next,
			unsigned int prev_state);
void schedule(void);
void yield(void);
void preempt_irq(void);
void finish_switch(void);
void enqueue(struct task *t);
void try_to_wake_up(struct task *t);

// selftest.c
void selftest(void) __noreturn;

// slab.c
extern u64 kmalloc_objects;
void slab_init(void);
void *kmalloc(size_t size);
void *kzalloc(size_t size);
void kfree(void *p);

// smp.c
extern u64 ap_stack;
void trampoline_copy(void);
void smp_boot(void);
void sync_core_others(void);

// switch.S
void switch_to(struct task *prev, struct task *next);
void task_begin(void);

// syscall_64.c
bool do_syscall_64(struct pt_regs *regs);

// task.c
extern struct spinlock tasks_lock;
struct task *task_alloc(u32 cpu, const char *comm, int index);
void task_start(struct task *t, void (*begin)(void), void (*fn)(void *), void *arg);
struct pt_regs *task_pt_regs(struct task *t);
struct task *task_create(void (*fn)(void *), void *arg, u32 cpu, const char *comm, int index);
struct task *idle_init(u32 cpu);
void *stack_end(struct task *t);
extern u8 stacks[MAX_TASKS][STACK_SIZE];

// trap.c
void trap_init(void);
void trap_load(void);
void exc_fault(struct pt_regs *regs, int vector);

// uaccess.c
long copy_from_user(void *to, const void *from, size_t n);
long copy_to_user(void *to, const void *from, size_t n);
long strncpy_from_user(char *to, const char *from, size_t n);

// uart.c
void uart_init(void);
void uart_putc(char c);

// wait.c
void wait_init(struct waitq *q);
void wait_sleep(struct waitq *q);
void wait_block(struct waitq *q);
struct task *wait_wake(struct waitq *q);

// watchdog.c
bool is_softlockup(const struct cpu *c, u64 now);
bool is_hung(const struct task *t, u64 now);
void watchdog_tick(struct cpu *c);

/* The ordinary functions: part 9 of the README's reading order. */

// arch.c, weak.c
u32 arch_mix(u32 x);
u32 arch_unmix(u32 x);

// bitmap.c
void bitmap_set(u64 *map, u32 bit);
void bitmap_clear(u64 *map, u32 bit);
bool bitmap_test(const u64 *map, u32 bit);
u32 bitmap_first_zero(const u64 *map, u32 bits);
u32 bitmap_weight(const u64 *map, u32 bits);

// checksum.c
u32 csum_partial(const void *buf, size_t n, u32 sum);
u16 csum_fold(u32 sum);

// counter.c
extern const struct file_operations counter_fops;
void counter_add(u64 n);
u64 counter_sum(void);

// file.c
extern u32 open_files;
int fd_alloc(void);
int fd_open(struct inode *inode);
void fd_close(int fd);
struct file *fget(int fd);
void files_copy(struct files *to, const struct files *from);
void files_close(void);

// hash.c
u32 hash_name(const char *s, size_t n);
void hash_add(struct inode *inode, u32 hash);
void hash_del(struct inode *inode);
struct inode *hash_first(u32 hash);
struct inode *hash_next(struct inode *inode);
struct inode *hash_nth(const struct inode *dir, u32 number);

// inode.c
extern u32 inodes_in_ram;
struct inode *inode_alloc(const char *name, const struct file_operations *fops);
void inode_get(struct inode *inode);
bool inode_tryget(struct inode *inode);
void inode_put(struct inode *inode);

// leaf.c
#define LEAVES 320
extern u32 (*const leaf_table[LEAVES])(u32 x);

// leak.c
void check_leaks(u64 objects, u64 pages);

// load.c
extern u32 tasks_per_cpu, users_per_cpu;
void load_init(void);
void load_start(void);
void load_wait_running(void);
void load_finish(u64 objects, u64 pages) __noreturn;
u32 mix(u32 x);
long read_file(const char *path, char *buf, size_t n);
long write_file(const char *path, const char *buf, size_t n);

// namei.c
struct inode *lookup(struct inode *dir, const char *name, size_t n);
struct inode *path_walk(const char *path);
struct inode *not_found(void);
struct inode *path_parent(const char *path, const char **name);
void inode_add(struct inode *inode);
bool dir_name(struct inode *dir, u32 number, char *name);

// pipe.c
extern const struct file_operations pipe_fops;
void pipe_init(void);

// proc.c
void proc_init(void);
int cmdline_proc_show(struct seq_file *m);

// ramfs.c
void ramfs_init(void);
int ramfs_create(struct inode *dir, const char *name, bool directory, struct inode **made);
int ramfs_unlink(struct inode *inode);

// seq.c
void seq_putc(struct seq_file *m, char c);
void seq_puts(struct seq_file *m, const char *s);
void seq_put_dec(struct seq_file *m, u64 v);
long seq_read(struct file *f, char *buf, size_t n);

// straddle.c
u32 cross_line(u32 x);
u32 cross_page(u32 x);

// string.c
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
long strscpy(char *to, const char *from, size_t size);
const char *strchrnul(const char *s, char c);

// syscall.c
int sys_open(const char *path);
int sys_creat(const char *path);
int sys_mkdir(const char *path);
int sys_unlink(const char *path);
int sys_ftruncate(int fd, size_t size);
long sys_readdir(const char *path, u32 number, char *name);
int sys_close(int fd);
long sys_read(int fd, char *buf, size_t n);
long sys_write(int fd, const char *buf, size_t n);
long sys_lseek(int fd, size_t pos);

// vfs.c
long vfs_read(struct file *f, char *buf, size_t n);
long vfs_write(struct file *f, const char *buf, size_t n);
int vfs_truncate(struct inode *inode, size_t size);

// walk.c
u32 leaf_walk(u32 from, u32 n, u32 x);

#endif
