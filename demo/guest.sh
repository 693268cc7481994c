#!/bin/sh
# Shows the main job step by step. Runs in the guest of demo/run. The script also checks the
# results, and exits with status 1 if one is wrong.
#
# The results are checked with the kernel's own files: /proc/kpageflags (through pageoracle)
# and /proc/meminfo. The module's own verification comes last.

set -u
step=0

say() { step=$((step + 1)); printf '\n[%d] %s\n' "$step" "$*"; }
run() { printf '    # %s\n' "$*"; "$@" 2>&1 | sed 's/^/    /'; }
fail() { echo "NOT AS IT SHOULD BE: $*"; exit 1; }
mem_total() { sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo; }
state() { cat "/sys/devices/system/memory/memory$1/state"; }

# flag NAME: prints how many of the marked pages have the flag NAME, by the kernel
flag() {
	pageoracle count "$first+4096" "$odd+1" "$((odd + 2))+1" \
		"$((odd + 4))+1" | sed -n "s/^$1 //p"
}
expect() { # WHAT WANT GOT
	[ "$2" = "$3" ] || fail "$1 is $3, and should be $2"
	printf '    %s: %s\n' "$1" "$3"
}

[ -d /sys/kernel/debug/fake_offline ] || fail "the module is not loaded"
total=$(mem_total)

# Two blocks of hot-added memory, found by their zone.
# shellcheck disable=SC2046  # a list of numbers
set -- $(offctl blocks | awk '$5 == "Movable" && $6 == "online" { print $1 }')
[ $# -ge 2 ] || fail "the guest has fewer than two blocks in ZONE_MOVABLE"
a=$1 b=$2
block_pages=$((0x$(cat /sys/devices/system/memory/block_size_bytes) / 4096))
first=$((a * block_pages + 8192))
odd=$((b * block_pages + 4097))

say "A guest with Linux $(uname -r). Blocks $a and $b are 128 MiB each, hot-added:"
run offctl blocks
printf '    MemTotal: %s kB\n' "$total"

say "Mark 16 MiB in block $a, and three odd pages in block $b, with canaries."
run offctl mark --canary "pfn:$first+4096" "pfn:$odd" "pfn:$((odd + 2))" \
	"pfn:$((odd + 4))"
run offctl list
expect "MemTotal, 4099 pages of 4 kB less" "$((total - 4099 * 4))" "$(mem_total)"
expect "PageOffline by /proc/kpageflags" 4099 "$(flag offline)"

say "Make the next two attempts to offline block $a fail: vetoed, then late."
run offctl inject offline after ENOMEM 1
run offctl offline "$a"
run offctl inject offline late EBUSY 1
run offctl offline "$a"
expect "block $a is" online "$(state "$a")"

say "Did one of the marked pages leak in the rollbacks?"
expect "PageOffline" 4099 "$(flag offline)"
expect "in the buddy allocator" 0 "$(flag buddy)"
echo "    A hog takes all memory there is, and looks for marked pages among it:"
# The hog takes memory down to the watermark. The list of a CPU may take it below, and the
# kernel then kills the hog. So the lists are made short, and another hog is started.
echo 1000000 >/proc/sys/vm/percpu_pagelist_high_fraction
hogs=5
until hog "$first+4096" "$odd+1" "$((odd + 2))+1" "$((odd + 4))+1" >/tmp/hog 2>/tmp/hog.err; do
	hogs=$((hogs - 1))
	[ "$hogs" -gt 0 ] || fail "the hog was killed five times"
done
echo 0 >/proc/sys/vm/percpu_pagelist_high_fraction
sed 's/^/    /' /tmp/hog
expect "marked pages that it got" 0 "$(sed -n 's/^hits //p' /tmp/hog)"

say "Take both blocks offline, marked pages and all."
run offctl offline "$a" "$b"
expect "block $a is" offline "$(state "$a")"
expect "block $b is" offline "$(state "$b")"
expect "MemTotal, two blocks less" "$((total - 2 * block_pages * 4))" "$(mem_total)"

say "Bring them back: the marked pages stay withheld, down to single pages."
run offctl online --type movable "$a" "$b"
expect "PageOffline" 4099 "$(flag offline)"
expect "in the buddy allocator" 0 "$(flag buddy)"
expect "MemTotal" "$((total - 4099 * 4))" "$(mem_total)"
run offctl verify

say "Unmark: everything is as it was."
run offctl unmark --all
expect "PageOffline" 0 "$(flag offline)"
expect "MemTotal" "$total" "$(mem_total)"
printf '\nThat was it: 4099 pages out of use, through two failed attempts, offline\nand online again, and never handed out.\n'
