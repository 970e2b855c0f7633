/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doubly linked lists through a node inside the element. The head is a node
 * too, so there is no special case: an empty list points at itself, and so
 * does a node that is in no list.
 */
#ifndef LIST_H
#define LIST_H

#include "types.h"

struct list {
	struct list *next, *prev;
};

static __always_inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static __always_inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Before the head, that is at the end. */
static __always_inline void list_add_tail(struct list *n, struct list *head)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

static __always_inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

#define list_entry(n, t, m)	container_of(n, t, m)

#endif
