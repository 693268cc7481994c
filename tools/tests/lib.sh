# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The functions that the tests of offctl share. tests/run sets $here and $built.
# shellcheck disable=SC2154,SC2034,SC2016

# $plain is the program as users have it. $offctl has the sanitizers, and kernel.c plays
# the module's part in it. The tests use the second unless they need the first.
plain=$built/offctl
offctl=$built/sanitize/offctl

work=$(mktemp -d "${TMPDIR:-/tmp}/offctl-tests.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# A report of a sanitizer must not look like an expected failure.
ASAN_OPTIONS=exitcode=99:detect_leaks=1
UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
LC_ALL=C
export ASAN_OPTIONS UBSAN_OPTIONS LC_ALL
unset POSIXLY_CORRECT OFFCTL_TEST_KERNEL

# The columns of "offctl blocks" that most tests look at.
short=BLOCK,RANGE,SIZE,NODE,ZONES,STATE,MARKED

count=0 failed=0

# ok NAME, not_ok NAME: print a result
ok() {
	count=$((count + 1))
	echo "ok $count $1"
}
not_ok() {
	count=$((count + 1)) failed=$((failed + 1))
	echo "not ok $count $1"
}

# tree NAME: makes a fresh copy of a recorded tree in $T
tree() {
	rm -rf "$work/tree"
	cp -RP "$here/trees/$1" "$work/tree" || exit 2
	T=$work/tree
	memory=$T/sys/devices/system/memory
	fo=$T/sys/kernel/debug/fake_offline
	export T memory fo
	no_kernel
}

# kernel SCRIPT: from here on SCRIPT plays the module and the kernel. It runs for each
# command. $1 is the name of the file, $2 the data, $3 the directory. Its exit status is
# the errno, and 200 makes a short write.
kernel() {
	printf '%s\n' "$1" >"$work/kernel"
	OFFCTL_TEST_KERNEL=$work/kernel
	export OFFCTL_TEST_KERNEL
}
no_kernel() {
	unset OFFCTL_TEST_KERNEL
}

# For kernel(): a module that marks all of a request, but for requests with PFN 1146890,
# which is busy, and with PFN 9999999N, where there is no memory.
takes='[ "$1" = mark ] || exit 0
printf "%s\n" "$2" | {
read -r start nr words
case $start in 9999999*) exit 6 ;; esac
[ "$start" -le 1146890 ] && [ "$((start + nr))" -gt 1146890 ] && exit 16
s=1 c=0
case $words in *unskippable*) s=0 ;; esac
case $words in *canary*) c=1 ;; esac
{
	head -n 1 "$3/ranges"
	{ tail -n +2 "$3/ranges"; echo "$start $nr $s $c 0 Normal debugfs 0 in_force"; } | sort -n
} >"$3/new"
mv "$3/new" "$3/ranges"
}'

# differs WHAT WANT GOT: succeeds and prints a diagnostic if the texts differ
differs() {
	[ "$2" != "$3" ] || return 1
	printf '%s\n' "expected $1:" "$2" "got $1:" "$3" | sed 's/^/# /'
}

# text FILE: prints the output of a program and "+", since $(...) drops the newlines at the
# end. ROOT replaces the path of the tree, which differs each time.
text() {
	sed "s|$work/tree|ROOT|g" "$1"
	echo +
}

# lines TEXT: prints an expected text in the same form
lines() {
	if [ -n "$1" ]; then
		printf '%s\n+\n' "$1"
	else
		echo +
	fi
}

# run NAME STATUS OUT ERR COMMAND…: the command must have exactly this exit status and this
# output
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

# try NAME STATUS OUT ERR ARGUMENT…: as run(), for offctl on the tree
try() {
	name=$1 want_status=$2 want_out=$3 want_err=$4
	shift 4
	run "$name" "$want_status" "$want_out" "$want_err" \
		"$offctl" --sysroot "$T" "$@"
}

# sent FILE TEXT: the module must have got exactly TEXT through this file since tree()
sent() {
	if differs "bytes for $1" "$(lines "$2")" "$(cat "$fo/$1"; echo +)"; then
		not_ok "$1: bytes written"
	else
		ok "$1: bytes written"
	fi
}

# nothing_sent: the module must not have got a command since tree()
nothing_sent() {
	if [ -s "$fo/mark" ] || [ -s "$fo/unmark" ] ||
	   [ -s "$fo/block_offline" ] || [ -s "$fo/block_online" ] ||
	   [ "$(wc -l <"$fo/inject")" -ne 1 ]; then
		not_ok "nothing written"
	else
		ok "nothing written"
	fi
}

# unit: runs the unit tests, which print one result on each line
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
