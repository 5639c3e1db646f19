PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint format dictionary clean

demo: $(VENV)/installed
	$(BIN)/catalog --store demo-store demo

test: lint
	$(BIN)/pytest -n auto

lint: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# sql/DICTIONARY.md, from the views, schemas and queries.
dictionary: $(VENV)/installed
	$(BIN)/python -m sql.dictionary

# Installed again whenever what it depends on changed.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) demo-store demo-store-sample build *.egg-info
