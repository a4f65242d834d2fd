PYTHON ?= python3
VENV = .venv/bin/python
PORT ?= 8000
STAGE ?= local
DEMO_PORT ?= 3000

.PHONY: run demo stop clean key dashboard deploy test bench soak frontend

run: .venv/ops
	@$(VENV) -m ops run --port $(PORT)

demo: .venv/demo
	@$(VENV) examples/demo/acme.py --port $(DEMO_PORT)

stop:
	@[ ! -x $(VENV) ] || $(VENV) -m ops stop

clean: stop
	rm -rf .local .venv

key: .venv/ops
	@$(VENV) -m ops key --stage $(STAGE)

dashboard: .venv/ops
	@$(VENV) -m ops dashboard --stage $(STAGE)

deploy: .venv/ops
	@$(VENV) -m ops deploy --stage $(STAGE)

test: .venv/tests
	@$(VENV) -m tests.run

bench: .venv/tests
	@$(VENV) -m tests.bench

soak: .venv/tests
	@$(VENV) -m tests.soak

frontend: frontend/node_modules/.package-lock.json
	@cd frontend && npm run --silent types && npm run --silent build

frontend/node_modules/.package-lock.json: frontend/package.json frontend/package-lock.json
	@cd frontend && npm ci --ignore-scripts --no-audit --no-fund --silent

.venv/ops: requirements.txt ops/requirements.txt
	@sh ops/venv.sh $(PYTHON) ops/requirements.txt $@

.venv/demo: examples/demo/requirements.txt
	@sh ops/venv.sh $(PYTHON) examples/demo/requirements.txt $@

.venv/tests: requirements.txt ops/requirements.txt tests/requirements.txt
	@sh ops/venv.sh $(PYTHON) tests/requirements.txt $@
