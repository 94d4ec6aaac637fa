#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_plan
short_description: Preflight and plan of a distribution
version_added: 0.1.0
description:
  - From the surveys of the source and of all providers to what is done on each. Asks no host.
  - Used by the role P(fanout.hyperv.distribute#role).
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._attributes
  - fanout.hyperv._attributes.info_module
options:
  source_name:
    description: Inventory name of the source.
    type: str
    required: true
  template_names:
    description: Names of the templates.
    type: list
    elements: str
    required: true
  templates:
    description:
      - What M(fanout.hyperv.template_info) returned with O(fanout.hyperv.template_info#module:survey).
      - Also when it failed.
    type: dict
    required: true
  surveys:
    description: What M(fanout.hyperv.host_info) returned for each provider, by inventory name.
    type: dict
    required: true
  targets:
    description:
      - The distribution list that is asked for. When left out, the recorded one; all eligible providers if there is
        none.
    type: list
    elements: str
  add:
    description: Providers that join the list, as names of hosts or groups.
    type: list
    elements: str
    default: []
  remove:
    description: Providers that leave the list and whose copies are to go, as names of hosts or groups.
    type: list
    elements: str
    default: []
  unlisted:
    description:
      - What happens to copies on providers that are not in the list.
      - V(keep) names them and touches nothing, V(remove) removes them.
    type: str
    choices: [keep, remove]
    default: keep
  remove_guests:
    description: Whether guests that depend on a copy that is to be removed are removed, too.
    type: bool
    default: false
  teardown:
    description: Whether all copies of the templates are to go, whoever is in the lists.
    type: bool
    default: false
  multi_provider:
    description: Whether templates that are not declared yet may be distributed. It is fixed once they are.
    type: bool
    default: true
  candidates:
    description: All providers of the inventory, also those that are not part of this run.
    type: list
    elements: str
    required: true
  groups:
    description: The groups of the inventory with their hosts.
    type: dict
    default: {}
  concurrency:
    description: How many network copies may run at the same time.
    type: int
    required: true
  verify:
    description: With V(hash), copies that look right are read and compared as well.
    type: str
    choices: [none, size, hash]
    default: size
  adopt:
    description:
      - Whether copies whose stamp is gone from their Notes are verified and stamped again. On providers that are added
        they always are.
    type: bool
    default: false
  keep_revisions:
    description: How many older revisions are kept. Left out, as many as are recorded.
    type: int
  quiet:
    description: Whether nothing of the plan is printed, for those who only want to know how the providers are.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Plan
  fanout.hyperv.distribution_plan:
    source_name: hv01
    template_names: [win11-gold]
    templates: "{{ gold }}"
    surveys: "{{ surveys }}"
    candidates: "{{ groups['hyperv'] }}"
    concurrency: 2
  run_once: true
"""

RETURN = r"""
results:
  description: The plan of each template, in the order of O(template_names).
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The template's name.
      type: str
      returned: success
    targets:
      description: The distribution list.
      type: list
      elements: str
      returned: success
    leaving:
      description: The providers whose copies are to be removed.
      type: list
      elements: str
      returned: success
    export_needed:
      description: Whether the template has to be exported first.
      type: bool
      returned: success
    providers:
      description: By inventory name, what is done on each provider (C(action)), why, and what preflight found.
      type: dict
      returned: success
    findings:
      description: Everything that preflight found.
      type: list
      elements: dict
      returned: success
idle:
  description: Whether there is nothing to do, neither on a provider nor on the source.
  type: bool
  returned: success
  sample: false
jobs:
  description: By inventory name, the options of M(fanout.hyperv.template_copy) for each template.
  type: dict
  returned: success
preflight:
  description: By inventory name, the errors that preflight found, as text.
  type: dict
  returned: success
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.distribution_plan import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
