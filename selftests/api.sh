#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The exported helpers, used through the sample client, samples/fake-offline-balloon. A
# client owns its pages, is told of every event once, and may act when it is told. All
# of its pages are given back when the client is unloaded. The other client is debugfs.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

# inflated: the balloon has 2000 pages, in all blocks
inflated() {
	balloon_load pages=2000 chunk=50
	balloon_note
	expect_eq "the balloon's size" 2000 "$(balloon_pages)"
	for inflated_b in $BLOCKS; do
		expect_at_least "pages of the balloon in memory$inflated_b" 50 \
			"$(balloon_noted "$inflated_b")"
	done
}

# No other client can change the pages of a client.
owners() {
	mark "$(block_pfn "$B2" 10000)" 100 canary
	inflated
	check_all "with both clients"
	theirs=$(awk -v b="$B2" -v bp="$BLOCK_PAGES" '$1 >= b * bp' "$TMP/balloon" | head -n 1)
	# shellcheck disable=SC2086  # a line of words
	set -- $theirs
	expect_eq "unmark the balloon's pages" EPERM "$(tryio write "$FO"/unmark "$1 $2")"
	expect_eq "unmark one of them" EPERM "$(tryio write "$FO"/unmark "$(($1 + 7)) 1")"
	expect_eq "one of them, after one of debugfs" EPERM \
		"$(tryio write "$FO"/unmark "$(block_pfn "$B2" 10000) 100
$1 1")"
	for owners_bit in 0 1; do
		expect_eq "skippable $owners_bit for them" EPERM \
			"$(tryio write "$FO"/skippable "$1 $2 $owners_bit")"
	done
	expect_eq "mark them" EEXIST "$(mark_raw "$1 $2")"
	expect_eq "mark them and the pages beside them" EEXIST \
		"$(mark_raw "$(($1 + $2 - 1)) 10")"
	check_all "after all that"
	expect_eq "the owner, as listed" "balloon debugfs" \
		"$(awk -v b="$B2" -v bp="$BLOCK_PAGES" '
		!/^#/ && int($1 / bp) == b { print $7 }' "$FO"/ranges | sort -u | tr '\n' ' ' | sed 's/ $//')"

	# The twin: debugfs can give back its own pages, and no others go.
	unmark "$(block_pfn "$B2" 10000)" 50
	check_all "with half of the pages of debugfs given back"
	unmark_all
	cat "$TMP/balloon" >"$MARKS"
	check_all "after \"unmark all\""

	# The balloon cannot change the pages of debugfs either.
	mark "$(block_pfn "$B2" 10000)" 100 canary
	mark "$(block_pfn "$B1" 20009)" 1
	balloon_set pages 0
	balloon_forget
	check_all "after the balloon was deflated"
	expect_events "without hotplug" 0 0 0 0 0
	balloon_unload
	check_all "after the balloon was unloaded"
	unmark_all
	check_all "after unmark"
}

# references: the number of references to the module and their holders, from the kernel
references() {
	awk '$1 == "fake_offline" { print $3, $4 }' /proc/modules
}

# A module with clients cannot be unloaded. The reference of a client comes in addition
# to the use of the module's symbols.
busy() {
	expect_eq "references without a client" "0 -" "$(references)"
	balloon_load
	expect_eq "references with one" "2 fake_offline_balloon," "$(references)"
	expect_status "rmmod fake_offline with a client that has no pages" 1 \
		rmmod fake_offline 2>/dev/null
	balloon_set pages 10
	balloon_note
	expect_status "rmmod fake_offline with a client that has pages" 1 \
		rmmod fake_offline 2>/dev/null
	check_all "after that"
	balloon_unload
	expect_eq "references without a client" "0 -" "$(references)"
	expect_status "rmmod fake_offline" 0 rmmod fake_offline
	expect_status "modprobe fake_offline" 0 load_module
}

# An impossible size is refused as a whole; otherwise the balloon keeps what it got.
sizes() {
	expect_status "chunk=0" 1 modprobe fake_offline_balloon chunk=0 2>/dev/null
	expect_status "more pages than there are" 1 \
		modprobe fake_offline_balloon pages=100000000 chunk=32768 2>/dev/null
	expect_eq "references after that" "0 -" "$(references)"
	check_all "after modules that did not load"
	balloon_load chunk=100
	for sizes_n in 1 100 701 0 77; do
		balloon_set pages "$sizes_n"
		expect_eq "size" "$sizes_n" "$(balloon_pages)"
		balloon_note
		check_accounts "with $sizes_n pages"
		check_pages "with $sizes_n pages"
	done
	check_all "at last"
	balloon_unload
	check_all "after the balloon was unloaded"
}

# spanning: the balloon has a range that lies in both $B1 and $B2, and others. It takes
# other pages where some are busy for a moment. So it is loaded again, as often as a mark
# is tried.
spanning() {
	spanning_want="$(block_pfn "$B2" -500) 1000 1 1" spanning_left=10
	while :; do
		balloon_load chunk=1000 from="${spanning_want%% *}"
		balloon_set pages 1000
		[ "$(owned_by balloon)" != "$spanning_want" ] || break
		[ "$spanning_left" -gt 0 ] || break
		spanning_left=$((spanning_left - 1))
		balloon_unload
		usleep 500000
	done
	expect_eq "a range in two blocks" "$spanning_want" "$(owned_by balloon)"
	balloon_set pages 5000
	balloon_note
}

# unload STATE: the client is unloaded, and its pages are given back in any state of the
# blocks
unload() {
	mark "$(block_pfn "$B2" 5000)" 10
	case $1 in
	half) spanning ;;
	*) inflated ;;
	esac
	check_all "when inflated"
	case $1 in
	offline) unload_blocks="$B1 $B2 $B3" ;;
	half) unload_blocks=$B2 ;;
	some) unload_blocks="$B1 $B3" ;;
	*) unload_blocks='' ;;
	esac
	for unload_b in $unload_blocks; do
		go "$unload_b" offline
	done
	check_all "before unloading"
	balloon_unload
	check_all "after unloading"
	check_everywhere "after unloading"
	for unload_b in $unload_blocks; do
		go "$unload_b" online_movable
	done
	check_all "with all blocks online"
	check_everywhere "with all blocks online"
	check_hog "with all blocks online" "$B2"
	unmark_all
	check_all "after unmark"
}

# The client is told of the outcome once, for each way in which an offlining and an
# onlining can end.
events() {
	inflated
	mark "$(block_pfn "$B2" 5000)" 10
	expect_events "at first" 0 0 0 0 0

	go "$B2" offline
	expect_events "after offline" 1 0 1 0 0
	go "$B2" online_movable debugfs
	expect_events "after online" 1 0 1 1 0
	check_all "after a cycle"

	for events_how in "before -12 ENOMEM" "after -5 EIO" "late -16 EBUSY" \
			  "late -4 EINTR"; do
		# shellcheck disable=SC2086  # three words
		set -- $events_how
		expect_eq "arm $events_how" ok \
			"$(tryio write "$FO"/inject "offline $1 $2 1")"
		refuse "$B2" offline "$3"
		case $events_how in
		before*) expect_events "after a failure before" 1 0 1 1 0 ;;
		after*) expect_events "after a failure after" 2 1 1 1 0 ;;
		*EBUSY) expect_events "after a late failure" 3 2 1 1 0 ;;
		*EINTR) expect_events "after an interruption" 4 3 1 1 0 ;;
		esac
		check_all "after $events_how"
	done

	# Another notifier vetoes. If it comes before the module's, the client hears of
	# no offlining.
	load_notifier_errors 1
	notifier_error MEM_GOING_OFFLINE -12
	refuse "$B2" offline ENOMEM
	expect_events "after a veto before the module" 4 3 1 1 0
	unload_notifier_errors
	load_notifier_errors -1
	notifier_error MEM_GOING_OFFLINE -12
	refuse "$B2" offline ENOMEM
	expect_events "after a veto after the module" 5 4 1 1 0
	unload_notifier_errors

	# The client vetoes itself. It is not told of its own veto.
	balloon_set refuse 1
	refuse "$B2" offline EBUSY
	expect_events "after its own veto" 6 4 1 1 0
	balloon_set refuse 0
	check_all "after vetoes"

	# The client is told of an onlining that works, and not of one that fails.
	go "$B2" offline
	expect_events "after offline" 7 4 2 1 0
	for events_point in before after; do
		expect_eq "arm online $events_point" ok \
			"$(tryio write "$FO"/inject "online $events_point -12 1")"
		refuse "$B2" online_movable ENOMEM
	done
	for events_priority in 1 -1; do
		load_notifier_errors "$events_priority"
		notifier_error MEM_GOING_ONLINE -12
		refuse "$B2" online_movable ENOMEM
		unload_notifier_errors
	done
	expect_events "after onlinings that failed" 7 4 2 1 0
	go "$B2" online_movable
	expect_events "after online" 7 4 2 2 0
	check_all "at last"

	# The twin: the client is not told of a block without its pages.
	highest=$(tail -n 1 "$TMP/balloon" | awk '{ print $2 }')
	balloon_set pages "$highest"
	balloon_note
	expect_eq "pages of the balloon in memory$B2" 0 "$(balloon_noted "$B2")"
	go "$B2" offline
	go "$B2" online_movable
	expect_events "after a block without its pages" 7 4 2 2 0
	balloon_unload
	unmark_all
	check_all "after unmark"
}

# vetoer_load: loads the second client, whose only page is in $B2
vetoer_load() {
	vetoer_pfn=$(block_pfn "$B2" 6000)
	expect_status "modprobe fake_offline_vetoer" 0 \
		modprobe fake_offline_vetoer pfn="$vetoer_pfn"
	vetoer_mark=$(owned_by vetoer)
	expect_eq "its page" "$vetoer_pfn 1" "${vetoer_mark% * *}"
	echo "$vetoer_mark" >>"$MARKS"
}
vetoer_unload() {
	expect_status "rmmod fake_offline_vetoer" 0 rmmod fake_offline_vetoer
	grep -vxF "$vetoer_mark" "$MARKS" >"$MARKS.new"
	mv "$MARKS.new" "$MARKS"
}
expect_vetoer() { # WHEN ASKED TOLD
	expect_eq "the vetoer $1: asked, told" "$2 $3" \
		"$(cat /sys/module/fake_offline_vetoer/parameters/asked) $(
		cat /sys/module/fake_offline_vetoer/parameters/told)"
}

# One client vetoes. A client that had agreed before is told of the offlining and of the
# rollback. A client that was not asked yet is told nothing.
two_clients() {
	[ -n "$(find "/lib/modules/$(uname -r)/" -name 'fake[-_]offline[-_]vetoer.ko*')" ] ||
		skip "there is no module fake_offline_vetoer: selftests/modules"
	inflated
	vetoer_load
	refuse "$B2" offline EPERM
	expect_eq "the reason" "vetoed by vetoer: it always does" "$(failure_value reason)"
	expect_events "of a later veto" 1 1 0 0 0
	expect_vetoer "after that" 1 0
	balloon_set refuse 1
	refuse "$B2" offline EBUSY
	expect_eq "the reason, when both would" \
		"vetoed by balloon: the balloon was told to refuse" "$(failure_value reason)"
	expect_events "of its own veto" 2 1 0 0 0
	expect_vetoer "after the other's" 1 0
	# The twin: the vetoer is not asked about a block without its pages.
	balloon_set refuse 0
	go "$B1" offline
	go "$B1" online_movable
	expect_events "of another block" 3 1 1 1 0
	expect_vetoer "after another block" 1 0
	check_all "with two clients"
	balloon_unload
	vetoer_unload

	# The clients are registered in the other order.
	vetoer_load
	inflated
	refuse "$B2" offline EPERM debugfs
	expect_eq "the reason" "vetoed by vetoer: it always does" "$(failure_value reason)"
	expect_events "of an earlier veto" 0 0 0 0 0
	expect_vetoer "asked first" 1 0
	check_all "after that"
	vetoer_unload
	go "$B2" offline
	go "$B2" online_movable
	expect_events "without the vetoer" 1 0 1 1 0
	balloon_unload
	check_all "after the balloon was unloaded"
}

# The client may release its pages when it is told that their block will go offline.
leaves() {
	inflated
	mark "$(block_pfn "$B2" 5000)" 10 canary
	leaves_n=$(balloon_noted "$B2")
	balloon_set leave 1

	# These pages are free when the offlining fails, and stay free.
	expect_eq "arm" ok "$(tryio write "$FO"/inject "offline late -16 1")"
	refuse "$B2" offline EBUSY
	expect_eq "its size" $((2000 - leaves_n)) "$(balloon_pages)"
	balloon_note
	expect_eq "its pages in memory$B2" 0 "$(balloon_noted "$B2")"
	expect_events "after a late failure" 1 1 0 0 0
	check_all "after a late failure"

	leaves_n=$(balloon_noted "$B1")
	leaves_size=$(balloon_pages)
	go "$B1" offline debugfs
	expect_events "after offline" 2 1 1 0 0
	expect_eq "its size" $((leaves_size - leaves_n)) "$(balloon_pages)"
	balloon_note
	check_all "while offline"
	go "$B1" online_movable
	# The client has no pages there any more.
	expect_events "after online" 2 1 1 0 0
	check_all "after online"
	check_hog "after online" "$B1"

	# The twin: a client that does not release them keeps them.
	balloon_set leave 0
	leaves_size=$(balloon_pages)
	go "$B3" offline
	expect_eq "its size" "$leaves_size" "$(balloon_pages)"
	check_all "while offline"
	go "$B3" online_movable
	expect_events "after another block" 3 1 2 1 0
	check_all "after online"
	balloon_unload
	unmark_all
	check_all "after unmark"
}

# The last range is released in a callback, and the hook with it. The next range takes
# the hook again.
leaves_last() {
	balloon_load chunk=50
	leaves_n=0
	until [ "$(owned_by balloon | pages_in "$B2")" != 0 ] || [ "$leaves_n" -gt 5000 ]; do
		leaves_n=$((leaves_n + 50))
		tryio write "$BALLOON"/pages "$leaves_n" >/dev/null
	done
	leaves_n=$(owned_by balloon | tail -n 1 | awk '{ print $2 }')
	balloon_set pages "$leaves_n"
	balloon_note
	expect_eq "its pages are all in memory$B2" "$leaves_n" "$(balloon_noted "$B2")"
	expect_eq "hook" held "$(stat_value hook)"
	balloon_set leave 1
	go "$B2" offline
	balloon_note
	expect_eq "its size" 0 "$(balloon_pages)"
	check_all "while offline"
	go "$B2" online_movable
	check_all "after online"
	leaves_wait=0
	until [ "$(stat_value hook)" = free ] || [ "$leaves_wait" -ge 600 ]; do
		usleep 100000
		leaves_wait=$((leaves_wait + 1))
	done
	expect_eq "hook without a range" free "$(stat_value hook)"
	balloon_set leave 0
	balloon_set pages 100
	balloon_note
	expect_eq "hook with one" held "$(stat_value hook)"
	check_all "with another range"
	balloon_unload
	check_all "after the balloon was unloaded"
}

run_tests owners busy sizes events two_clients leaves leaves_last "unload online" \
	"unload offline" "unload some" "unload half"
