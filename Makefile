# make demo   a graph of the sample corpus, asked three questions
# make test   everything, on real parts
# make airflow   Airflow with the DAGs on this machine, on the sample corpus; Ctrl-C ends it
# Each installs what they need into .venv first. UV and PYTHON may be set to others.
PYTHON ?= python3
BIN := .venv/bin
# Without byte code on disk every start compiles all it imports, which takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test airflow install install-dev lint clean

install: .venv/installed
install-dev: .venv/installed-dev

.venv/bin/uv:
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "kgpipe needs Python 3.11 to 3.13; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

.venv/installed: pyproject.toml constraints.txt | .venv/bin/uv
	@echo "Installing kgpipe into .venv (the first time about 3 GB from PyPI: torch with CUDA; see README for the CPU build)"
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e . -c constraints.txt
	@touch $@

.venv/installed-dev: pyproject.toml constraints.txt | .venv/bin/uv
	@echo "Installing kgpipe with what its tests need into .venv"
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[dev,airflow]' -c constraints.txt
	@touch $@ .venv/installed

demo: .venv/installed
	$(BIN)/python examples/demo.py

test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

airflow: .venv/installed-dev
	$(BIN)/python examples/standalone.py

clean:
	rm -rf .venv .kgpipe .airflow
