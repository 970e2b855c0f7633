/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * layout.c - types and variables for the tests of the DWARF reader, in a file
 * that counts as a kernel.
 *
 *   gcc -O0 -gdwarf-5 -ffreestanding -fno-pic -fno-asynchronous-unwind-tables \
 *       -ffile-prefix-map=$PWD=. -c layout.c -o layout.o
 *   ld -nostdlib -static --build-id=none -z noseparate-code -Ttext=0x200000 \
 *       -e start -o layout5.elf layout.o
 *
 * The same with -gdwarf-4 makes layout4.elf. Built with gcc 12.2, binutils 2.40.
 */
asm(".pushsection .note.Xen, \"a\", @note\n"
    ".long 4, 4, 18\n.asciz \"Xen\"\n.long start\n"
    ".popsection");

void start(void)
{
	for (;;)
		;
}

typedef unsigned int u32;
typedef const volatile u32 odd_u32;

enum colour { RED = 1, GREEN, BLUE = 7 };
enum mood { SAD = -1, FINE };

struct list { struct list *next, *prev; };

struct undefined;

struct thing {
	char name[16];
	odd_u32 refs;
	enum colour colour;
	struct list list;
	struct {
		int x;
		union {
			long y;
			unsigned char bytes[8];
		};
	};
	unsigned int low : 3;
	int middle : 5;
	unsigned long wide : 40;
	struct pair { short a, b; } pairs[3][2];
	void (*call)(int);
	void *opaque;
	struct undefined *hidden;
	const char *text;
	_Bool flag;
	enum mood mood;
	double real;
	u32 tail[];
};

union either { int number; char letters[4]; };

struct thing things[2];
union either one;
int counter = -5;
static struct list head __attribute__((used)) = { &head, &head };
const char *greeting = "hello, kernel";
enum mood mood = SAD;
