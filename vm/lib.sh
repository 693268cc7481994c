# Shared by the scripts in this directory: messages, the cache, locks, and what
# a kernel's name stands for. Sourced, after `set -eu`, with $vm_dir set.
# shellcheck shell=sh disable=SC2034  # what is set here is read by others

me=vm/${0##*/}

# vm/run keeps 0-124 for the guest's command, so a broken harness needs a
# number that is not taken for the command's.
EXIT_USAGE=2
EXIT_HARNESS=125

note()  { printf '%s: %s\n' "$me" "$*" >&2; }
die()   { note "$*"; exit "$EXIT_HARNESS"; }
usage_error() { note "$* (see $me --help)"; exit "$EXIT_USAGE"; }

# The comment at the top of a script is its help text.
print_help() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

cache_dir=${FAKE_OFFLINE_CACHE:-${XDG_CACHE_HOME:-${HOME:?is needed to find the cache}/.cache}/fake_offline}
case $cache_dir in /*) ;; *) cache_dir=$PWD/$cache_dir ;; esac

# Where module/, tools/, selftests/ and samples/ are taken from. Set it to try
# another checkout with this harness.
source_dir=${FAKE_OFFLINE_SOURCE:-$(cd "$vm_dir/.." && pwd)}

need() {
	for need_tool; do
		command -v "$need_tool" >/dev/null ||
			die "$need_tool is missing: vm/setup installs it"
	done
}

# lock NAME: waits until nobody else holds NAME; held until the script ends.
lock() {
	mkdir -p "$cache_dir/locks"
	exec 9>"$cache_dir/locks/$1"
	if ! flock -n 9; then
		note "waiting for another $me ($1)"
		flock 9
	fi
}

# new_dir DIR: a directory beside DIR, to be filled and then put in its place
# with keep_dir, so that an interrupted run leaves nothing half done. To be
# called with the lock held: what lies there of the kind is from such a run.
new_dir() {
	mkdir -p "${1%/*}"
	rm -rf "${1%/*}"/*.tmp.??????
	mktemp -d "$1.tmp.XXXXXX"
}

keep_dir() { # TMP DIR
	chmod 755 "$1"
	mv -T "$1" "$2"
}

# pack DIR: an archive for the kernel of everything in it, to stdout. All of it
# belongs to root in there.
pack() {
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --quiet -o -0 -H newc -R 0:0 --reproducible)
}

hash_files() { sha256sum -- "$@" | cut -d' ' -f1 | sha256sum | cut -c1-16; }

# hash_tree DIR…: names and contents, without what a build in place leaves.
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

# describe_kernel NAME|PATH: sets what vm/kernels/ says of it. What it does not say is
# empty, and so is all for the path of a build tree.
#   kernel_suites     of Debian: where its packages are
#   build_suite       modules for it are built in a root of this suite
#   build_compiler    with this compiler
#   kernel_source     the package to build it from: a tree of our own
#   source_package    the package with the source of a kernel that is not built here
#   kernel_patches    directory with patches for it
#   kernel_config     files of vm/config that configure it
#   kernel_variables  more variables for Kbuild when it is built
#   kernel_append     more words for its command line
#   kernel_memory     what it needs more of than a stock one
#   module_variables  more variables for Kbuild
describe_kernel() {
	kernel_suites='' build_suite='' build_compiler=''
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

# find_kernel NAME|PATH: fetches it if need be and sets
#   kernel_name     as given
#   kernel_release  what uname -r says in the guest
#   kernel_image    the file to boot
#   kernel_modules  directory under which the .ko files are
#   kernel_tree     unpacked packages, or the build tree
#   kernel_key      changes when any of it does: names cached results
#   kernel_kind     packages | tree
# and what describe_kernel does.
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
		kernel_key=${kernel_tree##*/}
		;;
	esac
}

use_tree() { # $kernel_tree: what is where in a build tree
	kernel_kind=tree
	kernel_image=$kernel_tree/arch/x86/boot/bzImage
	[ -f "$kernel_image" ] || usage_error "$kernel_tree has no arch/x86/boot/bzImage"
	kernel_release=$(cat "$kernel_tree/include/config/kernel.release")
	kernel_modules=$kernel_tree
}
