#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_export
short_description: Export a virtual machine
version_added: 0.1.0
description:
  - Exports a virtual machine that is off, once per revision. A complete export of what the virtual machine is now is
    left as it is; an incomplete one in the staging folder is thrown away and made anew.
  - An export is complete when its manifest is there, which is written last, and all files have the sizes that it says.
  - State and revision are read again after the export. If they changed, the export is thrown away and the task fails.
  - In a staging folder one export at a time runs per host, also when several control nodes work with it.
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._connection
  - fanout.hyperv._attributes
  - fanout.hyperv._attributes.actiongroup_hyperv
  - fanout.hyperv._attributes.changing_module
options:
  name:
    description:
      - The exact name of the virtual machine.
    type: str
  id:
    description:
      - The id of the virtual machine. Needed when several have the same name.
    type: str
  path:
    description:
      - A folder on the host to export to. Hyper-V makes a folder of the virtual machine's name in it.
      - Without it the export goes to the template's place below the staging folder.
    type: str
  staging_path:
    description:
      - The staging folder. Only needed for a virtual machine that is not declared a template.
    type: str
  revision:
    description:
      - The revision that is expected. If the virtual machine has another one by now, the task fails.
      - Of a template, one that is pinned or was kept has its export already, whatever the virtual machine is by now.
    type: str
  keep_revisions:
    description:
      - How many revisions are kept besides the exported one, which is recorded as what providers should hold. Left out,
        as many as before.
    type: int
  hash:
    description:
      - Whether the manifest has to have the SHA-256 of all files. They are added when they are missing.
    type: bool
    default: false
  timeout:
    description:
      - How many seconds the export may take.
    type: float
    default: 86400.0
  lease_timeout:
    description:
      - How many seconds to wait for another export on the host.
    type: float
    default: 86400.0
  lease_seconds:
    description:
      - After how many seconds without a sign of life another control node may take over.
    type: float
    default: 120.0
seealso:
  - module: fanout.hyperv.template
"""

EXAMPLES = r"""
---
- name: Export a template into its staging folder
  fanout.hyperv.vm_export:
    name: win11-gold

- name: Export a virtual machine to a folder
  fanout.hyperv.vm_export:
    name: web01
    path: E:\Exports
    hash: true
"""

RETURN = r"""
export:
  description: The export.
  returned: success
  type: dict
  contains:
    vm_id:
      description: The id of the virtual machine.
      type: str
      returned: success
    revision:
      description: Its revision.
      type: str
      returned: success
    folder:
      description: The folder of the export.
      type: str
      returned: success
    vmcx:
      description: The configuration file, from which the export is imported.
      type: str
      returned: success
    manifest:
      description: The manifest.
      type: str
      returned: success
    size:
      description: The bytes of all files; before the export those of the disks.
      type: int
      returned: success
    hashed:
      description: Whether the manifest has the SHA-256 of all files.
      type: bool
      returned: success
  sample:
    folder: E:\Exports\web01
    revision: 4f1c09ab77de
    hashed: true
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.vm_export import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
