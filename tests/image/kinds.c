/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kinds.c - every kind of type that gcc has for C, as members of structures
 * with names; compiled by the tests in several versions of DWARF.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef const volatile u32 odd_u32;

enum colour { RED = 1, GREEN, BLUE = 7 };
enum mood { SAD = -1, FINE };
enum __attribute__((packed)) tiny { NONE, SOME = 200 };
enum huge { SMALL = 1, LARGE = 0x123456789abcdefULL };

struct undefined;
struct list { struct list *next, *prev; };

struct integers {
	_Bool flag;
	char letter;
	signed char small;
	unsigned char byte;
	short s;
	unsigned short us;
	int i;
	unsigned u;
	long l;
	unsigned long ul;
	long long ll;
	unsigned long long ull;
	__int128 wide;
	unsigned __int128 uwide;
	odd_u32 odd;
	_Atomic int counter;
	enum colour colour;
	enum mood mood;
	enum tiny tiny;
	enum huge huge;
};

struct floats {
	float f;
	double d;
	long double x;
	_Float128 q;
	float _Complex fc;
	double _Complex dc;
	long double _Complex xc;
};

struct pointers {
	void *opaque;
	const char *text;
	char *const fixed;
	const volatile char *restrict *more;
	struct undefined *hidden;
	struct pointers *self;
	struct pointers **selves[3];
	void (*call)(int);
	int (*compare)(const void *, const void *, unsigned long);
	int (*print)(const char *, ...);
	void (*(*chosen)(int))(char);
	int (*row)[4];
	int (*table[2])(struct list);
};

typedef struct { int x, y; } point_t;
typedef union { int whole; char parts[4]; } either_t;
typedef int (*handler_t)(struct list *);
typedef int vector_t[3];

struct arrays {
	char name[16];
	int grid[3][4];
	short cube[2][3][5];
	struct { u8 a; u32 b; } pairs[2][2];
	point_t points[3];
	vector_t vectors[2];
	handler_t handlers[2];
	int none[0];
	u32 tail[];
};

struct nested {
	int before;
	struct {
		int x;
		union {
			long y;
			u8 bytes[8];
			struct { short lo, hi; };
		};
	};
	struct { int deep; struct { char deeper[3]; } in; } named;
	union { float f; u32 bits; } both;
	struct list list;
	either_t either;
	point_t point;
};

union top { int number; char letters[4]; struct list list; double real; };

struct bits {
	u32 a : 1, b : 5;
	int c : 7;
	u32 : 0;
	unsigned long d : 33;
	long e : 31;
	unsigned short f : 9;
	u8 g : 3;
	signed char h : 5;
	_Bool i : 1;
	enum colour j : 3;
	enum mood k : 2;
	int : 4;
	u64 l : 64;
	int m;
};

struct __attribute__((packed)) packed_bits {
	u8 a : 3;
	u32 b : 30;
	int c : 20;
	u64 d : 50;
	char e;
	int f : 31;
};

struct __attribute__((packed)) packed {
	char a;
	int b;
	short c;
	u64 d;
};

struct aligned {
	char a;
	int b __attribute__((aligned(32)));
	char c;
} __attribute__((aligned(64)));

struct empty { };
struct around { int a; struct empty none; int b; };

typedef int v4si __attribute__((vector_size(16)));
struct vectors { v4si v; double w __attribute__((vector_size(32))); };

/* Every structure is used, so that none is dropped. */
struct integers integers;
struct floats floats;
struct pointers pointers = { .fixed = 0 };
struct arrays arrays;
struct nested nested;
union top top;
struct bits bits;
struct packed_bits packed_bits;
struct packed packed;
struct aligned aligned;
struct around around;
struct vectors vectors;

static int twice __attribute__((used)) = 5;
const char greeting[] = "hello";
_Decimal64 decimal;
_Complex int whole_complex;

int count(int step)
{
	static int twice = 7;
	struct local { int inside; };
	static struct local local;

	local.inside += twice += step;
	return local.inside;
}

int printed(const char *format, ...)
{
	return format[0];
}
