# make book | site | check | test | test-long | results | certify | bench | clean
#
# PYTHON     the interpreter the environment is made from (3.11 or later)
# PIP_FLAGS  further options for pip, such as the address of an index with the CPU build of torch
# RESULTS    the folder for `make results`; unset: what is missing among the published ones
# DRIFT_FLAGS  options of book/_tools/drift.py, such as --seconds 300
# WORKERS    how many processes the tests and the chapters may use

PYTHON ?= python3
PIP_FLAGS ?=
WORKERS ?= 2
VENV ?= .venv

bin := $(VENV)/bin
ready := $(VENV)/.ready
notebooks := $(sort $(wildcard book/*.ipynb))

.DEFAULT_GOAL := help
.PHONY: help setup book execute pages examples site check test lint test-long results certify drift \
    bench lock clean

help:
	@echo "make book       execute every chapter from the published results and build the site"
	@echo "make site       build the site from the stored notebooks"
	@echo "make examples   run the examples of the README and write what they print"
	@echo "make check      lint, types and quick tests, for everyday work"
	@echo "make test       everything CI checks"
	@echo "make test-long  the checks that take minutes"
	@echo "make results    compute every result at paper scale, resumable; RESULTS=folder: all anew"
	@echo "make certify    run a part of every stored result again after a change of code"
	@echo "make drift      a sample of the book with the newest versions of the packages"
	@echo "make bench      the benchmarks"
	@echo "make lock       write requirements.lock and environment.yml from the environment"
	@echo "make clean      remove what was built; the environment stays"

setup: $(ready)

$(ready): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else \
	    f"Python 3.11 or later is needed, {sys.executable} is {sys.version.split()[0]}; " \
	    "name another one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(bin)/python -m pip install --quiet $(PIP_FLAGS) -r requirements.lock
	$(bin)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

book: execute pages site
	@echo "To serve it:           $(bin)/python -m http.server -d _build/html"

execute: $(ready)
	$(bin)/python book/_tools/execute.py --workers $(WORKERS)

pages: $(ready)
	$(bin)/python book/_tools/pages.py

# What the examples of the README print, run and written: after a change that moves their numbers.
examples: $(ready)
	$(bin)/python book/_tools/examples.py

# Always from nothing: a second build does not repeat the warnings of unchanged pages.
site: $(ready)
	@rm -rf _build
	$(bin)/jupyter-book build . --all -W -n --keep-going --quiet > /dev/null
	$(bin)/python book/_tools/check_site.py _build/html
	@echo "The site:              _build/html/index.html"

lint: $(ready)
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/lint-imports
	$(bin)/mypy

check: lint
	HYPOTHESIS_PROFILE=quick $(bin)/python -m pytest -q -n $(WORKERS) tests

# One run of pytest, so that its closing line counts everything: tests, doctests, the browser
# on the site just built, papermill on each chapter, nbval on the stored notebooks.
test: lint site
	$(bin)/python -m pytest -n $(WORKERS) --dist loadfile \
	    --nbval-lax --nbval-cell-timeout 600 --nbval-current-env \
	    tests ibcore book/_tools $(notebooks)

test-long: $(ready)
	HYPOTHESIS_PROFILE=long $(bin)/python -m pytest -n $(WORKERS) --dist worksteal -m long tests ibcore
	HYPOTHESIS_PROFILE=long $(bin)/python -m pytest -n $(WORKERS) --dist worksteal tests/test_fuzz*.py

results: $(ready)
	test -f book/results/race.json || $(bin)/python book/_tools/race.py
	$(bin)/python -m ibcore run all --workers $(WORKERS) \
	    $(if $(RESULTS),--from-nothing --results $(RESULTS),--publish)

# After a change of code that should move no number: what comes out the same is trusted again.
certify: $(ready)
	$(bin)/python -m ibcore certify

# In an environment of its own, with the newest versions that pyproject.toml allows.
drift:
	$(PYTHON) -m venv .venv-drift
	.venv-drift/bin/python -m pip install --quiet --upgrade $(PIP_FLAGS) -e '.[all,book]'
	.venv-drift/bin/python book/_tools/drift.py $(DRIFT_FLAGS)

bench: $(ready)
	@set -e; for script in benchmarks/bench_*.py; do \
	    echo "$$script"; $(bin)/python $$script; \
	done

lock:
	$(bin)/python book/_tools/lock.py

clean:
	rm -rf _build build dist .pytest_cache .hypothesis .ruff_cache .import_linter_cache \
	    .mypy_cache
