# Everything a developer needs; only Python 3.11 or newer and make must be there.
# `make PYTHON=/path/to/python3` chooses the Python of a new environment (after `make clean`).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo dev test manifests tools lock-tools check bench bench-peers bench-render soak image-rehearsal bare-demo lock clean

VENV := .venv
BIN := $(VENV)/bin
# Packages of the lock are installed, and the project itself on top of them.
PACKAGES := $(VENV)/.packages
READY := $(VENV)/.ready
# Checkers that are no part of the product's lock.
TOOLS := .tools
TOOLS_READY := $(TOOLS)/.ready
# A server that the tests start, in an environment of its own.
S3_READY := .servers/s3/.ready
export PYTHON

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "make %-11s %s\n", $$1, $$2 }'

demo: $(READY) ## render the example tutorial to a video, in about half a minute
	@$(BIN)/python -m app demo

dev: $(READY) ## run the whole system on this machine until Ctrl-C
	@$(BIN)/python -m app dev

# Most tests wait for processes of their own, so two at a time keep two cores busy.
JOBS := 2
test: $(READY) $(S3_READY) ## run all tests with branch coverage (JOBS=2 at a time)
	@mkdir -p .coverage
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(JOBS) --dist loadfile -m 'not deploy_tools' $(ARGS)
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The checkers come from PyPI, npm and Debian; where one is missing its tests are skipped, with CI=true they fail.
manifests: $(READY) $(TOOLS_READY) ## build all overlays, and check everything that deploys
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile tests/deploy $(ARGS)

tools: $(TOOLS_READY) ## install the checkers of `make manifests` into .tools/

check: $(READY) ## lint, check formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) ## measure queue, renderer and API
	$(BIN)/python -m benchmarks $(ARGS)

# Needs redis-server, wrk, node and npm besides; the others' packages go to .bench/.
bench-peers: $(READY) ## measure against other queues, in 8 minutes
	$(BIN)/python -m benchmarks.peers $(ARGS)

# Needs ffmpeg, node, npm and Chromium besides; an older build, MoviePy and Remotion go to .bench/.
# ARGS="--only texts,plan" measures some parts; ARGS=--help lists the options.
bench-render: $(READY) ## measure an older build and other ways to render, in 20 minutes
	$(BIN)/python -m benchmarks.films $(ARGS)

# SEED=… repeats what is random of an earlier soak; without it, a new one is drawn and printed.
MINUTES := 10
soak: $(READY) ## kill and disturb a whole system under load (MINUTES=10, SEED=…)
	$(BIN)/python -m tests.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

# Both need root, mmdebstrap and Debian's archive, and image-rehearsal buildah.
ROOTS := .roots
image-rehearsal: $(READY) ## build the Dockerfile on Debian's packages, and run the image as a cluster would
	scripts/build-image $(ROOTS)/image
	PYTHONPATH=. $(BIN)/python scripts/rehearse_image.py --root $(ROOTS)/image

bare-demo: ## `make demo` on a Debian with Python, make and git alone (scripts/bare-root runs other commands)
	scripts/bare-root $(ROOTS)/bare make demo

# UPGRADE=1 takes the newest versions; otherwise only what pyproject.toml asks for changes.
COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --no-config --system-certs --no-build --universal \
	--python-version 3.11 --fork-strategy fewest --generate-hashes \
	--default-index https://pypi.org/simple --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

lock: $(READY) ## pin all packages with hashes (UPGRADE=1: the newest)
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --extra embedded --extra otel --extra segmentation --extra dev --constraint requirements.txt --output-file requirements-dev.txt
	$(COMPILE) --extra otel --constraint requirements-dev.txt --output-file requirements-otel.txt

LOCK_TOOLS = $(BIN)/uv pip compile --quiet --no-config --system-certs --no-build --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --default-index https://pypi.org/simple \
	--custom-compile-command 'make lock-tools' $(if $(UPGRADE),--upgrade)

lock-tools: $(READY) $(TOOLS_READY) ## pin the checkers with hashes (UPGRADE=1: the newest)
	$(LOCK_TOOLS) scripts/tools/requirements.in --output-file scripts/tools/requirements.txt
	$(LOCK_TOOLS) scripts/tools/checkov.in --output-file scripts/tools/checkov.txt
	$(LOCK_TOOLS) scripts/tools/s3.in --output-file scripts/tools/s3.txt
	$(LOCK_TOOLS) scripts/tools/build.in --constraint requirements-dev.txt --output-file scripts/tools/build.txt
	cd scripts/tools && PATH=$(CURDIR)/$(TOOLS)/bin:$$PATH npm install --package-lock-only --ignore-scripts --silent

clean: ## remove the environment and caches; data/ stays
	rm -rf $(VENV) $(ROOTS) .bench .servers $(TOOLS) .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PACKAGES): requirements-dev.txt scripts/make_env.py
	@echo "Preparing $(VENV), once: 200 MB to download, 700 MB on disk, usually 1 to 3 minutes." >&2
	@python=$$(scripts/find-python) && "$$python" scripts/make_env.py $(VENV) requirements-dev.txt
	@touch $@

# The build backend comes from the lock, hence no build isolation.
$(READY): $(PACKAGES) pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(S3_READY): scripts/tools/s3.txt scripts/make_env.py
	@python=$$(scripts/find-python) && "$$python" scripts/make_env.py .servers/s3 scripts/tools/s3.txt
	@touch $@

$(TOOLS_READY): scripts/install_tools.py $(wildcard scripts/tools/*) | $(PACKAGES)
	@$(BIN)/python scripts/install_tools.py $(TOOLS)
	@touch $@
