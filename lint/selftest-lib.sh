# Functions that the selftests of the linters share. Sourced at their start. Sets $work, a
# directory that is removed at the end. A linter writes its output to $work/out.
# shellcheck shell=sh

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
count=0 failed=0
echo "TAP version 13"

# result STATUS NAME
result() {
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count $2"
	else
		failed=$((failed + 1))
		sed 's/^/# /' "$work/out"
		echo "not ok $count $2"
	fi
}

# passes LINTER ARGUMENT…: the linter accepts this, and prints nothing
passes() {
	"$@" >"$work/out" 2>&1 && [ ! -s "$work/out" ]
}

# finds TEXT LINTER ARGUMENT…: the linter fails, and prints one line, which contains TEXT
finds() {
	finds_text=$1
	shift
	! "$@" >"$work/out" 2>&1 && [ "$(wc -l <"$work/out")" -eq 1 ] &&
		grep -qF -e "$finds_text" "$work/out"
}

# end_tests: prints the plan and the totals; the status is that of the script
end_tests() {
	echo "1..$count"
	echo "# $((count - failed)) passed, $failed failed"
	[ "$failed" -eq 0 ]
}
