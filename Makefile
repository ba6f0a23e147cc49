# Every target builds the environment first if it is missing. PYTHON names the interpreter to build it with.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test lab release check bench clean

demo: $(READY)      ## grade the sample class and show what everyone gets
	$(BIN)/mdcv demo

# One thread for each of the processes that share the cores.
test: $(READY)      ## the whole test-suite, with coverage, on all cores
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadscope --cov --cov-report=term

lab: $(READY)       ## JupyterLab on the lectures and assignments
	$(BIN)/mdcv lab

release: $(READY)   ## write assignments/ anew from solutions/
	$(BIN)/mdcv release

check: $(READY)     ## what a commit must pass: format, lint, spelling, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(MAKE) test

bench: $(READY)     ## measure the library beside its peers; ten minutes on a quiet machine
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/mdcv bench --json bench/results.json
	$(BIN)/python -m bench.picture bench/results.json bench/pictures/growth.png

clean:              ## remove the environment
	rm -rf $(VENV)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mdcv needs Python 3.11 or newer; name one with PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || \
		{ echo "Python's venv is missing; on Debian: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
