# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Part of lib.sh: marking and unmarking, and the record of the marks in $MARKS.

# mark_raw TEXT: prints the result of a write to "mark"
mark_raw() {
	tryio write "$FO"/mark "$1"
}

# mark_file FILE: the same for all lines of the file in one write
mark_file() {
	tryio write "$FO"/mark <"$1"
}

# mark_patiently RANGE COMMAND…: sets RESULT to the result of the mark. Pages in use are
# moved away, which nearly always works. Another task may hold a page for a moment, and
# EBUSY is then the right answer. So the mark is tried again, ten times at most, and a
# note says so.
mark_patiently() {
	mark_range=$1 mark_left=10
	shift
	while :; do
		result "$@"
		[ "$RESULT $((mark_left > 0))" = "EBUSY 1" ] || break
		mark_left=$((mark_left - 1))
		note "busy, and tried again: $(dmesg | grep 'fake_offline: mark refused' | tail -n 1)"
		usleep 500000
	done
	[ "$RESULT" = ok ] || note_refused "$mark_range"
}

# mark START NR [OPTION…]: the mark must work, and is noted in $MARKS
mark() {
	mark_patiently "$1+$2" mark_raw "$*"
	expect_eq "mark $*" ok "$RESULT"
	note_mark "$@"
}

# note_refused RANGE: prints what is in the place of a mark that was refused
note_refused() {
	note "there: $(oracle count "$1" | tr '\n' ' ')"
	note "references: $(refs "$1" | tr '\n' ' ')"
	dmesg | tail -n 20 | sed 's/^/#   /'
}

# note_mark START NR [OPTION…]: adds "START NR SKIPPABLE CANARY" to $MARKS
note_mark() {
	mark_s=1 mark_c=0
	case " $* " in *" unskippable "*) mark_s=0 ;; esac
	case " $* " in *" canary "*) mark_c=1 ;; esac
	echo "$1 $2 $mark_s $mark_c" >>"$MARKS"
}

# mark_batch FILE: all lines in one write, of which all are carried out or none
mark_batch() {
	mark_patiently "@$1" mark_file "$1"
	expect_eq "mark, $(wc -l <"$1") lines in one write" ok "$RESULT"
	note_batch "$1"
}

# note_batch FILE: note_mark for each line of the file
note_batch() {
	while read -r batch_line; do
		# shellcheck disable=SC2086  # a line of words
		note_mark $batch_line
	done <"$1"
}

# unmark START NR: the release must work, and $MARKS loses these pages
unmark() {
	result tryio write "$FO"/unmark "$1 $2"
	expect_eq "unmark $1 $2" ok "$RESULT"
	forget "$1" "$2"
}

# forget START NR: $MARKS loses these pages
forget() {
	awk -v from="$1" -v nr="$2" '
	function out(s, e) { if (e > s) print s, e - s, $3, $4 }
	{
		s = $1; e = $1 + $2
		if (e <= from || s >= from + nr) { print; next }
		out(s, from)
		out(from + nr, e)
	}' "$MARKS" >"$MARKS.new"
	mv "$MARKS.new" "$MARKS"
}

unmark_all() {
	result tryio write "$FO"/unmark all
	expect_eq "unmark all" ok "$RESULT"
	: >"$MARKS"
}

# marks_by_block [online]: $MARKS cut at the boundaries of blocks, sorted:
# "START NR SKIPPABLE CANARY BLOCK"; all marks, or those in online blocks
marks_by_block() {
	sort -n "$MARKS" | awk -v bp="$BLOCK_PAGES" -v only="${1-}" -v sys="$SYSMEM" '
	function wanted(b,    file) {
		if (only == "") return 1
		if (!(b in state)) {
			file = sys "/memory" b "/state"
			getline state[b] <file
			close(file)
		}
		return state[b] == only
	}
	{
		s = $1; e = $1 + $2
		while (s < e) {
			b = int(s / bp)
			t = (b + 1) * bp
			if (t > e) t = e
			if (wanted(b)) print s, t - s, $3, $4, b
			s = t
		}
	}'
}

marks_online() {
	marks_by_block online
}

# marks_pages: the number of pages in such a list
marks_pages() {
	awk '{ n += $2 } END { print n + 0 }'
}

# merged: the runs of pages that a list covers, cut at the boundaries of blocks
merged() {
	awk '
	n && $1 == s + n && $5 == b { n += $2; next }
	n { print s, n }
	{ s = $1; n = $2; b = $5 }
	END { if (n) print s, n }'
}

# extents: joins neighbours of the same kind
extents() {
	awk '
	/^#/ { next }
	n && $1 == s + n && $3 $4 == k { n += $2; next }
	n { print s, n, k }
	{ s = $1; n = $2; k = $3 $4 }
	END { if (n) print s, n, k }'
}

# mark_shape BLOCK: marks what most tests mark in a block. These are 16 MiB, three odd
# pages with the last page of the block among them, an odd range, and a page in each of
# the other page blocks. So no page block is free as a whole, and the kernel keeps its
# own data out of the block in ZONE_NORMAL, see record_base().
mark_shape() {
	shape=$(block_start "$1")
	mark $((shape + 8192)) 4096 canary
	awk -v s="$shape" -v n="$BLOCK_PAGES" 'BEGIN {
		print s + 1, 1, "canary"
		print s + 4099, 1, "canary"
		print s + n - 1, 1, "canary"
	}' >"$TMP/batch"
	mark_batch "$TMP/batch"
	mark $((shape + 20001)) 777
	sparse_lines "$1" 300 >"$TMP/batch"
	mark_batch "$TMP/batch"
}

# sparse_lines BLOCK FIRST: a line for a page in each page block, FIRST pages from its
# start, except where mark_shape() has larger marks
sparse_lines() {
	awk -v s="$(block_start "$1")" -v first="$2" -v n="$BLOCK_PAGES" 'BEGIN {
		for (i = first; i < n; i += 512) {
			if (i >= 8192 && i < 12288) continue
			if (i >= 20001 && i < 20778) continue
			print s + i, 1, "canary"
		}
	}'
}
