#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_info
short_description: List virtual machines of a Hyper-V host
version_added: 0.1.0
description:
  - Lists the virtual machines of a Hyper-V host, with what this collection has noted on them.
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._connection
  - fanout.hyperv._attributes
  - fanout.hyperv._attributes.actiongroup_hyperv
  - fanout.hyperv._attributes.info_module
options:
  name:
    description:
      - Only the virtual machines with exactly this name. Names are not unique in Hyper-V, so there may be several.
      - The characters C(*), C(?) and C([) stand for themselves.
    type: str
  id:
    description:
      - Only the virtual machine with this id.
    type: str
  definition:
    description:
      - Whether to read the definition of each virtual machine, too (processors, memory, firmware, adapters, drives,
        disks, checkpoints). This takes several questions per virtual machine.
    type: bool
    default: false
seealso:
  - module: fanout.hyperv.host_info
  - module: fanout.hyperv.template_info
"""

EXAMPLES = r"""
---
- name: List all virtual machines
  fanout.hyperv.vm_info:
  register: all_vms

- name: Look at one, with its disks
  fanout.hyperv.vm_info:
    name: win11-gold
    definition: true
  register: gold

- name: Ask a host that is not in the inventory
  fanout.hyperv.vm_info:
    server: hv01.example.com
    username: EXAMPLE\operator
    password: "{{ vault_operator_password }}"
  delegate_to: localhost
"""

RETURN = r"""
vms:
  description:
    - The virtual machines; an empty list when none was found.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id of the virtual machine.
      type: str
      returned: success
    name:
      description: Its name.
      type: str
      returned: success
    state:
      description: Its state.
      type: str
      returned: success
    notes:
      description: Its notes.
      type: str
      returned: success
    stamp:
      description:
        - What this collection has noted on it, V(null) when it is not one of ours.
      type: dict
      returned: success
    foreign_stamp:
      description:
        - A note of this collection that is about another virtual machine, from which this one was cloned. It does not
          make this one ours.
      type: dict
      returned: success
    definition:
      description: Processors, memory, firmware, adapters, drives, disks and checkpoints.
      type: dict
      returned: O(definition=true)
  sample:
    - id: 0b9d2a5e-3f1c-4a77-9c1d-5e6f7a8b9c0d
      name: win11-gold
      state: "Off"
      stamp:
        kind: template
        template_name: win11-gold
      foreign_stamp: null
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.vm_info import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
