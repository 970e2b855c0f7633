# SPDX-License-Identifier: GPL-2.0-only
# Writes leaf.c. leaf_N(x) is 31 x + N: from what comes out of a row of calls it
# can be told which were made, and in which order.
BEGIN {
	print "// SPDX-License-Identifier: GPL-2.0-only"
	print "/* 320 functions to patch at once, called through a table. Made by leaf.awk. */"
	print "#include <toy/defs.h>\n"
	for (i = 0; i < 320; i++)
		printf "u32 leaf_%03d(u32 x) { return 31 * x + %d; }\n", i, i
	print "\nu32 (*const leaf_table[LEAVES])(u32 x) = {"
	for (i = 0; i < 320; i += 5) {
		for (j = i; j < i + 5; j++)
			printf "%sleaf_%03d,", (j > i ? " " : "\t"), j
		print ""
	}
	print "};"
}
