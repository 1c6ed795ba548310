# `make run` and `make test` are all a newcomer needs: each sets up .venv first, and again only when a lock changed.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test bench quick check format lock clean ready ready-to-test

python := .venv/bin/python
# More for pytest or the benchmark: make test ARGS="-k cancel -x"
ARGS ?=
# Tests wait for servers half of their time: two files at once (ARGS="-n 0" for one, with a debugger or -s).
at_once := -n 2 --dist loadfile
# Else each of the hundreds of servers that tests start would compile the whole source anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

run: ready ## Serve the demonstration (SHIPLEDGER_* settings are passed on)
	@.venv/bin/shipledger demo

test: ready-to-test ## Run every test (ARGS="..." for pytest)
	@$(python) -m pytest $(at_once) $(ARGS)

bench: ready-to-test ## Measure: batches, one transaction a request, and pgbench, in turn
	@$(python) -m bench.compare $(ARGS)

quick: ready-to-test ## Format, lint, types, architecture and rules, in under a minute
	@$(python) -m ruff format --check .
	@$(python) -m ruff check .
	@$(python) -m mypy
	@$(python) -m pytest $(at_once) tests/architecture $(wildcard tests/rules)

check: quick test ## All that CI runs: quick, then test

format: ready-to-test ## Format the code and mend what the linter can
	@$(python) -m ruff check --fix-only .
	@$(python) -m ruff format .

lock: ## Write the locks anew (UPGRADE=--upgrade for newer versions)
	@sh tools/setup.sh lock $(UPGRADE)

clean: ## Remove .venv and every cache
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

ready:
	@sh tools/setup.sh run

ready-to-test:
	@sh tools/setup.sh test
