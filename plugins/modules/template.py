#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: template
short_description: Declare a virtual machine a template
version_added: 0.1.0
description:
  - Declares a virtual machine a template that can be distributed, changes what is recorded of it, or takes it back.
  - What was asked for is recorded in a file in the staging folder on the host. The virtual machine's notes get one line
    that says that it is a template and where that file is; what people wrote there stays.
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
  state:
    description:
      - V(present) declares the template, V(absent) takes it back; the virtual machine itself stays in either case.
    type: str
    choices:
      - present
      - absent
    default: present
  multi_provider:
    description:
      - Whether the template is distributed to several providers. When it is created, V(true) if left out.
      - This is fixed when the template is created. To change it the template has to be deleted (O(state=absent)) and
        recreated.
    type: bool
  targets:
    description:
      - The inventory names of the providers that are to hold the template. Left out, the list stays as it is.
      - What happens to the copies of providers that leave the list is said by O(unlisted).
    type: list
    elements: str
  add:
    description:
      - The inventory names of providers that join the list.
    type: list
    elements: str
    default: []
  remove:
    description:
      - The inventory names of providers that leave the list and are recorded for the removal of their copies.
    type: list
    elements: str
    default: []
  unlisted:
    description:
      - What is recorded of providers that are no longer in O(targets).
      - V(keep) says that they may hold a copy, V(remove) that their copies are to be removed.
    type: str
    choices: [keep, remove]
    default: keep
  removed:
    description:
      - The inventory names of providers whose copies were removed, so that nothing more has to be known of them.
    type: list
    elements: str
    default: []
  supplied:
    description:
      - The providers of the list that have got their copy. The identity of the computer
        (RV(fanout.hyperv.host_info#module:host.identity)) by inventory name.
    type: dict
    default: {}
  revision:
    description:
      - The revision that providers should hold from now on, whatever the template is by then, until V(latest) takes
        that back.
      - One that is current or was kept, or as many of its first characters as mean only one. Refused in maintenance.
      - Left out, it stays as it is. The playbook C(fanout.hyperv.rollback) uses it.
    type: str
  keep_revisions:
    description:
      - How many of the revisions that were kept are recorded still. Left out, all.
      - While a revision is pinned, the one that was current before it is kept in any case.
    type: int
  staging_path:
    description:
      - The folder on the host below which record, export and clones lie. Without it the host's default folder for
        virtual machines.
      - This is fixed when the template is created.
    type: str
  keep_copies:
    description:
      - With O(state=absent), take the template back even though providers may hold copies of it. The copies stay.
    type: bool
    default: false
  lease_seconds:
    description:
      - After how many seconds of silence the work of another control node counts as abandoned.
    type: float
    default: 120.0
seealso:
  - module: fanout.hyperv.template_info
"""

EXAMPLES = r"""
---
- name: Declare a template for three providers
  fanout.hyperv.template:
    name: win11-gold
    targets: [hv02, hv03, hv04]
    staging_path: D:\Staging

- name: Take it back
  fanout.hyperv.template:
    name: win11-gold
    state: absent
"""

RETURN = r"""
template:
  description: The template.
  returned: success and O(state=present)
  type: dict
  contains:
    id:
      description: Its id, the one of the virtual machine.
      type: str
      returned: success
    name:
      description: Its name.
      type: str
      returned: success
    staging_path:
      description: The staging folder.
      type: str
      returned: success
    record:
      description: What is recorded of it.
      type: dict
      returned: success
  sample:
    id: 0b9d2a5e-3f1c-4a77-9c1d-5e6f7a8b9c0d
    name: win11-gold
    staging_path: D:\Staging
left:
  description: Files and folders below the template's staging folder that are not ours and stayed there.
  returned: changed and O(state=absent)
  type: list
  elements: str
  sample: []
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.template import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
