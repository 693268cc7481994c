# Functions that the scripts in this directory share: messages, the cache, locks, and the
# kernels and their names. Sourced after `set -eu`, with $vm_dir set.
# shellcheck shell=sh disable=SC2034  # other scripts read these variables

me=vm/${0##*/}

# The exit status for an error of the harness. vm/run reserves 0-124 for the status of the
# guest's command.
EXIT_USAGE=2
EXIT_HARNESS=125

note()  { printf '%s: %s\n' "$me" "$*" >&2; }
die()   { note "$*"; exit "$EXIT_HARNESS"; }
usage_error() { note "$* (see $me --help)"; exit "$EXIT_USAGE"; }

# The comment at the top of a script is its help text.
print_help() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

cache_dir=${FAKE_OFFLINE_CACHE:-${XDG_CACHE_HOME:-${HOME:?is needed to find the cache}/.cache}/fake_offline}
case $cache_dir in /*) ;; *) cache_dir=$PWD/$cache_dir ;; esac

# The directory with module/, tools/, selftests/ and samples/. FAKE_OFFLINE_SOURCE
# selects another checkout for this harness.
source_dir=${FAKE_OFFLINE_SOURCE:-$(cd "$vm_dir/.." && pwd)}

need() {
	for need_tool; do
		command -v "$need_tool" >/dev/null ||
			die "$need_tool is missing: vm/setup installs it"
	done
}

# lock NAME: waits for the lock NAME, and holds it until the script ends
lock() {
	mkdir -p "$cache_dir/locks"
	exec 9>"$cache_dir/locks/$1"
	if ! flock -n 9; then
		note "waiting for another $me ($1)"
		flock 9
	fi
}

# new_dir DIR: creates a directory beside DIR. The caller fills it and renames it to DIR
# with keep_dir, so that an interrupted run leaves no incomplete DIR. The caller holds the
# lock. So an existing directory of this kind is from an interrupted run.
new_dir() {
	mkdir -p "${1%/*}"
	rm -rf "${1%/*}"/*.tmp.??????
	mktemp -d "$1.tmp.XXXXXX"
}

keep_dir() { # TMP DIR
	chmod 755 "$1"
	mv -T "$1" "$2"
}

# pack DIR: writes a cpio archive of all files in DIR to stdout. In the archive, root owns
# all files.
pack() {
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --quiet -o -0 -H newc -R 0:0 --reproducible)
}

hash_files() { sha256sum -- "$@" | cut -d' ' -f1 | sha256sum | cut -c1-16; }

# hash_tree DIR…: hashes names and contents, without the files of a build in place
hash_tree() {
	for hash_dir; do
		[ -d "$hash_dir" ] || continue
		(cd "$hash_dir" && list_sources -print0 | LC_ALL=C sort -z |
			xargs -0r sha256sum)
	done | sha256sum | cut -c1-16
}
list_sources() {
	find . -type f ! -name '*.o' ! -name '*.ko' ! -name '*.mod' \
		! -name '*.mod.c' ! -name '.*' ! -name modules.order \
		! -name Module.symvers ! -path './build/*' "$@"
}

# kernel_lanes: the names that --kernel takes.
kernel_lanes() { (cd "$vm_dir/kernels" && echo *); }

# describe_kernel NAME|PATH: sets these variables from vm/kernels/NAME. A variable that
# the file does not set is empty. For the path of a build tree, all are empty.
#   kernel_suites     the Debian suites with its packages
#   kernel_flavour    its flavour, in the names of the packages (amd64)
#   build_suite       the release whose compiler and libc build its modules
#   build_compiler    the compiler in this release
#   kernel_source     the source package, if the kernel is built here
#   source_package    the source package of a kernel that is not built here
#   kernel_patches    the directory with patches for it
#   kernel_config     the files of vm/config that configure it
#   kernel_variables  more variables for Kbuild, to build the kernel
#   kernel_append     more words for its command line
#   kernel_memory     the memory that it needs in addition to a stock kernel
#   module_variables  more variables for Kbuild, to build modules
describe_kernel() {
	kernel_suites='' kernel_flavour='' build_suite='' build_compiler=''
	kernel_source='' source_package='' kernel_patches='' kernel_config='' kernel_variables=''
	kernel_append='' kernel_memory='' module_variables=''
	case $1 in
	*/*) return ;;
	esac
	[ -f "$vm_dir/kernels/$1" ] ||
		usage_error "unknown kernel '$1': known are $(kernel_lanes), or a path to a build tree"
	# shellcheck source=/dev/null
	. "$vm_dir/kernels/$1"
}

# host_suite: prints the name of the Debian release of this machine
host_suite() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release | tr -d '"'; }

# default_kernel: vm/default-kernel describes it
default_kernel() {
	default_any='' default_here=''
	for default_name in $(kernel_lanes | tr ' ' '\n' | sort -V); do
		describe_kernel "$default_name"
		[ -z "$kernel_source" ] || continue
		[ "$kernel_suites" != sid ] || continue
		[ -z "$kernel_flavour" ] || continue
		default_any=$default_name
		[ "$build_suite" != "$(host_suite)" ] || default_here=$default_name
	done
	echo "${default_here:-$default_any}"
}

# builds_here: checks whether this machine itself can build modules for the fetched kernel.
# Its headers name a compiler, and have programs that need the libc of build_suite.
builds_here() {
	[ "$build_suite" = "$(host_suite)" ] &&
		command -v "$build_compiler" >/dev/null &&
		[ -d "$kernel_tree/root/usr/src/linux-headers-$kernel_release" ]
}

# find_kernel NAME|PATH: fetches or builds the kernel if needed, and sets the variables of
# describe_kernel. build_suite is empty if this machine itself builds the modules, and not
# a build root (vm/fetch-build-root). Also sets
#   kernel_name     the argument
#   kernel_release  the output of uname -r in the guest
#   kernel_image    the file to boot
#   kernel_modules  the directory with the .ko files
#   kernel_tree     the unpacked packages, or the build tree
#   kernel_key      a name for cached results; it changes with each of the above
#   kernel_kind     packages | tree
find_kernel() {
	kernel_name=$1
	describe_kernel "$1"
	case $1 in
	*/*)
		kernel_tree=$(cd "$1" 2>/dev/null && pwd) ||
			usage_error "no kernel build tree at $1"
		use_tree
		kernel_key=$kernel_release-$(hash_files "$kernel_image" \
			"$kernel_tree/Module.symvers" "$kernel_tree/.config")
		;;
	*)
		if [ -n "$kernel_source" ]; then
			kernel_tree=$("$vm_dir/build-kernel" "$1") || exit
			use_tree
			kernel_key=$1-${kernel_tree##*/}
			return
		fi
		kernel_kind=packages
		kernel_tree=$("$vm_dir/fetch-kernel" "$1") || exit
		kernel_release=$(cat "$kernel_tree/release")
		kernel_image=$kernel_tree/vmlinuz
		kernel_modules=$kernel_tree/modules
		kernel_key=${kernel_tree##*/}${kernel_flavour:+-$kernel_flavour}
		! builds_here || build_suite=''
		;;
	esac
}

use_tree() { # sets the variables for the build tree $kernel_tree
	kernel_kind=tree
	kernel_image=$kernel_tree/arch/x86/boot/bzImage
	[ -f "$kernel_image" ] || usage_error "$kernel_tree has no arch/x86/boot/bzImage"
	kernel_release=$(cat "$kernel_tree/include/config/kernel.release")
	kernel_modules=$kernel_tree
}
