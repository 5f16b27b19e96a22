# The front door. The build itself is CMake's: see CMakePresets.json.

PREFIX  ?= /usr/local
DESTDIR ?=
ARGS    ?=
JOBS    ?= $(shell nproc)

.DEFAULT_GOAL := help
.PHONY: help run build test soak mutants bench fmt check install uninstall clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## install what is missing, build the release
	@scripts/deps.sh run
	@scripts/build.sh release

run: build ## build, then watch this machine (ARGS="--port 8080")
	@exec build/release/vedette monitor $(ARGS)

test: ## install what tests need, build, run all tests
	@scripts/test.sh

soak: ## what needs hours: fuzzers for SOAK_SECONDS each (600), slow tests
	@scripts/test.sh soak

mutants: ## flip operators and constants, see which tests notice (ARGS="--count 50")
	@scripts/deps.sh test
	@scripts/mutants.py $(ARGS)

bench: ## measure: every figure in the documents (ARGS="tick detectors")
	@scripts/deps.sh run
	@scripts/build.sh release -DVD_BENCH=ON
	@scripts/bench.sh $(ARGS)

fmt: ## format the C sources
	@git ls-files '*.c' '*.h' | xargs clang-format -i

check: ## format, include rule, exports, warnings with gcc and clang, documents
	@scripts/check.sh

install: build ## install below PREFIX (/usr/local)
	@DESTDIR="$(DESTDIR)" cmake --install build/release --prefix "$(PREFIX)"
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" -ne 0 ] || ldconfig

uninstall: ## remove what install put there
	@scripts/uninstall.sh build/release/install_manifest.txt "$(DESTDIR)"

clean: ## remove all that was built
	rm -rf build web/dist web/out web/node_modules .venv
