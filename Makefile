# Two commands start everything: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python
PROGRAM := $(PY) -m scout_core

.DEFAULT_GOAL := help
SQL_FILES := $(shell find sql -name '*.sql')
.PHONY: help install run test lint format bench test-long dictionary manifest audit licenses image-digests lock

help: ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: .venv/.dev ## make .venv with everything that requirements*.txt pins

# What a start compiles is kept whatever the environment says: the next one takes half the time, and tests start many.
run: export PYTHONDONTWRITEBYTECODE :=
run: .venv/.runtime ## install, start the database (demo data when there is no DATABASE_URL), refresh, serve the pages
	@exec $(PY) -m ui

test: export PYTHONDONTWRITEBYTECODE :=
test: lint ## everything that CI runs: lint, then the tests
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/.dev ## ruff, mypy, sqlfluff
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@$(MAKE) --no-print-directory -j 2 .types .venv/.sql-linted

.types:
	$(BIN)/mypy

# files that have changed since they were found sound; all of them after a change of the rules
.venv/.sql-linted: $(SQL_FILES) pyproject.toml requirements-dev.txt
	@echo $(BIN)/sqlfluff lint sql
	@$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 $(if $(filter-out sql/%,$?),sql,$?)
	@touch $@

format: .venv/.dev ## put Python files into the house format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/.dev ## measure the job against bare statements and what the pages cost, e.g. make bench ARGS="--persons 50000"
	$(PY) -m benchmarks $(ARGS)
	$(PY) -m benchmarks.state
	$(PY) -m benchmarks.writers
	$(PY) -m benchmarks.files
	$(PY) -m benchmarks.web

test-long: .venv/.dev ## the tests that take minutes: marked long, not part of make test
	$(BIN)/pytest -n 2 -m long

dictionary: .venv/.dev ## write docs/data-dictionary.md anew from the comments in the database
	$(PY) -m tests.support.dictionary

manifest: .venv/.dev ## write sql/manifest.json anew from a fresh installation, which verify compares with
	$(PY) -m tests.support.manifest

audit: .venv/.dev ## write out/sbom.json (CycloneDX), and look up what is installed in the advisories
	$(PY) -m tests.support.audit

licenses: .venv/.dev ## write docs/licenses.md anew from what is installed
	$(PY) -m tests.support.licenses

image-digests: .venv/.dev ## write the digests of the images into deploy/compose, as the registry has them now
	$(PY) -m tests.support.images

COMPILE = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
    --no-header --annotation-style line $(ARGS)
lock: .venv/.uv ## pin the whole tree anew from pyproject.toml; all of it to its newest with ARGS=--upgrade
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --group install -o requirements-uv.txt

# uv installs in seconds what pip takes most of a minute for; where uv cannot reach its index, pip may.
# Neither takes a file whose hash is not in requirements*.txt.
.venv/.uv: requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed, $(PYTHON) is older: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	    { echo "$(PYTHON) cannot make a virtual environment: install its venv module (Debian: python3-venv)"; exit 1; }
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/.runtime: requirements.txt .venv/.uv
	@$(BIN)/uv pip install -q --python $(PY) --require-hashes -r $< || \
	    $(PY) -m pip install -q --require-hashes -r $<
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@$(BIN)/uv pip install -q --python $(PY) --require-hashes -r $< || \
	    $(PY) -m pip install -q --require-hashes -r $<
	@touch $@
