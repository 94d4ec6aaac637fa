#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: staging_clean
short_description: Clean the staging folder of a template
version_added: 0.1.0
description:
  - Removes clones that nobody works with any more, and exports of revisions that are not to be kept.
  - Only folders that this collection made for this template are looked at. Clones whose move is running are left alone.
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._connection
  - fanout.hyperv._attributes
  - fanout.hyperv._attributes.actiongroup_hyperv
  - fanout.hyperv._attributes.changing_module
options:
  template_id:
    description: The template's id.
    type: str
    required: true
  staging_path:
    description: The staging folder on this host.
    type: str
    required: true
  keep:
    description: Revisions whose exports stay.
    type: list
    elements: str
    default: []
  wait:
    description: How long to wait for the export lease of this host, in seconds.
    type: float
    default: 0.0
  lease_seconds:
    description: After how many seconds of silence the work of another control node counts as abandoned.
    type: float
    default: 120.0
"""

EXAMPLES = r"""
---
- name: Clean up on the source
  fanout.hyperv.staging_clean:
    template_id: "{{ gold.templates[0].id }}"
    staging_path: D:\Staging
    keep:
      - "{{ gold.templates[0].revision }}"
"""

RETURN = r"""
left:
  description: What could not be removed now, because it is not known or still in use.
  type: list
  elements: str
  returned: changed
  sample: []
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.staging_clean import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
