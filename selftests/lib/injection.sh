# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Part of lib.sh: ways to make an offlining fail.

# load_notifier_errors PRIORITY: loads the kernel's own error injection. A notifier of
# higher priority is called earlier. The module's notifier has 0.
load_notifier_errors() {
	expect_status "modprobe memory-notifier-error-inject priority=$1" 0 \
		modprobe memory-notifier-error-inject priority="$1"
}

unload_notifier_errors() {
	[ ! -d "$NOTIFIER_ERRORS" ] || modprobe -r memory-notifier-error-inject
	! grep -q ^notifier_error_inject /proc/modules ||
		modprobe -r notifier-error-inject
}

# notifier_error ACTION ERRNO: the action fails from now on, until ERRNO is 0
notifier_error() {
	expect_eq "arm $1 $2" ok \
		"$(tryio write "$NOTIFIER_ERRORS/$1/error" "$2")"
}

# refuse_once BLOCK HOW [VIA]: makes one attempt to take the block offline fail
refuse_once() {
	case $2 in
	kernel-before | kernel-after)
		case $2 in
		kernel-before) load_notifier_errors 1 ;;
		*) load_notifier_errors -1 ;;
		esac
		notifier_error MEM_GOING_OFFLINE -12
		refuse "$1" offline ENOMEM
		unload_notifier_errors ;;
	before | after)
		expect_eq "arm $2" ok "$(tryio write "$FO"/inject "offline $2 -12 1")"
		refuse "$1" offline ENOMEM "${3:-debugfs}" ;;
	late)
		expect_eq "arm late" ok "$(tryio write "$FO"/inject "offline late -16 1")"
		refuse "$1" offline EBUSY "${3:-debugfs}" ;;
	signal)
		expect_eq "arm signal" ok "$(tryio write "$FO"/inject "offline late -4 1")"
		refuse "$1" offline EINTR ;;
	*) failed "unknown way to fail: $2" ;;
	esac
}
