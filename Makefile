# Needs only Python 3.11 and make; every target may be repeated.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test test-pages lint check benchmark pictures docs lock orthanc postgres clean

# mkdocs-material announces its successor at every build.
export NO_MKDOCS_2_WARNING := 1

demo: $(STAMP)
	$(BIN)/thecal demo --out demo

test: $(STAMP)
	$(BIN)/pytest -n 2

# Every command of every page of the documentation, as a reader would give it.
test-pages: $(STAMP)
	$(BIN)/pytest -n 2 -m pages

# Without ruff's cache: it does not notice that a new module changes how imports sort.
lint: $(STAMP)
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --no-cache --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict --quiet

check: lint test test-pages

benchmark: $(STAMP)
	$(BIN)/python -m benchmarks

# Photographs the page where a Chromium is installed.
pictures: $(STAMP)
	$(BIN)/python -m benchmarks.pictures

docs: $(STAMP)
	$(BIN)/mkdocs build --strict

# Writes the exact versions and hashes of everything that the project and its checks install.
lock: $(STAMP)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --extra net --extra pdf --extra watch --extra fhir --extra parquet --extra crypt --extra postgres --group dev --group docs pyproject.toml --output-file requirements.lock

# An archive for the tests of pull, push and listen, which skip without it. RUNLEVEL=1 keeps Debian from
# starting it as a service: the tests start their own, on loopback.
orthanc:
	@if command -v Orthanc > /dev/null || [ -x /usr/sbin/Orthanc ]; then echo "Orthanc is there."; \
	elif [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then \
		apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes \
			--no-install-recommends orthanc orthanc-dicomweb openssl > /dev/null; \
	else echo "Orthanc is not installed, and only root on Debian can do it: the tests that need it skip."; fi

# A database server for the registry's tests, which skip without it; they start their own on a socket, and
# Debian's is not started: create_main_cluster keeps it from being made.
postgres:
	@if ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || command -v initdb > /dev/null; then \
		echo "PostgreSQL is there."; \
	elif [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then \
		mkdir -p /etc/postgresql-common && \
		echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf && \
		apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes \
			--no-install-recommends -o Dpkg::Options::=--force-confold postgresql > /dev/null; \
	else echo "PostgreSQL is not installed, and only root on Debian can do it: the tests that need it skip."; fi

clean:
	rm -rf $(VENV) site demo

# The locked versions, then the project itself, editable; then a small patient from scan to report, so that
# what is compiled on first use is compiled before anybody waits for it. Bytecode too: where Python is told to
# write none, each of the processes that the tests start would compile its libraries anew.
$(STAMP): pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	$(BIN)/python -m compileall -q src
	$(BIN)/thecal phantom make --levels T12-L1 --fov 110 --spacing 1.0,1.0,1.5 --fracture T12:crush \
		--leak epidural@T12:0.3ml:left --out $(VENV)/warm-up > /dev/null
	$(BIN)/thecal assess $(VENV)/warm-up/dicom --out $(VENV)/warm-up/report > /dev/null
	$(BIN)/thecal plan $(VENV)/warm-up/dicom --all --out $(VENV)/warm-up/plan > /dev/null
	touch $@
