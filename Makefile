# Daybook, from a bare clone: each target makes .venv by itself, from requirements.lock.
#
#   make demo    [SEED=7] [LOG=postgres|kafka]     show it
#   make check                                     lint, format, types, import arrows
#   make test                                      the tests that take seconds
#   make test-all                                  all tests
#   make simulate [SECONDS=60] [SEED=...]          let everything go wrong at once; SEED replays one history
#   make faults  [ROUNDS=3] [SEED=7]               break it under load, on a real broker, and audit it
#   make bench   [WORKLOADS="hot-account ..."]     measure it; LOG=kafka on a broker
#   make lock                                      resolve the dependencies anew
#   make clean                                     remove what the above made

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo check test test-all simulate faults bench lock clean venv

# Daybook runs from the clone, not from an installation of it; a folder elsewhere cannot shadow its rooms.
export PYTHONPATH := $(CURDIR)
export PYTHONSAFEPATH := 1

BIN := .venv/bin
READY := .venv/ready
LOCKED := requirements.lock

# The first Python that runs and is new enough. Being on PATH is not enough: version managers leave stubs there.
FIND_PYTHON = for python in python3 python3.11 python3.12 python3.13; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then break; fi; python=; done; \
	if [ -z "$$python" ]; then \
	echo 'Daybook needs Python 3.11 or newer, and found none as python3, python3.11, python3.12 or python3.13.' >&2; \
	exit 1; fi

help:
	@sed -n '3,11s/^#   //p' Makefile

demo: $(READY)
	@./daybook demo $(if $(SEED),--seed $(SEED)) $(if $(LOG),--log $(LOG))

check: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo 'Formatting differs: run $(BIN)/ruff format'; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo

test: $(READY)
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not long"

test-all: $(READY)
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal

simulate: $(READY)
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seconds $(or $(SECONDS),60))

faults: $(READY)
	@$(BIN)/python -m tests.kafka.rounds $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED)) \
		$(if $(JSON),--json $(JSON))

bench: $(READY)
	@$(BIN)/python -m bench $(if $(filter kafka,$(LOG)),kafka) $(WORKLOADS)

venv: $(READY)

# uv is used for its speed where it is there; both ways install the same hashes.
$(READY): $(LOCKED) pyproject.toml
	@$(FIND_PYTHON); set -e; \
	echo 'Setting up .venv ...' >&2; \
	rm -f $(READY); \
	if command -v uv >/dev/null 2>&1; then \
		$(BIN)/python -c '' 2>/dev/null || uv venv --quiet --clear --python "$$(command -v $$python)" .venv; \
		uv pip install --quiet --python $(BIN)/python --require-hashes -r $(LOCKED); \
	else \
		$(BIN)/python -m pip --version >/dev/null 2>&1 || $$python -m venv --clear .venv; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCKED); \
	fi; \
	touch $(READY)

# Only uv resolves for all platforms at once, so it is fetched where it is missing. The lock names no index:
# where packages come from is the installing machine's own setting.
lock:
	@$(FIND_PYTHON); set -e; uv=uv; \
	if ! command -v uv >/dev/null 2>&1; then \
		$$python -m venv --clear build/lock; \
		build/lock/bin/python -m pip install --quiet --disable-pip-version-check uv; uv=build/lock/bin/uv; \
	fi; \
	{ echo '# Made by "make lock" from pyproject.toml: runtime and dev. Do not edit.'; \
	$$uv pip compile --quiet --no-config --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --group dev pyproject.toml; \
	} > $(LOCKED).new || { rm -f $(LOCKED).new; exit 1; }; \
	if grep -nE 'https?:|file:' $(LOCKED).new; then \
		echo 'The lock would name where packages come from; kept the old one.' >&2; rm -f $(LOCKED).new; exit 1; fi; \
	mv $(LOCKED).new $(LOCKED); \
	{ echo '# Made by "make lock" from pyproject.toml: what runs, of requirements.lock. Do not edit.'; \
	$$uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --no-emit-index-url --no-emit-find-links --constraints $(LOCKED) --extra stream \
		pyproject.toml; \
	} > $(LOCKED:.lock=-run.lock)

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
