# Copyright (c) 2026 The fanout.hyperv authors
# SPDX-License-Identifier: GPL-3.0-or-later

# The newcomer's front door; the work is done by noxfile.py and demo/.
PYTHON ?= python3
VENV := .venv
LINK := .collections/ansible_collections/fanout/hyperv
INSTALLED := $(VENV)/.installed

.PHONY: help venv demo test test-long clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(INSTALLED) $(LINK) ## make .venv with the pinned requirements

$(INSTALLED): $(wildcard requirements/*.txt)
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed (make PYTHON=python3.11 ...)" if sys.version_info < (3, 11) else 0)'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(foreach file,runtime lab dev,--requirement requirements/$(file).txt) --constraint requirements/constraints.txt
	@touch $@

$(LINK):
	@mkdir -p $(@D) && ln -sfn ../../.. $@

demo: venv ## distribute a template to six simulated hosts, twice (TEMPLATE_DISK=path/to/any.vhdx)
	@PYTHONPATH=tests/lab/src $(VENV)/bin/python -m demo

test: venv ## lint, typing, unit, lab, molecule and the other default sessions
	@$(VENV)/bin/python -m nox

test-long: venv ## what takes longer: journeys through whole playbooks, the oldest and the newest ansible-core
	@$(VENV)/bin/python -m nox --session journeys compat-2.16 compat-newest

clean: ## remove what was made
	rm -rf $(VENV) .nox .collections .demo .pytest_cache .mypy_cache .ruff_cache .ansible tests/output fanout-status
