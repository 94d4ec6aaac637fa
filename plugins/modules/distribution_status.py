#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_status
short_description: Shows how a distribution is
version_added: 0.1.0
description:
  - Prints the table of a template's providers, with what to do about errors, from its status file.
  - With O(plan) what the hosts have shown is put into the status file before. Nothing is changed on any host.
  - Always runs on the control node; no connection is made.
  - Used by the playbook C(fanout.hyperv.status).
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._attributes
  - fanout.hyperv._attributes.info_module
options:
  templates:
    description:
      - Names of templates. Without any, all templates of the folder.
      - Not needed with O(plan).
    type: list
    elements: str
    default: []
  source:
    description:
      - Inventory name of the host on which the template lives. Needed only when several hosts have a template of that
        name.
    type: str
  plan:
    description:
      - What M(fanout.hyperv.distribution_plan) returned. Only what it says about the hosts is used.
    type: dict
  status_dir:
    description:
      - The folder of the status files. Without it that of the callback P(fanout.hyperv.distribution_status#callback).
    type: path
seealso:
  - plugin: fanout.hyperv.distribution_status
    plugin_type: lookup
  - plugin: fanout.hyperv.distribution_status
    plugin_type: callback
"""

EXAMPLES = r"""
---
- name: What is known
  fanout.hyperv.distribution_status:
    templates: [win11-gold]
  run_once: true
"""

RETURN = r"""
status:
  description: For each template its document, as docs/status_file.md describes it.
  type: list
  elements: dict
  returned: success
"""
