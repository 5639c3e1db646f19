PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test coverage faults audit old-duckdb jax lint format dictionary messages clean

demo: $(VENV)/installed
	$(BIN)/catalog --store demo-store demo

# Neighbours share their fixtures: worksteal gives each worker a stretch of the tests. They wait
# for servers and children a third of their time, hence two workers more than there are cores.
PYTEST := $(BIN)/pytest -n $$($(BIN)/python -c 'import os; print(os.cpu_count() + 2)') --dist worksteal

# Ends with what was skipped and why.
test: lint
	$(PYTEST) -rs

# The same tests half as slow again, and what none of them runs through, branches included.
coverage: $(VENV)/installed
	$(PYTEST) -rs --cov --cov-report=term

# Every rename, fsync and full disk; `make test` tries a sample. Some minutes.
faults: $(VENV)/installed
	$(PYTEST) -m sweep

# What is known of the versions in constraints.txt; needs a network that knows advisories.
audit: $(VENV)/installed
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --strict --requirement constraints.txt

# The database as older DuckDBs read it.
OLD_DUCKDBS := 1.2.2 1.3.2 1.4.4
old-duckdb: $(VENV)/installed $(OLD_DUCKDBS:%=$(VENV)/duckdb-%)
	CATALOG_OLD_DUCKDB=$(subst $(eval) ,:,$(OLD_DUCKDBS:%=$(CURDIR)/$(VENV)/duckdb-%)) \
		$(BIN)/pytest tests/test_old_duckdb.py

$(VENV)/duckdb-%: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --no-deps --target $@ duckdb==$*

# A training where there is JAX and no TensorFlow.
jax: $(VENV)/installed $(VENV)/jax
	CATALOG_JAX=$(CURDIR)/$(VENV)/jax $(BIN)/pytest tests/test_jax.py

$(VENV)/jax: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --target $@ jax grain

PACKAGES := catalog engagement jobs reports sql
lint: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(PACKAGES)

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
