# The two commands of the README are `make quickstart` and `make test`.
SUPPORTED := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c "$(SUPPORTED)" 2>/dev/null && { echo $$python; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEBIAN_HINT := On Debian or Ubuntu: sudo apt install python3.11 python3.11-venv

.PHONY: quickstart test lint base bench docs clean

quickstart: $(VENV)
	$(BIN)/leyenda quickstart --output runs/quickstart

# A marker inside says that the installation was finished, so that an interrupted one is begun anew.
$(VENV): $(VENV)/.installed
	@touch $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt setup.py $(wildcard src/leyenda/kernels/*.[ch])
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with venv is needed. $(DEBIAN_HINT)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) torch setuptools
	$(INSTALL) --no-build-isolation --editable ".[dev]"
	@touch $@

# A process for each processor that the system shows, also where two of them are one core's threads; what a file's
# tests share is made once.
test: $(VENV)
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 8 --dist loadfile

lint: $(VENV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror src/leyenda/kernels/*.[ch]
	$(BIN)/mypy
	$(BIN)/lint-imports

# Train the embedded model again, from drawings alone; see docs/quickstart.md.
base: $(VENV)
	$(BIN)/python -m leyenda.quickstart.base

# Measure speed and memory against the usual recipe; one benchmark with ONLY=NAME. See docs/benchmarks.md.
bench: $(VENV)
	$(BIN)/python -m benchmarks $(ONLY)

docs: $(VENV)
	$(BIN)/python docs/generate_cli_reference.py
	$(BIN)/python -m benchmarks.page

clean:
	rm -rf $(VENV) build dist src/*.egg-info
