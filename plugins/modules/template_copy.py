#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: template_copy
short_description: Supply one Hyper-V host with a template
version_added: 0.1.0
description:
  - Clones the exported template on its source, moves the clone to the target by Live Migration, verifies it there and
    gives it the template's name last. A virtual machine with the template's name is a verified one.
  - The task's host is the target. Run it for all targets with C(throttle) at twice O(concurrency); the module itself
    sees to it that at most O(concurrency) moves of a run are in flight.
  - What is there already is kept. A copy that has arrived is verified and named, a move that is still running is
    adopted, and what an abandoned attempt has left is cleaned up.
  - Never touches a virtual machine that is not a copy made by this collection, whatever its name is.
author:
  - The fanout.hyperv authors (@fanout-hyperv)
extends_documentation_fragment:
  - fanout.hyperv._connection
  - fanout.hyperv._connection.source
  - fanout.hyperv._attributes
  - fanout.hyperv._attributes.actiongroup_hyperv
  - fanout.hyperv._attributes.changing_module
options:
  state:
    description:
      - V(present) supplies the host with the template.
      - V(absent) removes the copies of the template that this collection made there, with their files and what attempts
        have left; nothing else. It is refused while another virtual machine needs a disk of the copy.
    type: str
    choices: [present, absent]
    default: present
  template_id:
    description: The template's id, as M(fanout.hyperv.template_info) shows it.
    type: str
    required: true
  name:
    description: The template's name, which the copy gets.
    type: str
    required: true
  revision:
    description:
      - The revision that the copy is to be. A complete export of it has to lie on the source.
      - Required with O(state=present).
    type: str
  source:
    description:
      - Inventory name of the source. Its own inventory variables say how it is reached.
      - Without an inventory use O(source_connection).
    type: str
  staging_path:
    description: The folder on the source that M(fanout.hyperv.vm_export) exported to.
    type: str
    required: true
  target_path:
    description:
      - The folder on the target below which copies lie. When left out, the host's default folder for virtual machines.
    type: str
  migration_host:
    description:
      - The name by which the source reaches the target for Live Migration. When left out, the target's own DNS name.
    type: str
  concurrency:
    description:
      - How many moves of a run may be in flight at the same time, a whole number greater than 0. Moves that are adopted
        count.
    type: int
    default: 2
  clones:
    description:
      - How many clones may exist on the source at the same time, a whole number greater than 0. When left out, one more
        than O(concurrency).
    type: int
  verify:
    description:
      - How the copy is verified. With V(hash), a copy that is there already is read and compared as well; with the
        others it counts as right as long as its baseline says so.
      - V(none) looks whether its disks are there and lie in its own folder.
      - V(size) compares virtual size, identifier and file size of each disk as well, and has the host test it.
      - V(hash) compares the SHA-256 of each disk file as well.
    type: str
    choices: [none, size, hash]
    default: size
  clone_timeout:
    description: Longest time for the clone, in seconds.
    type: float
    default: 86400.0
  move_timeout:
    description: Longest time for the move, in seconds. A move that takes longer goes on and is adopted by the next run.
    type: float
    default: 86400.0
  limit_timeout:
    description: Longest time to wait while a host is at its limit of simultaneous migrations, in seconds.
    type: float
    default: 3600.0
  lease_seconds:
    description: After how many seconds of silence the work of another control node counts as abandoned.
    type: float
    default: 120.0
  keep:
    description:
      - The revisions whose copies stay beside the current one. Copies of other revisions go as soon as nothing depends
        on them.
      - A copy that is kept is off, renamed, and marked in its Notes. When its revision is asked for again, it is
        compared with its
        baseline, stamped and named, and nothing is copied.
      - Left out, the copies that are marked so stay, and none is marked.
    type: list
    elements: str
  problem:
    description:
      - What is known to stand against this provider. The task fails with it and does nothing.
      - The role P(fanout.hyperv.distribute#role) uses it for what its plan has found.
    type: str
  remove_guests:
    description:
      - With O(state=absent), remove the guests of the template that need a disk of the copy, too. They have to be off.
    type: bool
    default: false
  retries:
    description:
      - How often it is tried again after an error that may pass by itself, such as a lost connection or a busy host.
      - The hosts are asked before each try what is there; a move that still runs is adopted, never started twice.
      - Limits that you have set (O(move_timeout), O(clone_timeout), O(limit_timeout)) are not waited for again.
    type: int
    default: 2
  retry_delay:
    description:
      - Seconds before the first such try. Each further pause is twice as long as the one before, up to 300 seconds.
      - No slot for a clone or a copy is held meanwhile.
    type: float
    default: 10.0
  adopt:
    description:
      - Whether a copy whose stamp is gone from its Notes is verified against the export and stamped again.
      - Only one that lies in our folder and that the baseline there names. Without this it is an error, and left alone.
    type: bool
    default: false
seealso:
  - module: fanout.hyperv.vm_export
  - module: fanout.hyperv.template_info
"""

EXAMPLES = r"""
---
- name: Supply the targets, four moves at a time
  fanout.hyperv.template_copy:
    template_id: "{{ gold.templates[0].id }}"
    name: win11-gold
    revision: "{{ gold.templates[0].revision }}"
    source: hv01
    staging_path: D:\Staging
    target_path: D:\Templates
    concurrency: 4
  throttle: 8
"""

RETURN = r"""
vm_id:
  description: The id of the copy on the target.
  type: str
  returned: when the copy is there
  sample: 0b9d2a5e-3f1c-4a77-9c1d-5e6f7a8b9c0d
notes:
  description: What was found or left on the way.
  type: list
  elements: str
  returned: changed
  sample: []
left:
  description: With O(state=absent), files that are not ours, or lie in folders that are not, and were left.
  type: list
  elements: str
  returned: changed
  sample: []
reason:
  description:
    - Why an update was needed, as one word, V(no_copy), V(unverified), V(older), V(unstamped), V(started), V(moved),
      V(changed), V(damaged) or V(renamed).
  type: str
  returned: changed
  sample: older
reasons:
  description: The same as sentences.
  type: list
  elements: str
  returned: changed
  sample: ["It holds revision 4f1c0a9b8d7e."]
attempts:
  description: How often it was tried.
  type: int
  returned: changed
  sample: 1
plan:
  description: The steps that are or would be taken.
  type: list
  elements: str
  returned: changed
  sample: [clone revision 4f1c0a9b8d7e on hv01]
error:
  description: Code, layer, message, cause, remedy and whether it is transient.
  type: dict
  returned: failure
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.template_copy import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
