#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_move
short_description: Move a virtual machine with its storage to another host
version_added: 0.1.0
description:
  - Moves a virtual machine with its storage by Live Migration. A move of it that is running already is waited for, not
    started twice.
  - When a host's limit of simultaneous migrations is reached, the task waits for room.
  - Whether the move succeeded is decided by looking where the virtual machine is, on both hosts if O(destination) or
    O(destination_connection) says how the destination is reached, else on the source.
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._connection
  - fanout.hyperv._connection.destination
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
  destination_host:
    description:
      - The name by which the source reaches the destination, as a rule its full DNS name.
    type: str
    required: true
  destination_path:
    description:
      - The folder on the destination. It is made when it is not there and it is known how the destination is reached.
    type: str
    required: true
  destination:
    description:
      - The inventory name of the destination. Its own inventory variables say how it is reached.
    type: str
  timeout:
    description:
      - How many seconds the move may take.
    type: float
    default: 86400.0
  limit_timeout:
    description:
      - How many seconds to wait while a host's limit of simultaneous migrations is reached.
    type: float
    default: 3600.0
seealso:
  - module: fanout.hyperv.host_info
"""

EXAMPLES = r"""
---
- name: Move a virtual machine
  fanout.hyperv.vm_move:
    name: web01
    destination: hv03
    destination_host: hv03.example.com
    destination_path: D:\VMs\web01
"""

RETURN = r"""
vm:
  description: The virtual machine.
  returned: success
  type: dict
  sample:
    id: 0b9d2a5e-3f1c-4a77-9c1d-5e6f7a8b9c0d
    name: web01
destination_host:
  description: Where it is.
  returned: success
  type: str
  sample: hv03.example.com
adopted:
  description: Whether a move that was running already was waited for.
  returned: success
  type: bool
  sample: false
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.vm_move import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
