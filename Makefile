# make bench   run the grid on the included models and problems
# make experiment  train every pair of miniatures again and repeat docs/experiment.md: a night on two
#              cores; ARGS=--quick goes through all of it in ten minutes, with figures that mean nothing
# make quick   run the tests marked quick, and the grid with 20 problems a cell
# make test    run the tests
# make proofs  run the slower tests: intervals, the page in a browser, the included pair,
#              the notebook, other architectures, models of the study's size, actors of Ray, an object store
# make fuzz    give the readers and the noises made-up inputs for a minute (docs/reliability.md)
# make check   run ruff and mypy; make format lets ruff fix what it can
# make peers   time the harness and others (docs/speed.md); an hour on a quiet machine
# make mutants change the code in one place at a time, and count what no test notices (docs/mutants.md); hours
# make sample  write the sample report in docs/sample/ again; needs chromium
# make install install the packages into .venv; make clean removes it, and all caches
# make lock    write requirements.lock again, with the hashes of every package that requirements.txt brings
# make audit   look the locked packages up in the database of known vulnerabilities; needs a network
# Variables:   PYTHON=python3.12       the Python that makes .venv (3.11 or newer)
#              PIP_ARGS='...'          passed on to pip, for another build of torch
#              LOCK=1                  install what requirements.lock names, and refuse a file with another hash
#              ARGS='...'              passed on to pytest, or to the fuzz command

PYTHON ?= python3
PIP_ARGS ?=
LOCK ?=
ARGS ?=
VENV := .venv
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.dev-ready
PEERS_READY := $(VENV)/.peers-ready
PROOFS_READY := $(VENV)/.proofs-ready
MUTANTS_READY := $(VENV)/.mutants-ready

.PHONY: bench experiment test proofs fuzz peers mutants quick check format sample install lock audit clean
.DELETE_ON_ERROR:

# Every seed is asked the problems with each noise and with filler; the first one goes through the other stages, without
# filler. Two workers share the cells.
BENCH := --replicates all --datasets clean,near,inf,rcs,sd,filler:near,filler:inf,filler:rcs \
	-k 'zero_shot or not filler' --interventions everywhere,moved -n 2

bench: $(READY)
	$(VENV)/bin/python -m pytest benchmarks $(BENCH) $(ARGS)

experiment: $(READY)
	$(VENV)/bin/python -m benchmarks experiment $(ARGS)

test: $(DEV_READY)
	$(VENV)/bin/python -m pytest tests -n 2 $(ARGS)

PROOFS := tests/reports/test_calibration.py tests/reports/test_page_in_browser.py tests/models/test_included_pairs.py \
	tests/benchmarks/test_notebook.py tests/benchmarks/test_lm_eval.py tests/models/test_any_model.py \
	tests/models/test_hub_download.py tests/models/test_continuous_batching.py tests/benchmarks/test_peers.py \
	tests/benchmarks/test_study_shape.py tests/benchmarks/test_ray_engine.py tests/benchmarks/test_object_store.py \
	tests/benchmarks/test_same_results_with_workers.py tests/benchmarks/test_control_finds_nothing.py

# Of these only what is marked slow: `make test` has the rest.
SLOW_PARTS := tests/models/test_fine_tuning.py tests/benchmarks/test_intervene_stage.py tests/benchmarks/test_work_queue.py \
	tests/benchmarks/test_sharded_run.py tests/benchmarks/test_grid_at_urls.py

proofs: $(DEV_READY) $(PEERS_READY) $(PROOFS_READY)
	$(VENV)/bin/python -m pytest $(PROOFS) --slow -n 2 $(ARGS)
	$(VENV)/bin/python -m pytest $(SLOW_PARTS) -m slow -n 2

fuzz: $(READY)
	$(VENV)/bin/python -m tests.fuzz $(ARGS)

peers: $(READY) $(PEERS_READY)
	$(VENV)/bin/python -m benchmarks peers $(ARGS)

mutants: $(READY) $(MUTANTS_READY)
	$(VENV)/bin/python -m tests.mutants $(ARGS)

quick: $(READY)
	$(VENV)/bin/python -m pytest --quick $(ARGS)

check: $(DEV_READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: $(DEV_READY)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

install: $(READY)

$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make: Python 3.11 or newer is needed, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1); name another: make bench PYTHON=python3.12" >&2; exit 1; }
	@test -x $(VENV)/bin/python || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "make: '$(PYTHON)' cannot make a virtual environment; on Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) \
		$(if $(LOCK),--require-hashes -r requirements.lock,-r requirements.txt)
	@touch $@

$(DEV_READY): requirements-dev.txt $(READY)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-dev.txt
	@touch $@

$(PEERS_READY): requirements-peers.txt $(READY)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-peers.txt
	@touch $@

$(PROOFS_READY): requirements-proofs.txt requirements-ray.txt requirements-remote.txt $(READY)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-proofs.txt
	@touch $@

lock: $(DEV_READY)
	CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
		--no-emit-index-url --no-emit-find-links --output-file requirements.lock requirements.txt

audit: $(DEV_READY)
	$(VENV)/bin/pip-audit --require-hashes --disable-pip -r requirements.lock

$(MUTANTS_READY): requirements-mutants.txt $(READY)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-mutants.txt
	@touch $@

sample: $(DEV_READY)
	$(VENV)/bin/python -m pytest benchmarks $(BENCH) --results results-sample
	$(VENV)/bin/python -m tests.reports.docs_sample results-sample

clean:
	rm -rf $(VENV) .pytest_cache .hypothesis .mypy_cache .ruff_cache
