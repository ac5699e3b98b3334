# Two commands do everything: `make up` and `make test`. Both may be repeated at any time.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SYSTEM_PACKAGES := chromium faketime openssl prometheus prometheus-alertmanager prometheus-node-exporter victoria-metrics

.PHONY: up ui test check bench clean system-packages
.DEFAULT_GOAL := up

up: $(VENV)/installed ui ## Install and start Vedette on this host
	@$(BIN)/vedette up $(ARGS)

ui: $(VENV)/installed ## Build the web interface, if its sources have changed
	@$(BIN)/python ui/build.py --install-node

test: $(VENV)/installed-dev ui system-packages ## Run all tests
	@$(BIN)/python ui/build.py test
	@$(BIN)/pytest $(ARGS)

check: $(VENV)/installed-dev ## Lint, types and layers
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/python ui/build.py --install-node lint typecheck

bench: $(VENV)/installed-dev system-packages ## Measure side by side with Prometheus and VictoriaMetrics
	@$(BIN)/python -m benchmarks $(ARGS)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@echo "Creating the virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	@echo "Installing Vedette (about 600 MB once; the engine is most of it) ..."
	@$(BIN)/python -m pip install --quiet --editable .
	@$(BIN)/vedette compile
	@touch $@

$(VENV)/installed-dev: pyproject.toml $(VENV)/installed
	@echo "Installing the tools for development ..."
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@

system-packages:
	@sh tests/system-packages.sh $(SYSTEM_PACKAGES)

clean: ## Remove everything that these commands made
	rm -rf $(VENV) ui/node_modules src/vedette/http/ui/built build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
