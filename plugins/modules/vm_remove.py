#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_remove
short_description: Remove a copy of a template
version_added: 0.1.0
description:
  - Removes a virtual machine that this collection made (a copy of a template, or a guest made from one), with the files
    that it has in its own folder, the documents of this collection there, and folders that are empty then.
  - Every other virtual machine is refused, as is one that runs or whose disks another virtual machine needs.
  - Files in other folders are left where they are.
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._connection
  - fanout.hyperv._attributes
  - fanout.hyperv._attributes.actiongroup_hyperv
  - fanout.hyperv._attributes.changing_module
options:
  id:
    description:
      - The id of the virtual machine.
    type: str
    required: true
seealso:
  - module: fanout.hyperv.vm_info
"""

EXAMPLES = r"""
---
- name: Remove a copy
  fanout.hyperv.vm_remove:
    id: 0b9d2a5e-3f1c-4a77-9c1d-5e6f7a8b9c0d
"""

RETURN = r"""
vm:
  description: The virtual machine that was removed.
  returned: changed
  type: dict
  sample:
    id: 0b9d2a5e-3f1c-4a77-9c1d-5e6f7a8b9c0d
    name: win11-gold
files:
  description: The disks' files that were deleted.
  returned: changed
  type: list
  elements: str
  sample: []
kept_files:
  description: The disks' files that lie in other folders and were left there.
  returned: changed
  type: list
  elements: str
  sample: []
left:
  description: What lies in its folder and is not ours.
  returned: changed
  type: list
  elements: str
  sample: []
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.vm_remove import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
