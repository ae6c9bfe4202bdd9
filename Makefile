# Unite. `make help` lists what there is; a fresh machine needs python3 (3.11 or newer), git and make.

PYTHON ?= python3
# How many test processes: three for each core, because many tests wait for servers that they have stopped or silenced.
# `make test WORKERS=0` runs them in one, for a debugger.
WORKERS ?= $(shell expr 3 '*' "$$(getconf _NPROCESSORS_ONLN)")
# Handed to pytest as they are: `make test PYTEST_ARGS="-k phone"`.
PYTEST_ARGS ?=
# What `make upgrade` does instead: --pull (the image is pulled, not built) or --back (the version before).
UPGRADE_ARGS ?=
# `make lock UPGRADE=--upgrade` takes the newest of everything.
UPGRADE ?=
# What `make fuzz` fuzzes, one of tests/fuzz/targets, and for how many seconds with each of its two engines.
TARGET ?= all
SECONDS ?= 600
# Which mutants `make mutants` tests, as patterns of their names: every tenth one, which takes about ten minutes.
MUTANTS ?= *__mutmut_*5
# How many requests `make schemathesis` makes up for each operation in each phase; 200 without it.
EXAMPLES ?=
# The version of Swagger UI that `make swagger-ui` takes.
SWAGGER_UI ?= latest

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# Everything is named relative to this folder, so that a space in a folder above it does no harm.
venv := .venv/bin
python := $(venv)/python
stamps := .venv/stamps
tools := .venv/tools
# The tools of `make test-infra` pin what the service needs in other versions, so that they have an environment of their own.
infra := .venv-infra
swagger_ui := entrypoints/http/documentation/swagger_ui
packages := unite_core adapters entrypoints
library_tests := tests/core tests/contracts tests/adapters tests/public_api \
    $(addprefix tests/architecture/test_,public_modules.py wheel.py adapters_wheel.py)

# Empty, whatever the surrounding environment says: what is compiled is kept. Tests start hundreds of processes, each of
# which would take a second to compile the same modules.
export PYTHONDONTWRITEBYTECODE :=

# Each set of requirements is locked with hashes and installed whole; a stamp says that it is there.
# A set contains the one before it: service, otel, test, lint.
define install
	@mkdir -p $(stamps)
	@total=$$(grep -c == requirements/$(1).txt); \
	 echo "Installing the $$total packages of requirements/$(1).txt"; \
	 if [ -t 1 ]; then tty=1; else tty=0; fi; \
	 { $(python) -m pip install --disable-pip-version-check --no-input --progress-bar off \
	     --require-hashes -r requirements/$(1).txt 2>$(stamps)/pip.errors \
	     || : >$(stamps)/pip.failed; } \
	 | awk -v total="$$total" -v tty="$$tty" \
	     '/^(Collecting|Requirement already satisfied)/ { if (++n <= total && tty) { printf "\r  %d of %d", n, total; fflush() } } \
	      /^Installing collected/ { printf "%s  unpacking", tty ? "\r" : ""; printf "\n"; fflush() } \
	      END { if (tty) printf "\r" }'; \
	 if [ -e $(stamps)/pip.failed ]; then \
	     cat $(stamps)/pip.errors >&2; rm -f $(stamps)/pip.failed; \
	     echo "requirements/$(1).txt could not be installed; the lines above say why." >&2; exit 1; \
	 fi
	@touch $(foreach set,$(1) $(2),$(stamps)/$(set))
endef

##@ To try it

.PHONY: demo
demo: $(stamps)/service ## Show everything once, in a temporary folder: users, an import over HTTP, roles
	@$(python) -m entrypoints demo

.PHONY: run
run: $(stamps)/service ## Serve on 127.0.0.1:8000 with the data in ./var
	@$(python) -m entrypoints serve

.PHONY: up
up: secrets ## Build the image and start it with Caddy, MySQL, MongoDB, Redis and moto, in containers
	@docker compose up --detach --build --wait
	@echo "http://127.0.0.1:$${UNITE_API_PORT:-8000}/docs; log in as $${UNITE_ADMIN_EMAIL:-admin@example.com}" \
	    "with the password in $${UNITE_SECRETS:-secrets}/admin_password."

.PHONY: down
down: ## Stop those containers; their data and the secrets stay
	@docker compose down

.PHONY: secrets
secrets: ## Make the secrets of those containers, where they are missing, in ./secrets
	@sh infra/compose/make-secrets.sh

.PHONY: upgrade
upgrade: ## Bring the version in this folder into those containers without a failed request; go back where it is not healthy
	@sh infra/compose/upgrade.sh $(UPGRADE_ARGS)

##@ To work on it

.PHONY: setup
setup: $(stamps)/lint ## Install what all the commands below need, and the commit hooks
	@if [ -e .git ]; then $(venv)/pre-commit install --overwrite >/dev/null && echo "The commit hooks are installed."; fi
	@echo "Ready. Next: make demo, make test, make help."

.PHONY: test
test: $(stamps)/test programs ## Run every test, then hold the coverage against its two limits
	@$(python) -m coverage erase
	@$(python) -m coverage run -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(PYTEST_ARGS)
	@$(python) -m coverage combine --quiet
	@echo "The core: every statement and every branch."
	@$(python) -m coverage report --include 'unite_core/*' --fail-under 100
	@echo "The whole: at least 90 %."
	@$(python) -m coverage report --fail-under 90

.PHONY: programs
programs: $(stamps)/test ## Install the programs that tests start, where they are missing: Chromium, MariaDB, Redis
	@$(python) -m tests.servers.apt

.PHONY: test-core
test-core: $(stamps)/test ## Run the tests of the core alone, in seconds
	@$(python) -m pytest -q -n "$$(getconf _NPROCESSORS_ONLN)" --dist worksteal --durations 0 --durations-min 1 tests/core $(PYTEST_ARGS)

.PHONY: test-library
test-library: $(stamps)/test programs ## Run the tests of unite_core, unite_adapters and their wheels, as on each Python that they support
	@$(python) -m pytest -q -n $(WORKERS) --dist loadscope $(library_tests) $(PYTEST_ARGS)

.PHONY: test-compose
test-compose: $(stamps)/test ## Build the image, run the main job through the whole stack, and take it down again
	@$(python) -m pytest tests/compose $(PYTEST_ARGS)

.PHONY: test-api
test-api: $(stamps)/api $(stamps)/tools ## Lint the API's description, and use it: generated clients, the Postman collection
	@$(python) -m pytest -n 2 --dist loadfile tests/api_description $(PYTEST_ARGS)

.PHONY: infra-tools
infra-tools: $(infra)/stamps/infra $(infra)/stamps/simulator ## Install what `make test-infra` needs

.PHONY: test-infra
test-infra: $(stamps)/test infra-tools ## Deploy the templates on a stand-in for AWS, and check all that deploys Unite
	@$(python) -m pytest -n 2 --dist loadfile tests/infra $(PYTEST_ARGS)

.PHONY: schemathesis
schemathesis: $(stamps)/test ## Send thousands of made-up requests to a service, and hold its answers to its document
	@$(python) -m tests.http.any_request $(EXAMPLES)

.PHONY: fuzz
fuzz: $(stamps)/fuzz ## Fuzz all inputs, or one: make fuzz TARGET=phone SECONDS=60
	@$(python) -m tests.fuzz $(TARGET) $(SECONDS)

.PHONY: mutants
mutants: $(stamps)/mutation ## Change the core's use cases in small ways, and list the changes that no test notices
	@$(venv)/mutmut run --max-children "$$(getconf _NPROCESSORS_ONLN)" '$(MUTANTS)'
	@$(venv)/mutmut results

.PHONY: lint
lint: $(stamps)/lint ## Check format, rules, types and who imports whom
	@echo "ruff format"; $(venv)/ruff format --check .
	@echo "ruff check"; $(venv)/ruff check .
	@echo "mypy --strict"; $(python) -m mypy --strict
	@echo "import contracts"; $(venv)/lint-imports

.PHONY: format
format: $(stamps)/lint ## Rewrite the code in the one format, and mend what can be mended
	@$(venv)/ruff check --fix-only .
	@$(venv)/ruff format .

.PHONY: perf
perf: $(stamps)/service ## Measure the figures that docs and issues quote; results go to perf/results
	@$(python) -m perf

##@ To ship it

.PHONY: wheel
wheel: $(stamps)/test ## Build the wheels of the library, unite_core and unite_adapters, in dist/
	@rm -rf build dist
	@echo "Building dist/"
	@for name in unite_core unite_adapters; do \
	    $(python) -m infra.release.stage $$name build/$$name && \
	    $(python) -m build --no-isolation --outdir dist build/$$name >build.log || { cat build.log; exit 1; }; \
	done
	@rm -rf build build.log
	@ls dist

.PHONY: lock
lock: $(stamps)/lock ## Resolve requirements/*.in into requirements/*.txt, pinned with hashes
	@cd requirements && for set in core service otel test lint fuzz mutation api infra lock; do \
	    echo "Resolving $$set"; \
	    ../$(venv)/uv pip compile $(UPGRADE) --quiet --universal --python-version 3.11 --generate-hashes \
	        --no-emit-index-url --no-header --output-file $$set.txt $$set.in || exit 1; \
	done

.PHONY: openapi
openapi: $(stamps)/test ## Write docs/openapi.json and the Postman collection anew
	@$(python) -m tests.api_description

.PHONY: openapi-release
openapi-release: ## Have later descriptions compared with today's: part of a release
	@cp docs/openapi.json docs/openapi.released.json

.PHONY: public-api
public-api: $(stamps)/test ## Write docs/public-api.txt, the public names of the library
	@$(python) -m tests.public_api

.PHONY: public-api-release
public-api-release: ## Have later public names compared with today's: part of a release
	@cp docs/public-api.txt docs/public-api.released.txt

# npm checks what it downloads; none of the package's scripts is run.
.PHONY: swagger-ui
swagger-ui: ## Take another version of Swagger UI for /docs: make swagger-ui SWAGGER_UI=5.35.0
	@command -v npm >/dev/null || { echo "npm is missing; install Node.js 20 or newer" >&2; exit 1; }
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	    npm pack --silent --pack-destination "$$folder" "swagger-ui-dist@$(SWAGGER_UI)" >/dev/null && \
	    tar -xzf "$$folder"/swagger-ui-dist-*.tgz -C "$$folder" && \
	    cd $(swagger_ui) && \
	    for file in LICENSE NOTICE swagger-ui.css swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt; do \
	        install -m 644 "$$folder/package/$$file" "$$file" || exit 1; done && \
	    sed -n 's/^ *"version": "\(.*\)",$$/\1/p' "$$folder/package/package.json" >VERSION && \
	    sha256sum LICENSE NOTICE swagger-ui* >SHA256SUMS
	@echo "Swagger UI $$(cat $(swagger_ui)/VERSION). Next: make openapi, as a path of the description has changed."

.PHONY: diagrams
diagrams: | $(python) ## Draw the pictures of docs/diagrams anew, and write the tables of docs/tables
	@for source in $(filter-out docs/diagrams/aws.py,$(wildcard docs/diagrams/*.py docs/tables/*.py)); do \
	    PYTHONPATH=. $(python) "$$source" || exit 1; done

.PHONY: diagram-aws
diagram-aws: $(infra)/stamps/infra ## Draw the picture of the templates of AWS anew; needs graphviz
	@command -v dot >/dev/null || { \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	        echo "Installing graphviz with apt-get"; \
	        apt-get update -qq && apt-get install -y -qq graphviz fonts-liberation >/dev/null; \
	    else \
	        echo "dot is missing; install graphviz" >&2; exit 1; \
	    fi; }
	@$(infra)/bin/python docs/diagrams/aws.py

.PHONY: pictures
pictures: $(stamps)/test ## Draw the pictures of the dashboard in docs/pictures anew; needs Chromium
	@PYTHONPATH=. $(python) docs/pictures/dashboard.py 2>/dev/null

.PHONY: picture-trace
picture-trace: $(stamps)/test programs ## Draw the trace of a call in docs/pictures anew, from a run on servers
	@PYTHONPATH=. $(python) docs/pictures/trace.py

##@ The rest

.PHONY: clean
clean: ## Remove everything that make and the tools made; ./var, your data, stays
	@rm -rf .venv $(infra) build dist *.egg-info htmlcov .coverage .coverage.* build.log
	@rm -rf mutants .fuzz .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .schemathesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

.PHONY: help
help: ## List the commands
	@awk 'BEGIN { FS = ":.*## " } \
	      /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	      /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo

$(stamps)/lint: requirements/lint.txt | $(python)
	$(call install,lint,test otel service)

$(stamps)/test: requirements/test.txt | $(python)
	$(call install,test,otel service)

$(stamps)/otel: requirements/otel.txt | $(python)
	$(call install,otel,service)

$(stamps)/api: requirements/api.txt | $(python)
	$(call install,api,lint test otel service)

$(stamps)/tools: tests/tools/package-lock.json | $(python)
	@command -v npm >/dev/null || { \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	        echo "Installing nodejs and npm with apt-get"; \
	        apt-get update -qq && apt-get install -y -qq nodejs npm >/dev/null; \
	    else \
	        echo "npm is missing; install Node.js 20 or newer" >&2; exit 1; \
	    fi; }
	@echo "Installing the $$(grep -c '"version"' tests/tools/package-lock.json) packages of tests/tools/package-lock.json"
	@mkdir -p $(stamps) $(tools)
	@cp tests/tools/package.json tests/tools/package-lock.json tests/tools/.npmrc $(tools)
	@cd $(tools) && npm ci --silent
	@touch $@

$(stamps)/fuzz: requirements/fuzz.txt | $(python)
	$(call install,fuzz,test otel service)

$(stamps)/mutation: requirements/mutation.txt | $(python)
	$(call install,mutation,test otel service)

$(stamps)/service: requirements/service.txt | $(python)
	$(call install,service)

$(infra)/stamps/infra: private python := $(infra)/bin/python
$(infra)/stamps/infra: private stamps := $(infra)/stamps
$(infra)/stamps/infra: requirements/infra.txt | $(infra)/bin/python
	$(call install,infra)

$(infra)/stamps/simulator: tests/infra/aws/simulator/package-lock.json | $(infra)/bin/python
	@command -v npm >/dev/null || { echo "npm is missing; install Node.js 20 or newer" >&2; exit 1; }
	@echo "Installing the policy simulator"
	@mkdir -p $(infra)/simulator $(infra)/stamps
	@cp tests/infra/aws/simulator/package.json tests/infra/aws/simulator/package-lock.json $(infra)/simulator/
	@cd $(infra)/simulator && npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

$(infra)/bin/python: | $(python)
	@echo "Creating $(infra)"
	@$(python) -m venv $(infra) || { rm -rf $(infra); exit 1; }

$(stamps)/lock: requirements/lock.txt | $(python)
	$(call install,lock)

$(python):
	@command -v $(PYTHON) >/dev/null || { \
	    echo "$(PYTHON) is missing; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "$(PYTHON) is $$($(PYTHON) -V); 3.11 or newer is needed. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	        echo "Installing python3-venv with apt-get"; \
	        apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; \
	    else \
	        echo "Python's venv module is missing; as root: apt-get install python3-venv" >&2; exit 1; \
	    fi; }
	@echo "Creating .venv with $$($(PYTHON) -V)"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
