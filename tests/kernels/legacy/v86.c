// SPDX-License-Identifier: GPL-2.0-only
/* Virtual-8086 mode. */
#include "frame.h"

#define IN_V86(name, text, ...)						\
	SNIPPET_OF(16, name, text);					\
	TEST(5, name, .mode = V86, __VA_ARGS__)

/* int in v86 mode needs IOPL 3, else it is #GP */
#define IOPL3 .flags = 0x3000

IN_V86(v86_nothing, "nop; mov $0x1234, %ax; mov %cs, %bx; mov %ss, %cx; mov %ds, %dx", IOPL3,
       .show = ALL_REGISTERS, .every_core = 1);
IN_V86(v86_iopl0, "nop; int $0x20", .every_core = 1);
IN_V86(v86_int3, "nop; int3; nop", .resume = 0);
IN_V86(v86_int, "nop; int $0x20", IOPL3, .resume = 0);
IN_V86(v86_hlt, "nop; hlt", IOPL3);
IN_V86(v86_cli, "nop; cli");
IN_V86(v86_cli_iopl3, "cli; nop; pushf; pop %ax; sti; pushf; pop %bx", IOPL3,
       .show = BIT(AX) | BIT(BX));
IN_V86(v86_pushf, "nop; pushf");
IN_V86(v86_popf, "nop; popf");
IN_V86(v86_iret, "nop; iretw");
IN_V86(v86_iret_iopl3, "pushf; push %cs; push $1f - v86_iret_iopl3; iretw; nop; 1: nop", IOPL3);
IN_V86(v86_in, "nop; in $0x80, %al", IOPL3);
IN_V86(v86_divide, "xor %cx, %cx; div %cx", .forget = 0x8d5);
IN_V86(v86_undefined, "nop; ud2");
IN_V86(v86_privileged, "nop; mov %cr0, %eax", IOPL3);
IN_V86(v86_lar, "nop; lar %ax, %bx", IOPL3);
IN_V86(v86_segments, "mov $0x1800, %ax; mov %ax, %ds; movw $0x5678, 0x10; mov $0x1801, %ax;"
       "mov %ax, %es; mov %es:0, %bx; lds 0x10, %si; mov %ds, %cx", IOPL3,
       .show = BIT(BX) | BIT(CX) | BIT(SI));
IN_V86(v86_far, "ljmpw $0x1001, $1f - v86_far - 16; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop;"
       "nop; nop; 1: mov %cs, %cx", IOPL3, .show = BIT(CX));
IN_V86(v86_stack_wrap, "mov %sp, %cx; xor %sp, %sp; push $0x1122; mov %sp, %bx; pop %ax; mov %sp, %dx;"
       "mov %cx, %sp", IOPL3, .show = ALL_REGISTERS, .forget = 0x8d5);
IN_V86(v86_step, "pushf; pop %ax; or $0x100, %ax; push %ax; popf; nop; nop", IOPL3, .resume = 2,
       .every_core = 1);
