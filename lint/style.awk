# SPDX-License-Identifier: GPL-2.0
#
# For lint/style: awk -f style.awk style-words FILE…
#
# Prints one line for each forbidden expression in the prose of the FILEs. Prose is the
# text of Markdown files and manual pages without code, quotes and headings, and the
# comments of scripts and C files.

# Checks the paragraph that add() has collected.
function flush(    i, padded) {
	if (text != "") {
		padded = ". " text " "
		for (i = 1; i <= nr_words; i++)
			if (!(from_table && not_in_tables[i]) && match(padded, pattern[i])) {
				print FILENAME ":" first ": '" found(padded) "': " advice[i]
				bad = 1
			}
	}
	text = ""
}

function found(padded,    t) {
	t = substr(padded, RSTART, RLENGTH)
	gsub(/^[^A-Za-z;]+|[^A-Za-z;]+$/, "", t)
	return t
}

# Adds a line to the paragraph. Code in backticks and quoted text are left out.
function add(line) {
	gsub(/`[^`]*`/, "CODE", line)
	gsub(/"[^"]*"/, "QUOTE", line)
	sub(/^[ \t]+/, "", line)
	if (line == "") {
		flush()
		return
	}
	if (text == "") {
		first = FNR
		from_table = in_table
	}
	text = text (text == "" ? "" : " ") line
}

function kind_of(file) {
	if (file ~ /\.md$/) return "markdown"
	if (file ~ /\.[1-8]$/) return "manual"
	if (file ~ /(^|\/)docs\/ABI\//) return "plain"
	if (file ~ /\.[ch]$/) return "c"
	return "script"
}

BEGIN { FS = "\t+" }

# The words: where, expression, advice.
NR == FNR {
	if (/^#/ || NF < 3)
		next
	advice[++nr_words] = $3
	not_in_tables[nr_words] = $1 == "prose" || $1 == "text"
	if ($1 == "start")
		pattern[nr_words] = "[.?!] (" $2 ")[^A-Za-z]"
	else if ($1 == "word" || $1 == "prose")
		pattern[nr_words] = "[^A-Za-z_/-](" $2 ")[^A-Za-z_/-]"
	else
		pattern[nr_words] = $2
	next
}

FNR == 1 {
	kind = kind_of(FILENAME)
	code = comment = in_table = 0
}

kind == "markdown" {
	if (/^```/) {
		code = !code
		flush()
	} else if (code || /^    / || /^#/) {
		flush()
	} else if (/^[|]/) {
		flush()
		n = split($0, cell, "|")
		in_table = 1
		for (i = 1; i <= n; i++) {
			add(cell[i])
			flush()
		}
		in_table = 0
	} else {
		if (/^- /)
			flush()
		sub(/^- /, "")
		add($0)
	}
}

kind == "manual" {
	if (/^\.Bd/)
		code = 1
	if (code || /^\./) {
		if (code || !/^\.(Nm|Xr|In|Ar|Em|Pa|Cm)/)
			flush()
	} else {
		add($0)
	}
	if (/^\.Ed/)
		code = 0
}

kind == "plain" {
	if (/^\t\t==/)
		in_table = !in_table
	if (/^[^\t]/ || /^\t\t(- |==)/ || in_table && /^\t\t[^\t ]/)
		flush()
	# A field such as "What:" is no prose.
	if (!/^[A-Z][A-Za-z]*:/)
		add($0)
}

kind == "c" {
	line = $0
	if (!comment) {
		flush()
		if (line !~ /\/\*/)
			next
		sub(/^.*\/\*+/, "", line)
		comment = 1
	}
	ends = line ~ /\*\//
	sub(/\*\/.*/, "", line)
	sub(/^[ \t]*\*/, "", line)
	if (line ~ /^ *(- |@)|^ ?\t[a-z]/) {
		flush()
		sub(/^ *- /, "", line)
	}
	add(line)
	if (ends) {
		flush()
		comment = 0
	}
}

kind == "script" {
	line = $0
	if (line ~ /^#!/ || line ~ /^[ \t]*# shellcheck/ || line !~ /(^|[ \t])#( |$)/) {
		flush()
	} else {
		if (line !~ /^[ \t]*#/)
			flush()
		sub(/^(.*[ \t])?#/, "", line)
		# An indented line is an option or an example.
		if (line ~ /^   /)
			flush()
		add(line)
	}
}

END {
	flush()
	exit bad
}
