#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: inject. offctl appends its commands to the recorded file, which then
# looks like the module's list.
# shellcheck disable=SC2154,SC2016

header="# action point errno count"

tree guest
try "inject, nothing armed" 0 "" "" inject
try "inject by name" 0 "offline before: armed, 2 x ENOMEM" "" inject offline before ENOMEM 2
sent inject "$header
offline before -12 2"
try "inject by number" 0 "online after: armed, 1 x EBUSY" "" inject online after -16 1
try "inject by number without a minus" 0 "online before: armed, 1 x errno 4095" "" inject online before 4095 1
try "inject late" 0 "offline late: armed, 3 x EINTR" "" inject offline late EINTR 3
try "inject stray" 0 "mark stray: armed, 16 x EBUSY" "" inject mark stray EBUSY 0x10
try "inject corrupt" 0 "mark corrupt: armed, 1 x EIO" "" inject mark corrupt EIO 1
sent inject "$header
offline before -12 2
online after -16 1
online before -4095 1
offline late -4 3
mark stray -16 16
mark corrupt -5 1"
try "inject lists" 0 "ACTION  POINT   ERROR      COUNT
offline before  ENOMEM         2
online  after   EBUSY          1
online  before  errno 4095     1
offline late    EINTR          3
mark    stray   EBUSY         16
mark    corrupt EIO            1" "" inject

tree guest
kernel 'echo "'"$header"'" >"$3/inject"'
try "inject --clear" 0 "" "" inject --clear
tree guest
kernel 'printf "%s\n" "'"$header"'" "offline after -12 1" >"$3/inject"'
try "inject --clear, but one is left" 1 "" "offctl: inject: 1 failure is still armed" inject --clear
try "inject, disarmed" 0 "offline before: disarmed" "" inject offline before ENOMEM 0
try "inject, not disarmed" 1 "offline after: armed, 1 x ENOMEM" "offctl: inject: offline after: the module lists another state" \
	inject offline after ENOMEM 0
try "inject, used up" 1 "" "offctl: inject: offline before: the module lists another state
hint: an attempt may have used up the failure already" inject offline before ENOMEM 1
try "inject, another errno" 1 "offline after: armed, 1 x ENOMEM" "offctl: inject: offline after: the module lists another state" \
	inject offline after EBUSY 1
tree guest
kernel 'exit 22'
try "inject: EINVAL" 1 "" "offctl: inject: the module does not understand the command (EINVAL)" inject offline after EBUSY 1
kernel 'exit 34'
try "inject --clear: ERANGE" 1 "" "offctl: inject: a number is too large (ERANGE)" inject --clear
printf '%s\n' "$header" "offline after" >"$fo/inject"
try "inject, not as documented" 1 "" "offctl: inject: ROOT/sys/kernel/debug/fake_offline/inject: line 2 is not as documented
hint: do the module and offctl have the same version?" inject
