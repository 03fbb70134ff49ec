# The marketplace for expert judgement. `make` alone lists what can be done.

PORT ?= 8000
DATA_DIR ?= .data
# The replay keeps a stack of its own, so that it never disturbs the demonstration world.
DEMO_DATA_DIR ?= .data-demo
export PORT DATA_DIR

VENV := .venv
BIN := $(VENV)/bin
VENDOR := marketplace/static/vendor/.fetched
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
MARKETPLACE := $(BIN)/python -m marketplace.cli --data-dir "$(DATA_DIR)"
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	--extra server --extra embedded

.DEFAULT_GOAL := help
.PHONY: help run test test-all check bench demo cli lock clean browser

help:  ## List what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.runtime $(VENDOR)  ## Start everything with a demonstration world (PORT=8000, DATA_DIR=.data)
	@exec $(MARKETPLACE) up --demo --port "$(PORT)"

cli: $(VENV)/.runtime  ## Run a command on the same stack: make cli ARGS="token create --email …"
	@$(MARKETPLACE) $(ARGS)

demo: $(VENV)/.runtime $(VENDOR)  ## Take a folder of real judgements through the whole loop: make demo DATA=…
	@test -n "$(DATA)" || { echo "Name a folder of recorded judgements: make demo DATA=…" >&2; exit 1; }
	@$(BIN)/python -m marketplace.cli --data-dir "$(DEMO_DATA_DIR)" demo replay "$(DATA)"

test: $(VENV)/.dev $(VENDOR) browser  ## Run the tests (ARGS="tests/ledger -x" for some of them)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

test-all: $(VENV)/.consumers $(VENDOR) browser  ## Run the slow tests too, with the libraries that load our exports
	$(BIN)/python -m pytest -m "" -n 2 --dist loadfile $(ARGS)

check: $(VENV)/.dev $(VENDOR)  ## Lint, format, types, import contracts, house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/house

# Whoever runs all benchmarks, or one of quality, needs the libraries that it is held against.
bench: $(VENV)/.dev $(VENDOR) $(if $(filter-out quality%,$(NAME)),,$(VENV)/.bench)  ## Run the benchmarks (NAME=server for one)
	@for file in bench/$(or $(NAME),[a-z]*).py; do \
	  $(BIN)/python -m "bench.$$(basename "$$file" .py)" $(ARGS) || exit 1; \
	done

lock: $(BIN)/python  ## Resolve the dependencies anew into requirements*.lock
	$(PIP) install uv
	$(LOCK) --upgrade pyproject.toml -o requirements.lock
	$(LOCK) --upgrade --extra dev --constraint requirements.lock pyproject.toml -o requirements-dev.lock

clean:  ## Remove everything that set-up made; the data in DATA_DIR stays
	rm -rf $(VENV) node_modules marketplace/static/vendor build dist
	rm -rf .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache

# What set-up makes. A stamp is newer than what it was made from, so a second `make run` skips it.

$(BIN)/python:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  bare="$$python"; \
	  "$$python" -c 'import ensurepip, venv' 2>/dev/null && exec "$$python" -m venv "$(VENV)"; \
	done; \
	if [ -n "$$bare" ]; then \
	  echo "$$bare has no ensurepip: install Debian's python3-venv, then run make again." >&2; \
	else \
	  echo "Python 3.11 or newer is needed and none was found: install it, or name it with PYTHON=…" >&2; \
	fi; \
	exit 1

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the dependencies …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what tests need …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.consumers: $(VENV)/.dev
	@echo "Installing the libraries that load exports …"
	@$(PIP) install -e '.[consumers]'
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	@echo "Installing the libraries that quality is held against …"
	@$(PIP) install -e '.[bench]'
	@touch $@

$(VENDOR): package-lock.json | $(VENV)/.runtime
	@echo "Fetching the front-end libraries …"
	@$(BIN)/python -m marketplace.web.vendor
	@touch $@

browser:
	@command -v chromium || command -v chromium-browser || command -v google-chrome || \
	if ! command -v apt-get >/dev/null; then \
	  echo "No Chromium was found: tests in a browser are skipped."; \
	elif [ "$$(id -u)" = 0 ]; then \
	  apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium; \
	elif sudo -n true 2>/dev/null; then \
	  sudo apt-get -qq update && sudo apt-get -qq install -y --no-install-recommends chromium; \
	else \
	  echo "No Chromium was found: install it (apt-get install chromium); tests in a browser are skipped."; \
	fi
