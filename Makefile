# The commands of the project. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

MODEL   ?=
PROMPT  ?= $(if $(MODEL),Write a Python function is_prime(n) that returns True if n is a prime number.,(3+4)*(2-9))
ARGS    ?=
SECONDS_PER_TARGET := $(or $(SECONDS),60)
JOBS    ?= $(shell nproc)
PONDER  := build/release/ponder
export PROMPT
# Sets the flags that name MODEL.
find_model = model=(); if [ -e '$(MODEL)' ]; then model=(-m '$(MODEL)'); \
	elif [ -n '$(MODEL)' ]; then model=(-m "$$(tools/fetch_models.py '$(MODEL)')"); fi

.PHONY: help run chat build test test-unit lint format tidy asan tsan fuzz bench bench-peers deb clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: build ## answer PROMPT with MODEL: a path, a name that tools/fetch_models.py knows; else the built-in one
	@$(find_model); echo "> $$PROMPT"; $(PONDER) run "$${model[@]}" "$$PROMPT" --stats $(ARGS) </dev/null

chat: build ## talk with MODEL
	@$(find_model); $(PONDER) chat "$${model[@]}" $(ARGS)

build: ## install what is needed, then build/release/ponder
	@tools/setup.sh build
	@tools/build.sh release ponder

test: ## all tests: units, then the program with real models
	@tools/setup.sh test
	@tools/build.sh release
	@tools/run_tests.sh

test-unit: ## the C++ tests only
	@tools/setup.sh build
	@tools/build.sh release
	@ctest --test-dir build/release --output-on-failure -j $(JOBS)

lint: ## format, order of modules, lengths, forbidden calls; ISA symbols of what is built
	@tools/setup.sh lint
	@tools/lint/run.py

format: ## clang-format all C++ files in place
	@tools/setup.sh lint
	@tools/lint/run.py --fix-format

tidy: ## clang-tidy over what build/release compiles (slow)
	@tools/setup.sh tidy
	@tools/build.sh release
	@git ls-files 'src/*.cpp' | xargs -P $(JOBS) -n 4 clang-tidy-14 --quiet -p build/release

asan: ## the unit tests under address and undefined-behaviour sanitizers
	@tools/setup.sh build
	@tools/build.sh asan-ubsan
	@ctest --test-dir build/asan-ubsan --output-on-failure -j $(JOBS)

tsan: ## the unit tests under the thread sanitizer
	@tools/setup.sh build
	@tools/build.sh tsan
	@ctest --test-dir build/tsan --output-on-failure -j $(JOBS)

fuzz: ## every fuzz target for SECONDS each (60)
	@tools/setup.sh fuzz
	@tools/build.sh fuzz tests/fuzz/all
	@tests/fuzz/run.sh $(SECONDS_PER_TARGET)

bench: build ## the kernels' benchmarks
	@tools/build.sh release
	@for program in build/release/*_bench; do [ ! -x "$$program" ] || "$$program" $(ARGS); done

bench-peers: build ## speed, load time, memory and perplexity against llama.cpp on the same files
	@python3 bench/peers.py $(ARGS)

deb: ## a Debian package of the program and its service, in build/
	@tools/setup.sh deb
	@tools/build.sh release ponder package_files
	@cd build && cpack --config release/CPackConfig.cmake -B deb >deb.log || { cat deb.log; exit 1; }
	@mv build/deb/ponder_*.deb build/ && ls build/ponder_*.deb

clean: ## remove build/
	@rm -rf build
