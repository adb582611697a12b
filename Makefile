# `make demo` and `make test` do all the set-up themselves.
export TF_USE_LEGACY_KERAS := 1
export TF_CPP_MIN_LOG_LEVEL ?= 3

PYTHON := .venv/bin/python
UV := .venv/bin/uv
READY := .venv/.ready

.PHONY: help setup demo test test-long test-newest install-check readme-check kubeflow-check image-check protos check format kuairand toffee-b bench bench-growth bench-peers conformance load overload drills days screenshots visual-check lock sbom advisories clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

setup: $(READY) ## build .venv from the newest lock that runs here

$(READY): $(wildcard requirements/*.txt)
	@scripts/setup

demo: $(READY) ## the main job: tables in, recommendations over gRPC out
	@scripts/demo

# A test that waits for ever shows where, and fails, and the others go on.
HANGS := -o faulthandler_timeout=900 -o faulthandler_exit_on_timeout=true

test: $(READY) ## the test suite, a process a core
	$(PYTHON) -m pytest -n auto $(HANGS)

test-long: $(READY) ## the tests that take the longest: several workers, Inception-v3, public layouts, histories
	$(PYTHON) -m pytest -n auto $(HANGS) -m long

TESTS ?=

test-newest: $(READY) ## demo and suite in a bare Debian 13 beside this machine (as root; TESTS='-m "not slow"')
	scripts/test_newest $(TESTS)

install-check: $(READY) ## the wheel, installed elsewhere: the client, then the small pipeline
	$(PYTHON) -m pytest -m install

readme-check: $(READY) ## every command and every Python line of README and docs/python.md
	$(PYTHON) -m pytest -m readme

kubeflow-check: $(READY) ## every command of the compiled files, as the platforms run them: minutes
	$(PYTHON) -m pytest -m kubeflow

image-check: ## the Dockerfile's steps in a bare Debian 13, without Docker, and what they made (as root)
	nice scripts/image_check

protos: $(READY) ## the generated *_pb2.py anew from their .proto files
	$(UV) run -q --no-project --python $(PYTHON) --with grpcio-tools==1.49.1 --with 'setuptools<81' \
	  python -W ignore -m grpc_tools.protoc -I. --python_out=. serving/wire/client.proto serving/server/files.proto

check: $(READY) ## format, lint and types
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

format: $(READY) ## rewrite in the house format
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

KUAIRAND ?= ../shared/data/kuairand_pure

build/kuairand/tables/%.json: $(READY)
	$(PYTHON) -m uvcan_tf data kuairand --raw $(KUAIRAND) --positive long_view --min-interactions 5 --out $(@D)

kuairand: build/kuairand/tables/features.json ## the pipeline on KuaiRand-Pure long views, then both protocols
	$(PYTHON) -m tfx_pipeline run --data $(<D) --root build/kuairand/pipeline --config configs/kuairand.json
	$(PYTHON) -m uvcan_tf evaluate --data $(<D) --config configs/kuairand.json --users 3000 --out build/kuairand/results.json \
	  --model "$$(ls -d build/kuairand/pipeline/serving/uvcan/* | tail -1)"

build/toffee_b/tables/features.json build/million/tables/features.json: build/%/tables/features.json: $(READY)
	$(PYTHON) -m uvcan_tf data synthetic --preset $* --seed 1 --out $(@D)

toffee-b: build/toffee_b/tables/features.json ## the pipeline on a synthetic world of Toffee_b's size
	$(PYTHON) -m tfx_pipeline run --data $(<D) --root build/toffee_b/pipeline --config configs/toffee_b.json

bench: $(READY) ## how fast everything is, beside the machine and a naive version
	$(PYTHON) -m benchmarks run

bench-growth: $(READY) build/toffee_b/tables/features.json build/million/tables/features.json ## larger worlds, and two-stage recommendation
	$(PYTHON) -m benchmarks growth
	$(PYTHON) -m benchmarks shards
	$(PYTHON) -m benchmarks two-stage --tables build/toffee_b/tables
	$(PYTHON) -m benchmarks two-stage --tables build/million/tables

PEERS := build/peers

bench-peers: $(READY) $(PEERS)/.ready ## training beside RecBole's NeuMF, in its own Python 3.11
	$(PYTHON) -m benchmarks peers --python $(PEERS)/bin/python

$(PEERS)/.ready:
	$(UV) venv -q --clear --seed --python 3.11 $(PEERS)
	$(PEERS)/bin/python -m pip install -q recbole==1.2.1 torch==2.13.0 \
	  'numpy<2' 'pandas<2.3' 'scipy<1.13' 'setuptools<81'
	@touch $@

TARGET ?= localhost:8500

conformance: $(READY) ## every wire case against TARGET=host:port; of batching, too, against BATCHING=host:port
	$(PYTHON) -m serving conformance --target $(TARGET) $(if $(BATCHING),--batching-target $(BATCHING))

load: $(READY) ## latency, throughput and swaps of the embedded server, in minutes
	@scripts/load

overload: $(READY) ## twice as many calls as the embedded server can answer, for two minutes
	@scripts/overload

drills: $(READY) ## 30 kills at random moments, a full disk, a changed world: about an hour
	$(PYTHON) -m pytest -s -m drill tests/tfx_pipeline tests/uvcan_tf --kills 30

visual-check: $(READY) ## clips of every kind (by ffmpeg) to frames, and what they cost: about five minutes
	$(PYTHON) -m benchmarks visual

days: $(READY) ## three days with a warm start and from scratch, then a broken one: about five minutes
	$(PYTHON) -m benchmarks days

screenshots: $(READY) ## TensorBoard and pages in a browser: the pictures of docs/tensorboard.md
	$(PYTHON) -m pytest -m browser tests/uvcan_tf/training/tensorboard --screenshots docs/images
	$(PYTHON) -m pytest -m browser tests/tfx_pipeline/page

lock: $(READY) ## both locks in requirements/ anew, of the newest that fits
	scripts/lock --upgrade

sbom: $(READY) ## a software bill of materials of both locks, in build/sbom
	scripts/sbom

advisories: $(READY) ## known advisories of both locks, where the service can be reached
	scripts/advisories

clean: ## remove what the commands above made
	rm -rf .venv build
