# Everything that one does with this repository. `make` lists it.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first Python that is new enough; set PYTHON to choose another.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$each; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--no-header pyproject.toml

# The enabler: what it is built with, and what it is built from.
NODE ?= node
MODULES := enabler/node_modules/.ready
BUNDLE := enabler/public/connector-enabler.es.js
ENABLER := $(wildcard enabler/src/*) enabler/vite.config.js enabler/tsconfig.json \
	enabler/tsconfig.build.json enabler/package.json

# Many tests wait for processes of their own, so there are more workers than cores.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) * 3 // 2 or 1)')
COVERAGE := --cov --cov-report=
# Options for pytest, such as ARGS="-k refund", for the demo and the benchmark
ARGS ?=
# Examples of each property test in `make test-long`
EXAMPLES ?= 10000
# Generated requests to each operation in `make fuzz`
FUZZ_EXAMPLES ?= 1000

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: setup
setup: $(READY) $(MODULES) ## Install what is needed (the other targets do it, too)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed." >&2; exit 1; }
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --no-deps --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(MODULES): enabler/package-lock.json enabler/package.json
	@$(NODE) -e 'const [a, b] = process.versions.node.split("."); process.exit(+(a * 100 + +b < 2019))' \
		2>/dev/null || { echo "Node 20.19 or newer is needed for the enabler." >&2; exit 1; }
	@echo "Setting up enabler/node_modules ..."
	@npm --prefix enabler ci --no-audit --no-fund --loglevel=error > /dev/null
	@touch $@

$(BUNDLE): $(MODULES) $(ENABLER)
	@echo "Building the enabler ..."
	@npm --prefix enabler run --silent build > /dev/null

.PHONY: enabler
enabler: $(BUNDLE) ## Build the browser library and check its size
	@npm --prefix enabler run --silent size

.PHONY: demo
demo: $(READY) $(BUNDLE) ## Start the sandbox, walk through the main job and stay up
	@$(BIN)/python -m sandbox.demo $(ARGS)

.PHONY: serve
serve: $(READY) ## Run the processor alone with the environment's configuration
	@$(BIN)/python -m stripe_connector serve

.PHONY: test
test: $(READY) $(BUNDLE) ## Run all tests (with ARGS, those in Python that need no browser)
	@$(BIN)/pytest -n $(WORKERS) --ignore=tests/browser --junitxml=build/tests.xml $(COVERAGE) $(ARGS)
ifeq ($(ARGS),)
	@npm --prefix enabler run --silent test
	@# Apart, because a browser's driver keeps an event loop of its own running.
	@$(BIN)/pytest -n auto tests/browser --junitxml=build/browser-tests.xml $(COVERAGE) \
		--cov-append --cov-report=term:skip-covered --cov-fail-under=95
endif

.PHONY: fuzz
fuzz: $(READY) ## Send every route of the processor many odd requests (FUZZ_EXAMPLES to each)
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/pytest -n auto tests/contract/test_openapi_fuzzing.py $(ARGS)

.PHONY: test-long
test-long: $(READY) ## Run the property tests with many more examples
	@LEDGER_EXAMPLES=$(EXAMPLES) CHECKOUT_EXAMPLES=$(EXAMPLES) EXACT_SUM_EXAMPLES=$(EXAMPLES) \
		RECONCILE_EXAMPLES=$(EXAMPLES) ROLLOUT_EXAMPLES=$(EXAMPLES) \
		$(BIN)/pytest tests/property tests/upgrade/test_rollout_machine.py $(ARGS)

.PHONY: bench
bench: $(READY) ## Measure the processor beside its targets (quicker with ARGS=--quick)
	@$(BIN)/python -m bench $(ARGS)

.PHONY: bench-growth
bench-growth: $(READY) ## Measure how cost grows with carts, payments and customers
	@$(BIN)/python -m bench.growth $(ARGS)

.PHONY: bench-crowd
bench-crowd: $(READY) ## Measure a crowd of shoppers on one core, and a storm of webhooks
	@$(BIN)/python -m bench.crowd $(ARGS)

.PHONY: soak
soak: $(READY) ## Half an hour of faults over two instances (shorter with ARGS="--minutes 5")
	@$(BIN)/python -m soak $(ARGS)

.PHONY: soak-scaling
soak-scaling: $(READY) ## Measure the throughput of one instance and of two behind one address
	@$(BIN)/python -m soak.scaling $(ARGS)

.PHONY: check
check: $(READY) enabler ## Lint, check the format, the types and the enabler's size
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@npm --prefix enabler run --silent check
	@enabler/node_modules/.bin/tsc -p sandbox/stripe/js

.PHONY: audit
audit: $(READY) ## Ask for known vulnerabilities of what is locked (strictly with ARGS=--required)
	@$(BIN)/python scripts/audit.py $(ARGS)

.PHONY: lock
lock: $(READY) ## Resolve the dependencies anew (all of them with UPGRADE=--upgrade)
	@$(COMPILE) --group dev $(UPGRADE) -o requirements.lock
	@$(COMPILE) --constraint requirements.lock -o processor/requirements.txt
