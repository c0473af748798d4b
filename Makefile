# Set-up, tests and the demonstration, from nothing but Python >= 3.11 and make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: setup demo test lint unit environments snapshots bench older seeds power docs dist sbom ci-pr ci-nightly ci-judge clean
.DELETE_ON_ERROR:

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(PIP) torch==2.13.0
	$(PIP) --editable '.[all]' --group test --group lint --group release --group docs
	@# timm asks for torchvision, whose wheel is built for CUDA and breaks a CPU torch until it is mended.
	$(PIP) --no-deps timm torchvision
	$(BIN)/python tools/torchvision_beside_cpu_torch.py
	@# A misbehaving third-party plug-in, in a folder that only its tests look into.
	$(PIP) --no-deps --upgrade --target $(VENV)/muster-toy ./tests/plugin_package && touch $(VENV)/muster-toy/stamp
	@# What lists the environment for a release, apart from it: beside what it brings, jsonschema compiles a grammar
	@# whenever it is imported, and with it Ray, on every worker.
	$(PIP) --upgrade --target $(VENV)/sbom --group sbom
	@# What runs inside a page, and a Chromium that has WebNN where there is one.
	@# Without them the browsers' targets are unavailable, which they say, and everything else works.
	$(BIN)/muster browsers install $(if $(filter Linux-x86_64,$(shell uname -s)-$(shell uname -m)),--chromium) || true
	@touch $@

demo: setup
	$(BIN)/muster demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup
	$(BIN)/pytest -n 2 --dist loadfile -m "not sweep and not environments"

test: lint unit

# Real environments, built from the extras: core, torch without the rest; this one has all.
environments: setup
	$(BIN)/pytest tests/environments tests/cli/test_partial_environments.py -m "sweep or environments"

# What `muster generate` knows about every architecture; to be made anew whenever recipes change.
snapshots: setup
	$(BIN)/python -m modelmuster.generate.snapshot

bench: setup
	$(BIN)/python -m benchmarks

# Five seeds, the same verdicts; what differs is printed. MUSTER_BENCH_LIMIT=10 takes ten architectures.
seeds: setup
	$(BIN)/python -m benchmarks seeds

# Seeded faults, caught and missed; false alarms. See benchmarks/power.
power: setup
	$(BIN)/python -m benchmarks.power

# The same tool on an older transformers: its catalogue, what changed since, and a few architectures for real.
OLDER     ?= $(abspath $(VENV))/older
KNOWN_OLD ?= bert llama vit t5 whisper clip gpt2 wav2vec2 mamba llava bart resnet vivit patchtst

$(OLDER)/stamp: constraints-older.txt $(READY)
	rm -rf $(OLDER)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(OLDER) -r constraints-older.txt
	@touch $@

older: $(OLDER)/stamp
	PYTHONPATH=$(OLDER) $(BIN)/muster catalog snapshot --output .muster/older.jsonl
	@# The shipped snapshot of that version is to say the same: nothing added, removed or changed.
	$(BIN)/muster catalog diff 5.0.0 .muster/older.jsonl
	$(BIN)/muster catalog diff .muster/older.jsonl
	@# Two checks: what is asked here is whether this package works there, not what has been mended since.
	PYTHONPATH=$(OLDER) $(BIN)/muster run $(KNOWN_OLD) -c forward -c reference --target torch:cpu --no-progress

# The documentation, with its reference pages made from the code; a broken link fails.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

dist: setup
	rm -rf dist
	$(BIN)/python -m build --outdir dist .

# What the release was built and tested with, package by package.
sbom: setup
	$(BIN)/python tools/sbom.py sbom/modelmuster.cdx.json

# What the workflows run: the same commands work here. A run's findings (exit code 1) are judged by the gate.
SELECTION ?= --shard 1/14
SHARD     ?= 1/1
SHARDS    ?= .muster
# One architecture of each family: inductor compiles for half a minute. The night compiles all of them.
COMPILED  ?= bert llama t5 vit videomae wav2vec2 clip clap gemma4 patchtst decision_transformer
COMPILING := --target inductor:cpu --check forward --check reference --timeout 300 --no-progress
BASELINE  ?= $(wildcard baseline.json)

ci-pr: test docs
	$(BIN)/muster run --target mock --no-progress
	$(BIN)/muster run $(COMPILED) $(COMPILING)
	$(BIN)/muster run $(SELECTION) --target torch:cpu --no-progress || [ $$? -eq 1 ]
	$(BIN)/muster report --output report.html
	$(BIN)/muster report --format junit --output junit.xml
	$(BIN)/muster gate $(addprefix --baseline ,$(BASELINE)) --annotate --markdown gate.md

ci-nightly: setup
	$(BIN)/muster run --shard $(SHARD) --no-progress || [ $$? -eq 1 ]
	$(BIN)/muster run --shard $(SHARD) $(COMPILING) || [ $$? -eq 1 ]

ci-judge: setup
	$(BIN)/muster db import --unite $(SHARDS)
	$(BIN)/muster report --output public/index.html
	$(BIN)/muster report --format badges --output public/badges
	$(BIN)/muster feed --output public/changes.atom
	$(BIN)/muster gate $(addprefix --baseline ,$(BASELINE)) --annotate --markdown gate.md

clean:
	rm -rf $(VENV) .muster build dist sbom .mypy_cache .ruff_cache .pytest_cache
