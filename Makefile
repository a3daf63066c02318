# Each target depends on `setup`, which does nothing once it is done.
SHELL := /bin/sh
PY := .venv/bin/python
PORT ?= 3000
EXPORTS ?= ../shared/exports
FORMER ?= ../shared/former_pipeline

# One event for the partitions of a range instead of one each: 35% less bookkeeping (measured). The events of an output
# stored at once: 13% less in all. The history sets both as well, for Dagster started without make.
export DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS := 1
export DAGSTER_EVENT_BATCH_SIZE := 1000
export DAGSTER_DISABLE_TELEMETRY := 1
export NO_MKDOCS_2_WARNING := 1
# Keep this project's compiled Python files: saves 0.5 s per start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup docs test test-long chaos cluster-setup cluster-test dev demo demo-dev demo-remove conformance former-pipeline bench

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' Makefile

setup: ## make .venv and look for a browser; nothing else has to be installed manually
	@sh scripts/setup.sh

docs: setup ## build the documentation as a site in build/site, with its links checked
	$(PY) -m mkdocs build --quiet

# The types, which one processor checks, are checked beside the tests.
test: setup ## run every check and test (ARGS="-k name" goes to pytest)
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	.venv/bin/lint-imports --no-cache
	$(PY) -m mkdocs build --quiet
	$(PY) -m basedpyright --level error & types=$$!; \
	$(PY) -m pytest -n auto $(ARGS); tests=$$?; \
	wait $$types || { echo "basedpyright failed: its errors are above"; exit 1; }; \
	exit $$tests

test-long: setup ## the same tests, the property tests with twenty times as many examples
	TEST_BUDGET=20 $(PY) -m pytest -n auto $(ARGS)

chaos: setup ## kill, fail writes, damage files, run many at once, at length; writes the figures of docs/reliability.md
	TEST_BUDGET=$${TEST_BUDGET:-20} CHAOS_PAGE=docs/reliability.md $(PY) -m pytest -n auto -m chaos $(ARGS)

UV = $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
# --inexact: what a person has installed beside it stays.
cluster-setup: setup ## install what a cluster needs, and services to test one: then `make test` tests it as well
	UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --frozen --quiet --inexact --extra cluster --group services

cluster-test: cluster-setup ## test what many machines share, on services of its own: needs neither root nor docker
	$(PY) -m pytest -n auto -m cluster $(ARGS)

dev: setup ## open Dagster on http://127.0.0.1:3000 (PORT=3333 for another port), history kept
	@$(PY) -m tiktok_assets.cli.app dev --port $(PORT)

demo: setup ## run the whole pipeline on invented accounts in data/demo, and show the result (ARGS="--account name")
	@$(PY) -m tiktok_assets.cli.app demo $(ARGS)

demo-dev: setup ## open the demo in Dagster (PORT=3333 for another port)
	@$(PY) -m tiktok_assets.cli.app demo dev --port $(PORT)

demo-remove: setup ## delete data/demo
	@$(PY) -m tiktok_assets.cli.app demo remove

conformance: setup ## compare with the real exports in EXPORTS=folder
	@$(PY) -m tiktok_assets_tests.conformance $(EXPORTS)

former-pipeline: setup ## compare with the legacy pipeline's table of the exports in EXPORTS=folder (FORMER=folder)
	@$(PY) -m tiktok_assets_tests.former_pipeline $(FORMER) $(EXPORTS)

bench: setup ## measure the figures of the README (ARGS="--only drop many history" for the large ones, "--only workers requests" for a cluster)
	@$(PY) -m benchmarks $(ARGS)
