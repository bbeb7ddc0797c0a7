# Everything a newcomer needs. `make` prints the list. Any python3 >= 3.10: make PYTHON=python3.13 test
PYTHON ?= python3
MEDIA ?=
FUZZ_SECONDS ?= 60
PYTEST_ARGS ?=
SYSTEMS ?=

# Errors only: a first run is quiet, and what it prints matters.
PIP_FLAGS := -qq --disable-pip-version-check
METADATA := setup.py pyproject.toml

# .venv is what a device gets, plus the demo's photograph. .venv-light is what a device gets, as a built wheel, and
# nothing else: it proves that the base dependencies are enough. .venv-dev is for people who change the code.
DEMO_STAMP := .venv/.installed
DEV_STAMP := .venv-dev/.installed
LIGHT_STAMP := .venv-light/.installed
OPENCV5_STAMP := .venv-opencv5/.installed
OPENCV_TESTS := $(addprefix tests/,conformance detectors sources test_pipeline.py test_framing.py test_overlay.py \
	test_annotate.py test_preprocess.py test_quality.py test_models.py test_decode.py)
BIN := .venv-dev/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-light test-media test-opencv5 check format bench reliability fuzz wheel deb prove-deb prove-arm sbom docs clean programs media-folder

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(DEMO_STAMP) ## run the whole chain on a moving photograph for 300 frames; needs no camera
	.venv/bin/emotion-edge run --source demo --max-frames 300

test: $(DEV_STAMP) programs test-light ## run every test that needs neither a device nor media
	# TensorFlow has a process of its own, as on no device it shares one with the runtime.
	$(BIN)/pytest tests/converter $(PYTEST_ARGS)
	$(BIN)/pytest --ignore=tests/converter $(PYTEST_ARGS)

test-light: $(LIGHT_STAMP) ## check the built wheel with its base dependencies alone
	@rm -rf build
	.venv-light/bin/pip install $(PIP_FLAGS) --force-reinstall --no-deps .
	.venv-light/bin/python tests/light/check_light_install.py

test-opencv5: $(OPENCV5_STAMP) ## run the tests of everything that calls OpenCV with OpenCV 5
	.venv-opencv5/bin/python -m pytest $(OPENCV_TESTS) $(PYTEST_ARGS)

test-media: media-folder $(DEV_STAMP) ## run the tests on real clips and scenes: make test-media MEDIA=DIR
	$(BIN)/pytest -m media --media="$(MEDIA)" $(PYTEST_ARGS)

check: $(DEV_STAMP) ## lint, format, types and architecture; no device, broker or network
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_architecture.py

format: $(DEV_STAMP) ## rewrite the sources in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEV_STAMP) ## measure latency, throughput and memory on this machine
	$(BIN)/python -m benchmarks

reliability: $(DEV_STAMP) programs ## inject every fault many times, for hours; goes on where it was stopped
	$(BIN)/python -m benchmarks reliability

fuzz: $(DEV_STAMP) ## feed every input from outside with damaged ones: make fuzz FUZZ_SECONDS=60, each
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

wheel: $(DEV_STAMP) ## build the wheel from a clean copy of the sources into dist
	$(BIN)/python -m scripts.build_wheel

deb: $(DEV_STAMP) ## build the Debian packages of Bookworm and Trixie, 64-bit, into dist
	$(BIN)/python -m scripts.build_deb $(SYSTEMS)

prove-deb: $(DEV_STAMP) ## install, upgrade, remove and purge the package in a throw-away Debian; needs root
	$(BIN)/python -m tests.packaging.try_deb

prove-arm: $(DEV_STAMP) ## prove the runtime on emulated aarch64 and armv7l; needs root, takes long
	$(BIN)/python -m scripts.prove_arm aarch64
	$(BIN)/python -m scripts.prove_arm armv7l

sbom: $(DEV_STAMP) ## write what each system gets as CycloneDX files into dist
	for lock in bookworm-amd64 bookworm-arm64 bookworm-armhf trixie-amd64 trixie-arm64; do \
		$(BIN)/python -m scripts.write_sbom $$lock || exit 1; done

docs: $(DEV_STAMP) ## write the pages as a site to build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean: ## remove environments, caches and build output
	rm -rf .venv .venv-dev .venv-light .venv-opencv5 build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

programs:
	@scripts/ensure-test-programs

media-folder:
	@test -d "$(MEDIA)" || { echo "MEDIA must be a folder with clips/ and scenes/, found '$(MEDIA)': make test-media MEDIA=DIR"; exit 2; }

$(DEMO_STAMP): $(METADATA)
	@scripts/make-venv "$(PYTHON)" .venv
	.venv/bin/pip install $(PIP_FLAGS) -e '.[demo]'
	@touch $@

$(DEV_STAMP): $(METADATA)
	@scripts/make-venv "$(PYTHON)" .venv-dev
	.venv-dev/bin/pip install $(PIP_FLAGS) -e '.[convert,demo,docs,metrics,test]'
	@touch $@

$(OPENCV5_STAMP): $(METADATA)
	@scripts/make-venv "$(PYTHON)" .venv-opencv5
	.venv-opencv5/bin/pip install $(PIP_FLAGS) -e '.[demo]' 'opencv-python-headless>=5,<6' hypothesis jsonschema pytest
	@touch $@

$(LIGHT_STAMP): $(METADATA)
	@rm -rf .venv-light
	@scripts/make-venv "$(PYTHON)" .venv-light
	.venv-light/bin/pip install $(PIP_FLAGS) .
	@touch $@
