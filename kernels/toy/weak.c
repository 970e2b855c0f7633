// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a kernel does unless a file for its machine says otherwise. arch.c says
 * otherwise for arch_mix(): all call the one there, and the one here is still
 * in the text, and its site in the table, without any name, as in Linux.
 */
#include <toy/defs.h>

__weak u32 arch_mix(u32 x)
{
	return ~x;
}

__weak u32 arch_unmix(u32 x)
{
	return x ^ 0x544f5959;
}
