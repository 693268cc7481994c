# SPDX-License-Identifier: GPL-2.0
#
# The commands for users and contributors. `make` alone lists them. No target loads a
# module on this machine. Everything that touches memory runs in a guest, through vm/run.

KERNELS ?= 6.1 6.12 7.3 native debug
HOURS ?= 1
# Without KERNEL, it is the newest stable kernel that this machine can build for. The goals
# of the benchmark are for 6.1.
kernel = $(or $(KERNEL),$(shell vm/default-kernel))
bench_kernel = $(or $(KERNEL),6.1)

.PHONY: help setup demo check check-all test check-trixie check-lint check-tools check-vm check-kernel check-kselftest \
	check-guests matrix \
	coverage fuzz soak soak-marks bench bench-quick markable \
	deb check-packages dkms-install dkms-remove clean

help:
	@echo 'make demo            the main job in a throw-away guest, step by step'
	@echo 'make check           the tests for a change: linters, offctl, the harness, main selftests'
	@echo 'make check-all       all tests, on all kernels'
	@echo 'make test T=states.sh K=6.12   one script of the selftests'
	@echo 'make check-lint      W=1, sparse, checkpatch, cppcheck, shellcheck'
	@echo 'make check-tools     offctl, on this machine, on recorded trees'
	@echo 'make check-vm        the guest harness itself'
	@echo 'make check-kernel    a part of the kernel'"'"'s own tests, with the module loaded'
	@echo 'make check-kselftest the selftests in the kernel'"'"'s source, run by its run_kselftest.sh'
	@echo 'make check-guests    the selftests, in guests'
	@echo 'make fuzz            random sequences and writes, more than in make check-all'
	@echo 'make matrix          all selftests on all kernels, and docs/matrix.md from the results'
	@echo 'make coverage        the lines that the selftests reach: docs/coverage.md'
	@echo 'make bench           benchmark against functions of the kernel: docs/performance.md'
	@echo 'make bench-quick     the same in instructions, in two minutes'
	@echo 'make markable        the share of random pages that can be marked: docs/markable.md'
	@echo 'make soak            hotplug cycles under load, for HOURS=1 or CYCLES=N'
	@echo 'make soak-marks      marks all pages that the floors allow, ROUNDS=500 times'
	@echo 'make dkms-install    build and install the module on this machine with DKMS'
	@echo 'make dkms-remove     remove it again'
	@echo 'make deb             build the Debian packages'
	@echo 'make check-packages  install and use the packages in clean Debian systems'
	@echo 'make check-trixie    make demo in a clean Debian 13'
	@echo 'make clean           remove what was built in the tree'
	@echo
	@echo 'KERNELS="6.1 6.12 7.3 native debug"   the kernels for check-all, check-* and matrix'
	@echo 'KERNEL=6.12                           the kernel for all others; K for test'
	@echo 'ONLY="pinned|boot_memory"             some tests of the script, for test'
	@echo 'SEED=N SEEDS=20 STEPS=100 WRITES=200000, or REPLAY=FILE   for fuzz'

setup:
	@vm/setup --lint $(KERNELS)

demo:
	@vm/setup $(kernel)
	@demo/run $(kernel)

check:
	@vm/setup --lint $(kernel)
	@FAKE_OFFLINE_KERNELS='$(kernel)' checks/run lint tools vm short

# AFTER=check leaves out the tests of `make check`, which must have passed just before.
AFTER ?=
check-all: setup
	@FAKE_OFFLINE_KERNELS='$(KERNELS)' FAKE_OFFLINE_CHECKED='$(if $(filter check,$(AFTER)),$(kernel))' \
		checks/run lint tools vm kernel kselftest guests

test:
	@SKIP='$(SKIP)' ONLY='$(ONLY)' checks/test '$(T)' '$(or $(K),$(KERNEL))'

check-trixie:
	@packages/in-clean-system trixie make demo

check-lint check-tools check-vm check-kernel check-kselftest check-guests: check-%: setup
	@FAKE_OFFLINE_KERNELS='$(KERNELS)' checks/run $*

# An empty variable counts as not set: see checks/fuzz.
fuzz:
	@vm/setup $(kernel)
	@FUZZ_SEED='$(SEED)' FUZZ_SEEDS='$(SEEDS)' FUZZ_STEPS='$(STEPS)' \
		FUZZ_WRITES='$(WRITES)' FUZZ_REPLAY='$(REPLAY)' checks/fuzz $(kernel)

deb:
	@packages/build

check-packages:
	@packages/check

dkms-install:
	@packages/dkms install

dkms-remove:
	@packages/dkms remove

# Without CYCLES, the test runs for HOURS. selftests/soak.sh describes the variables that
# make a cycle cheaper. The test stops between two batches of cycles, so the time limit of
# the guest is HOURS and half as long again. With CYCLES it is 3 s per cycle, many times
# the time on an idle machine. A cycle is cheaper with one CPU. The lane dimms, in make
# check-all, has two.
CYCLES ?=
CPUS ?= 1
soak:
	@vm/setup $(kernel)
	@FAKE_OFFLINE_CPUS=$(CPUS) SOAK_CYCLES='$(CYCLES)' SOAK_HOURS='$(if $(CYCLES),,$(HOURS))' \
		SOAK_PAGES="$${SOAK_PAGES:-4000}" SOAK_SHARE="$${SOAK_SHARE:-30}" \
		SOAK_BATCH="$${SOAK_BATCH:-50}" SOAK_VERIFY="$${SOAK_VERIFY:-17}" \
		FAKE_OFFLINE_TIMEOUT=$$(awk -v c='$(CYCLES)' -v h='$(HOURS)' \
			'BEGIN { print int(c ? 3 * c : h * 5400) + 3600 }') \
		checks/lane $(kernel) frozen dimms soak.sh

# The seeds of the lists are SEED and the following numbers. The time limit of the guest is
# a minute per round, many times the time on an idle machine.
ROUNDS ?= 500
soak-marks:
	@vm/setup $(kernel)
	@FAKE_OFFLINE_CPUS=$(CPUS) SOAK_ROUNDS='$(ROUNDS)' SOAK_SEED='$(or $(SEED),1)' \
		SOAK_SHARE="$${SOAK_SHARE:-50}" \
		FAKE_OFFLINE_TIMEOUT=$$((60 * $(ROUNDS) + 3600)) \
		checks/lane $(kernel) frozen pressure pressure.sh

# Writes the results of all selftests on all kernels to docs/matrix.md. ALL=rest runs only
# the lanes that make check-all does not run. It is for use after a make check-all that
# wrote its rows with FAKE_OFFLINE_MATRIX=docs/matrix.md.
ALL ?= yes
matrix: setup
	@FAKE_OFFLINE_KERNELS='$(KERNELS)' FAKE_OFFLINE_ALL=$(ALL) \
		FAKE_OFFLINE_MATRIX=docs/matrix.md checks/run guests

# Counts instructions, which do not depend on the load of the machine. BENCH_LOAD has
# parameters of the module, such as skip=notifier. A missed goal is a failure.
bench-quick:
	@bench/selftest
	@bench/run --quick --instructions --kernel $(bench_kernel) --load '$(BENCH_LOAD)'

# The whole benchmark, in instructions and in time, with the files for docs/performance.md.
bench:
	@bench/selftest
	@status=0; \
	bench/run --instructions --kernel $(bench_kernel) --load '$(BENCH_LOAD)' \
		--json docs/performance/instructions.json --plots docs/performance || status=$$?; \
	bench/run --kernel $(bench_kernel) --load '$(BENCH_LOAD)' \
		--json docs/performance/time.json || status=$$?; \
	exit $$status

# Runs 18 guests, one after the other. MARKABLE has options of bench/markable.
MARKABLE ?= --doc docs/markable.md
markable:
	@bench/markable $(MARKABLE)

# The coverage that the module counts on the debug kernel, in docs/coverage.md.
coverage:
	@vm/setup debug
	@checks/coverage

clean:
	@$(MAKE) -s -C tools clean
	@$(MAKE) -s -C selftests clean
