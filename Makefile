PYTHON ?= python3
VENV = .venv/bin/python
PORT ?= 8000
STAGE ?= local

.PHONY: run stop clean key deploy test bench soak

run: .venv/ops
	@$(VENV) -m ops run --port $(PORT)

stop:
	@[ ! -x $(VENV) ] || $(VENV) -m ops stop

clean: stop
	rm -rf .local .venv

key: .venv/ops
	@$(VENV) -m ops key --stage $(STAGE)

deploy: .venv/ops
	@$(VENV) -m ops deploy --stage $(STAGE)

test: .venv/tests
	@$(VENV) -m tests.run

bench: .venv/tests
	@$(VENV) -m tests.bench

soak: .venv/tests
	@$(VENV) -m tests.soak

.venv/ops: requirements.txt ops/requirements.txt
	@sh ops/venv.sh $(PYTHON) ops/requirements.txt $@

.venv/tests: requirements.txt ops/requirements.txt tests/requirements.txt
	@sh ops/venv.sh $(PYTHON) tests/requirements.txt $@
