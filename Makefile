# Every target sets up what it needs; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONUNBUFFERED := 1
export UV_COMPILE_BYTECODE := 1
READY := .venv/.ready
DEV := .venv/.ready-dev
RECIPE = python tools/recipe.py

RECIPES := drawn drawn-four drawn-large photos photos-full photos-224 photos-today photos-joint flowers pets tutorial

.PHONY: help setup repro $(RECIPES) test check audit verify bench seeds study ui lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## create .venv with every dependency pinned by hash

.venv/.uv: requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "ConvLens needs Python >= 3.11; name one: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(READY): requirements.lock pyproject.toml .venv/.uv
	.venv/bin/uv pip install --quiet --require-hashes -r requirements.lock
	.venv/bin/uv pip install --quiet --no-deps --editable .
	@touch $@

$(DEV): requirements-dev.lock $(READY)
	.venv/bin/uv pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

repro: $(READY)  ## run the pipeline of params.yaml: train, evaluate, explain, track
	@python tools/estimate.py repro && dvc repro && python tools/summary.py

drawn:  ## switch back to the drawings and run
drawn-four:  ## four kinds of drawn animals instead of two
drawn-large:  ## the drawings in earnest: more of them, trained longer, measured on more
photos:  ## 4,000 photos: Google's set, or ARCHIVE=some.zip
photos-full:  ## Microsoft's 25,000 photos, or ARCHIVE=some.zip
photos-today:  ## EfficientNet-Lite0 at 224 pixels, or ARCHIVE=some.zip
photos-joint:  ## VGG16 and EfficientNet-Lite0 under one head, or ARCHIVE=some.zip
photos-224:  ## VGG16 at 224 pixels, block 5 fine-tuned, or ARCHIVE=some.zip
flowers:  ## five kinds of flowers, 3,670 photos, as in TensorFlow's tutorials
pets:  ## 37 breeds of cats and dogs: the 7,390 photos of Oxford-IIIT Pet
tutorial:  ## the tutorials' recipe to the letter, for comparison
$(RECIPES): $(READY)
	@$(RECIPE) $(@:photos=photos-small) $(if $(value ARCHIVE),--archive '$(subst ','\'',$(value ARCHIVE))') && $(MAKE) --no-print-directory repro

test: $(DEV)  ## run every test, three at a time
	@pytest -n 3 --no-loadscope-reorder

check: $(DEV)  ## formatting, lint, types
	@ruff format --check . && ruff check . && mypy

STUDY = $(if $(N),--count $(N)) $(if $(ENGINE),--engine $(ENGINE))
seeds: $(READY)  ## train over N=3 seeds and summarise: make seeds NAME=drawn, or with ENGINE=ray
	@python tools/estimate.py seeds $(or $(N),3)
	@python tools/study.py $(or $(NAME),drawn) $(STUDY)

study: $(READY)  ## compare the variants of studies/NAME.yaml over N=3 seeds, or search its ranges
	@python tools/study.py $(or $(NAME),$(error name a study: make study NAME=$(basename $(notdir $(firstword $(wildcard studies/*.yaml)))))) $(STUDY)

bench: $(READY)  ## time training and import against what people would copy (20 minutes)
	@python tools/estimate.py bench && python benchmarks/training_speed.py && python benchmarks/import_speed.py

audit: $(DEV)  ## look up known vulnerabilities of the pinned dependencies
	@python .ci/audit.py

verify: $(READY)  ## run the commit in two fresh clones, compare every byte; KEEP=folder keeps one
	@python tools/verify.py $(KEEP)

ui: $(READY)  ## open the experiments in the MLflow UI on http://127.0.0.1:5000
	@convlens ui

lock: .venv/.uv  ## resolve the dependencies anew and pin them with hashes
	.venv/bin/uv pip compile pyproject.toml --extra pipeline $(LOCK) -o requirements.lock
	.venv/bin/uv pip compile pyproject.toml --extra dev --constraints requirements.lock $(LOCK) -o requirements-dev.lock
	echo uv | .venv/bin/uv pip compile - $(LOCK) -o requirements-uv.lock
LOCK = --quiet --upgrade --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header

clean:  ## remove everything produced, DVC's cache and the MLflow store included
	rm -rf data/raw data/packed.zip data/prepared data/weights data/features data/code models/*/ reports/*/ reports/index.html \
		.convlens mlflow.db* mlartifacts .dvc/cache .dvc/tmp .pytest_cache .mypy_cache .ruff_cache
	git checkout --quiet -- models reports 2>/dev/null || true
