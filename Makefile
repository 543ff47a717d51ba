# skill-agent: `make demo` to see it work, `make test` to check it. See README.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt
WORKERS ?= 2

.PHONY: demo test check format bench clean help

help:
	@echo "make demo    install, fetch the embedded models, hold a conversation in two processes"
	@echo "make test    install and run the whole test suite"
	@echo "make check   format, lint, types, layers (about a minute)"
	@echo "make bench   measure the budgets; LOCOMO=FILE adds recall quality"
	@echo "make clean   remove the environment and the demo's home"

demo: $(VENV)/.installed
	@BIN=$(CURDIR)/$(BIN) SKILL_AGENT_HOME="$${SKILL_AGENT_HOME:-$(CURDIR)/.demo}" sh docs/demo.sh

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not slow"

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python -m pytest -q -n 0 tests/test_imports.py

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/turn.py
	$(BIN)/python benchmarks/soak.py
	$(BIN)/python benchmarks/recall.py $(if $(LOCOMO),--locomo $(LOCOMO))

clean:
	rm -rf $(VENV) .demo build dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is missing (on Debian: apt install python3-venv)"; exit 1; }

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV): about a minute, some 2 GB on disk …"
	@$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV): about a minute, some 2 GB on disk …"
	@$(PIP) -e ".[dev]"
	@touch $@ $(VENV)/.installed
