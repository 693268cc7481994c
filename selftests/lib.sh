# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# All tests share this: KTAP, the memory blocks under test, and the asserts.
#
# A test keeps its own record of the pages that it marked, in $MARKS. From that record
# and from the states of the blocks in sysfs, the asserts compute what the kernel must
# show, to the page. They compare it with /proc/kpageflags, /proc/kpagecount, the
# memmap, /proc/zoneinfo and /proc/meminfo. The module is never asked what is true. Its
# own files are compared, too.

# shellcheck disable=SC2030,SC2031  # each test counts for itself, in a subshell
set -u

FO=/sys/kernel/debug/fake_offline
SYSMEM=/sys/devices/system/memory
NOTIFIER_ERRORS=/sys/kernel/debug/notifier-error-inject/memory/actions

SELFTESTS=$(cd "$(dirname "$0")" && pwd)
PATH=$SELFTESTS:$PATH
export PATH

# The file that record_base() writes: the machine as it was before the first test.
FO_BASE=${FO_BASE:-/tmp/fake_offline-selftests-base}
TMP=$(mktemp -d /tmp/fake_offline.XXXXXX) || exit 1
MARKS=$TMP/marks

# The way in which the module makes offlining skip pages: frozen, notifier or native.
# The same tests run with each. The environment names it, or fake_offline.skip=… on
# the command line of the kernel. Without both, the module chooses.
if [ -z "${FO_SKIP-}" ]; then
	FO_SKIP=$(sed -n 's/.*fake_offline\.skip=\([a-z]*\).*/\1/p' /proc/cmdline)
fi
if [ -z "$FO_SKIP" ]; then
	modprobe fake_offline
	FO_SKIP=$(cat /sys/module/fake_offline/parameters/skip)
fi
# The name of the skippable bit in /proc/kpageflags.
case $FO_SKIP in
native) SKIP_BIT=offline_skippable ;;
*) SKIP_BIT=owner_private ;;
esac

# drop_virtio_mem: unloads the driver of virtio-mem, which a guest with such a device has
# loaded. It would hold the hook when the tests begin. Called before run_tests.
drop_virtio_mem() {
	! grep -q ^virtio_mem /proc/modules || rmmod virtio_mem
}

# load_module: loads fake_offline with the way of skipping under test
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
