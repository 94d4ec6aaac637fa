#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_plan
short_description: Plan in which order guests are made anew
version_added: 0.1.0
description:
  - Puts the outdated guests of all providers into waves, from what the surveys brought. Asks no host.
  - Refuses while the template is in maintenance.
  - Every provider gets its turn before one gets more. Guests that are down although they should run go first.
  - Used by the role P(fanout.hyperv.recreate#role).
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._attributes
  - fanout.hyperv._attributes.info_module
options:
  source_name:
    description: Inventory name of the host on which the template lives.
    type: str
    required: true
  template_name:
    description: Name of the template, for messages.
    type: str
    required: true
  templates:
    description: What M(fanout.hyperv.template_info) returned.
    type: dict
    required: true
  surveys:
    description: What M(fanout.hyperv.guest) returned for each provider, by inventory name.
    type: dict
    required: true
  revision:
    description:
      - The revision that guests should have. When left out, the one that the template's record names, which is the one
        that was distributed last.
    type: str
  exclude:
    description: Names of guests that are left out; C(*) stands for anything.
    type: list
    elements: str
    default: []
  everything:
    description: Make guests anew also when they are up to date.
    type: bool
    default: false
  serial:
    description: How many guests of one provider are made anew together.
    type: int
    default: 1
  serial_total:
    description: How many guests of all providers are made anew together, as a number or a percentage of all guests.
    type: str
  max_unavailable:
    description:
      - How many guests may be unavailable at the same time, as a number or a percentage of all guests. Guests that are
        down although they should run count.
    type: str
seealso:
  - module: fanout.hyperv.guest
"""

EXAMPLES = r"""
---
- name: Plan
  fanout.hyperv.guest_plan:
    source_name: hv01
    template_name: win11-gold
    templates: "{{ templates }}"
    surveys: "{{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars, 'survey'))) }}"
    serial: 2
    max_unavailable: 25%
  run_once: true
"""

RETURN = r"""
waves:
  description: The guests that are made anew together, by provider, one dictionary per wave.
  returned: success
  type: list
  elements: dict
  sample: [{hv02: [win11-gold-hv02-001], hv03: [win11-gold-hv03-001]}]
template:
  description: The template's id, name, revision and staging path.
  returned: success
  type: dict
guests:
  description: The guests of each provider that answered, as M(fanout.hyperv.guest) shows them.
  returned: success
  type: dict
total:
  description: How many guests there are.
  returned: success
  type: int
recreated:
  description: How many of them are made anew.
  returned: success
  type: int
problems:
  description: The error of each provider that did not answer.
  returned: success
  type: dict
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.guest_plan import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
