# `make` lists what there is. Everything is installed into .venv, nothing outside it but, for the tests, a browser.

PYTHON  ?= python3
ARGS    ?=
# One for each core: three on two cores take as long as two. At most 8, since each has a server and a Chromium of its own, two
# gigabytes with what the tests load.
CORES   := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
WORKERS ?= $(shell echo $$(( $(CORES) < 8 ? $(CORES) : 8 )))

VENV   := .venv
# `-m` throughout: the commands in .venv/bin name the folder they were made in, and fail once it is moved.
IN_VENV := $(VENV)/bin/python -m
IN_TOOLS := $(VENV)/tools/bin/python -m
WANTED   := $(VENV)/wanted
# With Python's own cache of what is compiled, though the shell may forbid it: else each worker compiles all tests, and each
# process that a test starts all of gd_core and pages.
PYTEST   = PYTHONDONTWRITEBYTECODE= $(IN_VENV) pytest -n $(WORKERS) --dist worksteal
PIP_INSTALL := $(IN_VENV) pip install --disable-pip-version-check --quiet
# One of PyTorch's own: .../whl/cu130 has builds for NVIDIA's GPUs.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

.DEFAULT_GOAL := help
.PHONY: help run dev test test-quick fuzz bench bench-quick check format screenshots lock audit clean

help:  ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo '  ARGS="…" is passed on:  make run ARGS="--server.port 8600"   make test ARGS="tests/core -k sweep"'

run: $(VENV)/run.stamp  ## Start the dashboard, installing it first where needed
	$(IN_VENV) streamlit run app.py $(ARGS)

dev: $(VENV)/run.stamp  ## The same, and a page offers to run again when a file is saved
	$(IN_VENV) streamlit run app.py --server.fileWatcherType auto $(ARGS)

test: $(VENV)/dev.stamp  ## Run all tests, browser tests included
	@$(VENV)/bin/python tests/browser/ensure_chromium.py
	@PYTHONPATH=tests/browser $(VENV)/bin/python tests/core/ensure_postgres.py
	$(PYTEST) $(ARGS)

test-quick: $(VENV)/dev.stamp  ## Run the tests that need neither a browser nor several processes
	@PYTHONPATH=tests/browser $(VENV)/bin/python tests/core/ensure_postgres.py
	$(PYTEST) -m "not torchrun" --ignore tests/browser --ignore tests/benchmarks $(ARGS)

fuzz: $(VENV)/dev.stamp  ## Try hostile links, tables and records for some minutes: SEED=1 COUNT=20000 ARGS=addresses
	$(VENV)/bin/python tests/fuzz $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT)) $(ARGS)

bench: $(VENV)/dev.stamp  ## Measure this app beside what people would use instead, into docs/benchmarks.md
	@$(VENV)/bin/python tests/browser/ensure_chromium.py
	PYTHONPATH=.:tests/browser:tests/core $(VENV)/bin/python tests/benchmarks/run.py $(ARGS)

bench-quick: $(VENV)/dev.stamp  ## The same with less work, in a few minutes, into .benchmarks
	@$(VENV)/bin/python tests/browser/ensure_chromium.py
	PYTHONPATH=.:tests/browser:tests/core $(VENV)/bin/python tests/benchmarks/run.py --quick $(ARGS)

check: $(VENV)/dev.stamp  ## Check format, lint and types
	$(IN_VENV) ruff format --check .
	$(IN_VENV) ruff check .
	PYTHONPATH=. $(VENV)/bin/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(IN_VENV) pyright

format: $(VENV)/dev.stamp  ## Format the code and mend what the linter can mend
	$(IN_VENV) ruff check --fix-only .
	$(IN_VENV) ruff format .

screenshots: $(VENV)/dev.stamp  ## Take the pictures of the README anew
	@$(VENV)/bin/python tests/browser/ensure_chromium.py
	PYTHONPATH=. $(VENV)/bin/python tests/browser/screenshots.py $(ARGS)

lock: $(VENV)/dev.stamp $(VENV)/tools.stamp  ## Pin what the container installs, with digests: requirements.lock
	@$(IN_VENV) pip freeze --all --exclude torch > $(VENV)/tested.txt
	$(IN_TOOLS) uv pip compile requirements.txt --constraints $(VENV)/tested.txt --universal --python-version 3.12 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock' \
	  --quiet --output-file requirements.lock

# The wheels that are named by their address are looked up by their version, and all of them, whatever machine asks. What
# cannot be looked up is a failure, not a pass.
audit: $(VENV)/tools.stamp  ## Look up what the container installs among known vulnerabilities
	@sed -E 's/^torch @ [^;]*torch-([0-9.]+)%2B[^;]*/torch==\1 /; s/ *;[^\]*\\$$/ \\/' requirements.lock > $(VENV)/audited.txt
	@$(IN_TOOLS) pip_audit --strict --disable-pip --require-hashes --requirement $(VENV)/audited.txt || { echo "$(NOT_AUDITED)" >&2; exit 1; }

clean:  ## Remove .venv and the tools' caches
	rm -rf $(VENV) .benchmarks .pytest_cache .ruff_cache .hypothesis

# A stamp is younger than the files it was installed from, so the second `make run` starts at once.
$(VENV)/run.stamp: requirements.txt $(VENV)/bin/python
	$(make_venv)
	$(install_app)
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt requirements.txt $(VENV)/bin/python
	$(make_venv)
	$(install_app)
	@echo '4. What the tests and checks need: 250 MB to fetch, 800 MB on disk, one to three minutes'
	@$(PIP_INSTALL) -r $(WANTED)/requirements-dev.txt
	@touch $@ $(VENV)/run.stamp

# Not among what the tests run with, which is what is locked.
$(VENV)/tools.stamp: requirements-tools.txt $(VENV)/bin/python
	$(PYTHON) -m venv --clear $(VENV)/tools
	$(IN_TOOLS) pip install --disable-pip-version-check --quiet -r $<
	@touch $@

# Nothing to do when it exists. When it is missing, or its Python has been uninstalled, every stamp is stale.
$(VENV)/bin/python: ;

# An environment is kept if its pip works; one that was interrupted while it was made, or is too old, is made anew.
define make_venv
@{ $(VENV)/bin/python -c '$(VERSION_FITS)' && $(IN_VENV) pip install --help; } >/dev/null 2>&1 || { \
$(PYTHON) -c '$(VERSION_FITS)' 2>/dev/null || { echo "$(WRONG_VERSION)" >&2; exit 1; }; \
$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(NO_VENV)" >&2; exit 1; }; \
echo '1. Making $(VENV): some seconds'; $(PYTHON) -m venv --clear $(VENV); }
endef

# On Linux the registry's PyTorch brings gigabytes of CUDA, so PyTorch's own index of CPU builds is asked first, and the
# registry where that does not answer. requirements.txt has no index, and for one Python a wheel by its address (it says
# why); here pip is to take the PyTorch that is there by then, so both files are copied without that address.
define install_app
@mkdir -p $(WANTED)
@for file in requirements.txt requirements-dev.txt; do \
sed -E '/^torch @/d; s/^(torch==[^ ]+) *;.*/\1/' $$file > $(WANTED)/$$file; done
@[ "$$(uname -s)" != Linux ] || { echo '2. PyTorch from $(TORCH_INDEX): 200 MB to fetch, 750 MB on disk, a minute or two'; \
$(PIP_INSTALL) --retries 1 --no-deps --index-url $(TORCH_INDEX) $$(grep '^torch==' $(WANTED)/requirements.txt) 2>/dev/null || \
echo '   $(TORCH_INDEX) has none for this Python or does not answer: the registry’s comes with the rest, and may bring 3 GB of CUDA'; }
@echo '3. Streamlit and the rest: 150 MB to fetch, 600 MB on disk, a minute or two'
@$(PIP_INSTALL) -r $(WANTED)/requirements.txt
endef

# The versions for which the pinned packages have wheels.
VERSION_FITS = import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
WRONG_VERSION = Python 3.11 to 3.14 is needed. '$(PYTHON) --version' says: $$($(PYTHON) --version 2>&1 || true). Name another: make $(MAKECMDGOALS) PYTHON=python3.12
NO_VENV = $(PYTHON) has no venv module. Debian and Ubuntu have it in a package of its own: apt install python3-venv
NOT_AUDITED = Not passed: either a package above has a known vulnerability, or the service that knows them could not be asked. The lines above say which.
