PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test faults old-duckdb lint format dictionary messages clean

demo: $(VENV)/installed
	$(BIN)/catalog --store demo-store demo

test: lint
	$(BIN)/pytest -n auto

# Every rename, fsync and full disk; `make test` tries a sample. Some minutes.
faults: $(VENV)/installed
	$(BIN)/pytest -n auto -m sweep

# The database as older DuckDBs read it.
OLD_DUCKDBS := 1.2.2 1.3.2 1.4.4
old-duckdb: $(VENV)/installed $(OLD_DUCKDBS:%=$(VENV)/duckdb-%)
	CATALOG_OLD_DUCKDB=$(subst $(eval) ,:,$(OLD_DUCKDBS:%=$(CURDIR)/$(VENV)/duckdb-%)) \
		$(BIN)/pytest tests/test_old_duckdb.py

$(VENV)/duckdb-%: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --no-deps --target $@ duckdb==$*

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

# The sentences of the reports, into the file that a translator fills in; what is gone goes.
SPANISH := reports/locale/es/LC_MESSAGES/vitrina.po
messages: $(VENV)/installed
	mkdir -p build
	$(BIN)/pybabel --quiet extract --mapping pyproject.toml --add-location file --sort-by-file \
		--output build/vitrina.pot reports
	$(BIN)/pybabel --quiet update --locale es --no-fuzzy-matching --ignore-obsolete --width 100 \
		--ignore-pot-creation-date --input-file build/vitrina.pot --output-file $(SPANISH)

# Installed again whenever what it depends on changed.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) demo-store demo-store-sample build *.egg-info
