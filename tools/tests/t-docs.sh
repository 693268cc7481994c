#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: --help, the manual page and the completion of bash have each
# command, option and column.
# shellcheck disable=SC2154,SC2016,SC2013

man=$here/../../docs/man/offctl.8
completion=$here/../completion/offctl

# options_of COMMAND: prints its options, long and short, one on each line
options_of() {
	"$plain" "$1" --help | sed -n '/^Options:/,/^$/s/^ *\(-[a-zA-Z],\)\{0,1\} *\(--[a-z-]*\).*/\1\2/p' | tr , '\n'
}
# section_of NAME: prints a section of the manual page
section_of() {
	awk -v name="$1" '/^\.S[sh] / { on = ($0 == ".Ss " name || $0 == ".Sh " name) } on' "$man"
}
# documented OPTION FILE: succeeds if a list in the file has the option as a tag
documented() {
	grep -E '^\.It ' "$2" | grep -qE -- "Fl ${1#-}( |\$|,)"
}
# complete_words WORD…: prints the completions of the last word
complete_words() {
	PATH="$work/bin:$PATH" bash -c '. "$1"; shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		compopt() { :; }
		_offctl; printf "%s\n" "${COMPREPLY[@]}"' bash "$completion" "$@"
}

commands=$("$plain" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | tr '\n' ' ')
mkdir -p "$work/bin"
ln -sf "$plain" "$work/bin/offctl"
if [ ! -f "$man" ]; then
	ok "the manual page # SKIP not here"
else
	section_of LISTINGS >"$work/listings"
	section_of OPTIONS >"$work/common"
	for command in $commands; do
		section_of "offctl $command" >"$work/section"
		missing=
		for option in $(options_of "$command"); do
			documented "$option" "$work/section" ||
				documented "$option" "$work/listings" ||
				documented "$option" "$work/common" ||
				missing="$missing $option"
		done
		run "$command: all options are in offctl(8)" 0 "" "" printf %s "$missing"
		# The manual page has no other options.
		unknown=
		for option in $(sed -n 's/^\.It .*Fl -\([a-z-]*\).*/--\1/p' "$work/section"); do
			options_of "$command" | grep -qxe "$option" || unknown="$unknown $option"
		done
		run "$command: offctl(8) has no others" 0 "" "" printf %s "$unknown"
		for word in "Exit status:" ".Bd -literal -offset indent"; do
			if grep -qF "$word" "$work/section"; then
				ok "$command: offctl(8) has '$word'"
			else
				not_ok "$command: offctl(8) has '$word'"
			fi
		done
		# The manual page has the same forms as --help.
		want=$("$plain" "$command" --help | sed -n '/^Usage:/,/^$/s/^  //p' | sed 's/ *$//')
		got=$(sed -n '/^\.Bd -literal -compact/,/^\.Ed/p' "$work/section" | sed '1d;$d')
		if differs usage "$want" "$got"; then
			not_ok "$command: offctl(8) has the usage"
		else
			ok "$command: offctl(8) has the usage"
		fi
	done
fi

if ! command -v bash >/dev/null; then
	ok "completion # SKIP no bash"
else
	tree guest
	for command in $commands; do
		want=$(options_of "$command" | sort)
		got=$(complete_words offctl "$command" - | sort)
		if differs options "$want" "$got"; then
			not_ok "$command: all options are completed"
		else
			ok "$command: all options are completed"
		fi
		# The completion knows each option with an argument.
		for option in $("$plain" "$command" --help | sed -n '/^Options:/,/^$/s/^ .*\(--[a-z-]*\)\(=\| [A-Z]\|\[=\).*/\1/p'); do
			if grep -qE -- "^	(.*[| ])?$option( |\\))" "$completion"; then
				ok "$command: the argument of $option is completed"
			else
				not_ok "$command: the argument of $option is completed"
			fi
		done
	done
	want=$(echo "$commands" | tr ' ' '\n' | sed '/^$/d' | sort)
	got=$(complete_words offctl "" | sort)
	if differs commands "$want" "$got"; then not_ok "commands are completed"; else ok "commands are completed"; fi
	run "columns are completed" 0 "SIZE
STATE
SKIPPABLE" "" complete_words offctl list -o S
	run "columns behind a comma are completed" 0 "SIZE,OWNER" "" complete_words offctl list -o SIZE,OW
	run "columns behind a + are completed" 0 "+PFN" "" complete_words offctl list -o +PF
	run "blocks are completed" 0 "3
32
33
34
35" "" complete_words offctl --sysroot "$T" blocks 3
	run "online blocks are completed" 0 "3
32
33
35" "" complete_words offctl --sysroot "$T" offline 3
	run "marked ranges are completed" 0 "0x0000000118000000-0x000000011800ffff" "" \
		complete_words offctl --sysroot "$T" unmark 0x000000011800
	run "a word behind = is completed" 0 "always
auto" "" complete_words offctl map --color = a
fi
