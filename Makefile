# What people do with a checkout; every target builds the environment first if it has to.
# Needs make, git and Python 3.11 or newer; `make PYTHON=python3.13` chooses one.

PYTHON ?= python3
TASK ?= package:digits
MINUTES ?= 2
ARGS ?=
# Most tests wait for real processes: two at a time take half as long.
PARALLEL ?= -n auto --maxprocesses 4 --dist loadfile

BIN := .venv/bin
READY := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run test test-quick test-recording lint fix bench picture lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## build .venv from requirements.lock

$(READY): requirements.lock pyproject.toml .ci/setup
	@PYTHON="$(PYTHON)" .ci/setup

run: $(READY) ## solve a small real task (TASK=..., MINUTES=2)
	@$(BIN)/flowstone run "$(TASK)" --minutes $(MINUTES) $(ARGS)

test: $(READY) ## run all tests but the next one's (ARGS=... goes to pytest)
	$(BIN)/pytest -m "not recording" $(PARALLEL) $(ARGS)

test-recording: $(READY) ## check a search over recorded programs (minutes; needs ../shared/data)
	$(BIN)/pytest -m recording -o faulthandler_timeout=1200 $(ARGS)

test-quick: $(READY) ## run the tests that take less than ten seconds each
	$(BIN)/pytest -m "not long" $(PARALLEL) $(ARGS)

lint: $(READY) ## check style, format, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(READY) ## repair what the linter and the formatter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## measure, print figures beside their targets, keep bench.json
	@$(BIN)/flowstone bench $(ARGS)

picture: $(READY) ## draw docs/roles.svg from the declarations of the roles (needs graphviz)
	$(BIN)/flowstone roles --dot > docs/roles.dot
	dot -Tsvg docs/roles.dot -o docs/roles.svg

lock: ## resolve pyproject.toml anew into requirements.lock (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--group dev pyproject.toml --output-file requirements.lock

clean: ## remove the environment and all caches; never the log
	rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist
	find agents bus ops schemas store tests -name __pycache__ -type d -prune -exec rm -rf {} +
