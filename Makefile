# All tasks of this repository; `make` lists them.

ifneq ($(firstword $(sort 3.81 $(MAKE_VERSION))),3.81)
$(error GNU make 3.81 or newer is needed, and this is $(MAKE_VERSION). Install it, on macOS by xcode-select --install)
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Choose a Python or Node other than the first that is new enough: make demo PYTHON=...
PYTHON ?=
NODE ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Installs the missing ones of the named parts; prints nothing if none is missing.
SET_UP := PYTHON="$(PYTHON)" NODE="$(NODE)" sh scripts/set-up.sh

NPM := $(if $(NODE),PATH="$(dir $(NODE)):$$PATH" )npm --prefix enabler

# Many tests wait for processes that they start, so there are more workers than cores.
WORKERS ?= $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) * 3 // 2 or 1)')
COVERAGE := --cov --cov-report=
# Options for pytest, such as ARGS="-k refund", for the demo and the benchmark
ARGS ?=
# Examples of each property test in `make test-long`
EXAMPLES ?= 10000
# Generated requests to each operation in `make fuzz`
FUZZ_EXAMPLES ?= 1000

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## Install everything for development (the other targets install what they need)
	@$(SET_UP) develop modules

.PHONY: FORCE
$(READY): FORCE
	@$(SET_UP) develop

.PHONY: enabler
enabler: ## Build the browser library and check its size
	@$(SET_UP) bundle
	@$(NPM) run --silent size

.PHONY: connect-proxy
connect-proxy: ## Write the connector for commercetools Connect to build/connect-proxy
	@$(SET_UP) develop bundle
	@$(BIN)/python scripts/connect_proxy.py

.PHONY: demo
demo: ## Start the sandbox, walk the main flow and keep running
	@$(SET_UP) run bundle
	@$(BIN)/python -m sandbox.demo $(ARGS)

.PHONY: rehearse
rehearse: ## Walk in a real test account and project (.env), and compare with the stand-ins
	@$(SET_UP) run
	@$(BIN)/python -m rehearse $(ARGS)

.PHONY: serve
serve: ## Run only the processor (ARGS="--env-file .env" names its configuration)
	@$(SET_UP) run
	@$(BIN)/python -m stripe_connector serve $(ARGS)

.PHONY: test
test: ## Run all tests (with ARGS, only the Python tests without a browser)
	@$(SET_UP) develop modules bundle
	@$(BIN)/pytest -n $(WORKERS) --ignore=tests/browser --ignore=tests/nightly --junitxml=build/tests.xml $(COVERAGE) $(ARGS)
ifeq ($(ARGS),)
	@$(NPM) run --silent test
	@# In a separate run, because a browser's driver keeps its own event loop running.
	@$(BIN)/pytest -n auto tests/browser --junitxml=build/browser-tests.xml $(COVERAGE) \
		--cov-append --cov-report=term:skip-covered --cov-fail-under=95
endif

.PHONY: pictures
pictures: ## Take the README's pictures of shop, payment and desk again
	@$(SET_UP) develop bundle
	@PICTURES=docs/pictures $(BIN)/pytest tests/browser/test_pictures.py

.PHONY: test-fast
test-fast: $(READY) ## Run only the processor's own tests, in three minutes
	@$(BIN)/pytest -n $(WORKERS) tests/unit tests/behaviour tests/property tests/security \
		--ignore=tests/unit/repository --ignore=tests/unit/bench --ignore=tests/unit/soak $(ARGS)

.PHONY: fuzz
fuzz: $(READY) ## Send every route of the processor many malformed requests (FUZZ_EXAMPLES to each)
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/pytest --hypothesis-profile=random -n auto tests/contract/test_openapi_fuzzing.py $(ARGS)

.PHONY: judges
judges: ## Hold code and stand-ins to what others publish: SDKs, contracts, fixtures, specifications
	@$(SET_UP) develop modules
	@$(BIN)/pytest -n auto -rs tests/contract --ignore=tests/contract/test_openapi_fuzzing.py $(ARGS)

.PHONY: mutants
mutants: $(READY) ## Change the code of money in many ways: do the tests notice? (ARGS="ledger --sample 30")
	@$(BIN)/python scripts/mutants.py $(ARGS)

.PHONY: test-long
test-long: $(READY) ## Run the property tests with many more examples, new ones each time
	@LEDGER_EXAMPLES=$(EXAMPLES) CHECKOUT_EXAMPLES=$(EXAMPLES) EXACT_SUM_EXAMPLES=$(EXAMPLES) \
		RECONCILE_EXAMPLES=$(EXAMPLES) ROLLOUT_EXAMPLES=$(EXAMPLES) ACCOUNTS_EXAMPLES=$(EXAMPLES) \
		$(BIN)/pytest --hypothesis-profile=random tests/property tests/upgrade/test_rollout_machine.py $(ARGS)

.PHONY: bench
bench: $(READY) ## Measure the processor, beside another with REFERENCE="command or address"
	@$(BIN)/python -m bench $(if $(REFERENCE),--reference "$(REFERENCE)") $(ARGS)

.PHONY: bench-compare
bench-compare: $(READY) ## Compare CPU per operation with the parent (ARGS="--commit REF")
	@$(BIN)/python -m bench.compare $(ARGS)

.PHONY: bench-growth
bench-growth: $(READY) ## Measure how cost grows with carts, payments and customers
	@$(BIN)/python -m bench.growth $(ARGS)

.PHONY: bench-crowd
bench-crowd: $(READY) ## Measure thousands of shoppers at once on one core, and a burst of webhooks
	@$(BIN)/python -m bench.crowd $(ARGS)

.PHONY: soak
soak: $(READY) ## Inject faults around two instances for half an hour (shorter with ARGS="--minutes 5")
	@$(BIN)/python -m soak $(ARGS)

.PHONY: siege
siege: $(READY) ## Attack a processor while shoppers pay (shorter with ARGS="--seconds 5")
	@$(BIN)/python -m soak.siege $(ARGS)

.PHONY: soak-scaling
soak-scaling: $(READY) ## Measure the throughput of one instance and of two behind one address
	@$(BIN)/python -m soak.scaling $(ARGS)

.PHONY: check
check: ## Lint, check the format, the types and the enabler's size
	@$(SET_UP) develop modules bundle
	@$(NPM) run --silent size
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(NPM) run --silent check
	@enabler/node_modules/.bin/tsc -p sandbox/stripe/js

.PHONY: audit
audit: $(READY) ## Check locked dependencies for known vulnerabilities (strictly with ARGS=--required)
	@$(BIN)/python scripts/audit.py $(ARGS)

.PHONY: digests
digests: $(READY) ## Pin the base images to digests (only report unpinned ones with ARGS=--check)
	@$(BIN)/python scripts/digests.py $(ARGS)

.PHONY: lock
lock: $(READY) ## Resolve the dependencies again (upgrade all of them with UPGRADE=--upgrade)
	@$(BIN)/python scripts/lock.py $(UPGRADE)
