# Everything a developer or a visitor needs, with nothing but make and Python 3.11, 3.12 or 3.13 on the machine.
# What is installed goes into .venv, from the pins and hashes in requirements/, and again whenever those change.

PYTHON ?= python3
# Arguments for the program of `make run`, and for pytest in `make test`.
ARGS ?=
PYTEST_ARGS ?= -n auto --maxprocesses 8 --dist worksteal

VENV := .venv
IN_VENV := $(VENV)/bin/python
INFRA_VENV := .venv-infra
# No index is named: pip uses the one it is configured for. Build isolation is off because it would fetch unpinned tools.
INSTALL := $(IN_VENV) -m pip install --quiet --disable-pip-version-check
LOCKED := $(INSTALL) --require-hashes
LOCK := $(IN_VENV) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock'

# What a person at a laptop has, and what the image has.
EXTRAS := --extra local --extra s3-clients --extra compare --extra report
IMAGE_EXTRAS := --extra s3-clients --extra lambda

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run compare-demo test test-infra check check-code check-types check-imports check-docs docs format lock upgrade benchmarks clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

run: $(VENV)/.local-is-set-up ## the main job with default settings on the embedded stack (ARGS="--steps 3" for flags)
	$(IN_VENV) -m orchestrator start $(ARGS)

# 16 cases in 20 rounds of runs of a third of a second take about two minutes on two cores that other programs use, too; a
# slower machine makes fewer rounds of it.
compare-demo: $(VENV)/.local-is-set-up ## all serializers, plain and with zstd, compared on the embedded stack (under 5 minutes)
	$(IN_VENV) -m orchestrator compare --serializers json,jsonl,csv,pickle,msgpack,arrow,parquet,raw --compressions none,zstd \
		--payload-mb 1 --steps 5 --repeats 20 --max-minutes 4 --yes --metrics-dir out $(ARGS)
	$(IN_VENV) -m orchestrator report "$$(ls -dt out/experiment-*/ | head -n 1)" --html out/compare-demo.html

test: $(VENV)/.dev-is-set-up ## the whole test suite (PYTEST_ARGS="-n 0 -k words" for a part of it)
	@$(IN_VENV) -m pytest $(PYTEST_ARGS) || { code=$$?; \
		test $$code -ne 5 || echo "make test: no test was run, and that is a failure" >&2; exit $$code; }

test-infra: $(VENV)/.dev-is-set-up $(INFRA_VENV)/.is-set-up ## terraform, checkov, containers and IAM policies: what make test leaves out (minutes)
	@$(IN_VENV) -m pytest -m infra $(PYTEST_ARGS) || { code=$$?; \
		test $$code -ne 5 || echo "make test-infra: no test was run, and that is a failure" >&2; exit $$code; }

check: check-code check-types check-imports check-docs ## ruff, mypy --strict, import-linter and the docs checks

check-code: $(VENV)/.dev-is-set-up
	$(IN_VENV) -m ruff check
	$(IN_VENV) -m ruff format --check

check-types: $(VENV)/.dev-is-set-up
	$(IN_VENV) -m mypy

check-imports: $(VENV)/.dev-is-set-up
	$(VENV)/bin/lint-imports

check-docs: $(VENV)/.dev-is-set-up
	$(IN_VENV) -m scripts.docs

docs: $(VENV)/.dev-is-set-up ## write the settings table into the README, and into infra/ what is made from elsewhere
	$(IN_VENV) -m scripts.infra --write
	$(IN_VENV) -m scripts.docs --write

format: $(VENV)/.dev-is-set-up ## format the code and mend what ruff can mend
	$(IN_VENV) -m ruff format
	$(IN_VENV) -m ruff check --fix

benchmarks: $(VENV)/.dev-is-set-up ## every program in benchmarks/, one after the other (some minutes, on a quiet machine)
	@set -e; for program in benchmarks/[a-z]*.py; do \
		name=$$(basename "$$program" .py); echo "== benchmarks.$$name"; $(IN_VENV) -m "benchmarks.$$name"; done

# Every lock is a part of dev.txt's resolution, so that what is tested is what is installed.
lock: $(VENV)/.dev-is-set-up ## pin what pyproject.toml asks for, keeping pins that still fit
	$(LOCK) $(UPGRADE) pyproject.toml $(EXTRAS) --extra lambda --group dev --output-file requirements/dev.txt
	$(LOCK) pyproject.toml $(EXTRAS) --constraint requirements/dev.txt --output-file requirements/local.txt
	$(LOCK) pyproject.toml $(IMAGE_EXTRAS) --constraint requirements/dev.txt --output-file requirements/core.txt
	$(LOCK) --group build --constraint requirements/dev.txt --output-file requirements/build.txt
	$(LOCK) --group data --no-deps --output-file requirements/data.txt
	$(LOCK) $(UPGRADE) --group infra --output-file requirements/infra.txt

upgrade: ## make lock, with the newest version of everything
	$(MAKE) lock UPGRADE=--upgrade

clean: ## remove what make and the tools made (not out/: those are your measurements)
	rm -rf $(VENV) $(INFRA_VENV) build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------------------------------- set-up
# The files below are stamps: they are newer than what they were made from once the set-up is complete. dev stands on
# local, so that two installations never write into one environment at once under make -j. The package is installed as
# a line in a .pth file (`compat`): setuptools' other way costs every Python process 10 ms of imports.

$(VENV)/.local-is-set-up: requirements/build.txt requirements/local.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || { \
		echo "stepbench needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is" \
			"$$($(PYTHON) --version 2>&1 | grep ^Python || echo missing); name another with 'make PYTHON=python3.12 ...'" >&2; \
		exit 1; }
	@echo "Setting up $(VENV) (once, and again when the pins change)"
	@$(PYTHON) -m venv --clear $(VENV) || { \
		echo "$(PYTHON) cannot make virtual environments: on Debian and Ubuntu install python3-venv" >&2; exit 1; }
	@$(LOCKED) -r requirements/build.txt
	@$(LOCKED) -r requirements/local.txt
	@$(INSTALL) --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@touch $@

$(VENV)/.dev-is-set-up: $(VENV)/.local-is-set-up requirements/dev.txt requirements/data.txt
	@$(LOCKED) -r requirements/dev.txt
	@$(LOCKED) --no-deps --no-build-isolation --use-pep517 -r requirements/data.txt
	@touch $@

$(INFRA_VENV)/.is-set-up: $(VENV)/.local-is-set-up requirements/infra.txt
	@echo "Setting up $(INFRA_VENV) (once, and again when its pins change)"
	@$(PYTHON) -m venv --clear $(INFRA_VENV)
	@$(INFRA_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/infra.txt
	@touch $@
