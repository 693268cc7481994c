#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: offctl agrees with the ABI file of the module.
# shellcheck disable=SC2154

abi=$here/../../docs/ABI/debugfs-fake_offline

# abi_of FILE: prints its entry
abi_of() {
	awk -v "file=/sys/kernel/debug/fake_offline/$1" \
		'$1 == "What:" { on = $2 == file } on' "$abi"
}
# names_of FILE: prints the first column of its table
names_of() {
	abi_of "$1" | awk -F '\t' '$3 ~ /^==/ { on = !on; next }
		on && $3 ~ /^[a-z_]+ / { sub(/ .*/, "", $3); print $3 }'
}
# same NAME ABI OFFCTL: both texts must be the same
same() {
	if differs "(ABI)" "$2" "$3"; then not_ok "$1"; else ok "$1"; fi
}
# meanings FILE: prints the errnos that offctl explains for it
meanings() {
	sed -n "s/^	{ \"$1\", \(E[A-Z0-9]*\), .*/\1/p" "$here/../module.c" | sort -u
}

if [ ! -f "$abi" ]; then
	ok "the ABI file # SKIP not here"
elif ! grep -q '/last_refusal$' "$abi"; then
	ok "the ABI file # SKIP the module is older than this offctl"
else
tree guest
same "inject: actions and points" \
	"$(abi_of inject | awk '$1 ~ /^(offline|online|mark)$/ && $2 ~ /^[a-z]+$/ { print $1, $2 }')" \
	"$("$offctl" --sysroot "$T" inject x y 1 1 2>&1 | sed -n 's/^hint: actions and points are //p' | sed 's/, /\n/g')"
same "inject: actions and points in --help" \
	"$(abi_of inject | awk '$1 ~ /^(offline|online|mark)$/ && $2 ~ /^[a-z]+$/ { print $1, $2 }')" \
	"$("$offctl" inject --help | awk '$1 ~ /^(offline|online|mark)$/ { print $1, $2 }')"
for file in mark unmark; do
	# EINTR has the same meaning everywhere.
	same "$file: errnos" \
		"$(abi_of $file | sed -n 's/^		-\(E[A-Z]*\)  *.*/\1/p' | grep -v EINTR | sort -u)" \
		"$(meanings $file)"
done
same "ranges: columns of the recorded tree" \
	"$(abi_of ranges | awk '$1 == "#" { on = 1 } on && !NF { exit }
		on { $1 = $1; printf "%s%s", blank, $0; blank = " " }')" \
	"$(sed -n 1p "$fo/ranges")"
for file in verify stats; do
	same "$file: names in the recorded tree" \
		"$(names_of $file)" "$(cut -d ' ' -f 1 "$fo/$file")"
done
same "status: every name has its label" "" \
	"$("$offctl" --sysroot "$T" status | grep -o '^[a-z]*_[a-z_]*')"
fi
