# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# On top of lib.sh, for tests that repeat the same work: nothing may grow. Each round
# appends a line of soak_sizes() to $TMP/sizes.

# soak_sizes: the sizes that must stay as they are, in kB and pages: MemTotal, managed
# pages of all zones, SUnreclaim, and the memory in use that /proc/meminfo names no use
# for. Lost pages, lost vmalloc memory and lost per-CPU memory are in the last one.
soak_sizes() {
	# The kernel keeps its counters on each CPU. This adds them up.
	cat /proc/sys/vm/stat_refresh >/dev/null
	awk '
	FILENAME == "/proc/zoneinfo" { if ($1 == "managed") managed += $2; next }
	{ sub(":", "", $1); kb[$1] = $2 }
	END {
		print kb["MemTotal"], managed, kb["SUnreclaim"], kb["MemTotal"] - \
			kb["MemFree"] - kb["Buffers"] - kb["Cached"] - \
			kb["AnonPages"] - kb["Slab"] - kb["KernelStack"] - \
			kb["PageTables"]
	}' /proc/zoneinfo /proc/meminfo
}

# since_first: the difference between the last line of the sizes and the first one
since_first() {
	awk 'NR == 1 { for (i = 1; i <= NF; i++) first[i] = $i }
	END {
		printf "MemTotal %+d kB, managed %+d pages, SUnreclaim %+d kB, used otherwise %+d kB\n",
			$1 - first[1], $2 - first[2], $3 - first[3], $4 - first[4]
	}' "$TMP/sizes"
}

# steady FILE COLUMN WHAT KB: this has grown by at most KB. A loss in each cycle adds up,
# while everything else goes up and down. So the smallest size of the last quarter of the
# batches is compared with the largest size of the first quarter.
steady() {
	expect_at_most "growth of $3, in kB" "$4" "$(awk -v c="$2" '
	{ kb[NR] = $c }
	END {
		quarter = int(NR / 4)
		max = kb[1]
		min = kb[NR]
		for (i = 1; i <= quarter; i++) {
			if (kb[i] > max) max = kb[i]
			if (kb[NR + 1 - i] < min) min = kb[NR + 1 - i]
		}
		print min - max
	}' "$1")"
}

# check_growth: judges the growth of 8 batches or more, since the first batches fill
# caches. On a kernel with KASAN, which keeps freed memory for long, kmemleak judges.
check_growth() {
	if [ "$(wc -l <"$TMP/sizes")" -lt 8 ]; then
		note "too short to judge growth by"
	elif [ -f /sys/kernel/debug/kmemleak ]; then
		note "kmemleak judges growth"
	else
		steady "$TMP/sizes" 3 SUnreclaim 256
		steady "$TMP/sizes" 4 "memory used otherwise" 2048
		# The twin loses 2 MiB in as many batches.
		awk -v n="$(wc -l <"$TMP/sizes")" '{ print int(NR * 2048 / n) }' \
			"$TMP/sizes" >"$TMP/sizes-leak"
		expect_failing "a leak is noticed" \
			steady "$TMP/sizes-leak" 1 SUnreclaim 256
	fi
}
