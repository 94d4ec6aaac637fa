#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: guest
short_description: Make guests of a template's copy on a Hyper-V host, or make them anew
version_added: 0.1.0
description:
  - Makes virtual machines of the verified copy of a template on the same host, by number or by names.
  - With O(state=recreated) guests that were made from another revision are shut down, removed with their files, and
    made anew under the same name from the copy of O(revision).
  - Makes what is missing and changes nothing else. A run that was killed is continued by the next one.
  - A guest is known by the stamp in its notes. A virtual machine of a guest's name without it is never touched; nothing
    at all is done on that host then.
  - The template has to be generalised (sysprep), because every guest starts from the same disk.
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._connection
  - fanout.hyperv._attributes
  - fanout.hyperv._attributes.actiongroup_hyperv
  - fanout.hyperv._attributes.changing_module
options:
  template_id:
    description: The template's id, as M(fanout.hyperv.template_info) shows it.
    type: str
    required: true
  name:
    description: The template's name.
    type: str
    required: true
  revision:
    description: The revision of the copy that guests are made of. It has to be on the host, verified and unchanged.
    type: str
    required: true
  target_path:
    description: The folder below which copies lie. When left out, the host's default folder for virtual machines.
    type: str
  state:
    description:
      - V(present) makes guests that are not there.
      - V(recreated) makes outdated guests anew as well; without names all of them.
      - V(absent) shuts guests down and removes them with their files.
    type: str
    choices: [present, recreated, absent]
    default: present
  names:
    description: The exact names of the guests.
    type: list
    elements: str
  count:
    description: How many guests there are to be; O(pattern) gives their names. Guests beyond that number stay.
    type: int
  pattern:
    description:
      - The pattern for names. It knows C({template}), C({provider}), which is the inventory name, C({index}), and
        C({index:03}) for a number with three digits. Numbers begin with 1.
    type: str
    default: "{template}-{provider}-{index:03}"
  kind:
    description:
      - V(full) guests have disks of their own. They are imported from an export of the copy that is made on this host
        once, and removed when it is not needed any more.
      - V(linked) guests are new virtual machines with the copy's settings, on differencing disks over the copy's
        disks. The copy stays as long as one of them is there.
      - When left out, what a guest that is made anew was before, else V(full).
    type: str
    choices: [full, linked]
  memory_mb:
    description: Memory in MiB. When left out, as the guest was made before, else as the copy has it.
    type: int
  processors:
    description: Number of virtual processors. When left out, as with O(memory_mb).
    type: int
  switch:
    description: The switch for all network adapters. When left out, as with O(memory_mb).
    type: str
  vlan:
    description: The VLAN of all network adapters; 0 is none. When left out, as with O(memory_mb).
    type: int
  start:
    description: Whether a guest is started when it is made. When left out, as with O(kind), else V(true).
    type: bool
  guest_path:
    description: The folder below which guests lie. When left out, as with O(kind), else O(target_path).
    type: str
  everything:
    description: With O(state=recreated), make guests anew also when they are up to date.
    type: bool
    default: false
  keep_macs:
    description:
      - With O(state=recreated), give the new guest the MAC addresses of the old one, as static ones. Each network
        adapter needs a name of its own for that.
    type: bool
    default: false
  keep_export:
    description: Keep the export of the copy for further full guests.
    type: bool
    default: false
  turn_off:
    description:
      - Turn a guest off that has not shut down within O(shutdown_timeout) seconds. What it has not written is lost.
      - Without it such a guest is a failure, and is not touched any further.
    type: bool
    default: false
  shutdown_timeout:
    description: How many seconds a guest has to shut down.
    type: float
    default: 300.0
  timeout:
    description: Longest time for an export of the copy and for one import, in seconds.
    type: float
    default: 86400.0
  lease_timeout:
    description: Longest time to wait while somebody else works on this template's copies and guests here, in seconds.
    type: float
    default: 3600.0
  lease_seconds:
    description: After how many seconds of silence the work of another control node counts as abandoned.
    type: float
    default: 120.0
seealso:
  - module: fanout.hyperv.template_copy
  - module: fanout.hyperv.template_info
"""

EXAMPLES = r"""
---
- name: Four linked guests on each provider
  fanout.hyperv.guest:
    template_id: "{{ gold.templates[0].id }}"
    name: win11-gold
    revision: "{{ gold.templates[0].revision }}"
    target_path: D:\Templates
    count: 4
    kind: linked
    memory_mb: 8192

- name: Make two of them anew
  fanout.hyperv.guest:
    template_id: "{{ gold.templates[0].id }}"
    name: win11-gold
    revision: "{{ gold.templates[0].revision }}"
    target_path: D:\Templates
    names: [win11-gold-hv02-001, win11-gold-hv02-002]
    state: recreated
"""

RETURN = r"""
guests:
  description: The guests of the template on the host; before the change in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: The virtual machine's id., type: str, returned: always}
    name: {description: Its name., type: str, returned: always}
    state: {description: Its state., type: str, returned: always}
    revision: {description: The revision it was made from., type: str, returned: always}
    outdated: {description: Whether that is another one than O(revision)., type: bool, returned: always}
    finished: {description: Whether it was made to the end., type: bool, returned: always}
    folder: {description: Its folder; null when it was moved., type: str, returned: always}
    made: {description: What it was made with., type: dict, returned: always}
summary:
  description: How many guests there are, and how many of them are outdated.
  returned: success
  type: dict
  sample: {count: 4, outdated: 0}
made:
  description: The names of the guests that were made or finished.
  returned: changed
  type: list
  elements: str
  sample: [win11-gold-hv02-001]
removed:
  description: The ids of the guests that were removed.
  returned: changed
  type: list
  elements: str
  sample: []
notes:
  description: What was found or left on the way.
  returned: changed
  type: list
  elements: str
  sample: []
plan:
  description: The steps that are or would be taken.
  returned: changed
  type: list
  elements: str
  sample: [make win11-gold-hv02-001 (linked)]
error:
  description: Code, layer, message, cause, remedy and whether it is transient.
  returned: failure
  type: dict
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.guest import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
