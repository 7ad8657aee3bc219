# The commands of the project. `make demo` and `make test` need only Python 3.11+, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := libs/canonical libs/x12 proto libs/chassis libs/sandbox libs/cli \
	services/intake services/claims services/payments services/ledger-adapter services/reconciliation
STAMP := $(VENV)/.set-up
export PYTHONDONTWRITEBYTECODE = 1
# gRPC's handlers of fork abort the child now and then; our children only become other programs.
export GRPC_ENABLE_FORK_SUPPORT = 0

.DEFAULT_GOAL := help
.PHONY: help setup demo up down status check test bench mutants proto schemas format

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(STAMP): requirements/dev.txt $(PACKAGES:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: install it, or set PYTHON to a Python that has venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(PACKAGES:%=-e %)
	@touch $@

setup: $(STAMP) ## Make the virtual environment and install everything into it

demo: $(STAMP) ## Run the whole story on real servers, and print what happened
	@$(BIN)/throughline demo $(DEMO_ARGS)

up: $(STAMP) ## Start the suite with its sandbox and leave it running
	@$(BIN)/throughline up

down: $(STAMP) ## Stop what `make up` started
	@$(BIN)/throughline down

status: $(STAMP) ## Show what is running
	@$(BIN)/throughline status

check: $(STAMP) ## Quick: format, lint, types, imports, tidiness, contracts, unit tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@cd services/ledger-adapter && MYPYPATH=../../proto/gen:../../libs/canonical/src:../../libs/x12/src:../../libs/chassis/src:../../libs/sandbox/src:src:. ../../$(BIN)/mypy --config-file ../../pyproject.toml --exclude /gen/ tests
	@$(BIN)/lint-imports
	@$(BIN)/python proto/generate.py --check
	@$(BIN)/python -m canonical.schemas --check
	@$(BIN)/python -m chassis.messaging.asyncapi docs/contracts/asyncapi --check
	@$(BIN)/buf lint proto
	@$(BIN)/python -m chassis.messaging.asyncapi --check
	@$(BIN)/pytest -n 2 -m "not slow and not servers" libs services tests/tidy tests/contracts

test: check ## Everything: `make check`, then the tests on real servers
	@$(BIN)/pytest -n 2 --dist loadfile -m "slow or servers" libs services
	@$(BIN)/pytest -n 2 --dist loadfile tests/integration tests/faults

bench: $(STAMP) ## Print the speed table, with ratios to a bare baseline of the same run
	@$(BIN)/python -m tests.performance

mutants: $(STAMP) ## Show that each fault built in on purpose turns its test red
	@$(BIN)/python -m tests.faults.mutants

proto: $(STAMP) ## Generate the gRPC code from proto/
	@$(BIN)/python proto/generate.py

schemas: $(STAMP) ## Write the JSON Schemas and AsyncAPI pages of the public events
	@$(BIN)/python -m canonical.schemas
	@$(BIN)/python -m chassis.messaging.asyncapi docs/contracts/asyncapi
	@$(BIN)/python -m chassis.messaging.asyncapi

format: $(STAMP) ## Format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .
