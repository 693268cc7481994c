#!/bin/sh
# Makes the output of offctl for the README: vm/run --file demo/offctl.sh -- offctl.sh
# The README has the output unchanged.

set -u
export COLUMNS=77

show() {
	echo "    # offctl $*"
	# The output is not a terminal, so there are no colours and no progress lines.
	offctl "$@" 2>&1 | sed 's/^/    /; s/ *$//'
}

# A bad row, a range with pages that are not skippable, and some memory in use.
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
