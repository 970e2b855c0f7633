/* SPDX-License-Identifier: GPL-2.0-only */
/* What the cases share: ports, registers, printing, the log of interrupts, other cores. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define MAX_CORES 8
#define APIC(reg) (*(volatile u32 *)(0xfee00000UL + (reg)))

enum { /* local APIC registers */
	APIC_ID = 0x20, APIC_VERSION = 0x30, APIC_TPR = 0x80, APIC_PPR = 0xa0, APIC_EOI = 0xb0,
	APIC_LDR = 0xd0, APIC_DFR = 0xe0, APIC_SVR = 0xf0, APIC_ISR = 0x100, APIC_TMR = 0x180,
	APIC_IRR = 0x200, APIC_ESR = 0x280, APIC_ICR = 0x300, APIC_ICR2 = 0x310,
	APIC_LVTT = 0x320, APIC_LINT0 = 0x350, APIC_LINT1 = 0x360, APIC_LVTERR = 0x370,
	APIC_TMICT = 0x380, APIC_TMCCT = 0x390, APIC_TDCR = 0x3e0,
};

static inline u8 inb(u16 port)
{
	u8 value;
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline u16 inw(u16 port)
{
	u16 value;
	asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline u32 inl(u16 port)
{
	u32 value;
	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void outb(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outw(u16 port, u16 value)
{
	asm volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outl(u16 port, u32 value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void cli(void) { asm volatile("cli" : : : "memory"); }
static inline void sti(void) { asm volatile("sti" : : : "memory"); }
static inline void pause(void) { asm volatile("pause" : : : "memory"); }

/* print.c: %x %d %s, with a width and zeros as in %02x. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void flush(void); /* what was said is sent only now: the serial port must be at rest */
void finish(u8 status) __attribute__((noreturn)); /* the debug-exit port */

/* trap.c: every interrupt is logged; what nobody takes is acknowledged. */
typedef void action_t(void);
extern action_t *action[256];
extern volatile u32 taken; /* interrupts since forget() */
extern volatile u32 count[256];
void traps_init(void);
void traps_load(void);
void forget(void); /* the log and the actions */
const char *log_text(void); /* "24 20": vectors in order; "1:40" on another core than 0 */
void window(void); /* take what is pending now, interrupts off again afterwards */
void pass_us(u32 us); /* halted, with only the APIC timer heard */
void open_us(u32 us); /* the same, but every interrupt is heard */

/* smp.c */
extern u32 cores;
extern volatile u32 starts[MAX_CORES], start_cs[MAX_CORES], start_cr0[MAX_CORES];
u32 this_core(void);
void cores_start(void);
void send_ipi(u32 destination, u32 command);
void start_core(u32 core, u32 page);
void on_core(u32 core, action_t *what); /* and wait until it is done */

/* pic.c, pit.c, uart.c, rtc.c: what other cases need of them */
void pic_init(u8 icw4);
u8 pic_read(u16 port, u8 which);
void pit_quiet(void);
void pit_fire(void); /* IRQ0 after two ticks */
void uart_quiet(void);
void uart_raise(void); /* IRQ4 by an empty transmitter */
void rtc_quiet(void);
void rtc_raise(void); /* IRQ8 within a millisecond */
u8 cmos(u8 index);
void cmos_write(u8 index, u8 value);
u32 pm_timer(void);
void pm_wait(u32 ticks);
void sci_wait(void); /* IRQ9, by the overflow of that timer */
void sci_quiet(void);

extern const char *command_line;

action_t pic_cases, priority_cases, pit_cases, rtc_cases, uart_cases, input_cases, ioapic_cases,
	lapic_cases, smp_cases, storm_cases, fw_cfg_cases, port_cases;
action_t end_triple, end_8042, end_cf9, end_port92, end_s5;

static inline const char *yes(int true) { return true ? "yes" : "no"; }
static inline int within(u64 value, u64 expected, u32 percent)
{
	return value * 100 >= expected * (100 - percent) && value * 100 <= expected * (100 + percent);
}
