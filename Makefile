# SPDX-License-Identifier: GPL-2.0
#
# The ways in. `make` alone lists them. Nothing here loads a module on this
# machine: all that touches memory runs in a guest, through vm/run.

KERNELS ?= 6.1 6.12 7.3 native debug
KERNEL ?= 6.1
HOURS ?= 1

.PHONY: help setup demo check check-lint check-tools check-vm check-kernel check-kselftest \
	check-guests matrix \
	coverage fuzz soak soak-marks bench bench-quick markable \
	deb check-packages dkms-install dkms-remove clean

help:
	@echo 'make demo            the main job in a throw-away guest, step by step'
	@echo 'make check           all tests, on all kernels'
	@echo 'make check-lint      W=1, sparse, checkpatch, cppcheck, shellcheck'
	@echo 'make check-tools     offctl, on this machine, on recorded trees'
	@echo 'make check-vm        the guest harness itself'
	@echo 'make check-kernel    a share of the kernel'"'"'s own tests, with the module loaded'
	@echo 'make check-kselftest the selftests in the kernel'"'"'s source, run by its run_kselftest.sh'
	@echo 'make check-guests    the selftests, in guests'
	@echo 'make fuzz            random sequences and writes, more than check has'
	@echo 'make matrix          check-guests, whole, and docs/matrix.md from it'
	@echo 'make coverage        lines that the selftests reach: docs/coverage.md'
	@echo 'make bench           measures, against what the kernel has itself: docs/performance.md'
	@echo 'make bench-quick     the same in instructions, and in two minutes'
	@echo 'make markable        the share of random pages that can be marked: docs/markable.md'
	@echo 'make soak            cycles under load, for HOURS=1 or as many as CYCLES=N'
	@echo 'make soak-marks      marks take all that the floors allow, ROUNDS=500 times'
	@echo 'make dkms-install    dkms builds and installs the module on this machine'
	@echo 'make dkms-remove     and takes it away again'
	@echo 'make deb             the Debian packages'
	@echo 'make check-packages  installs and uses them in clean Debian systems'
	@echo 'make clean           remove what was built in the tree'
	@echo
	@echo 'KERNELS="6.1 6.12 7.3 native debug"   what is tested'
	@echo 'KERNEL=6.1                            what demo, fuzz, soak, soak-marks and bench run on'
	@echo 'SEED=N SEEDS=20 STEPS=100 WRITES=200000, or REPLAY=FILE   for fuzz'

setup:
	@vm/setup --lint $(KERNELS)

demo:
	@vm/setup $(KERNEL)
	@demo/run $(KERNEL)

check: setup
	@FAKE_OFFLINE_KERNELS='$(KERNELS)' checks/run lint tools vm kernel kselftest guests

check-lint check-tools check-vm check-kernel check-kselftest check-guests: check-%: setup
	@FAKE_OFFLINE_KERNELS='$(KERNELS)' checks/run $*

# Empty is as good as not set: see checks/fuzz.
fuzz:
	@vm/setup $(KERNEL)
	@FUZZ_SEED='$(SEED)' FUZZ_SEEDS='$(SEEDS)' FUZZ_STEPS='$(STEPS)' \
		FUZZ_WRITES='$(WRITES)' FUZZ_REPLAY='$(REPLAY)' checks/fuzz $(KERNEL)

deb:
	@packages/build

check-packages:
	@packages/check

dkms-install:
	@packages/dkms install

dkms-remove:
	@packages/dkms remove

# Without CYCLES, for HOURS. What makes a cycle cheap is told in selftests/soak.sh.
# The guest may take half as long again: it stops between two batches of cycles; with
# CYCLES, 3 s for each, many times what it takes on an idle machine.
# With one CPU a cycle is cheaper; the lane dimms, in make check, has two.
CYCLES ?=
CPUS ?= 1
soak:
	@vm/setup $(KERNEL)
	@FAKE_OFFLINE_CPUS=$(CPUS) SOAK_CYCLES='$(CYCLES)' SOAK_HOURS='$(if $(CYCLES),,$(HOURS))' \
		SOAK_PAGES="$${SOAK_PAGES:-4000}" SOAK_SHARE="$${SOAK_SHARE:-30}" \
		SOAK_BATCH="$${SOAK_BATCH:-50}" SOAK_VERIFY="$${SOAK_VERIFY:-17}" \
		FAKE_OFFLINE_TIMEOUT=$$(awk -v c='$(CYCLES)' -v h='$(HOURS)' \
			'BEGIN { print int(c ? 3 * c : h * 5400) + 3600 }') \
		checks/lane $(KERNEL) frozen dimms soak.sh

# Seeds of its lists are SEED and those that follow it. A guest may take a minute for a
# round, many times what it takes.
ROUNDS ?= 500
soak-marks:
	@vm/setup $(KERNEL)
	@FAKE_OFFLINE_CPUS=$(CPUS) SOAK_ROUNDS='$(ROUNDS)' SOAK_SEED='$(or $(SEED),1)' \
		SOAK_SHARE="$${SOAK_SHARE:-50}" \
		FAKE_OFFLINE_TIMEOUT=$$((60 * $(ROUNDS) + 3600)) \
		checks/lane $(KERNEL) frozen pressure pressure.sh

# The table of what passes where, in docs/matrix.md. ALL=rest: after a make check
# that wrote its own rows, FAKE_OFFLINE_MATRIX=docs/matrix.md.
ALL ?= yes
matrix: setup
	@FAKE_OFFLINE_KERNELS='$(KERNELS)' FAKE_OFFLINE_ALL=$(ALL) \
		FAKE_OFFLINE_MATRIX=docs/matrix.md checks/run guests

# In instructions, which a busy machine does not change; BENCH_LOAD are parameters of the
# module, such as skip=notifier. A goal that is missed is a failure.
bench-quick:
	@bench/selftest
	@bench/run --quick --instructions --kernel $(KERNEL) --load '$(BENCH_LOAD)'

# All of it, in instructions and in time, and what docs/performance.md shows.
bench:
	@bench/selftest
	@status=0; \
	bench/run --instructions --kernel $(KERNEL) --load '$(BENCH_LOAD)' \
		--json docs/performance/instructions.json --plots docs/performance || status=$$?; \
	bench/run --kernel $(KERNEL) --load '$(BENCH_LOAD)' \
		--json docs/performance/time.json || status=$$?; \
	exit $$status

# In 18 guests, one after the other. MARKABLE are options of bench/markable.
MARKABLE ?= --doc docs/markable.md
markable:
	@bench/markable $(MARKABLE)

# What the module itself counts on the debug kernel, in docs/coverage.md.
coverage:
	@vm/setup debug
	@checks/coverage

clean:
	@$(MAKE) -s -C tools clean
	@$(MAKE) -s -C selftests clean
