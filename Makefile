# What people type is run and test; the rest is for those who work on the agent.
#   make run  [DURATION=20] [DATA=dir]   environment, simulators, agent, real samples
#   make test                            environment and the whole test suite
#   make test-all                        with the long forms of the proofs
#   make build                           the one file for this machine, in dist/
#   make cross [ARCHES="arm64 armhf"]    the same for Raspberry Pi OS and Debian 12
#   make deb                             a Debian package of each one file in dist/
#   make proofs                          the short form of the slower proofs: one file, service, ARM
#   make lint | bench | wheel | clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= data
DURATION ?=
PYTEST_ARGS ?=
# Tests of devices mostly wait for a deadline: more at once than there are cores.
JOBS ?= 6
ARCHES ?= arm64 armhf amd64
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

.PHONY: run test test-all proofs lint format bench build cross deb wheel peers clean

run: $(VENV)/ready
	@exec $(BIN)/python -m hw_sim demo --data "$(DATA)" $(if $(DURATION),--duration "$(DURATION)")

test: $(VENV)/ready peers
	$(PYTEST) $(PYTEST_ARGS)

test-all: $(VENV)/ready peers
	$(PYTEST) $(PYTEST_ARGS)
	sh build/proofs.sh long $(PYTEST_ARGS)

proofs: $(VENV)/ready peers
	sh build/proofs.sh short $(PYTEST_ARGS)

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

build:
	@PYTHON="$(PYTHON)" sh build/build.sh

# For Debian 12 and newer, on any architecture; needs root.
cross:
	@PYTHON="$(PYTHON)" sh build/cross.sh $(ARCHES)

deb: $(VENV)/ready
	@sh build/deb.sh

wheel: $(VENV)/ready
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
