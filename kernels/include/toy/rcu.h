/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading without a lock: what is found between rcu_read_lock() and _unlock() is
 * not freed before. See rcu.c.
 */
#ifndef RCU_H
#define RCU_H

#include "task.h"

struct rcu_head {
	struct rcu_head *next;
	void (*fn)(struct rcu_head *head);
	u64 gp;				/* the grace period it waits for */
};

static __always_inline void rcu_read_lock(void) { preempt_disable(); }
static __always_inline void rcu_read_unlock(void) { preempt_enable(); }

#define rcu_dereference(p)	READ_ONCE(p)
/* What v points to is initialised before anybody can find it. */
#define rcu_assign_pointer(p, v) do { barrier(); WRITE_ONCE(p, v); } while (0)

void rcu_init(void);
void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *));
void synchronize_rcu(void);
void rcu_barrier(void);
void rcu_note_context_switch(void);
void rcu_tick(bool user);
bool rcu_needs_cpu(void);

#endif
