# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# On top of lib.sh, for tests that do the same many times: nothing grows meanwhile. A
# line of soak_sizes() each time goes to $TMP/sizes.

# soak_sizes: what is to stay as it is, in kB and pages: MemTotal, managed pages of
# all zones, SUnreclaim, and memory in use that /proc/meminfo tells no use of, but
# the kernel's own: pages, vmalloc and per-CPU memory that are lost are there.
soak_sizes() {
	# Counters are spread over the CPUs.
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

# since_first: how far the last line of the sizes is from the first one
since_first() {
	awk 'NR == 1 { for (i = 1; i <= NF; i++) first[i] = $i }
	END {
		printf "MemTotal %+d kB, managed %+d pages, SUnreclaim %+d kB, used otherwise %+d kB\n",
			$1 - first[1], $2 - first[2], $3 - first[3], $4 - first[4]
	}' "$TMP/sizes"
}

# steady FILE COLUMN WHAT KB: it has not grown by more. What is lost in each cycle only
# adds up, all else goes up and down: so the smallest of the last quarter of the
# batches is compared with the largest of the first.
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

# check_growth: with fewer batches than that, it is the first ones' warming up. A
# kernel with KASAN keeps what is freed for long, and has kmemleak to tell.
check_growth() {
	if [ "$(wc -l <"$TMP/sizes")" -lt 8 ]; then
		note "too short to judge growth by"
	elif [ -f /sys/kernel/debug/kmemleak ]; then
		note "kmemleak judges growth"
	else
		steady "$TMP/sizes" 3 SUnreclaim 256
		steady "$TMP/sizes" 4 "memory used otherwise" 2048
		# The twin: as many batches, and 2 MiB are lost in them.
		awk -v n="$(wc -l <"$TMP/sizes")" '{ print int(NR * 2048 / n) }' \
			"$TMP/sizes" >"$TMP/sizes-leak"
		expect_failing "a leak is noticed" \
			steady "$TMP/sizes-leak" 1 SUnreclaim 256
	fi
}
