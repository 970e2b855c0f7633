// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in pieces of 32 to 2048 bytes, each size from pages of its own: a slab.
 * A page begins with what is known of it, and its objects end where it ends. A
 * page without objects goes back, so nothing is kept when all is freed.
 *
 * What is free is full of POISON_FREE. Who writes there after kfree() is found
 * out by the next kmalloc(), and who forgets to initialise reads poison.
 */
#include <toy/defs.h>

#define MIN_SIZE	32
#define SIZES		7
#define POISON_FREE	0x6b6b6b6b6b6b6b6bul

struct kmem_cache {
	u32 size;
	u32 objects;			/* in a slab */
	struct list partial;		/* slabs with a free one */
};

struct slab {
	struct kmem_cache *cache;
	struct list list;
	u64 inuse;
	u64 taken[2];			/* a bit for each object */
};

static struct kmem_cache kmalloc_caches[SIZES];
static struct spinlock lock;		/* interrupts may allocate */

u64 kmalloc_objects;			/* that live */

void slab_init(void)
{
	for (u32 i = 0; i < SIZES; i++) {
		struct kmem_cache *c = &kmalloc_caches[i];

		c->size = MIN_SIZE << i;
		c->objects = (PAGE_SIZE - sizeof(struct slab)) / c->size;
		list_init(&c->partial);
	}
}

static u64 *object(struct slab *s, u32 i)
{
	return (void *)((u64)s + PAGE_SIZE - (u64)(s->cache->objects - i) * s->cache->size);
}

static struct slab *slab_create(struct kmem_cache *c)
{
	struct slab *s = alloc_page();

	if (!s)
		return NULL;
	s->cache = c;
	memset64(object(s, 0), POISON_FREE, c->objects * c->size / 8);
	list_add_tail(&s->list, &c->partial);
	return s;
}

static struct slab *slab_with_room(struct kmem_cache *c)
{
	return list_empty(&c->partial) ? slab_create(c) : list_entry(c->partial.next, struct slab, list);
}

static u64 *take(struct slab *s)
{
	u32 word = s->taken[0] == -1ul;
	u32 bit = __builtin_ctzl(~s->taken[word]);

	s->taken[word] |= 1ul << bit;
	if (++s->inuse == s->cache->objects)
		list_del(&s->list);
	kmalloc_objects++;
	return object(s, word * 64 + bit);
}

/* Not initialised; NULL if there is no memory, or size is more than 2048. */
void *kmalloc(size_t size)
{
	struct kmem_cache *c = kmalloc_caches;
	struct slab *s;
	u64 *p, flags;

	while (c->size < size)
		if (++c == kmalloc_caches + SIZES)
			return NULL;
	flags = raw_lock_irqsave(&lock);
	s = slab_with_room(c);
	p = s ? take(s) : NULL;
	raw_unlock_irqrestore(&lock, flags);

	for (u32 i = 0; p && i < c->size / 8; i++)
		if (p[i] != POISON_FREE)
			panic("panic: %lx was written to after it was freed", (u64)&p[i]);
	return p;
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	if (p)
		memset(p, 0, size);
	return p;
}

/* Of NULL, nothing. */
void kfree(void *p)
{
	struct slab *s = (void *)((u64)p & -(u64)PAGE_SIZE);
	u64 flags;
	u32 i;

	if (!p)
		return;
	flags = raw_lock_irqsave(&lock);
	i = ((u64)p - (u64)object(s, 0)) / s->cache->size;
	if (i >= s->cache->objects || p != object(s, i) || !(s->taken[i / 64] & 1ul << i % 64))
		panic("panic: kfree of %lx, which is not allocated", (u64)p);
	memset64(p, POISON_FREE, s->cache->size / 8);
	s->taken[i / 64] &= ~(1ul << i % 64);
	kmalloc_objects--;
	if (s->inuse-- == s->cache->objects)
		list_add_tail(&s->list, &s->cache->partial);
	if (!s->inuse) {
		list_del(&s->list);
		free_page(s);
	}
	raw_unlock_irqrestore(&lock, flags);
}
