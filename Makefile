# Copyright (c) 2026 The fanout.hyperv authors
# SPDX-License-Identifier: GPL-3.0-or-later

# The newcomer's front door; the work is done by noxfile.py and demo/.
PYTHON ?= python3
VENV := .venv
LINK := .collections/ansible_collections/fanout/hyperv
INSTALLED := $(VENV)/.installed
KERBEROS := $(VENV)/.kerberos

.PHONY: help venv system-packages kerberos demo test test-long acceptance clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(INSTALLED) $(LINK) ## make .venv with the pinned requirements

$(INSTALLED): $(wildcard requirements/*.txt)
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed (make PYTHON=python3.11 ...)" if sys.version_info < (3, 11) else 0)'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(foreach file,runtime lab dev,--requirement requirements/$(file).txt) --constraint requirements/constraints.txt
	@touch $@

# One by one: what one distribution lacks must not keep the rest away.
system-packages: ## as root, on Debian and Ubuntu: install what requirements/debian.txt lists
	@for package in $$(grep -v '^#' requirements/debian.txt); do \
	  DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends $$package >/dev/null \
	  || echo "$$package could not be installed: tests that need it will skip"; \
	done

# Tests that need Kerberos or a browser skip, and say what to install, where one of these two steps cannot be done.
kerberos: venv ## install what Kerberos needs, as far as this machine lets us
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! dpkg-query --show $$(grep -v '^#' requirements/debian.txt) >/dev/null 2>&1; then \
	  { apt-get update --quiet=2 && $(MAKE) --no-print-directory system-packages; } || echo "apt-get failed: tests that need its packages will skip"; \
	fi
	@if command -v krb5-config >/dev/null && [ -z "$$(find $(KERBEROS) -newer requirements/kerberos.txt 2>/dev/null)" ]; then \
	  CFLAGS=-O0 $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/kerberos.txt --constraint requirements/constraints.txt && touch $(KERBEROS) \
	  || echo "requirements/kerberos.txt could not be installed: tests that need Kerberos will skip"; \
	fi

$(LINK):
	@mkdir -p $(@D) && ln -sfn ../../.. $@

demo: venv ## distribute a template to six simulated hosts, twice (TEMPLATE_DISK=path/to/any.vhdx)
	@PYTHONPATH=tests/lab/src $(VENV)/bin/python -m demo

test: kerberos ## lint, typing, unit, lab, molecule and the other default sessions
	@$(VENV)/bin/python -m nox

test-long: kerberos ## what takes longer: journeys through whole playbooks, the oldest and the newest ansible-core
	@$(VENV)/bin/python -m nox --session journeys compat-2.16 compat-newest

acceptance: venv ## the journey of a template on real hosts (INVENTORY=hosts.yml TEMPLATE=name, then CONFIRM=name)
	@PYTHONPATH=tests/lab/src:. $(VENV)/bin/python -m tests.acceptance --inventory "$(INVENTORY)" --template "$(TEMPLATE)" --confirm "$(CONFIRM)"

clean: ## remove what was made
	rm -rf $(VENV) .nox .collections .demo .pytest_cache .mypy_cache .ruff_cache .ansible tests/output fanout-status
