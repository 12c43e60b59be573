# Each target sets up what it needs on a fresh Debian machine with Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STORE ?= stores/city
ADDRESS ?= 127.0.0.1
PORT ?= 8050
STAMP := $(VENV)/.installed
ENGINE := $(VENV)/duckdb-1.5.5
STORAGE := $(addprefix tests/warehouse/,test_backup.py test_compaction.py test_concurrency.py test_crash.py \
	test_full_disk.py test_generations.py test_load.py test_pairs.py test_staging.py test_withdrawal.py health)

.PHONY: help setup run store check test soak bench bench-large browser servers engine oldest witness docs

help:
	@echo "make run    set up, build the simulated city once, serve it on http://$(ADDRESS):$(PORT)"
	@echo "make check  format, lint, types, definitions, generated docs"
	@echo "make test   all quick tests     make soak   the long ones     make bench   speed as ratios"

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

setup: $(STAMP)

browser:
	@sh tests/browser.sh

servers:
	@sh tests/servers.sh

# the oldest DuckDB that pyproject.toml allows, beside the one that is pinned
engine: setup
	@test -d $(ENGINE)/duckdb || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(ENGINE) duckdb==1.5.5

# the second engine of the tests: half a gigabyte nobody else needs
witness: setup
	@$(BIN)/python -c "import chdb" 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps chdb==4.4.0 chdb-core==26.9.0

# the tests of the storage layer on it
oldest: engine
	@PYTHONPATH=$(CURDIR)/$(ENGINE) $(BIN)/python -m pytest $(STORAGE)

store: setup
	@test -f $(STORE)/gen/CURRENT || $(BIN)/python -m samples.prepare city $(STORE)

run: store
	@$(BIN)/cockpit run --store $(STORE) --host $(ADDRESS) --port $(PORT)

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@found=$$($(BIN)/python -m pytest --collect-only -qq) || { echo "$$found"; exit 1; }
	@$(BIN)/cockpit indicators check
	@$(BIN)/cockpit rules check
	@$(BIN)/python -m docs.generate --check

test: setup browser servers engine witness
	@COCKPIT_OLDEST_ENGINE=$(ENGINE) TMPDIR=$$(sh tests/scratch.sh) $(BIN)/python -m pytest -n auto --dist loadfile

soak: setup browser servers oldest witness
	@COCKPIT_OLDEST_ENGINE=$(ENGINE) $(BIN)/python -m pytest -m "soak or not soak"

bench: setup browser
	@$(BIN)/python -m benchmarks.run

bench-large: setup
	@$(BIN)/python -m benchmarks.run --large

docs: setup
	@$(BIN)/python -m docs.generate
