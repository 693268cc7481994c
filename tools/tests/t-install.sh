#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: make install, make uninstall, and builds that cannot work.
# shellcheck disable=SC2154,SC2016

# make_tools ARGUMENT…: runs make for the programs under test. It must not get the variables
# of a make that runs the tests.
make_tools() {
	env -u MAKEFLAGS -u MFLAGS make -s -C "$here/.." O="$built" DESTDIR="$work/root" "$@"
}
installed="etc
etc/offctl.d
usr
usr/lib
usr/lib/systemd
usr/lib/systemd/system
usr/lib/systemd/system/offctl-restore.service
usr/sbin
usr/sbin/offctl
usr/share
usr/share/bash-completion
usr/share/bash-completion/completions
usr/share/bash-completion/completions/offctl
usr/share/man
usr/share/man/man4
usr/share/man/man4/fake_offline.4
usr/share/man/man8
usr/share/man/man8/offctl.8"
# list_root [-type f]: lists DESTDIR
list_root() {
	(cd "$work/root" && find . -mindepth 1 "$@" | sed 's|^\./||' | sort)
}
if [ ! -d "$here/../../docs/man" ]; then
	ok "make install # SKIP no manual pages here"
else
	run "make install" 0 "" "" make_tools install
	run "make install: the files" 0 "$installed" "" list_root
	run "make uninstall" 0 "" "" make_tools uninstall
	run "make uninstall: no file is left" 0 "" "" list_root -type f
	run "make uninstall: the directory for marks is gone" 1 "" "" test -e "$work/root/etc/offctl.d"
	make_tools install
	echo "version 1" >"$work/root/etc/offctl.d/mine.marks"
	run "make uninstall, with marks in /etc/offctl.d" 0 "" "" make_tools uninstall
	run "make uninstall: they stay" 0 "etc/offctl.d/mine.marks" "" list_root -type f
	run "make uninstall, nothing installed" 0 "" "" make_tools DESTDIR="$work/nothing" uninstall
fi

for program in pkg-config false no-such-program; do
	run "make finds the libraries with PKG_CONFIG=$program" 0 "" "" \
		make_tools O="$work/build" CC=cc PKG_CONFIG="$program" "$work/build/libraries"
	rm -rf "$work/build"
done

# said NAME LINE ARGUMENT…: make must fail, and LINE must be the Makefile's last message
said() {
	said_name=$1 said_line=$2
	shift 2
	env -u MAKEFLAGS -u MFLAGS make -s -C "$here/.." O="$work/build" CC=cc "$@" >"$work/said" 2>&1 && echo "it builds" >"$work/said"
	run "$said_name" 0 "$said_line" "" sh -c 'grep "^offctl: \|^it builds" "$1" | cut -d : -f 1-2 | tail -n 1' sh "$work/said"
	rm -rf "$work/build"
}
said "make, no such compiler" 'offctl: the compiler "no-such-cc" cannot build a program with these flags' CC=no-such-cc
said "make, flags that no compiler takes" 'offctl: the compiler "cc" cannot build a program with these flags' LDFLAGS=-lno-such-library
said "make, no libsmartcols" 'offctl: "cc" does not find libsmartcols' SMARTCOLS_LIBS=-lno-such-library
said "make, no header of sqlite" 'offctl: "cc" does not find sqlite' "SQLITE3_CFLAGS=-nostdinc -include stddef.h"

# The libraries are found where LDFLAGS says, and by the name of a file, too.
mkdir -p "$work/libraries"
ln -sf "$(cc -print-file-name=libsqlite3.so)" "$work/libraries/libelsewhere.so"
run "make, LDFLAGS say where sqlite is" 0 "" "" \
	make_tools O="$work/build" CC=cc SQLITE3_LIBS=-lelsewhere LDFLAGS="-L$work/libraries" "$work/build/libraries"
rm -rf "$work/build"
said "make, no LDFLAGS say where sqlite is" 'offctl: "cc" does not find sqlite' SQLITE3_LIBS=-lelsewhere
run "make, sqlite is a file" 0 "" "" \
	make_tools O="$work/build" CC=cc SQLITE3_LIBS="$work/libraries/libelsewhere.so" "$work/build/libraries"
rm -rf "$work/build"
