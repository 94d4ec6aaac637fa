#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_check
short_description: Check what a distribution was asked for
version_added: 0.1.0
description:
  - Checks the variables of a distribution before any host is asked anything.
  - Warns when C(forks) is too small for the concurrency, and when the callback
    P(fanout.hyperv.distribution_status#callback) is not enabled.
  - Used by the role P(fanout.hyperv.distribute#role).
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._attributes
  - fanout.hyperv._attributes.info_module
options:
  template:
    description: Name of the template VM, or a list of names.
    type: raw
    required: true
  template_id:
    description: Id of the template VM, if it was given. It cannot go with several names.
    type: str
  source:
    description: Inventory name of the host on which the template lives.
    type: str
    required: true
  targets:
    description: The distribution list, as names of hosts or groups, or V(all).
    type: list
    elements: str
  add:
    description: Providers that join the list, as names of hosts or groups.
    type: list
    elements: str
    default: []
  remove:
    description: Providers that leave the list, as names of hosts or groups.
    type: list
    elements: str
    default: []
  candidates:
    description: The providers that V(all) means.
    type: list
    elements: str
    default: []
  playing:
    description:
      - The hosts of the play. When given, C(chosen) has the hosts that O(add) and O(remove) name, and it is an error
        when one of them is not among these.
    type: list
    elements: str
  concurrency:
    description: How many network copies may run at the same time. A whole number greater than 0.
    type: raw
    required: true
  verify:
    description: How copies are verified. V(hash) needs more workers.
    type: str
    choices: [none, size, hash]
    default: size
  forks:
    description: The number of workers of the run.
    type: int
    required: true
  known_hosts:
    description: The hosts of the inventory.
    type: list
    elements: str
    required: true
  groups:
    description: The groups of the inventory with their hosts.
    type: dict
    default: {}
"""

EXAMPLES = r"""
---
- name: Check what was asked for
  fanout.hyperv.distribution_check:
    template: win11-gold
    source: hv01
    concurrency: 4
    forks: "{{ ansible_forks }}"
    known_hosts: "{{ groups['all'] }}"
  run_once: true
"""

RETURN = r"""
concurrency:
  description: The concurrency as a number.
  type: int
  returned: success
  sample: 4
throttle:
  description: How many hosts should be in work at the same time, so that the copies never wait for anything else.
  type: int
  returned: success
  sample: 8
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.distribution_check import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
