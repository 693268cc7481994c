#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Every malformed or impossible request is refused with the errno that names the fault,
# and changes nothing.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# A mark and an armed failure are there, so that a write has something to change.
begin() {
	mark "$(block_pfn "$B1" 100)" 10 canary
	mark "$(block_pfn "$B2" 5)" 3 unskippable
	expect_eq "arm" ok "$(tryio write "$FO"/inject "online before -12 1")"
	bad_before=$(state)
}

# state: all that a refused write must not change
state() {
	awk '
	FILENAME ~ /ranges$/ { $8 = ""; print; next }
	FILENAME ~ /inject$/ { print; next }
	FILENAME ~ /stats$/ { if ($1 != "mark_failures" && $1 != "stray_references") print; next }
	FILENAME ~ /meminfo$/ { if ($1 == "MemTotal:") print; next }
	FILENAME ~ /zoneinfo$/ {
		if ($1 == "Node" || $1 == "managed" || $1 == "present") print
		next
	}
	{ print FILENAME, $0 }' \
		"$FO"/ranges "$FO"/inject "$FO"/stats /proc/meminfo /proc/zoneinfo \
		"$SYSMEM/memory$B1/state" "$SYSMEM/memory$B2/state" \
		"$SYSMEM/memory$B3/state"
}

# bad FILE ERRNO TEXT…: writes TEXT and a newline, which must fail
bad() {
	expect_eq "$1 <- '$3'" "$2" "$(tryio write "$FO/$1" "$3")"
	expect_eq "the state after that" "$bad_before" "$(state)"
}

# bad_bytes FILE ERRNO FORMAT: writes the bytes that printf makes of FORMAT, no others
bad_bytes() {
	# shellcheck disable=SC2059  # FORMAT is a format
	expect_eq "$1 <- printf '$3'" "$2" "$(printf "$3" | tryio write "$FO/$1")"
	expect_eq "the state after that" "$bad_before" "$(state)"
}

# No file takes these.
any_file() {
	begin
	for any_file in mark unmark block_offline block_online inject; do
		bad_bytes "$any_file" EINVAL ''
		bad_bytes "$any_file" EINVAL '\n'
		bad_bytes "$any_file" EINVAL ' \t \n'
		bad_bytes "$any_file" EINVAL '\0'
		bad_bytes "$any_file" EINVAL '1\0002\n'
		bad_bytes "$any_file" EINVAL '\377\376\n'
		bad_bytes "$any_file" EINVAL '1\r\n'
		bad_bytes "$any_file" EINVAL '\033[A\n'
		bad "$any_file" EINVAL nonsense
		bad "$any_file" EINVAL -1
		bad "$any_file" EINVAL "# 1 2"
		bad "$any_file" EINVAL "1 2 3 4 5 6 7 8 9 10 11 12"
		expect_eq "$any_file <- text at an address without memory" EFAULT \
			"$(tryio -b write "$FO/$any_file" 1)"
		# A write may have a megabyte; one byte more is refused.
		expect_eq "$any_file <- 1 MiB of blanks" EINVAL \
			"$(dd if=/dev/zero bs=1048576 count=1 2>/dev/null | tr '\0' ' ' |
				tryio write "$FO/$any_file")"
		expect_eq "$any_file <- 1 MiB and a byte" E2BIG \
			"$(dd if=/dev/zero bs=1048577 count=1 2>/dev/null |
				tryio write "$FO/$any_file")"
		expect_eq "$any_file <- 5 MiB" E2BIG \
			"$(dd if=/dev/zero bs=1048576 count=5 2>/dev/null | tr '\0' 1 |
				tryio write "$FO/$any_file")"
		expect_eq "the state after that" "$bad_before" "$(state)"
	done
	expect_eq "clear" ok "$(tryio write "$FO"/inject clear)"
	check_all "at last"
}

mark_lines() {
	begin
	s=$(block_pfn "$B1" 1000)
	for text in "$s" "$s " "$s 1 1" "$s 1 skippable" "$s 1 canary canary" \
		"$s 1 unskippable unskippable" "$s 1 canary unskippable canary" \
		"$s 0" "$s -1" "-$s 1" "$s 1x" "x$s 1" "$s 0x" "$s 1.5" "$s +" \
		"$s 1 CANARY" "$s 1 node=0" "$s 1 zone=Movable" "$s,1" "$s+1" \
		any "any 0" "any -1" "any any" "any 1 node=" "any 1 zone=" \
		"any 1 node=x" "any 1 node=-1" "any 1 node=0 node=0" \
		"any 1 zone=DMA zone=DMA" "any 1 nonsense" "any 1 1" "any 1 node" \
		"ANY 1" "any 1 zone=Movable canary canary" "any 1 absent" \
		"$s 1 through" "$s 1 allocate" "$s 1 absent absent" \
		"$s 1 ABSENT"; do
		bad mark EINVAL "$text"
	done
	bad_bytes mark EINVAL "$s 1"
	bad_bytes mark EINVAL "$s 1\n$((s + 5)) 1"
	bad_bytes mark EINVAL "$s 1\n\n"
	bad_bytes mark EINVAL "$s 1\nnonsense\n"
	bad_bytes mark EINVAL "$s 1\0\n"

	# Numbers that do not fit, and ranges that wrap.
	for text in "18446744073709551616 1" "$s 18446744073709551616" \
		"0x10000000000000000 1" "99999999999999999999999999 1" \
		"$s 18446744073709551615" "18446744073709551615 2" \
		"2 18446744073709551615" "any 18446744073709551616"; do
		bad mark ERANGE "$text"
	done
	# No RAM is there.
	for text in "18446744073709551615 1" "9223372036854775807 1" \
		"4503599627370496 1" "$((1 << 40)) 1" \
		"$(block_pfn "$SINK" "$BLOCK_PAGES") 1" \
		"$(block_pfn "$SINK" $((BLOCK_PAGES - 1))) 2" \
		"1 4611686018427387904" "any 1 node=1" "any 1 node=1023" \
		"any 1 zone=Nonsense"; do
		bad mark ENXIO "$text"
	done
	# No kernel has a node of that number.
	expect_eq "a node number that does not fit" ERANGE \
		"$(mark_raw "any 1 node=99999999999")"
	expect_eq "the state after that" "$bad_before" "$(state)"
	expect_eq "clear" ok "$(tryio write "$FO"/inject clear)"
	check_all "at last"
}

# Holes and devices, from /proc/iomem.
no_ram() {
	begin
	# The first PCI window, a hole between RAM ranges, and the legacy hole.
	pci=$((0x$(sed -n 's/^ *\([0-9a-f]*\)-.* : PCI Bus .*$/\1/p' /proc/iomem |
		awk 'length($0) >= 8' | head -n 1) / 4096))
	ioapic=$((0x$(sed -n 's/^ *\([0-9a-f]*\)-.* : IOAPIC 0$/\1/p' /proc/iomem) / 4096))
	expect_at_least "PFN of a PCI window" 1 "$pci"
	expect_at_least "PFN of the IOAPIC" 1 "$ioapic"
	for pfn in $pci $ioapic 1048575 160 192; do
		bad mark ENXIO "$pfn 1"
	done
	bad mark ENXIO "$pci 512 canary"
	# The end of boot memory, and the PFN behind it.
	ram_end=$((0x$(awk '/ : System RAM/ { split($1, r, "-"); if (length(r[2]) <= 8) e = r[2] } END { print e }' /proc/iomem) / 4096))
	bad mark ENXIO "$((ram_end + 40960)) 1"
	expect_eq "a range that ends in a hole" ENXIO \
		"$(mark_raw "$(block_pfn "$B1" -1) 2")"
	expect_eq "the state after that" "$bad_before" "$(state)"
	expect_eq "clear" ok "$(tryio write "$FO"/inject clear)"
	go "$B3" offline
	bad_before=$(state)
	# Places beyond the memory that can be plugged, and one that needs "absent".
	for text in "68719476736 1" "68719476736 1 absent" "1000000000 1" \
		"$(block_pfn "$SINK" "$BLOCK_PAGES") 1 canary"; do
		bad mark ENXIO "$text"
	done
	check_all "at last"
	go "$B3" online_movable
}

unmark_lines() {
	begin
	s=$(block_pfn "$B1" 100)
	for text in "$s" "$s 1 1" "$s 0" "$s -1" "all all" "all 1" "ALL" \
		"$s 1 canary" "any 1" "$s all"; do
		bad unmark EINVAL "$text"
	done
	bad_bytes unmark EINVAL "all"
	bad_bytes unmark EINVAL "$s 1\nall"
	bad_bytes unmark EINVAL "all\n\n"
	for text in "18446744073709551616 1" "$s 18446744073709551615" \
		"18446744073709551615 2"; do
		bad unmark ERANGE "$text"
	done
	for text in "$((s - 1)) 1" "$((s + 10)) 1" "$((s - 1)) 3" "$((s + 9)) 2" \
		"0 1" "$((s + 5)) 6" "$s 1000" "$(block_pfn "$B3" 0) 1"; do
		bad unmark ENOENT "$text"
	done
	bad_bytes unmark ENOENT "$s 1\n$((s + 100)) 1\n"
	expect_eq "clear" ok "$(tryio write "$FO"/inject clear)"
	check_all "at last"
}

block_lines() {
	begin
	for text in "$B3 1" "$B3 offline" "memory$B3" "$B3 -1" "-$B3" "$B3,"; do
		bad block_offline EINVAL "$text"
		[ "$text" = "$B3 1" ] || bad block_online EINVAL "$text"
	done
	for text in "$B3 1" "$B3 online online" "$B3 Online" "$B3 online_" \
		"$B3 offline"; do
		bad block_online EINVAL "$text"
	done
	bad_bytes block_offline EINVAL "$B3"
	bad_bytes block_offline EINVAL "$B3\n$B2\n"
	bad_bytes block_online EINVAL "$B3\n$B2\n"
	# The block is online already.
	bad block_online EINVAL "$B3"
	bad block_online EINVAL "$B3 online_kernel"
	for text in 9999 4294967296 18446744073709551615 $((SINK + 1)); do
		bad block_offline ENXIO "$text"
		bad block_online ENXIO "$text"
	done
	bad block_offline ERANGE 18446744073709551616
	bad block_online ERANGE 18446744073709551616
	expect_eq "clear" ok "$(tryio write "$FO"/inject clear)"
	go "$B3" offline
	bad_before=$(state)
	# The block is offline already.
	bad block_offline EINVAL "$B3"
	check_all "at last"
	go "$B3" online_movable
}

inject_lines() {
	begin
	for text in "offline" "offline before" "offline before -12" \
		"offline before -12 1 1" "offline before 12 1" \
		"offline before 0 1" "offline before -4096 1" \
		"offline before -99999 1" "offline before -12 -1" \
		"offline nowhere -12 1" "online late -16 1" "nothing before -12 1" \
		"offline late -12 1" "offline late -1 1" "mark stray -12 1" \
		"mark before -16 1" "offline stray -16 1" "clear clear" \
		"offline before -12 1x" "offline before ENOMEM 1" "clear 1"; do
		bad inject EINVAL "$text"
	done
	bad inject ERANGE "offline before -12 4294967296"
	bad inject ERANGE "offline before -12 99999999999999999999"
	bad inject ERANGE "offline before -99999999999 1"
	bad_bytes inject EINVAL "clear"
	bad_bytes inject EINVAL "offline before -12 1\nnonsense\n"
	bad_bytes inject EINVAL "clear\noffline before -12\n"

	# An armed failure reads as it was written, and 0 disarms it.
	printf 'offline before -1 1\noffline after -511 4294967295\noffline late -16 3\n' |
		tryio write "$FO"/inject >"$TMP/armed"
	expect_eq "three failures in one write" ok "$(cat "$TMP/armed")"
	expect_eq "the armed failures" "offline before -1 1
offline after -511 4294967295
offline late -16 3
online before -12 1" "$(sed '/^#/d' "$FO"/inject)"
	expect_eq "replace and disarm" ok \
		"$(printf 'offline after -5 2\noffline late -4 0\noffline before -1 0\n' |
			tryio write "$FO"/inject)"
	expect_eq "the armed failures" "offline after -5 2
online before -12 1" "$(sed '/^#/d' "$FO"/inject)"
	expect_eq "a line that was read can be written again" ok \
		"$(sed '/^#/d' "$FO"/inject | tryio write "$FO"/inject)"
	expect_eq "clear" ok "$(tryio write "$FO"/inject clear)"
	expect_eq "the armed failures" "" "$(sed '/^#/d' "$FO"/inject)"
	check_all "at last"
}

# The mode of a file decides who may open it, and CAP_SYS_ADMIN who may use it then.
access() {
	begin
	for pair in mark:200 unmark:200 skippable:200 ranges:400 block_offline:200 \
		block_online:200 last_failure:400 verify:400 stats:400 inject:600; do
		file=$FO/${pair%:*}
		expect_eq "mode and owner of ${pair%:*}" "${pair#*:} 0 0" \
			"$(stat -c '%a %u %g' "$file")"
		case ${pair#*:} in
		200) how=w ;;
		400) how=r ;;
		600) how="r w" ;;
		esac
		for h in $how; do
			expect_eq "root opens ${pair%:*} $h" ok \
				"$(tryio open "$file" "$h")"
			expect_eq "root without CAP_SYS_ADMIN, ${pair%:*} $h" \
				open:EPERM "$(tryio -c open "$file" "$h")"
			expect_eq "another user, ${pair%:*} $h" open:EACCES \
				"$(tryio -u 65534 open "$file" "$h")"
		done
	done
	expect_eq "files there are" "block_offline block_online inject last_failure last_refusal mark ranges skippable stats unmark verify" \
		"$(cd "$FO" && echo *)"
	expect_eq "a mark without CAP_SYS_ADMIN" open:EPERM \
		"$(tryio -c write "$FO"/mark "$(block_pfn "$B1" 500) 1")"
	expect_eq "the state after that" "$bad_before" "$(state)"
	expect_eq "clear" ok "$(tryio write "$FO"/inject clear)"
	check_all "at last"
}

# The kernel's log has the reason of a refused write, with the number of the line.
reasons() {
	begin
	# Five seconds later, the log has room again for another reason.
	usleep 5000000
	dmesg -c >/dev/null
	printf '%d 1\n%d 1\nnonsense\n' $((s = $(block_pfn "$B1" 2000))) $((s + 1)) >"$TMP/bad"
	expect_eq "the third line is malformed" EINVAL "$(tryio write "$FO"/mark <"$TMP/bad")"
	dmesg | sed 's/^/#   /'
	expect_eq "lines in the log about it" 1 \
		"$(dmesg | grep -c 'mark.*line 3\|mark.*:3')"
	expect_eq "the state after that" "$bad_before" "$(state)"
	expect_eq "clear" ok "$(tryio write "$FO"/inject clear)"
}

# The module does not load with a way of skipping that does not exist, or not on this
# kernel. Without the parameter it takes the kernel's own way if there is one.
parameters() {
	expect_status "rmmod" 0 rmmod fake_offline
	# modprobe would also read parameters from the kernel's command line.
	expect_status "insmod" 0 insmod "$(modinfo -n fake_offline)"
	parameters_default=$(cat /sys/module/fake_offline/parameters/skip)
	expect_status "rmmod" 0 rmmod fake_offline
	case $parameters_default in
	native) parameters_none='' ;;
	*)
		expect_eq "the default" frozen "$parameters_default"
		parameters_none=native ;;
	esac
	# shellcheck disable=SC2086  # a word or nothing
	for parameters_skip in nonsense frozenn Frozen '' $parameters_none; do
		expect_status "modprobe skip=$parameters_skip" 1 \
			modprobe fake_offline "skip=$parameters_skip" 2>/dev/null
		expect_status "it is not loaded" 1 grep -q ^fake_offline /proc/modules
	done
	expect_status "modprobe" 0 load_module
	check_all "after that"
}

run_tests any_file mark_lines no_ram unmark_lines block_lines inject_lines access \
	reasons parameters
