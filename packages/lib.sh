# Functions that the scripts in this directory share. They make Debian systems in
# directories ("roots"), in which the packages are built and tested. Sourced after
# `set -eu`, with $packages_dir set.
# shellcheck shell=sh disable=SC2034,SC2154  # variables of other scripts

vm_dir=$(cd "$packages_dir/../vm" && pwd)
# shellcheck source-path=SCRIPTDIR source=../vm/lib.sh
. "$vm_dir/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../vm/debian-archive.sh
. "$vm_dir/debian-archive.sh"
me=packages/${0##*/}
top=$source_dir
# The directory of the scripts in the cache. Scripts with different ones run side by side.
area=packages

setting() { sed -n "s/^$1=\"\(.*\)\"$/\1/p" "$top/dkms.conf"; }
version=$(setting PACKAGE_VERSION)

# describe_suite NAME: sets
#   suites       the suites for apt
#   newer        the suite with a newer kernel
#   dkms_series  the version of dkms
describe_suite() {
	newer=$1-backports
	suites="$1 $1-updates $1-security $newer"
	case $1 in
	bookworm) dkms_series=3.0.10 ;;
	trixie) dkms_series=3.2.2 ;;
	*) usage_error "unknown suite '$1': bookworm or trixie" ;;
	esac
}

# work_in_memory ARGUMENT…: installs the needed packages, and runs the script again in a
# mount namespace of its own. A script calls it at its start, with its arguments. Sets $tmp,
# a directory that is removed at the end. It is in memory if there is enough memory, because
# a Debian system has some 20000 files.
work_in_memory() {
	if [ "${FAKE_OFFLINE_MOUNTS-}" != "$PPID" ]; then
		[ "$(id -u)" -eq 0 ] || die "only root may do this: it makes a Debian system in a directory"
		"$vm_dir/setup"
		FAKE_OFFLINE_MOUNTS=$$ unshare --mount --propagation private -- sh "$0" "$@"
		exit
	fi
	mkdir -p "$cache_dir/$area"
	# Only one script runs at a time, except scripts that the holder runs.
	if [ -z "${FAKE_OFFLINE_PACKAGES_LOCK-}" ]; then
		lock "$area"
		# Removes the files of a run that was killed.
		rm -rf "$cache_dir/$area"/tmp.* "$cache_dir/$area"/roots/*.new
	fi
	export FAKE_OFFLINE_PACKAGES_LOCK=held
	tmp=$(mktemp -d "$cache_dir/$area/tmp.XXXXXX")
	trap 'umount "$tmp" 2>/dev/null; rm -rf "$tmp"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	[ "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)" -lt 6000000 ] ||
		mount -t tmpfs -o size=4G,mode=755 tmpfs "$tmp" || :
}

# list_tree: lists the files of the checkout, without links to directories
list_tree() {
	list_checkout | while_exists
}
# list_checkout: lists the files and links of git, or all of them without git. git also lists
# deleted files if the deletion is not committed.
list_checkout() {
	{
		git -c safe.directory="$top" -C "$top" ls-files -z \
			--cached --others --exclude-standard 2>/dev/null ||
		(cd "$top" && find . -name .git -prune -o ! -type d -print0)
	} | LC_ALL=C sort -zu
}
# shellcheck disable=SC2016  # for the inner shell
while_exists() { (cd "$top" && xargs -0r sh -c 'for f; do [ ! -f "$f" ] || printf "%s\\0" "$f"; done' sh); }

# make_new DIR: creates a directory, which the caller fills and moves to DIR with
# put_in_place, so that an interrupted run leaves no incomplete DIR.
make_new() {
	mkdir -p "${1%/*}"
	mktemp -d "$1.new.XXXXXX"
}
put_in_place() { # NEW DIR
	chmod 755 "$1"
	mv -T "$1" "$2"
}

# make_root FILE SUITE INCLUDE [OPTION]…: packs a new system. It has no kernel drivers,
# which are large and make depmod slow.
make_root() {
	root_file=$1 root_suite=$2 root_include=$3
	shift 3
	mkdir -p "${root_file%/*}" "$tmp/mmdebstrap"
	# shellcheck disable=SC2086  # a list of suites
	source_lines $suites >"$tmp/sources.list"
	note "making a $root_suite root (${root_file##*/}); a minute or two"
	TMPDIR=$tmp/mmdebstrap mmdebstrap --quiet --mode=root --variant=apt \
		--include="$root_include" \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Languages "none"' \
		--aptopt='APT::Sandbox::User "root"' \
		--dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/lib/modules/*/kernel/drivers/*' \
		--dpkgopt='path-exclude=/usr/lib/modules/*/kernel/drivers/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$@" "$root_suite" "$tmp/root.tar" - <"$tmp/sources.list" >"$tmp/log" 2>&1 || {
		cat "$tmp/log" >&2
		die "mmdebstrap could not make a $root_suite root (above)"
	}
	zstd -q -f -T0 -1 "$tmp/root.tar" -o "$root_file.new"
	rm -r "$tmp/root.tar" "$tmp/mmdebstrap"
	# Removes the archives that this one replaces.
	rm -f "${root_file%-*}"-*.tar.zst
	mv "$root_file.new" "$root_file"
}

# unpack_root FILE: unpacks FILE into $root, a new directory below $tmp
unpack_root() {
	root=$tmp/root
	mkdir "$root"
	tar -C "$root" --numeric-owner -I zstd -xf "$1"
}

# in_root COMMAND…: runs COMMAND in $root as root, in mount and PID namespaces of its own,
# without network and without input
in_root() {
	# shellcheck disable=SC2016  # for the inner shell
	setsid unshare --mount --propagation private --pid --fork --kill-child \
		--ipc --uts --net sh -c '
		cd "$1" && shift || exit
		mount -t proc proc proc
		mount -t tmpfs -o mode=1777 tmpfs dev/shm 2>/dev/null
		exec chroot . env -i HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin INITRD=No "$@"' \
		sh "$root" "$@" </dev/null
}

# find_test_root SUITE PACKAGE…: sets $root_archive, a clean system with a kernel, its
# headers and openssl. The cache of its apt has dkms, the PACKAGEs, their dependencies and a
# newer kernel, so that the tests need no network.
find_test_root() {
	describe_suite "$1"
	root_archive=$cache_dir/packages/roots/test-$1-$(printf '%s\n' "$@" "$suites" |
		sha256sum | cut -c1-16).tar.zst
	[ ! -f "$root_archive" ] || return 0
	# shellcheck disable=SC2016  # $1 is for mmdebstrap
	root_run='chroot "$1" env DEBIAN_FRONTEND=noninteractive INITRD=No apt-get -qq -y'
	make_root "$root_archive" "$1" openssl --skip=cleanup/apt --customize-hook="
		$root_run install linux-image-amd64 linux-headers-amd64 &&
		$root_run autoremove --purge &&
		$root_run clean &&
		$root_run install --download-only $(shift; echo "dkms $*") &&
		$root_run install --download-only -t $newer linux-image-amd64 linux-headers-amd64"
}
