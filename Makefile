# The recipes that people, pre-commit and CI share. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?=

# The tests start hundreds of processes: each would compile everything again where this is set from outside.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo install test test-page test-real torture bench lint format docs texts page page-fresh screenshots lock

help: ## list the recipes
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

install: $(VENV)/.installed ## make .venv with the vigie command in it

demo: install ## start Vigie on a sample company, with a local playground in the browser
	$(BIN)/vigie demo

test: $(VENV)/.installed-dev ## run the tests, on SQLite and on a PostgreSQL that they start themselves
	$(BIN)/python -m pytest -n 6 --dist worksteal -m "not page and not real and not torture" tests

test-page: $(VENV)/.installed-dev ## test the playground page in a headless Chromium
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then \
		$(BIN)/python -m pytest -m page tests/page; \
	else echo "make test-page: no chromium and chromedriver here, the page is not tested"; fi

test-real: $(VENV)/.installed-dev ## test on the real data sets (DATA=folder)
	@if [ -d "$(DATA)" ]; then \
		VIGIE_REAL_DATA="$(abspath $(DATA))" $(BIN)/python -m pytest -n 2 --dist loadgroup -m real tests/real; \
	else echo "make test-real: no data set at DATA='$(DATA)', the real totals are not tested"; fi

page: ## build the playground page (needs Node)
	cd bot/playground/page && npm ci --silent && npm run build

page-fresh: ## check that the built page belongs to its sources
	@if command -v node >/dev/null; then cd bot/playground/page && npm ci --silent && npm run -s fresh; \
	else echo "make page-fresh: no Node here, the page is not checked"; fi

screenshots: $(VENV)/.installed-dev ## take the pictures of the README again
	VIGIE_SCREENSHOTS=docs/images $(BIN)/python -m pytest -m page tests/page/test_vigie.py

torture: $(VENV)/.installed-dev ## the tests that take minutes, and each law on a thousand scenarios
	$(BIN)/python -m pytest -n 2 -m torture tests
	$(BIN)/python -m tests.laws.torture --runs 1000

bench: $(VENV)/.installed-dev ## measure against the bare way, side by side (BENCH=full: also what takes minutes)
	$(BIN)/python -m tests.bench.harness

lint: $(VENV)/.installed-dev ## check style, types, layers and dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: $(VENV)/.installed-dev ## put the code in its usual shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.installed ## write the pages that are made from the code
	$(BIN)/python docs/make_kpis.py
	$(BIN)/python docs/make_files.py

lock: ## resolve the dependencies again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
		--group build --output-file requirements.txt pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
		--group build --group dev --output-file requirements-dev.txt pyproject.toml
