#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: template_maintenance
short_description: Take a template into maintenance and out of it
version_added: 0.1.0
description:
  - While a template is in maintenance it is not exported or distributed and its guests are not made anew. Every
    controller sees who changes it and since when, because the mark is in the notes of the template VM.
  - When it leaves maintenance its revision is computed anew. It tells whether the template was changed.
  - A template is not taken into maintenance while it is being exported, or while clones of it are made or moved.
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
      - The name of the template VM, compared as it is.
      - One of O(name) and O(id) is required.
    type: str
  id:
    description:
      - The id of the template VM.
    type: str
  state:
    description:
      - Whether maintenance begins or ends. To end it the VM has to be off.
    type: str
    choices: [enter, exit]
    required: true
  by:
    description:
      - Who changes the template, for those who are refused meanwhile.
      - The name of this controller when it is left out.
    type: str
  checkpoint:
    description:
      - Whether a checkpoint is made on entering. It is removed, and its merge waited for, on leaving.
    type: bool
    default: false
  discard:
    description:
      - Whether the VM goes back to that checkpoint on leaving. What was changed since is lost.
    type: bool
    default: false
  merge_timeout:
    description:
      - Seconds that the merge of the checkpoint's disks may take.
    type: float
    default: 14400
  lease_seconds:
    description:
      - Seconds after which a silent holder of the source's export lease counts as dead.
    type: float
    default: 120
seealso:
  - module: fanout.hyperv.template
  - module: fanout.hyperv.template_info
"""

EXAMPLES = r"""
---
- name: Nobody distributes the template while it is updated
  fanout.hyperv.template_maintenance:
    name: win11-gold
    state: enter
    checkpoint: true

- name: It is ready again
  fanout.hyperv.template_maintenance:
    name: win11-gold
    state: exit
  register: left

- name: All changes are undone
  fanout.hyperv.template_maintenance:
    name: win11-gold
    state: exit
    discard: true
"""

RETURN = r"""
maintenance:
  description: Who has the template in maintenance; null when nobody has.
  returned: success
  type: dict
  sample:
    by: anna
    since: "2026-11-20T13:09:00+00:00"
    checkpoint: fanout.hyperv 2026-11-20T13:09:00+00:00
targets:
  description: The providers in the template's distribution list.
  returned: success
  type: list
  elements: str
  sample: [hv02, hv03]
pinned:
  description: Whether the providers keep an older revision, which is pinned, whatever the template is by now.
  returned: success
  type: bool
  sample: false
revision:
  description: The revision now. Null where it cannot be told, and on leaving in check mode.
  returned: success
  type: str
  sample: 4f1c9ab0d2e3
previous_revision:
  description: The revision when maintenance began; when it has ended already, the one that was distributed last.
  returned: when O(state=exit)
  type: str
  sample: 9ab0d2e34f1c
template_changed:
  description: Whether the two differ, so that every provider needs an update.
  returned: when O(state=exit)
  type: bool
  sample: true
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.template_maintenance import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
