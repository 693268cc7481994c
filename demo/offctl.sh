#!/bin/sh
# What offctl shows, for the README: vm/run --file demo/offctl.sh -- offctl.sh
# Its output is there as it is.

set -u
export COLUMNS=77

show() {
	echo "    # offctl $*"
	# Not a terminal: no colours, no line of progress.
	offctl "$@" 2>&1 | sed 's/^/    /; s/ *$//'
}

# A row that went bad, one page that is to stay where it is, some memory in use.
offctl mark --canary 0x101480000+8M pfn:1081441 >/dev/null
offctl mark --unskippable 0x110a00000+64K >/dev/null
offctl offline 35 >/dev/null
head -c 200000000 /dev/zero >/tmp/in-use

show list
echo
show blocks 32-35
echo
show map --ascii
echo
show offline --dry-run 32-34
echo
show offline 34
echo
show cycle --count 20 --verify --inject offline:late:EBUSY \
	--inject online:after:ENOMEM 32-33
