# A private view of Debian's archive. It has its own package lists and does not use the
# host's package state. Signatures are checked against Debian's keyring. The mirror is
# the one that the host uses. Sourced after lib.sh.
# shellcheck shell=sh disable=SC2016,SC2154  # apt's $(…); variables of lib.sh

archive_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# find_mirrors: sets $mirror and $security_mirror. A new machine has no Release files at
# the first run, so the mirror is guessed by its path.
find_mirrors() {
	mirror=${FAKE_OFFLINE_MIRROR:-$(host_mirror Debian /debian)}
	[ -n "$mirror" ] ||
		die "the host's apt names no Debian mirror: set FAKE_OFFLINE_MIRROR to its URI (…/debian)"
	security_mirror=${FAKE_OFFLINE_SECURITY_MIRROR:-$(host_mirror Debian-Security /debian-security)}
	: "${security_mirror:=${mirror%/}-security}"
}

host_mirror() { # LABEL PATH
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' 2>/dev/null |
		awk -v label="$1" '$1 == label { print $2; exit }' | grep . ||
	apt-get indextargets --no-release-info --format '$(REPO_URI)' 2>/dev/null |
		sed -n "\\|$2/*\$|{p;q}"
}

# source_lines SUITE…: prints the lines of sources.list for these suites
source_lines() {
	[ -r "$archive_keyring" ] || die "$archive_keyring is missing: vm/setup installs it"
	find_mirrors
	for suite; do
		case $suite in
		*-security) uri=$security_mirror ;;
		*) uri=$mirror ;;
		esac
		echo "deb [signed-by=$archive_keyring] $uri $suite main"
	done
}

# open_archive NAME SUITE…: makes `archive` below use these suites
open_archive() {
	archive_dir=$cache_dir/apt/$1
	shift
	mkdir -p "$archive_dir/lists/partial" "$archive_dir/cache/archives/partial" \
		"$archive_dir/parts"
	source_lines "$@" >"$archive_dir/sources.list"
	# The settings below override settings of the host that would accept an
	# unsigned suite or a bad signature. There is no sandbox, because the user
	# _apt cannot enter a cache in root's home.
	cat >"$archive_dir/apt.conf" <<-EOF
		Dir::State::lists "$archive_dir/lists";
		Dir::State::status "/dev/null";
		Dir::Cache "$archive_dir/cache";
		Dir::Etc::sourcelist "$archive_dir/sources.list";
		Dir::Etc::sourceparts "$archive_dir/parts";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "$archive_dir/parts";
		Dir::Etc::trusted "/dev/null";
		Dir::Etc::trustedparts "$archive_dir/parts";
		APT::Architecture "amd64";
		APT::Architectures "amd64";
		APT::Sandbox::User "";
		APT::Get::AllowUnauthenticated "false";
		APT::Update::Error-Mode "any";
		Acquire::AllowInsecureRepositories "false";
		Acquire::AllowWeakRepositories "false";
		Acquire::AllowDowngradeToInsecureRepositories "false";
		Acquire::Languages "none";
		Acquire::Retries "3";
	EOF
	archive apt-get -qq update >&2 ||
		die "cannot read $* from the mirror, or its signature is not good (above)"
}

# archive COMMAND…: runs an apt command on the private view. APT_CONFIG is read after the
# host's configuration, so it takes precedence.
archive() { APT_CONFIG=$archive_dir/apt.conf "$@"; }

# with_depends PATTERN PACKAGE…: prints PACKAGE and its dependencies as name=version, if
# the names match PATTERN
with_depends() {
	depends_pattern=$1
	shift
	depends_todo=$* depends_seen=' '
	while [ -n "$depends_todo" ]; do
		# shellcheck disable=SC2086  # a list of package names
		set -- $depends_todo
		depends_todo=
		for package; do
			case $depends_seen in *" $package "*) continue ;; esac
			depends_seen="$depends_seen$package "
			record=$(archive apt-cache show --no-all-versions "$package" 2>/dev/null) ||
				die "the archive has no package $package"
			printf '%s=%s\n' "$package" \
				"$(printf '%s\n' "$record" | sed -n 's/^Version: //p;T;q')"
			depends_todo="$depends_todo $(printf '%s\n' "$record" |
				sed -n 's/^\(Pre-\)\{0,1\}Depends: //p' | tr ',' '\n' |
				sed 's/^ *//;s/[ (|:].*//' | grep -E "$depends_pattern" || :)"
		done
		depends_todo=${depends_todo## }
	done
}
