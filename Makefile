# On a new machine, `make reports` and `make test` set everything up by themselves.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' >/dev/null 2>&1 && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2
# Parallel workers with a thread pool each for linear algebra would mostly wait for each other.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1

.PHONY: help setup reports test test-reports test-all check lab sample dictionary lock bench simulate docs clean

help: ## List the targets (the default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1mmake %-10s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Create .venv from the locked, hashed requirements (other targets run this themselves)

# uv resolves nothing here: it installs what the lock file names and fails on a wrong hash, like pip.
$(READY): requirements.lock requirements-uv.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "cs-helpers needs Python 3.11 or newer with venv, and none was found on the PATH." >&2; \
		echo "  Install one (Debian, Ubuntu: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3.12" >&2; exit 2; }
	@test -x $(BIN)/python || { echo "Creating $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv $(VENV); }
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-uv.lock; then \
		echo "Installing the locked packages (uv)"; \
		$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock; \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
	else \
		echo "uv cannot be installed here; installing the locked packages with pip, which takes longer"; \
		$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .; \
	fi
	@touch $@

reports: $(READY) ## Run every notebook on the sample company and print the path of the index page
	@$(BIN)/cs-helpers run --all --jobs 2

test: check ## Check and run the fast test suite
	@$(BIN)/python -m pytest -n $(WORKERS)

test-reports: $(READY) ## Whole reports and real processes, end to end and in Chromium; pictures in .pictures
	@$(BIN)/python -m pytest -n $(WORKERS) -m "reports and not slow"

test-all: check ## The fast suite and the slow tests
	@$(BIN)/python -m pytest -n $(WORKERS) -m "slow or not slow"

check: $(READY) ## Lint, format, types and import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python tests/import_rules.py

# The workspace is stored inside the environment, so the user's own workspaces and settings are not changed.
lab: export JUPYTERLAB_WORKSPACES_DIR = $(CURDIR)/$(VENV)/lab-workspaces
lab: $(READY) ## Open JupyterLab with a tour, the notebooks and the schedule side by side
	@$(BIN)/jupyter lab workspaces import docs/lab/cs-helpers.jupyterlab-workspace >/dev/null
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter lab --LabApp.default_url=/lab/workspaces/cs-helpers $(LAB)

sample: $(READY) ## Write the sample company under data/sample again
	@$(BIN)/cs-helpers sample data/sample

bench: $(READY) ## Measure speed and memory; writes docs/benchmarks.md
	@$(BIN)/python bench/all.py

simulate: $(READY) ## Evaluate the measured effect on all simulated worlds (half an hour); writes docs/simulation.md
	@$(BIN)/python bench/simulation.py $(SIMULATE)

docs: $(READY) ## Take the README's pictures again (needs chromium)
	@$(BIN)/python docs/take_pictures.py

dictionary: $(READY) ## Write data/README.md, the dictionary of the contract's tables, again
	@$(BIN)/python -m cs_helpers.data.contract.dictionary > data/README.md

lock: $(READY) ## Choose package versions again after a change of pyproject.toml
	@$(BIN)/uv pip compile --quiet --upgrade pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" -o requirements.lock
	@echo uv | $(BIN)/uv pip compile --quiet --upgrade - --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" -o requirements-uv.lock

clean: ## Remove the environment and all generated reports
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find reports -mindepth 1 ! -name README.md ! -name schedule.yml ! -name .pseudonym-key -delete
