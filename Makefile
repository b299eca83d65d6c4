# Tasks of development. Python 3.11+, make and a package registry are needed; everything else is installed into .venv.
# CI calls the same targets.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
VENV_STAMP := $(VENV)/ready
WEEK   ?= 2026-W07
PYTEST_ARGS ?=

# How long to fuzz.
SECONDS ?= 60
# The seed of generated examples and fuzzed documents, a new one for each run; make prints it with the command.
SEED    ?= $(shell date +%s)
SEED    := $(SEED)

# Of `make mutants`: functions such as 'pipeline.scheduler.*', how many mutants of each package, 0 for all, files of tests
# if not all, and how many processes.
MUTANTS   ?=
SAMPLE    ?= 0
TESTS     ?=
PROCESSES ?= $(shell getconf _NPROCESSORS_ONLN)

# Validators of mails that are not written in Python: npm packages, in a folder that git ignores.
AXE     := 4.14.1
VNU     := 26.9.27
VALIDATORS  := .cache/npm/axe-$(AXE)-vnu-$(VNU)

# Shell scripts.
SCRIPTS := .ci/run .ci/postgres deploy/as-service

# Tests run in parallel, one worker a core.
WORKERS ?= auto
# The slow ones wait for minutes while a daemon must do nothing: with one worker more, no core is idle.
SLOW_WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check-mail fuzz mutants check bench golden locale docs gallery pictures clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

$(VENV_STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'installing into $(VENV), which takes a minute …'
	@PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-warn-script-location --editable '.[dev]'
	@touch $@

demo: $(VENV_STAMP) ## write the demo newsletter, offline, from fixtures/
	$(BIN)/pipeline fetch
	$(BIN)/pipeline digest $(WEEK)
	@echo
	@echo 'See it as a subscriber will:  $(BIN)/pipeline preview $(WEEK)   (http://127.0.0.1:8025/)'

# Modules are compiled once, not by each of the hundred processes that the tests start.
test test-slow check-mail: export PYTHONDONTWRITEBYTECODE :=
# Databases of the tests commit many thousand times: in memory, where it is large enough and programs may be run from it.
MEMORY := $(shell df --output=avail /dev/shm 2>/dev/null | awk 'NR > 1 && $$1 > 2000000 { print "/dev/shm" }')
MEMORY := $(if $(MEMORY),$(shell grep -q ' /dev/shm .*noexec' /proc/mounts || echo $(MEMORY)))
ifneq ($(MEMORY),)
test test-slow: export TMPDIR := $(MEMORY)
endif

test: $(VENV_STAMP) ## run every test that takes seconds, in parallel
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --hypothesis-seed=$(SEED) -m "not slow and not mail" $(PYTEST_ARGS)

test-slow: $(VENV_STAMP) ## run the tests that take minutes: crashes, soaks, a month of 300 faulty feeds
	$(BIN)/python -m pytest -n $(SLOW_WORKERS) --dist loadgroup --hypothesis-seed=$(SEED) -m slow $(PYTEST_ARGS)

check-mail: $(VENV_STAMP) $(VALIDATORS) ## validate the mails of every theme: screens, clients, axe, Nu checker, SpamAssassin, format
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --hypothesis-seed=$(SEED) tests/mail $(PYTEST_ARGS)

$(VALIDATORS):
	@mkdir -p $(@D)
	@if npm install --prefix $(@D) --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --silent \
		axe-core@$(AXE) vnu-jar@$(VNU); then touch $@; \
	else echo 'npm is not installed or reaches no registry: axe-core and the Nu checker will be missing'; fi

fuzz: $(VENV_STAMP) ## parse mutated feeds (SECONDS=3600) and check the invariants of the parser
	$(BIN)/python -m tests.fuzz_ingest --seconds $(SECONDS) --seed $(SEED)

mutants: $(VENV_STAMP) ## change the pure modules in small ways, which tests must notice; SAMPLE=40 draws from each package
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'mutmut==3.8.1'
	$(BIN)/python -m tools.mutants --sample $(SAMPLE) --seed $(SEED) --processes $(PROCESSES) $(MUTANTS) \
		$(if $(TESTS),--tests $(TESTS))

check: $(VENV_STAMP) ## lint, format, types, layers, words, documentation, shell
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --noconftest -p no:randomly tests/contract/test_architecture.py tests/contract/test_vocabulary.py
	$(BIN)/python docs/generate.py --check
	@if command -v shellcheck >/dev/null; then shellcheck $(SCRIPTS); else echo 'shellcheck is not installed: $(SCRIPTS) were not checked'; fi

bench: $(VENV_STAMP) ## measure start-up and the mail; bench/README.md lists the other benchmarks
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/mail.py

golden: $(VENV_STAMP) ## rewrite the golden mails; read their diff
	$(BIN)/python -m tests.golden.update
	$(BIN)/python -m tests.golden.person_mails

locale: $(VENV_STAMP) ## update the catalogs of all languages; LANGUAGES=nl adds one
	$(BIN)/python -m tools.catalogs $(LANGUAGES)

docs: $(VENV_STAMP) ## write docs/cli.md and docs/config.md from the code
	$(BIN)/python docs/generate.py

gallery: $(VENV_STAMP) ## write pictures of every theme, scheme and width: build/gallery/index.html
	$(BIN)/python -m tools.gallery

pictures: $(VENV_STAMP) ## update the pictures of README and docs, with Chromium
	$(BIN)/python -m tools.gallery --docs

clean: ## remove what was built, but not what the program wrote
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find pipeline tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +
