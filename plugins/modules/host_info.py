#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Survey a Hyper-V host
version_added: 0.1.0
description:
  - Tells what a Hyper-V host is and what it allows (computer, Windows, settings and limits of Live Migration, volumes,
    switches), and which of its virtual machines this collection has to do with.
  - With O(template_id) also what the host holds of that template.
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._connection
  - fanout.hyperv._attributes
  - fanout.hyperv._attributes.actiongroup_hyperv
  - fanout.hyperv._attributes.info_module
options:
  template_id:
    description:
      - The id of a template. The result then has RV(copy).
    type: str
  template_name:
    description:
      - The name of that template. Other virtual machines with this name are reported as conflicts.
    type: str
  revision:
    description:
      - The revision that the host should hold. Without it RV(copy.verdict) is V(unknown).
    type: str
  templates:
    description:
      - Several templates, each with its C(id), C(name) and C(revision). The result then has C(copies).
      - With C(keep), the list of the revisions whose copies stay beside the current one; without it those stay that are
        marked so.
      - With C(users) true, O(users) counts for this template.
    type: list
    elements: dict
    default: []
  target_path:
    description:
      - The folder below which copies lie. Without it the host's default folder for virtual machines.
    type: str
  users:
    description:
      - Whether RV(copy) tells in C(users) which virtual machines need disks of the copies. That asks for the disks of
        every virtual machine of the host.
    type: bool
    default: false
  tolerate_unreachable:
    description:
      - Whether a host that does not answer is a result (RV(reachable) is V(false), with RV(error)), not a failure.
    type: bool
    default: false
seealso:
  - module: fanout.hyperv.template_info
"""

EXAMPLES = r"""
---
- name: Survey all providers, whatever is wrong with some of them
  fanout.hyperv.host_info:
    tolerate_unreachable: true
  register: survey

- name: Look at the copy of a template
  fanout.hyperv.host_info:
    template_id: 0b9d2a5e-3f1c-4a77-9c1d-5e6f7a8b9c0d
    template_name: win11-gold
    revision: 4f1c09ab77de
    target_path: D:\VMs
  register: survey
"""

RETURN = r"""
reachable:
  description: Whether the host answered.
  returned: success
  type: bool
  sample: true
error:
  description: Why the host did not answer, V(null) when it did.
  returned: success
  type: dict
  sample: null
target_path:
  description: The folder below which copies lie.
  returned: success
  type: str
  sample: D:\VMs
host:
  description: The host; V(null) when it did not answer.
  returned: success
  type: dict
  contains:
    computer:
      description: DNS name, domain, UUID and Windows of the computer.
      type: dict
      returned: success
    identity:
      description: The same for every name by which the computer is reached.
      type: str
      returned: success
    fqdn:
      description: The name by which other hosts reach it.
      type: str
      returned: success
    auth:
      description: How the session to it was signed in, V(kerberos) for instance.
      type: str
      returned: success
    endpoint:
      description: The PowerShell endpoint that the session used.
      type: str
      returned: success
    subtype:
      description: V(standalone) or V(cluster_node).
      type: str
      returned: success
    settings:
      description: Hyper-V's settings, among them those of Live Migration.
      type: dict
      returned: success
    volumes:
      description: The mounted volumes with capacity and free space in bytes.
      type: list
      elements: dict
      returned: success
    switches:
      description: The virtual switches.
      type: list
      elements: dict
      returned: success
    migration_networks:
      description: The subnets for Live Migration.
      type: list
      elements: str
      returned: success
    vms:
      description: The virtual machines that carry a note of this collection.
      type: list
      elements: dict
      returned: success
    jobs:
      description: The migrations that are running.
      type: list
      elements: dict
      returned: success
    planned_vms:
      description: Virtual machines that broken imports or moves have left half made.
      type: list
      elements: dict
      returned: success
  sample:
    fqdn: hv02.example.com
    subtype: standalone
copy:
  description: What the host holds of the template; V(null) without O(template_id).
  returned: success
  type: dict
  contains:
    verdict:
      description:
        - V(current) for the unchanged copy of the revision, V(differs) when it was changed, else V(older), V(none) or
          V(unknown).
      type: str
      returned: success
    guests:
      description:
        - The guests of the template by their stamps. C(count) is how many there are, C(outdated) how many
          of them were made from another revision; C(items) is each of them as M(fanout.hyperv.guest) shows it.
      type: dict
      returned: success
    reasons:
      description: Why it is not taken for the copy of the revision.
      type: list
      elements: str
      returned: success
    copies:
      description: The copies.
      type: list
      elements: dict
      returned: success
    arrived:
      description: A copy that has arrived and was not verified yet.
      type: dict
      returned: success
    conflicts:
      description: Virtual machines that have the template's name and are not ours.
      type: list
      elements: dict
      returned: success
    foreign:
      description: Virtual machines that somebody cloned from a copy of ours. They are not ours.
      type: list
      elements: dict
      returned: success
    leftovers:
      description: Folders of attempts in which no virtual machine lies.
      type: list
      elements: dict
      returned: success
    leftover_bytes:
      description: The bytes in those folders.
      type: int
      returned: success
  sample:
    verdict: current
    reasons: []
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.host_info import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
