# Every target sets up what it needs. `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# A stamp carries the checksum of what decides on the set-up: other versions, another stamp, and pip runs again.
CHECKSUM := $(shell cat setup.py constraints/*.txt scripts/set_up.sh | cksum | cut -d ' ' -f 1)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(CHECKSUM)
VENV_DBR18 := .venv-dbr18
READY_BENCH := $(VENV)/.bench-$(CHECKSUM)
READY_DBR18 := $(VENV_DBR18)/.ready-$(CHECKSUM)
CODE := lake features training scoring jobs operations simulation benchmarks scripts tests setup.py
NOT_LONG := not slow and not cluster
# A Spark driver on small frames keeps one core busy; each process of the tests has a session and about 4 GB.
PROCESSES ?= 2
IN_PARALLEL := -m "$(NOT_LONG)" --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

export PYTHON

.PHONY: help demo test check check-format check-lint check-types check-imports check-sizes \
	check-bundle test-slow cluster-test test-dbr18 ui sql doctor docs bench-features bench-ingest bench-training bench-quality check-simulation zip wheel clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | awk -F ':.*## ' '{ printf "make %-14s %s\n", $$1, $$2 }'

# Nobody is behind the addresses of a simulation: its key is no secret.
demo bench-ingest bench-quality check-simulation: export TRUSTLAKE_HASH_KEY ?= simulated people only
demo: $(READY) ## raw logs to scores on this machine; EXAMPLE=handbook DATA=<directory> for real data
	@$(BIN)/trustlake demo $(if $(EXAMPLE),--example "$(EXAMPLE)") $(if $(DATA),--data "$(DATA)")

test: $(READY) ## every test but the long ones, in two processes; PROCESSES=4
	@$(BIN)/pytest $(IN_PARALLEL)

check: $(READY) ## format, lint, types, import contracts, sizes, the bundle
	@$(MAKE) --no-print-directory -k check-format check-lint check-types check-imports check-sizes check-bundle

check-format: $(READY)
	$(BIN)/ruff format --check $(CODE)

check-lint: $(READY)
	$(BIN)/ruff check $(CODE)

check-types: $(READY)
	$(BIN)/mypy $(CODE)

check-imports: $(READY)
	$(BIN)/lint-imports

check-sizes: $(READY)
	$(BIN)/python scripts/report_sizes.py

check-bundle: $(READY) ## databricks.yml and resources/, as each target deploys them, without a workspace
	@$(BIN)/trustlake check-bundle

test-slow: $(READY) zip ## the long series
	@JAVA_HOME="$$($(BIN)/python -m jobs.java)" $(BIN)/pytest -m slow

cluster-test: $(READY) zip ## from logs to scores by spark-submit on separate executor processes
	@JAVA_HOME="$$($(BIN)/python -m jobs.java)" $(BIN)/pytest tests/cluster -m "cluster and not slow"

test-dbr18: $(READY_DBR18) ## the tests on the versions of Databricks Runtime 18 LTS
	@$(VENV_DBR18)/bin/pytest $(IN_PARALLEL) --ignore tests/packaging

ui: $(READY) ## the models, in MLflow's pages
	@$(BIN)/trustlake ui $(if $(EXAMPLE),--example "$(EXAMPLE)")

sql: $(READY) ## the tables of the lake, in SQL
	@$(BIN)/trustlake sql $(if $(EXAMPLE),--example "$(EXAMPLE)")

doctor: $(READY) ## check this machine
	@$(BIN)/trustlake doctor

docs: $(READY) ## docs/features.md, the catalogue of the built-in features, and the pictures of docs/simulation.md
	@$(BIN)/python scripts/write_catalogue.py
	@$(BIN)/python -m scripts.draw_simulation

bench-features: $(READY_BENCH) ## the window engine against what one would pick instead; ARGUMENTS="--rows 1 4"
	@$(BIN)/python -m benchmarks.point_in_time $(ARGUMENTS)

bench-ingest: $(READY) ## the ingest against a bare copy to Delta; ARGUMENTS="--accounts 50000 --days 180"
	@$(BIN)/python -m benchmarks.ingest $(ARGUMENTS)

bench-training: $(READY) ## a fit and a sweep against what one would pick instead; ARGUMENTS="--rows 1000000"
	@$(BIN)/python -m benchmarks.training $(ARGUMENTS)

bench-quality: $(READY) ## models of published data, beside published figures; ARGUMENTS="--data FOLDER"
	@$(BIN)/python -m benchmarks.quality $(ARGUMENTS)

check-simulation: $(READY) ## whether the simulated marketplace is as hard as a real one; ARGUMENTS="--seed 8"
	@$(BIN)/python -m benchmarks.difficulty $(ARGUMENTS)

zip: $(READY) ## dist/trustlake.zip for spark-submit --py-files
	@$(BIN)/python scripts/build_zip.py

wheel: $(READY) ## dist/trustlake-<version>-py3-none-any.whl
	@rm -rf build dist/*.whl
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist . >dist-wheel.log 2>&1 \
		|| { cat dist-wheel.log; exit 1; }
	@rm -rf build dist-wheel.log && ls dist/*.whl

clean: ## remove what builds and checks leave behind (environments and lakes stay)
	@rm -rf build dist dist-wheel.log *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

$(READY):
	@sh scripts/set_up.sh $(VENV) local,cpu,ui,dev auto
	@rm -f $(VENV)/.ready-* && touch $@

$(READY_BENCH): $(READY)
	@sh scripts/set_up.sh $(VENV) local,cpu,ui,dev,bench auto
	@rm -f $(VENV)/.bench-* && touch $@

$(READY_DBR18):
	@sh scripts/set_up.sh $(VENV_DBR18) local,cpu,test constraints/dbr18.txt
	@rm -f $(VENV_DBR18)/.ready-* && touch $@
