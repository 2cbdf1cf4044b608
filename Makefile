# Every verb works from a fresh clone: what is missing is installed first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install run test test-faults check fix smoke bench shots clean

run: $(STAMP)            ## the dashboard, with the sample data ready to train
	$(BIN)/python app.py

test: $(STAMP) chromium check   ## everything that must hold before a change lands
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not smoke and not faults"

check: $(STAMP)          ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fix: $(STAMP)            ## what a machine can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test-faults: $(STAMP) chromium ## every fault at every place: kills, full disks, damaged files (minutes)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m faults --timeout 3600

smoke: $(STAMP)          ## the bundled 135M model, trained for real (minutes)
	$(BIN)/python -m pip install --quiet -e ".[harness]"
	$(BIN)/python -m pytest -m smoke tests/smoke

bench: $(STAMP)          ## speed figures, side by side in one run
	$(BIN)/python -m tests.bench

shots: $(STAMP) chromium ## retake the screenshots in docs/images
	$(BIN)/python -m tests.ui.shots

install: $(STAMP)        ## .venv with everything

$(STAMP): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade-strategy only-if-needed -r requirements.txt
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $(STAMP)

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	     && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	|| { echo "The browser tests need Chromium: install it (Debian: apt-get install chromium)." >&2; exit 1; }

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
