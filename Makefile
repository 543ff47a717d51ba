# skill-agent: `make demo` to see it work, `make test` to check it. See README.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.PHONY: demo demo-daily test check lint docs deep coverage format bench clean help

help:
	@echo "make demo      install, fetch the embedded models, hold a conversation in two processes"
	@echo "make demo-daily  sum up a day in a home that is thrown away, by a job"
	@echo "make test      install everything and run the test suite"
	@echo "make check     format, lint, types and the fast tests"
	@echo "make docs      write the reference from the code and build the documentation site"
	@echo "make deep      kills, crash loops, long searches and the large model: an hour"
	@echo "make coverage  which lines the test suite runs"
	@echo "make bench     measure the budgets; LOCOMO=FILE adds recall quality"
	@echo "make clean     remove the environment and the demo's home"

demo: $(VENV)/.installed
	@BIN=$(CURDIR)/$(BIN) SKILL_AGENT_HOME="$${SKILL_AGENT_HOME:-$(CURDIR)/.demo}" sh docs/demo.sh

demo-daily: $(VENV)/.installed
	@SKILL_AGENT_HOME="$${SKILL_AGENT_HOME:-$(CURDIR)/.demo}" $(BIN)/python docs/demo_daily.py

test: $(VENV)/.installed-dev
	$(PYTEST) --timeout 300 -m "not deep and not slow"

check: lint
	$(PYTEST) -q -m fast

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

docs: $(VENV)/.installed-dev
	$(BIN)/python docs/make_reference.py
	$(BIN)/zensical build --strict

deep: $(VENV)/.installed-dev
	$(PYTEST) --timeout 3600 -m "deep or slow or search" --hypothesis-profile deep

coverage: $(VENV)/.installed-dev
	$(PYTEST) -q -m "not deep and not slow" --cov --cov-report term:skip-covered --cov-report html

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/tui.py
	$(BIN)/python benchmarks/turn.py
	$(BIN)/python benchmarks/soak.py
	$(BIN)/python benchmarks/doors.py
	$(BIN)/python benchmarks/memory/recall.py $(if $(LOCOMO),--locomo $(LOCOMO))

clean:
	rm -rf $(VENV) .demo build dist htmlcov .coverage

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is missing (on Debian: apt install python3-venv)"; exit 1; }

# A stamp says what an environment has: everything includes the light set, never the reverse.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV): about a minute, some 1.1 GB on disk …"
	@$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing everything into $(VENV): about a minute, some 2 GB on disk …"
	@$(PIP) -e ".[dev]"
	@touch $(VENV)/.installed $@
