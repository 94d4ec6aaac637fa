#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_providers
short_description: List the providers of a template
version_added: 0.1.0
description:
  - From a plan to a list of all providers of the play. For each it says whether it can be a target and if not, why not;
    whether it is one, its state and progress, and the revision that it holds.
  - Prints the list as a table. Asks no host.
  - Used by the playbook C(fanout.hyperv.providers).
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._attributes
  - fanout.hyperv._attributes.info_module
options:
  plan:
    description: What M(fanout.hyperv.distribution_plan) returned.
    type: dict
    required: true
"""

EXAMPLES = r"""
---
- name: List the providers
  fanout.hyperv.distribution_providers:
    plan: "{{ plan }}"
  register: available
  run_once: true
"""

RETURN = r"""
templates:
  description: A list for each template of the plan.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The template's name.
      type: str
      returned: always
    error:
      description: Why nothing can be said about the template; V(null) otherwise.
      type: dict
      returned: always
    providers:
      description:
        - The providers, each with its C(provider) name, C(type), C(subtype) and C(system); C(eligible), which is
          V(null) when it does not answer; C(why) with all errors; C(listed) and C(leaving); C(state), C(progress) and
          C(revision).
      type: list
      elements: dict
      returned: always
"""
