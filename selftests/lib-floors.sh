# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# On top of lib.sh: floors of zones, as a test computes them from /proc/zoneinfo, and
# signs that memory has run out.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Pages that others may allocate or free between the module's look at a zone and
# that of the test: 4 MiB.
OTHERS=1024
# shellcheck disable=SC2034  # for the tests
RESERVE=/sys/module/fake_offline/parameters/reserve_mib

# refusal NAME: a value of last_refusal
refusal() {
	sed -n "s/^$1 //p" "$FO"/last_refusal
}

# zone_look ZONE: sets ZONE_FLOOR, and ZONE_ROOM: the pages that are free, or only
# hold files, above it. ZONE_MOVABLE serves no kernel allocation, and has no floor.
# Free pages on the lists of the CPUs are not among them: ZONE_LISTS has these.
zone_look() {
	# shellcheck disable=SC2034  # for the tests
	read -r ZONE_FLOOR ZONE_ROOM ZONE_LISTS <<-LOOK
		$(awk -v zone="$1" '
		/^Node/ { here = $2 == "0," && $4 == zone; next }
		!here { next }
		$1 == "present" { share = int($2 / 16); if (share > 131072) share = 131072 }
		$1 == "high" && !high { high = $2 }
		$1 == "nr_free_pages" { free = $2 }
		$1 == "nr_zone_inactive_file" || $1 == "nr_zone_active_file" { file += $2 }
		$1 == "count:" { lists += $2 }
		$1 == "protection:" {
			gsub("[(),]", "")
			for (i = 2; i <= NF; i++) if ($i > most) most = $i
		}
		END {
			floor = high + most
			if (share > floor) floor = share
			if (zone == "Movable") floor = 0
			print floor, free + file - floor, lists + 0
		}' /proc/zoneinfo)
	LOOK
}

# zone_spans: the zones that have pages, as grab wants them: NAME:START+NR
zone_spans() {
	awk '
	/^Node/ { zone = $4 }
	$1 == "spanned" { spanned = $2 }
	$1 == "present" { present = $2 }
	$1 == "start_pfn:" && present { print zone ":" $2 "+" spanned }' /proc/zoneinfo
}

# expect_floor WHEN ZONE [FACTOR]: it is above its floor, or above so many of them
expect_floor() {
	zone_look "$2"
	expect_at_least "room in zone $2 above $((${3:-1})) times its floor of $ZONE_FLOOR pages, $1" \
		"-$OTHERS" $((ZONE_ROOM - (${3:-1} - 1) * ZONE_FLOOR))
}

# no_memory: how many lines of the kernel's log, on stdin, say that memory ran out
no_memory() {
	grep -ciE 'oom-killer|out of memory|allocation failure|killed process'
}
