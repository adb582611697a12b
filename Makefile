# `make demo` and `make test` do all the set-up themselves.
export TF_USE_LEGACY_KERAS := 1
export TF_CPP_MIN_LOG_LEVEL ?= 3

PYTHON := .venv/bin/python
UV := .venv/bin/uv
READY := .venv/.ready

.PHONY: help setup demo test check format lock clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

setup: $(READY) ## build .venv from the lock

$(READY): requirements.txt requirements-dev.txt
	@scripts/setup

test: $(READY) ## the test suite
	$(PYTHON) -m pytest

check: $(READY) ## format, lint and types
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

format: $(READY) ## rewrite in the house format
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

lock: $(READY) ## requirements*.txt anew from requirements*.in
	$(UV) pip compile -q --python-version 3.10 --no-annotate --no-header requirements.in -o requirements.txt
	$(UV) pip compile -q --python-version 3.10 --no-annotate --no-header requirements-dev.in -o requirements-dev.txt

clean: ## remove what the commands above made
	rm -rf .venv build
