# What people type is run and test; the rest is for those who work on the agent.
#   make run  [DURATION=20] [DATA=dir]   environment, simulators, agent, real samples
#   make test                            environment and the whole test suite
#   make test-all                        with the long forms of the proofs
#   make lint | bench | build | clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= data
DURATION ?=
PYTEST_ARGS ?=
# Tests of devices mostly wait for a deadline: more at once than there are cores.
JOBS ?= 6
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

.PHONY: run test test-all short lint format bench build peers clean

run: $(VENV)/ready
	@exec $(BIN)/python -m hw_sim demo --data "$(DATA)" $(if $(DURATION),--duration "$(DURATION)")

test: $(VENV)/ready peers
	$(PYTEST) $(PYTEST_ARGS)

test-all: $(VENV)/ready peers
	$(PYTEST) $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

lint: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	sh build/shellcheck.sh

format: $(VENV)/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/ready
	$(BIN)/python -m tests.bench

build: $(VENV)/ready
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w dist .
	@rm -rf build/lib build/bdist.*
	@ls dist/*.whl

# Programs that the tests use as peers: from Debian and from registries, where that is allowed.
peers: $(VENV)/ready
	@sh build/test_tools.sh
	@sh build/peers.sh

$(VENV)/ready: requirements-dev.lock pyproject.toml build/check_python.py
	@$(PYTHON) build/check_python.py
	@echo "setting up the environment in $(VENV), once (about half a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf $(VENV) build/made dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find agent hw_sim tests -name __pycache__ -type d -prune -exec rm -rf {} +
