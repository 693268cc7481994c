# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests share: KTAP, the memory blocks under test, and the asserts.
#
# A test keeps its own record of what it marked, in $MARKS. What the kernel must
# show is computed from that record and from the blocks' state in sysfs, and is
# compared with /proc/kpageflags, /proc/kpagecount, the memmap, /proc/zoneinfo
# and /proc/meminfo, to the page. fake_offline is never asked what is true; what
# it says is compared too.
#
# Every assert counts itself, prints what it expected and got when that differs,
# and returns 1. A test without an assert fails.

# shellcheck disable=SC2030,SC2031  # each test counts for itself, in a subshell
set -u

FO=/sys/kernel/debug/fake_offline
SYSMEM=/sys/devices/system/memory
NOTIFIER_ERRORS=/sys/kernel/debug/notifier-error-inject/memory/actions

SELFTESTS=$(cd "$(dirname "$0")" && pwd)
PATH=$SELFTESTS:$PATH
export PATH

# The machine as it was before the first test, see record_base().
FO_BASE=${FO_BASE:-/tmp/fake_offline-selftests-base}
TMP=$(mktemp -d /tmp/fake_offline.XXXXXX) || exit 1
MARKS=$TMP/marks

# How the module makes offlining skip pages, frozen, notifier or native: the same
# tests run with all. The environment says it, or fake_offline.skip=… on the
# command line of the kernel; else it is what the module does by itself.
if [ -z "${FO_SKIP-}" ]; then
	FO_SKIP=$(sed -n 's/.*fake_offline\.skip=\([a-z]*\).*/\1/p' /proc/cmdline)
fi
if [ -z "$FO_SKIP" ]; then
	modprobe fake_offline
	FO_SKIP=$(cat /sys/module/fake_offline/parameters/skip)
fi
# As what the skippable bit is seen in /proc/kpageflags.
case $FO_SKIP in
native) SKIP_BIT=offline_skippable ;;
*) SKIP_BIT=owner_private ;;
esac

# drop_virtio_mem: its driver comes with a guest that has such a device, and would
# have the hook when the tests begin. Called before run_tests.
drop_virtio_mem() {
	! grep -q ^virtio_mem /proc/modules || rmmod virtio_mem
}

# load_module: fake_offline
load_module() {
	modprobe fake_offline skip="$FO_SKIP"
}

# shellcheck source=lib/asserts.sh
. "$SELFTESTS/lib/asserts.sh"
# shellcheck source=lib/blocks.sh
. "$SELFTESTS/lib/blocks.sh"
# shellcheck source=lib/marks.sh
. "$SELFTESTS/lib/marks.sh"
# shellcheck source=lib/injection.sh
. "$SELFTESTS/lib/injection.sh"
# shellcheck source=lib/oracles.sh
. "$SELFTESTS/lib/oracles.sh"
# shellcheck source=lib/processes.sh
. "$SELFTESTS/lib/processes.sh"
