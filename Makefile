# One command each; CI runs the same targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DATA   ?= ./var
PORT   ?= 8000

.PHONY: help install run serve demo test faults fuzz check format lint types imports docs bench clean

help:            ## what can be made
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

install: $(VENV)/.installed  ## .venv with everything, `mimamori` included

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Mimamori needs Python 3.11 or newer, this is " + sys.version) if sys.version_info < (3, 11) else 0'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[server,embedded,learned,postgres]' --group dev
	touch $@

run: install     ## a simulated town, judged and served on http://localhost:8000
	$(BIN)/mimamori --data $(DATA)/demo demo --port $(PORT)

serve: install   ## the service without sample data; prints a one-time link for the first administrator
	$(BIN)/mimamori --data $(DATA)/town serve --port $(PORT)

system:          # what the real-part tests need, from Debian's packages; elsewhere those tests skip, visibly
	@tests/system/install.sh

# One process a core, each with an engine, servers and a browser of its own (2 GB): four are enough for any machine.
test: install system  ## the whole test suite
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

faults: install  ## the long fault suite: killed at every write boundary, disks full, ClickHouse gone (20 minutes)
	MIMAMORI_FAULTS=long $(BIN)/python -m pytest tests/faults

fuzz: install    ## the readings of an event against each other, on blocks that no run has seen (10 minutes)
	MIMAMORI_FUZZ_SEED=$$(date +%s)0000 MIMAMORI_FUZZ_BLOCKS=20000 $(BIN)/python -m pytest tests/audit/events/test_readings.py

check: install   ## format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## rewrite the sources in the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

docs: install    ## write the generated documentation again
	$(BIN)/python tests/docs/pages.py && $(BIN)/python -m detectors.pages

bench: install   ## measurements, never assertions
	$(BIN)/python -m tests.bench --full

clean:           ## forget the environment and the caches, never data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
