// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit kernel that says on the serial port what it was told about its
 * machine, and ends it. With -DPVH it boots by PVH, else by Multiboot 1; with
 * -DADDRESSES the Multiboot header says what to load, instead of ELF.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#ifdef PVH
asm(".section .note.pvh, \"a\", @note\n"
    ".balign 4\n"
    ".long 4, 4, 18\n"
    ".asciz \"Xen\"\n"
    ".long start\n");
#else
#ifdef ADDRESSES
#define FLAGS "0x10003"
#else
#define FLAGS "3"
#endif
asm(".section .header, \"a\"\n"
    ".balign 4\n"
    "header:\n"
    ".long 0x1badb002, " FLAGS ", -(0x1badb002 + " FLAGS ")\n"
    ".long header, load_start, load_end, bss_end, start\n");
#endif

asm(".text\n"
    ".globl start\n"
    "start:\n"
    "	mov %esp, entry_esp\n"
    "	mov $stack_end, %esp\n"
    "	push %ebx\n"
    "	push %eax\n"
    "	call kernel\n"
    "	.bss\n"
    "	.balign 16\n"
    "	.skip 4096\n"
    "stack_end:\n"
    "	.text\n");

u32 entry_esp;

static u8 inb(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void outb(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void outw(u16 port, u16 value)
{
	asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static void put(char c)
{
	while (!(inb(0x3fd) & 0x20))
		;
	outb(0x3f8, c);
}

static void say(const char *s)
{
	while (*s)
		put(*s++);
}

static void hex(u32 value)
{
	int digits = 1;

	while (digits < 8 && value >> 4 * digits)
		digits++;
	while (digits--)
		put("0123456789abcdef"[value >> 4 * digits & 15]);
}

static void number(const char *name, u32 value)
{
	say(name);
	put(' ');
	hex(value);
	put('\n');
}

static void bytes(const char *name, u32 at, u32 count)
{
	say(name);
	put(' ');
	for (u32 i = 0; i < count; i++) {
		u8 byte = *(volatile u8 *)(at + i);

		hex(byte >> 4);
		hex(byte & 15);
	}
	put('\n');
}

/* Memory as the firmware left it; the compiler must not know the address. */
static const void *memory(u32 at)
{
	asm("" : "+r"(at));
	return (const void *)at;
}

static u8 load8(u32 at) { return *(const u8 *)memory(at); }
static u16 load16(u32 at) { return *(const u16 *)memory(at); }
static u32 load32(u32 at) { return *(const u32 *)memory(at); }

static int same(u32 at, const char *word, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (load8(at + i) != (u8)word[i])
			return 0;
	return 1;
}

static u32 find(const char *word, u32 count, u32 from, u32 to, u32 step)
{
	for (u32 at = from; at < to; at += step)
		if (same(at, word, count))
			return at;
	number(word, 0);	/* says that it is missing */
	return 0;
}

static u8 sum(u32 at, u32 count)
{
	u8 total = 0;

	for (u32 i = 0; i < count; i++)
		total += load8(at + i);
	return total;
}

static void range(const char *name, u32 at)
{
	say(name);
	for (u32 i = 0; i < 16; i += 8) {
		put(' ');
		hex(load32(at + i + 4));
		put(':');
		hex(load32(at + i));
	}
	number("", load32(at + 16));
}

#define SEGMENT(name) \
	do { \
		u32 selector; \
		asm volatile("mov %%" #name ", %0" : "=r"(selector)); \
		number(#name, selector & 0xffff); \
	} while (0)

static void entry_state(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) gdt;
	u32 value;

	SEGMENT(cs);
	SEGMENT(ds);
	SEGMENT(es);
	SEGMENT(fs);
	SEGMENT(gs);
	SEGMENT(ss);
	asm volatile("mov %%cr0, %0" : "=r"(value));
	number("cr0", value);
	asm volatile("mov %%cr4, %0" : "=r"(value));
	number("cr4", value);
	asm volatile("pushf; pop %0" : "=r"(value));
	number("interrupts", value & 0x200);
	asm volatile("sgdt %0" : "=m"(gdt));
	number("gdt limit", gdt.limit);
	for (u32 at = gdt.base; at < gdt.base + gdt.limit; at += 8) {
		number("descriptor", load32(at));
		number("          ", load32(at + 4) & ~0x100);	/* but for the accessed bit */
	}
}

#ifdef PVH
static void told(u32 magic, u32 info, u32 rsdp)
{
	number("magic", load32(info));
	number("version", load32(info + 4));
	number("modules", load32(info + 12));
	say("cmdline ");
	say(memory(load32(info + 24)));
	number("\nrsdp found", load32(info + 32) == rsdp);
	for (u32 i = 0; i < load32(info + 48); i++)
		range("map", load32(info + 40) + 24 * i);
	(void)magic;
}
#else
static void told(u32 magic, u32 info, u32 rsdp)
{
	u32 at = load32(info + 48);

	number("magic", magic);
	number("esp", entry_esp);
	number("info", info);
	bytes("info", info, 8);
	number("upper", load32(info + 8));
	bytes("info", info + 12, 32);
	bytes("info", info + 48, 40);
	say("cmdline ");
	say(memory(load32(info + 16)));
	say("\nloader ");
	say(memory(load32(info + 64)));
	say("\n");
	while (at < load32(info + 48) + load32(info + 44)) {
		number("entry", load32(at));
		range("map", at + 4);
		at += load32(at) + 4;
	}
	(void)rsdp;
}
#endif

static u32 find_table(u32 rsdt, const char *signature)
{
	for (u32 at = rsdt + 36; at < rsdt + load32(rsdt + 4); at += 4)
		if (same(load32(at), signature, 4))
			return load32(at);
	number(signature, 0);
	return 0;
}

static void acpi(u32 rsdp)
{
	u32 rsdt = load32(rsdp + 16), fadt, madt, facs, dsdt;

	number("rsdp sum", sum(rsdp, 20));
	if (load8(rsdp + 15) >= 2) {
		u32 xsdt = load32(rsdp + 24);

		if (sum(rsdp, load32(rsdp + 20)) || sum(xsdt, load32(xsdt + 4)))
			say("wrong XSDT\n");
		for (u32 i = 0; i < (load32(xsdt + 4) - 36) / 8; i++)
			if (load32(xsdt + 36 + 8 * i) != load32(rsdt + 36 + 4 * i))
				say("another table in the XSDT\n");
	}
	number("rsdt sum", sum(rsdt, load32(rsdt + 4)));
	fadt = find_table(rsdt, "FACP");
	madt = find_table(rsdt, "APIC");
	facs = load32(fadt + 36);
	dsdt = load32(fadt + 40);
	number("fadt sum", sum(fadt, load32(fadt + 4)));
	bytes("fadt head", fadt, 9);
	bytes("fadt", fadt + 44, 4);		/* interrupt model, profile, SCI */
	bytes("fadt", fadt + 54, 26);		/* PM blocks */
	bytes("fadt", fadt + 84, 8);
	bytes("fadt", fadt + 93, 23);
	bytes("facs", facs, 64);
	number("facs aligned", facs % 64);
	number("dsdt sum", sum(dsdt, load32(dsdt + 4)));
	bytes("dsdt head", dsdt, 4);
	bytes("s5", find("_S5_", 4, dsdt, dsdt + load32(dsdt + 4), 1) - 1, 12);
	bytes("madt", madt, load32(madt + 4));
}

static void mp(void)
{
	u32 floating = find("_MP_", 4, 0xf0000, 0x100000, 16), table = load32(floating + 4);
	u32 at = table + 44, pci = ~0u, eax = 1, ebx, ecx = 0, edx;

	asm("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	number("mp sum", sum(floating, 16));
	bytes("mp", floating + 8, 2);
	bytes("mp", floating + 11, 5);
	number("mp table sum", sum(table, load16(table + 4)));
	bytes("mp head", table, 4);
	bytes("mp head", table + 6, 1);
	bytes("mp head", table + 8, 26);
	bytes("mp head", table + 36, 8);
	for (u32 i = 0; i < load16(table + 34); i++) {
		u8 type = load8(at);

		if (type == 0) {
			bytes("processor", at + 1, 3);
			number("signature", load32(at + 4) == eax);
			number("features", load32(at + 8) == edx);
		} else if (type == 1 && same(at + 2, "PCI", 3)) {
			pci = load8(at + 1);
		} else if (type == 1) {
			bytes("bus", at + 2, 6);
		} else if (type == 2) {
			bytes("io apic", at, 8);
		} else if (load8(at + 4) != pci) {
			bytes("interrupt", at, 4);
			bytes("         ", at + 5, 3);
		}
		at += type == 0 ? 20 : 8;
	}
	number("mp end", at - table - load16(table + 4));
}

static u8 item[64];

static void select(u16 key, u32 count)
{
	outw(0x510, key);
	for (u32 i = 0; i < count; i++)
		item[i] = inb(0x511);
}

static void fw_cfg(void)
{
	static const u8 keys[] = { 0, 2, 3, 4, 5, 0xd, 0xe, 0xf };
	u32 file = 0, size = 0;

	for (u32 i = 0; i < sizeof(keys); i++) {
		select(keys[i], 24);
		number("key", keys[i]);
		bytes("item", (u32)item, 24);
	}
	select(1, 4);
	number("traditional", item[0] & 1);
	select(0x8002, 8);
	bytes("irq0 override", (u32)item, 8);
#ifdef PVH
	select(0x14, 8);
	bytes("cmdline", (u32)item, 8);
	select(0x15, 24);
	bytes("cmdline", (u32)item, 24);
#endif
	select(0x19, 4);
	for (u32 files = item[3]; files; files--) {
		for (u32 i = 0; i < 64; i++)
			item[i] = inb(0x511);
		if (!same((u32)item + 8, "etc/e820", 9))
			continue;
		size = item[2] << 8 | item[3];
		file = item[4] << 8 | item[5];
	}
	select(file, 0);
	for (; size >= 20; size -= 20) {
		for (u32 i = 0; i < 20; i++)
			item[i] = inb(0x511);
		range("etc/e820", (u32)item);
	}
	select(0x7fff, 4);
	bytes("nothing", (u32)item, 4);
}

volatile u32 ticks;
void tick(void);

asm(".globl tick\n"
    "tick:\n"
    "	push %eax\n"
    "	incl ticks\n"
    "	mov $0x20, %al\n"
    "	outb %al, $0x20\n"
    "	pop %eax\n"
    "	iret\n");

/* Moves the vectors of the 8259s, keeps the masks it finds, and waits for the timer. */
static void interrupts(void)
{
	static struct {
		u16 low, selector, type, high;
	} idt[0x21];
	struct {
		u16 limit;
		void *base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, idt };
	static const u8 words[][2] = { { 0x11, 0x11 }, { 0x20, 0x28 }, { 4, 2 }, { 1, 1 } };
	u8 masks[2] = { inb(0x21), inb(0xa1) };

	number("master masks", masks[0]);
	number("slave masks", masks[1]);
	outb(0x43, 0xe2);	/* latch the status of channel 0 */
	number("pit status", inb(0x40) & 0x7f);
	for (u32 i = 0; i < 4; i++) {
		outb(i ? 0x21 : 0x20, words[i][0]);
		outb(i ? 0xa1 : 0xa0, words[i][1]);
	}
	outb(0x21, masks[0]);
	outb(0xa1, masks[1]);
	idt[0x20].low = (u32)tick;
	idt[0x20].high = (u32)tick >> 16;
	idt[0x20].type = 0x8e00;
	asm("mov %%cs, %0" : "=r"(idt[0x20].selector));
	asm volatile("lidt %0" : : "m"(idtr), "m"(idt));
	while (ticks < 3)
		asm volatile("sti; hlt; cli");
	number("ticks", ticks);
}

void kernel(u32 magic, u32 info)
{
	u32 rsdp = find("RSD PTR ", 8, 0xe0000, 0x100000, 16);

	entry_state();
	told(magic, info, rsdp);
	acpi(rsdp);
	mp();
	fw_cfg();
	number("com1", load16(0x400));
	number("ebda", load16(0x40e));
	number("base memory", load16(0x413));
	number("ebda size", load8(0x9fc00));
	interrupts();
	for (;;)
		outb(0xf4, 0);
}
