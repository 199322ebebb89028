# `make quickstart` and `make test` are all one needs; both make `.venv` first.
PYTHON ?= python3
BIN := .venv/bin
# idle threads that spin cost more than they save (see docs/performance.md)
export OMP_WAIT_POLICY ?= PASSIVE
# without its bytecode, a worker spends more on importing torch and transformers than on most steps
export PYTHONDONTWRITEBYTECODE :=
# tests at a time
JOBS ?= 2
# where wheels go
TO ?= dist
# what test-gpu and bench-gpu try, as torch names it; cpu tries the commands themselves, with tiny sizes
DEVICE ?= cuda

.PHONY: help setup quickstart test test-slow test-share test-engines test-gpu bench-gpu status lint manifests release bench clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## create or update .venv, with `.venv/bin/tunesmith`
	@$(PYTHON) tools/install.py

quickstart: setup ## a real model through its whole life, on this machine
	$(BIN)/tunesmith run examples/quickstart/tunesmith.yaml

test: ## install what the tests need; lint, manifests, all tests but those below
	@$(PYTHON) tools/install.py --test
	$(MAKE) --no-print-directory -j2 lint manifests
	$(BIN)/python -m pytest -m "not gpu and not engines and not slow and not isolated" -n $(JOBS) --dist worksteal

test-slow: ## real models, environments that are built, kills at random: tens of minutes
	@$(PYTHON) tools/install.py --test
	TUNESMITH_NOTE_PROOFS=slow $(BIN)/python -m pytest -m "(slow or isolated) and not gpu and not engines" -n $(JOBS) --dist worksteal

test-share: ## some of these, as many as take a quarter of an hour; which ones, the commit decides
	@$(PYTHON) tools/install.py --test
	$(BIN)/python tools/proofs.py share 15

test-engines: ## real engines in isolated environments: gigabytes, tens of minutes
	@$(PYTHON) tools/install.py --test
	TUNESMITH_NOTE_PROOFS=engines $(BIN)/python -m pytest -m engines

test-gpu: ## results of a GPU against the processor's; some minutes, nothing is installed (PYTHON=, DEVICE=, JSON=FILE)
	@$(PYTHON) benchmarks/gpu test --device $(DEVICE) $(if $(JSON),--json $(JSON))

bench-gpu: ## its speed and memory, beside plain transformers and PEFT; the same way
	@$(PYTHON) benchmarks/gpu bench --device $(DEVICE) $(if $(JSON),--json $(JSON))

status: ## when each slow or engine proof last passed; fails for one whose package has changed since
	@$(PYTHON) tools/install.py --test
	@$(BIN)/python tools/proofs.py status

lint: ## style, formatting, and the words of docs/words.md
	@$(PYTHON) tools/install.py --test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/words.py

manifests: ## every plugin.toml says what its code says
	@$(PYTHON) tools/install.py --test
	$(BIN)/tunesmith plugin sync --check

release: ## wheels of all distributions, and a package index of them, in dist/ (TO=DIR: elsewhere)
	@$(PYTHON) tools/install.py --test
	@$(BIN)/python tools/release.py --to $(TO)

bench: ## start-up, worker start and serving, beside a peer each: some ten minutes
	@$(PYTHON) tools/install.py --test
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/worker_start.py
	$(BIN)/python benchmarks/serving --peers transformers

clean: ## remove what these make: .venv, .tunesmith, dist
	rm -rf .venv .tunesmith dist
