# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Part of lib.sh: the memory blocks under test, their states, and changing these.

mem_total() {
	read -r _ mt_kb _ </proc/meminfo
	echo "$mt_kb"
}

# zones: prints "NODE ZONE PRESENT MANAGED" of every zone, also of the empty ones
zones() {
	awk '
	/^Node/ { node = $2; sub(",", "", node); zone = $4; present = "" }
	$1 == "present" { present = $2 }
	$1 == "managed" { print node, zone, present, $2 }' /proc/zoneinfo
}

# block_look BLOCK: sets BLOCK_STATE and BLOCK_ZONE. BLOCK_ZONE is the zone of an online
# block, and the zone that "online" will give to an offline one.
block_look() {
	BLOCK_STATE=absent BLOCK_ZONE=none
	[ -d "$SYSMEM/memory$1" ] || return
	read -r BLOCK_STATE <"$SYSMEM/memory$1/state"
	read -r BLOCK_ZONE _ <"$SYSMEM/memory$1/valid_zones"
}

block_state() {
	block_look "$1"
	echo "$BLOCK_STATE"
}

block_zone() {
	block_look "$1"
	echo "$BLOCK_ZONE"
}

block_start() {
	echo $(($1 * BLOCK_PAGES))
}

block_range() {
	echo "$(block_start "$1")+$BLOCK_PAGES"
}

# block_pfn BLOCK OFFSET: the PFN of a page of the block
block_pfn() {
	echo $(($1 * BLOCK_PAGES + $2))
}

# block_numbers: the numbers of all memory blocks
block_numbers() {
	for bn in "$SYSMEM"/memory*; do
		echo "${bn##*/memory}"
	done | sort -n
}

# boot_blocks: the blocks of boot memory without holes, except the first one: the blocks
# within the one large range of RAM below 4 GiB
boot_blocks() {
	boot_end=$(sed -n 's/^00100000-\([0-9a-f]*\) : System RAM$/\1/p' /proc/iomem)
	boot_end=$(((0x${boot_end:-0} + 1) / 4096 / BLOCK_PAGES))
	boot_next=1
	while [ "$boot_next" -lt "$boot_end" ]; do
		echo "$boot_next"
		boot_next=$((boot_next + 1))
	done
}

# block_states: sets ONLINE and OFFLINE to the blocks under test in these states
block_states() {
	ONLINE='' OFFLINE=''
	for bs_block in $BLOCKS; do
		block_look "$bs_block"
		case $BLOCK_STATE in
		online) ONLINE="$ONLINE $bs_block" ;;
		offline) OFFLINE="$OFFLINE $bs_block" ;;
		esac
	done
}

# block_try BLOCK STATE [VIA]: asks for a state and prints "ok" or the errno. VIA is
# sysfs (the kernel's own file) or debugfs (the module's).
block_try() {
	case ${3:-sysfs} in
	sysfs) tryio write "$SYSMEM/memory$1/state" "$2" ;;
	debugfs)
		case $2 in
		offline) tryio write "$FO"/block_offline "$1" ;;
		*) tryio write "$FO"/block_online "$1 $2" ;;
		esac ;;
	esac
}

# go BLOCK STATE [VIA]: the block must change its state
go() {
	result block_try "$@"
	expect_eq "memory$1 $2 by ${3:-sysfs}" ok "$RESULT" ||
		dmesg | tail -n 20 | sed 's/^/#   /'
	block_look "$1"
	case $2 in
	offline) expect_eq "state of memory$1" offline "$BLOCK_STATE" ;;
	*) expect_eq "state of memory$1" online "$BLOCK_STATE" ;;
	esac
}

# refuse BLOCK STATE ERRNO [VIA]: the request must fail like that and change no state
refuse() {
	block_look "$1"
	refuse_before=$BLOCK_STATE
	result block_try "$1" "$2" "${4:-sysfs}"
	expect_eq "memory$1 $2 by ${4:-sysfs} is refused" "$3" "$RESULT"
	block_look "$1"
	expect_eq "state of memory$1 after that" "$refuse_before" "$BLOCK_STATE"
}

# to_zone BLOCK Movable|Normal: the block goes offline and online again, if it is in
# another zone
to_zone() {
	block_look "$1"
	if [ "$BLOCK_ZONE" != "$2" ]; then
		go "$1" offline
		case $2 in
		Normal) go "$1" online_kernel ;;
		*) go "$1" online_movable ;;
		esac
	fi
	block_look "$1"
	expect_eq "zone of memory$1" "$2" "$BLOCK_ZONE"
}

# A script that wants all four blocks under test, and no sink, changes this before
# run_tests: see four_movable() in lib-events.sh.
WITH_SINK=yes

# record_base: writes to $FO_BASE what the machine has before the first test. Hot-added
# blocks are those that are in ZONE_MOVABLE or offline. The first three are under test.
# The last one becomes the sink.
#
# The sink is a block in ZONE_NORMAL that never goes offline. It lets a block under test
# leave that zone again. The kernel prefers ZONE_NORMAL for its own data, and takes the
# largest free chunk in it. The sink has whole page blocks free, and mark_shape() leaves
# no whole page block free in the block under test. So the kernel takes the sink.
record_base() {
	modprobe -r fake_offline 2>/dev/null
	BLOCK_PAGES=$((0x$(cat "$SYSMEM/block_size_bytes") / 4096))
	base_blocks=''
	for base_block in $(block_numbers); do
		if [ "$(block_state "$base_block")" = offline ]; then
			echo online_movable >"$SYSMEM/memory$base_block/state" || return
		fi
		[ "$(block_zone "$base_block")" = Movable ] || continue
		base_blocks="$base_blocks $base_block"
	done
	# shellcheck disable=SC2086  # a list of numbers
	set -- $base_blocks
	if [ $# != 4 ] || [ $(($4 - $1)) != 3 ]; then
		note "four neighbouring hot-added memory blocks are needed, found:$base_blocks"
		return 1
	fi
	if ! echo offline >"$SYSMEM/memory$4/state"; then
		note "memory$4 does not go offline"
		return 1
	fi
	# /proc/kpageflags shows an offline page as KPF_NOPAGE. A kernel 7.x shows 0, no
	# flag at all.
	base_got=$(oracle count "$(block_range "$4")")
	case $BLOCK_PAGES in
	"$(count_of nopage "$base_got")") base_looks=nopage ;;
	"$(count_of plain "$base_got")") base_looks=plain ;;
	*)
		note "pages of memory$4, which is offline: $base_got"
		return 1 ;;
	esac
	case $WITH_SINK in
	yes)
		base_type=online_kernel base_role=SINK
		base_tested="$1 $2 $3" ;;
	*)
		base_type=online_movable base_role=B4
		base_tested="$1 $2 $3 $4" ;;
	esac
	if ! echo "$base_type" >"$SYSMEM/memory$4/state"; then
		note "memory$4 does not come $base_type"
		return 1
	fi
	{
		echo "BLOCK_PAGES=$BLOCK_PAGES"
		echo "BLOCKS='$base_tested' B1=$1 B2=$2 B3=$3 $base_role=$4"
		echo "BASE_TOTAL=$(mem_total)"
		echo "BASE_ZONES='$(zones)'"
		echo "OFFLINE_LOOKS=$base_looks"
		echo "export PAGEREFS_MEMMAP=$(pagerefs --memmap)"
	} >"$FO_BASE"
	note "blocks under test: $base_tested, $BLOCK_PAGES pages each; MemTotal $(mem_total) kB"
	note "$(uname -r), skip=$FO_SKIP"
}

# new_base: from here on, the machine is as the test has set BASE_TOTAL and BASE_ZONES
new_base() {
	cat >>"$FO_BASE" <<-END
		BASE_TOTAL='$BASE_TOTAL'
		BASE_ZONES='$BASE_ZONES'
	END
}

# reset_world: no failure is armed, nothing is marked, all blocks are online in
# ZONE_MOVABLE, and fake_offline is freshly loaded. It does not look at the accounts.
reset_world() {
	unload_notifier_errors
	if [ -d "$FO" ]; then
		tryio write "$FO"/inject clear >/dev/null
	fi
	# Marks keep kernel memory out of a block in ZONE_NORMAL, see mark_shape(). So
	# the blocks return to ZONE_MOVABLE before the marks are given back.
	for reset_block in $BLOCKS; do
		block_look "$reset_block"
		[ "$BLOCK_STATE $BLOCK_ZONE" != "online Normal" ] ||
			echo offline >"$SYSMEM/memory$reset_block/state"
		block_look "$reset_block"
		[ "$BLOCK_STATE" != offline ] ||
			echo online_movable >"$SYSMEM/memory$reset_block/state"
		block_look "$reset_block"
		expect_eq "reset: memory$reset_block" "online Movable" \
			"$BLOCK_STATE $BLOCK_ZONE"
	done
	modprobe -r fake_offline 2>/dev/null
	expect_status "reset: modprobe fake_offline" 0 load_module
	[ "$FAILED" = 0 ]
}
