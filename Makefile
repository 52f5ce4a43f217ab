.DEFAULT_GOAL := help
PYTEST := build/venv-test/bin/python -m pytest

help: ## list these targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 10

build: ## make the one file, dist/dokku
	scripts/build

prepare: ## install what the tests need (root)
	scripts/prepare

lint: prepare ## ruff, shellcheck, mypy
	scripts/lint

format: prepare ## put imports and layout in order
	build/venv-test/bin/ruff check --fix .

test: prepare lint build ## prepare this machine, then lint, build and run every test (root)
	$(PYTEST)

unit: prepare ## the tests that need no server
	$(PYTEST) -m "not server"

e2e: prepare build ## only the end-to-end tests: pushes through ssh, git, docker and nginx (root)
	$(PYTEST) tests/e2e

demo: ## set dokku up on this machine and push a demo app to it (root)
	scripts/demo

bench: prepare build ## time commands, hooks and a push against their floors (root)
	build/venv-test/bin/python scripts/bench

clean: ## remove what was built
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache

.PHONY: help build prepare lint format test unit e2e demo bench clean
