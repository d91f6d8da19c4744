# make run · make room · make test · make check · make bench · make lock: everything sets itself up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run room test test-root test-newer check bench lock clean

run: $(VENV)/run
	$(BIN)/hearsay check
	$(BIN)/hearsay run

room: $(VENV)/run
	$(BIN)/hearsay check
	$(BIN)/hearsay run --room

test: $(VENV)/dev
	$(BIN)/python -m pytest -n 3 --dist loadfile -m "not root"

test-root: $(VENV)/dev
	$(BIN)/python -m pytest -m root

# What needs a newer Python than ours: tg-auto-test, a third party's view of Telegram.
NEWER ?= python3.12
test-newer: $(VENV)/dev
	$(BIN)/uv venv --quiet --clear --python $(NEWER) .venv-newer
	$(BIN)/uv pip install --quiet --python .venv-newer --require-hashes -r requirements-dev.lock
	.venv-newer/bin/python -c "import tg_auto_test"
	.venv-newer/bin/python -m pytest tests/platforms/telegram/test_third_party.py

check: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	HEARSAY_CITIES=content/cities $(BIN)/hearsay check

bench: $(VENV)/dev
	$(BIN)/python -m tests.bench

# The hashes of every dependency, for Python 3.11 and later; --no-header keeps registry names out of the file. What the
# tests need is resolved first, so that both files hold the same versions.
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
  --extra build pyproject.toml

lock: $(VENV)/dev
	$(LOCK) --upgrade --extra dev -o requirements-dev.lock
	$(LOCK) --constraint requirements-dev.lock -o requirements.lock

$(VENV)/run: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Hearsay needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

clean:
	rm -rf $(VENV) .venv-newer .pytest_cache .mypy_cache .ruff_cache .hypothesis
