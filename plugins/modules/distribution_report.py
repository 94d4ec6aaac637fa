#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_report
short_description: How a distribution ended
version_added: 0.1.0
description:
  - From the plan and the results of the copies to lists of providers that are OK, failed or not available.
  - Asks no host.
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
  plan:
    description: What M(fanout.hyperv.distribution_plan) returned.
    type: dict
    required: true
  steps:
    description:
      - What M(fanout.hyperv.template), M(fanout.hyperv.staging_clean) and M(fanout.hyperv.vm_export) returned, in loops
        over the plans.
    type: list
    elements: dict
    default: []
  copies:
    description:
      - What M(fanout.hyperv.template_copy) returned for each provider, by inventory name; in a loop over its part of
        C(jobs).
    type: dict
    default: {}
"""

EXAMPLES = r"""
---
- name: Report
  fanout.hyperv.distribution_report:
    source_name: hv01
    plan: "{{ plan }}"
    copies: "{{ copies }}"
  run_once: true
"""

RETURN = r"""
summary:
  description:
    - Names of the providers that are OK, and sentences by name for those that are not, with counts of both.
    - RV(ignore:summary.errors) has the code, the message and the remedy for each provider that is not OK.
    - For several templates a list of these in RV(ignore:summary.templates).
  type: dict
  returned: success
  sample:
    template: win11-gold
    revision: 985f74d2bff0
    source: hv01
    counts: {ok: 1, failed: 0, not_available: 1, removed: 0}
    errors:
      hv03: {code: CONNECTION_REFUSED, message: "hv03: the connection was refused", remedy: "Check that ..."}
    providers: 2
    ok: [hv02]
    failed: {}
    not_available:
      hv03: "Not available: ..."
    not_in_list: []
records:
  description: What is to be recorded, as options of M(fanout.hyperv.template).
  type: list
  elements: dict
  returned: success
left:
  description: By template, the providers whose copies should have gone and have not.
  type: dict
  returned: success
problems:
  description: By inventory name, why a provider is not OK.
  type: dict
  returned: success
untold:
  description: Names in RV(problems) whose own task has not failed.
  type: list
  elements: str
  returned: success
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.distribution_report import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
