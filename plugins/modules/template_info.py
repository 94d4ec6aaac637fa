#!/usr/bin/python
# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: template_info
short_description: Tell about the templates of a Hyper-V host
version_added: 0.1.0
description:
  - Lists the templates of a host with their record, their revision, their export and the clones that are on their way.
  - A virtual machine that is asked for by O(name) or O(id) is described also when it is not declared a template, with
    everything that would stand in the way of distributing it.
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
      - Only virtual machines with exactly this name.
    type: str
  id:
    description:
      - Only the virtual machine with this id.
    type: str
  names:
    description:
      - Only virtual machines with exactly these names. What is wrong with one is told in RV(errors) and hides no other.
    type: list
    elements: str
  staging_path:
    description:
      - The staging folder of a virtual machine that is not declared a template yet.
    type: str
  keep_revisions:
    description:
      - How many revisions are to be kept beside the current one, which decides about RV(templates[].kept). Left out, as
        many as recorded.
    type: int
  pin:
    description:
      - Tell what would be so if this was recorded as O(fanout.hyperv.template#module:revision).
    type: str
  survey:
    description:
      - Survey the host, too. The result then has RV(source).
      - A host that does not answer is then a result (RV(source.reachable) is V(false)), not a failure.
    type: bool
    default: false
  users:
    description:
      - Whether RV(asked) is to ask other hosts which virtual machines need disks of their copies.
    type: bool
    default: false
seealso:
  - module: fanout.hyperv.template
"""

EXAMPLES = r"""
---
- name: List all templates of the host
  fanout.hyperv.template_info:
  register: info

- name: See what stands in the way of distributing a virtual machine
  fanout.hyperv.template_info:
    name: win11-gold
  register: info
"""

RETURN = r"""
source:
  description: What M(fanout.hyperv.host_info) returns of the host.
  returned: with O(survey)
  type: dict
  contains:
    reachable:
      description: Whether the host answered.
      returned: always
      type: bool
      sample: true
asked:
  description:
    - Id, name, the revision that is wanted and those that are kept of each, as
      O(fanout.hyperv.host_info#module:templates) takes them.
  returned: success
  type: list
  elements: dict
  sample: []
errors:
  description: With O(names), why nothing can be told about a name. By name, in the form of RV(ignore:error).
  returned: success
  type: dict
  sample: {}
templates:
  description: The templates; an empty list when there are none.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id.
      type: str
      returned: success
    name:
      description: The name.
      type: str
      returned: success
    state:
      description: The state of the virtual machine.
      type: str
      returned: success
    busy:
      description: Whether an operation holds it.
      type: bool
      returned: success
    declared:
      description: Whether it is declared a template.
      type: bool
      returned: success
    staging_path:
      description: The staging folder.
      type: str
      returned: success
    stamp:
      description: What its notes say.
      type: dict
      returned: success
    maintenance:
      description: Who has it in maintenance (C(by), C(since), C(checkpoint), its C(revision) then), or V(null).
      type: dict
      returned: success
    record:
      description: What is recorded of it, V(null) if nothing.
      type: dict
      returned: success
    revision:
      description:
        - The fingerprint of what it is now, in maintenance of what it was before.
        - V(null) when its disks do not show what they are.
      type: str
      returned: success
    wanted:
      description:
        - The revision that providers should hold. It is RV(templates[].revision), unless another one is pinned.
      type: str
      returned: success
    pinned:
      description: Whether that revision stays the wanted one, whatever the template is by then.
      type: bool
      returned: success
    kept:
      description: The other revisions whose copies and exports stay, the one that was current last first.
      type: list
      elements: str
      returned: success
    staged:
      description: The revisions that have a folder in the staging folder.
      type: list
      elements: str
      returned: success
    settings:
      description: What the revision is made of.
      type: dict
      returned: success
    needs:
      description: What it needs of a provider.
      type: dict
      returned: success
    definition:
      description: Processors, memory, firmware, adapters, drives, disks and checkpoints.
      type: dict
      returned: success
    findings:
      description: What forbids its distribution, or deserves attention.
      type: list
      elements: dict
      returned: success
    export:
      description: The export of the wanted revision; RV(templates[].export.complete) says whether it can be used.
      type: dict
      returned: success
      contains:
        complete:
          description: Whether all files of the export are there in their sizes.
          type: bool
          returned: success
    clones:
      description: The clones that are on their way to providers.
      type: list
      elements: dict
      returned: success
  sample:
    - id: 0b9d2a5e-3f1c-4a77-9c1d-5e6f7a8b9c0d
      name: win11-gold
      revision: 4f1c09ab77de
      findings: []
"""

from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_module
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.template_info import OPERATION


def main() -> None:
    """Run the operation of the same name."""
    run_module(OPERATION)


if __name__ == "__main__":
    main()
