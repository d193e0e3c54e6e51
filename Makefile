# Everything happens in .venv and in build folders; nothing needs to be installed by hand.
#
#   make test FUSEDLOSS_LEVELS=all         all instruction-set levels, not only the CPU's best (see setup.py)
#   make venv PYTHON=python3.13            another Python
#   make test-peers TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"

PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV := .venv
PY := $(VENV)/bin/python
# -qq: pip's warnings about its own settings would drown the one line that each step prints; errors still show.
PIP := $(PY) -m pip --disable-pip-version-check --no-input -qq
BUILT := build/.compiled $(VENV)/.installed
KERNELS := $(shell find kernels src/fusedloss/include -type f) src/fusedloss/capi.pxd
# The compiler that setup.py takes: CC if it is set, else the one that Python was built with.
ifeq ($(origin CC),default)
CC = $(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_config_var("CC") or "cc")')
endif
export FUSEDLOSS_LEVELS ?= native
EXTRAS = $(PY) -c 'import sys, tomllib; d = tomllib.load(open("pyproject.toml", "rb")); \
	p = d["project"]; o = p["optional-dependencies"]; \
	print(*(d["build-system"]["requires"] + p["dependencies"] if sys.argv[1] == "build" else o[sys.argv[1]]), sep="\n")'


.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help venv build demo demo-scale test test-peers test-integrations test-fallback test-clang test-aarch64 test-sanitize fuzz bench bench-quick bench-check bench-peers bench-report docs docs-tables stubs lint format sdist wheel sizes clean distclean FORCE

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

venv: $(VENV)/.created  ## create .venv

build: $(BUILT)  ## compile what has changed, and install the package into .venv in editable form

# What draws the pictures is installed while the kernels are compiled.
demo: export MPLBACKEND ?= Agg
demo: $(VENV)/.extra-build  ## build, then run examples/demo.py
	@$(MAKE) --no-print-directory $(VENV)/.extra-plot & plot=$$!; $(MAKE) --no-print-directory build/.compiled && wait $$plot
	@$(MAKE) --no-print-directory $(BUILT)
	$(PY) examples/demo.py

demo-scale: $(BUILT) $(VENV)/.extra-scipy  ## build, then fit 2 GB in a tenth of that memory (SCALE="--gigabytes 8")
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-2} $(PY) examples/scale.py $(SCALE)

# A process for each CPU, at most 8; threads that wait leave the CPUs to the others.
PARALLEL := -q -n logical --maxprocesses 8
PYTEST := OMP_WAIT_POLICY=passive $(PY) -m pytest $(PARALLEL)

test: $(BUILT) $(VENV)/.extra-test $(VENV)/.extra-bench $(VENV)/.extra-plot  ## build, then run the tests, with the examples in README, docs and docstrings
	$(PYTEST) --ignore=tests/peers --ignore=tests/integrations

test-peers: $(BUILT) $(VENV)/.extra-test $(VENV)/.peers $(VENV)/.extra-peers  ## run the comparisons with torch, lifelines, statsmodels and others (installs them into .venv)
	$(PYTEST) tests/peers

# An environment of their own, as large libraries ask for this or that NumPy; the package comes from the checkout.
INTEGRATIONS := $(VENV)/integrations

test-integrations: $(BUILT) $(INTEGRATIONS)/.ready  ## run the adapters with XGBoost, LightGBM, CatBoost, scikit-learn, SciPy, torch, JAX, numba (installs them)
	PYTHONPATH=src:. OMP_WAIT_POLICY=passive $(INTEGRATIONS)/bin/python -m pytest $(PARALLEL) tests/integrations docs/integrations \
		docs/survival.md docs/ordinal.md docs/counts.md docs/distributions.md docs/forecasts.md docs/ensembles.md docs/ranking.md

$(INTEGRATIONS)/.ready: pyproject.toml | $(VENV)/.created
	@echo "venv: installing what the adapters are for into $(INTEGRATIONS)"
	@$(PY) -m venv $(INTEGRATIONS)
	@$(EXTRAS) build > $(INTEGRATIONS)/build.txt && $(EXTRAS) test > $(INTEGRATIONS)/test.txt && $(EXTRAS) integrations > $(INTEGRATIONS)/integrations.txt
	@$(INTEGRATIONS)/bin/python -m pip --disable-pip-version-check --no-input -qq install --no-compile $(TORCH) \
		-r $(INTEGRATIONS)/build.txt -r $(INTEGRATIONS)/test.txt -r $(INTEGRATIONS)/integrations.txt
	@touch $@

# The level of a CPU of which nothing is known; FALLBACK_LEVEL=v2 is another one.
FALLBACK_LEVEL ?= base
test-fallback: $(BUILT) $(VENV)/.extra-test  ## build without OpenMP and without instruction-set levels, elsewhere, and run the core tests on it
	@rm -rf build/fallback
	FUSEDLOSS_LEVELS=$(FALLBACK_LEVEL) FUSEDLOSS_OPENMP=0 FUSEDLOSS_CFLAGS=-O1 $(PIP) install --no-build-isolation --no-deps --target build/fallback .
	PYTHONPATH=build/fallback $(PYTEST) -k "test_threads or many_random or test_joint and test_accuracy" \
		tests/test_accuracy.py tests/test_joint.py tests/test_threads.py

test-clang: $(BUILT) $(VENV)/.extra-test  ## build with clang, elsewhere, and run the core tests on it
	@if ! command -v clang >/dev/null; then \
		echo "test-clang: SKIPPED: no clang (on Debian or Ubuntu: apt install clang libomp-dev)"; \
	else \
		rm -rf build/clang && \
		CC=clang $(PIP) install --no-build-isolation --no-deps --target build/clang . && \
		PYTHONPATH=build/clang $(PY) -m pytest $(CLANG_TESTS); \
	fi
CLANG_TESTS := tests/test_accuracy.py tests/test_golden.py tests/test_semantics.py tests/test_smoke.py tests/test_threads.py

test-aarch64: $(VENV)/.extra-build  ## cross-compile for aarch64, elsewhere, and run the smoke test on it under qemu
	@PYTHON=$(PY) sh tests/aarch64.sh

# Seconds, a seed (a random one by default), how many calls at most, or the number of one call of that seed.
SECONDS ?= 60
FUZZ = -m tests.fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(if $(CALLS),--calls $(CALLS)) $(if $(CALL),--call $(CALL))
# Threads that wait leave the CPUs to others.
fuzz: export OMP_WAIT_POLICY := passive
fuzz: $(BUILT) $(VENV)/.extra-test  ## random calls for SECONDS=60; SEED=... repeats them, SEED=... CALL=... one of them
	$(PY) $(FUZZ)

SANITIZED := build/sanitize
# The compiler's runtime must be the first library; C++ beside it, as it catches that one's exceptions.
ASAN = $(shell $(CC) -print-file-name=libasan.so) $(shell $(CC) -print-file-name=libstdc++.so)
SANITIZED_PY = LD_PRELOAD="$(ASAN)" PYTHONPATH=$(SANITIZED):. PYTHONMALLOC=malloc OMP_WAIT_POLICY=passive \
	ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 $(PY)

test-sanitize: SECONDS := 45
test-sanitize: $(VENV)/.extra-build $(VENV)/.extra-test  ## build with AddressSanitizer and UndefinedBehaviorSanitizer, elsewhere; buffers and random calls on it
	@mkdir -p build
	@if ! echo 'int main(void) { return 0; }' | $(CC) -x c -fsanitize=address,undefined -o build/.probe - 2>/dev/null \
		|| ! test -e "$(firstword $(ASAN))"; then \
		echo "test-sanitize: SKIPPED: $(CC) has no sanitizers (on Debian or Ubuntu: apt install libasan8 libubsan1)"; \
	else \
		$(MAKE) --no-print-directory .sanitized SECONDS=$(SECONDS); \
	fi

# Measures of memory mean nothing here, and every dtype of every loss would take long: random calls have them all.
SANITIZE_TESTS := not memory and not allocates and not leak and not test_dtypes and not float16 and not float64

.PHONY: .sanitized
.sanitized:
	@echo "test-sanitize: compiling into $(SANITIZED)"
	@FUSEDLOSS_LEVELS=base FUSEDLOSS_SANITIZE=address,undefined,float-cast-overflow \
		$(PY) setup.py -q build --build-lib $(SANITIZED) --build-temp $(SANITIZED)/objects
	$(SANITIZED_PY) -m pytest $(PARALLEL) -p no:cacheprovider -k "$(SANITIZE_TESTS)" \
		tests/test_outputs.py
	$(SANITIZED_PY) $(FUZZ)

# BENCH reaches pytest. Without it only the summary is printed, not pytest-benchmark's own tables.
BENCH ?= --benchmark-quiet
COMPARE = -m pytest bench/test_speed.py -q --benchmark-only --benchmark-disable-gc --benchmark-name=short --benchmark-sort=name \
	--benchmark-columns=min,median,iqr,rounds,iterations
RESULTS := build/bench
DEFAULT_BUILD := $(RESULTS)/default-build
# A part of a suite, chosen by BENCH, must not take the place of the whole.
KEPT = $(if $(filter command environment,$(origin BENCH)),,--benchmark-json=$(RESULTS)/$(1).json)

bench: $(BUILT) $(VENV)/.extra-bench | $(RESULTS)  ## build, then compare every function with NumPy; BENCH="-k huber" selects (see bench/README.md)
	$(PY) $(COMPARE) $(call KEPT,full) $(BENCH)

bench-quick: $(BUILT) $(VENV)/.extra-bench  ## the same in half a minute: every function once or twice
	$(PY) $(COMPARE) --suite quick $(BENCH)

bench-check: $(BUILT) $(VENV)/.extra-bench  ## compare the ratios to NumPy with the recorded ones (bench/baseline.json)
	$(PY) -m bench.check

# An environment of their own, as large libraries ask for this or that NumPy; the package comes from the checkout.
PEERS := $(VENV)/peers
PEERS_PY := PYTHONPATH=src:. $(PEERS)/bin/python
PEER_PACKAGES ?= $(TORCH) jax scikit-learn numexpr numba

bench-peers: $(BUILT) $(PEERS)/.ready | $(RESULTS)  ## compare with torch, jax, numba and others; errors, memory, import time and size, too: an hour
	$(PEERS_PY) $(COMPARE) --suite peers $(call KEPT,peers) $(BENCH)
	$(PEERS_PY) $(COMPARE) --suite sizes $(call KEPT,sizes) $(BENCH)
	$(PEERS_PY) $(COMPARE) --suite classes $(call KEPT,classes) $(BENCH)
	$(PEERS_PY) $(COMPARE) --suite threads $(call KEPT,threads) $(BENCH)
	$(PEERS_PY) $(COMPARE) --suite outputs $(call KEPT,outputs) $(BENCH)
	$(PEERS_PY) $(COMPARE) --suite outputs --keep-memory $(call KEPT,kept) $(BENCH)
	@echo "bench-peers: installing a default build, whose size is measured, into $(DEFAULT_BUILD)"
	@rm -rf $(DEFAULT_BUILD) && env -u FUSEDLOSS_LEVELS $(PIP) install --no-build-isolation --no-deps --target $(DEFAULT_BUILD) .
	$(PEERS_PY) -m bench.memory
	$(PEERS_PY) -m bench.accuracy

bench-report: $(BUILT) $(VENV)/.extra-bench $(VENV)/.extra-plot  ## write docs/benchmarks/ from what bench and bench-peers have measured
	$(PY) -m bench.report

$(RESULTS):
	@mkdir -p $@

$(PEERS)/.ready: pyproject.toml | $(VENV)/.created
	@echo "venv: installing peers into $(PEERS)"
	@$(PY) -m venv $(PEERS)
	@$(EXTRAS) test > $(PEERS)/test.txt && $(EXTRAS) bench > $(PEERS)/bench.txt
	@$(PEERS)/bin/python -m pip --disable-pip-version-check --no-input -qq install -r $(PEERS)/test.txt -r $(PEERS)/bench.txt
	@for package in $(PEER_PACKAGES); do \
		$(PEERS)/bin/python -m pip --disable-pip-version-check --no-input -qq install $$package \
		|| echo "venv: $$package cannot be installed here; it will not take part"; done
	@touch $@

docs: $(BUILT) $(VENV)/.extra-docs  ## build the web pages into build/docs: guide, gallery, a page for each function
	$(PY) -m sphinx -b html -q -W docs build/docs

stubs: $(BUILT)  ## write src/fusedloss/__init__.pyi, which type checkers read, anew
	$(PY) docs/stubs.py

docs-tables: $(BUILT)  ## write the lists of losses in docs anew, from the docstrings
	$(PY) docs/tables.py

lint: $(VENV)/.extra-build $(VENV)/.extra-dev  ## check style, format and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy --strict src
	@# Once more without the stub, which hides the module beside it.
	@rm -rf build/typing && mkdir -p build/typing && cp -r src/fusedloss build/typing && rm build/typing/fusedloss/__init__.pyi
	$(VENV)/bin/mypy --strict build/typing

format: $(VENV)/.extra-dev  ## format the code, and repair what can be repaired
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

sdist: $(VENV)/.extra-wheel  ## make dist/*.tar.gz
	$(PY) -m build --sdist

# All levels unless the command line names others. The smoke test gets a PATH without a compiler.
wheel: FUSEDLOSS_LEVELS := all
wheel: $(VENV)/.extra-wheel  ## make dist/*.tar.gz, from it dist/*.whl of all levels, and try that in an environment of its own
	@rm -rf build/wheel dist && mkdir -p build/wheel dist
	@echo "wheel: building dist/*.tar.gz, and from it the wheel (the log is build/wheel/log)"
	@FUSEDLOSS_LEVELS="$(FUSEDLOSS_LEVELS)" $(PY) -m build --outdir build/wheel > build/wheel/log 2>&1 || { tail -30 build/wheel/log; exit 1; }
	@mv build/wheel/*.tar.gz dist
	@if $(PY) -c 'import sys; sys.exit(sys.platform != "linux")'; then \
		PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PY) -m auditwheel repair --strip --wheel-dir dist build/wheel/*.whl \
			>> build/wheel/log 2>&1 || { tail -30 build/wheel/log; exit 1; }; \
	else \
		echo "wheel: auditwheel is for Linux; the wheel stays as it is" && mv build/wheel/*.whl dist; \
	fi
	@$(PY) -m venv build/wheel/venv
	@build/wheel/venv/bin/python -m pip --disable-pip-version-check --no-input -qq install dist/*.whl
	cd build/wheel && PATH="$(CURDIR)/build/wheel/venv/bin" venv/bin/python "$(CURDIR)/tests/smoke.py" $(if $(filter all,$(FUSEDLOSS_LEVELS)),--wheel)
	@$(PY) bench/sizes.py dist/*.whl

sizes: $(VENV)/.created  ## print what dist/*.whl takes, packed and installed, by level
	@$(PY) bench/sizes.py dist/*.whl

clean:  ## remove what was built, but not .venv
	rm -rf build dist src/*.egg-info src/fusedloss/*.so $(VENV)/.installed
	rm -rf .pytest_cache .hypothesis .mypy_cache .ruff_cache .benchmarks
	find src tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean  ## remove .venv too
	rm -rf $(VENV)

# What follows are files that note that a step is done, so that repeating it costs nothing.

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not there; name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed, but $(PYTHON) is $$($(PYTHON) --version)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: $(PYTHON) cannot make virtual environments; on Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "venv: creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# Of Cython and NumPy a build imports a small part; Python compiles what it imports.
$(VENV)/.extra-%: pyproject.toml | $(VENV)/.created
	@echo "venv: installing what '$*' needs"
	@$(EXTRAS) $* > $@.txt && $(PIP) install $(if $(filter build,$*),--no-compile) -r $@.txt
	@touch $@

$(VENV)/.peers: | $(VENV)/.created
	@echo "venv: installing $(TORCH)"
	@$(PIP) install $(TORCH) || { echo "make: $(TORCH) cannot be installed here, so test-peers cannot run; no other target needs it" >&2; exit 1; }
	@touch $@

# What decides the build but is not a file: rewritten only when it differs.
$(VENV)/.settings: FORCE | $(VENV)/.created
	@echo "$(FUSEDLOSS_LEVELS) | $(FUSEDLOSS_OPENMP) | $(if $(filter environment command,$(origin CC)),$(CC)) | $(CFLAGS) | $(LDFLAGS)" > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

build/.compiled: $(KERNELS) setup.py pyproject.toml $(VENV)/.settings $(VENV)/.extra-build
	@command -v $(firstword $(CC)) >/dev/null || { echo "make: no C compiler '$(firstword $(CC))'; on Debian or Ubuntu: apt install gcc" >&2; exit 1; }
	@$(PY) -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' || { echo "make: Python.h is missing; on Debian or Ubuntu: apt install python3-dev" >&2; exit 1; }
	@echo "build: compiling the kernels"
	@$(PY) setup.py -q build_ext --inplace
	@touch $@

# Compiles nothing: it shares the build folder with the step before. A change in kernels/ does not bring it back.
$(VENV)/.installed: setup.py pyproject.toml | build/.compiled
	@echo "build: installing fusedloss into $(VENV)"
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@
