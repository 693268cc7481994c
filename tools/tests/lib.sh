# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests of offctl share. Set by tests/run: $here, $built.
# shellcheck disable=SC2154,SC2034

# As built for users, and with the sanitizers and the module's part, see
# kernel.c. The tests use the second, unless it matters.
plain=$built/offctl
offctl=$built/sanitize/offctl

work=$(mktemp -d "${TMPDIR:-/tmp}/offctl-tests.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# A sanitizer's report must not pass for an expected failure.
ASAN_OPTIONS=exitcode=99:detect_leaks=1
UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
LC_ALL=C
export ASAN_OPTIONS UBSAN_OPTIONS LC_ALL
unset POSIXLY_CORRECT OFFCTL_TEST_KERNEL

# The columns of blocks that most tests look at.
short=BLOCK,RANGE,SIZE,NODE,ZONES,STATE,MARKED

count=0 failed=0

# ok NAME, not_ok NAME: a result
ok() {
	count=$((count + 1))
	echo "ok $count $1"
}
not_ok() {
	count=$((count + 1)) failed=$((failed + 1))
	echo "not ok $count $1"
}

# tree NAME: a fresh copy of a recorded tree, in $T
tree() {
	rm -rf "$work/tree"
	cp -RP "$here/trees/$1" "$work/tree" || exit 2
	T=$work/tree
	memory=$T/sys/devices/system/memory
	fo=$T/sys/kernel/debug/fake_offline
	export T memory fo
	no_kernel
}

# kernel SCRIPT: what the module and the kernel do when they get a command.
# $1 is the file, $2 the data, its exit status the errno; 200: a short write.
kernel() {
	printf '%s\n' "$1" >"$work/kernel"
	OFFCTL_TEST_KERNEL=$work/kernel
	export OFFCTL_TEST_KERNEL
}
no_kernel() {
	unset OFFCTL_TEST_KERNEL
}

# differs WHAT WANT GOT: 0, and a diagnostic, when they do
differs() {
	[ "$2" != "$3" ] || return 1
	printf '%s\n' "expected $1:" "$2" "got $1:" "$3" | sed 's/^/# /'
}

# text FILE: what a program said, and "+" after it: $(...) drops the newlines
# at the end. The tree's place is always another one.
text() {
	sed "s|$work/tree|ROOT|g" "$1"
	echo +
}

# lines TEXT: as text(), for what is expected
lines() {
	if [ -n "$1" ]; then
		printf '%s\n+\n' "$1"
	else
		echo +
	fi
}

# run NAME STATUS OUT ERR COMMAND…: all three exactly so
run() {
	name=$1 want_status=$2 want_out=$3 want_err=$4 bad=0
	shift 4
	"$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	differs status "$want_status" "$status" && bad=1
	differs stdout "$(lines "$want_out")" "$(text "$work/out")" && bad=1
	differs stderr "$(lines "$want_err")" "$(text "$work/err")" && bad=1
	if [ "$bad" -eq 0 ]; then ok "$name"; else not_ok "$name"; fi
}

# try NAME STATUS OUT ERR ARGUMENT…: run() of offctl on the tree
try() {
	name=$1 want_status=$2 want_out=$3 want_err=$4
	shift 4
	run "$name" "$want_status" "$want_out" "$want_err" \
		"$offctl" --sysroot "$T" "$@"
}

# sent FILE TEXT: what the module got through this file since tree(), exactly
sent() {
	if differs "bytes for $1" "$(lines "$2")" "$(cat "$fo/$1"; echo +)"; then
		not_ok "$1: bytes written"
	else
		ok "$1: bytes written"
	fi
}

# nothing_sent: no command reached the module
nothing_sent() {
	if [ -s "$fo/mark" ] || [ -s "$fo/unmark" ] ||
	   [ -s "$fo/block_offline" ] || [ -s "$fo/block_online" ] ||
	   [ "$(wc -l <"$fo/inject")" -ne 1 ]; then
		not_ok "nothing written"
	else
		ok "nothing written"
	fi
}

# unit: the C tests, one result a line
unit() {
	"$built/sanitize/unit" >"$work/unit"
	unit_status=$?
	while IFS= read -r line; do
		case $line in
		'ok '*) ok "${line#ok }" ;;
		'not ok '*) not_ok "${line#not ok }" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$work/unit"
	if [ "$unit_status" -eq 0 ]; then ok "unit tests end"; else not_ok "unit tests end"; fi
}
