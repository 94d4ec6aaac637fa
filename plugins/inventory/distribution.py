# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups the providers of an inventory by how their distribution is."""

from __future__ import annotations

DOCUMENTATION = r"""
name: distribution
short_description: Groups of providers by state and progress, from status files
version_added: 0.1.0
author:
  - The fanout.hyperv authors (@fanout-hyperv)
description:
  - Reads the status files that P(fanout.hyperv.distribution_status#callback) writes, and puts the hosts that other
    inventory sources know into groups, so that C(--limit needs_update) runs a playbook for exactly those that need it.
  - The groups are C(ready), C(needs_update), C(not_available) by state, and C(ok), C(distributing), C(adding_provider),
    C(removing_provider), C(failed_to_distribute) by progress. All of them always exist, also without members.
  - It adds no host. A provider that only a status file knows has no connection variables, and would be reached under
    its bare name. So this source has to come after the ones that name the hosts.
  - A status file is a report. What a run does is decided by what the hosts show.
  - Each host gets the variables C(fanout_template), C(fanout_source), C(fanout_state), C(fanout_progress),
    C(fanout_reason), C(fanout_reasons), C(fanout_error), C(fanout_revision), C(fanout_attempts) and C(fanout_since).
    When several status files know the host it is in the groups of all of them, and these variables are about the
    distribution that most needs attention. C(fanout_distributions) is the list of all of them.
  - The source is a YAML file whose name ends with V(fanout.yml) or V(fanout.yaml).
options:
  plugin:
    description: Marks the file as one for this plugin.
    required: true
    choices: [fanout.hyperv.distribution]
  status:
    description:
      - Status files, folders of status files, or patterns (C(*), C(?)). A path that is not absolute starts at the
        folder of this inventory file. Without it O(status_dir).
    type: list
    elements: str
  status_dir:
    description:
      - The folder to which the callback writes, set in the same way as there.
      - Without it V(fanout-status) in the working directory, in AWX V(fanout) in the job's artifacts
        (E(AWX_ISOLATED_DATA_DIR)).
    type: path
    env:
      - name: FANOUT_STATUS_DIR
    ini:
      - section: callback_distribution_status
        key: status_dir
  templates:
    description: Names of templates. Distributions of others are left out.
    type: list
    elements: str
  prefix:
    description: What the names of the groups begin with, where your inventory has groups of these names already.
    type: str
    default: ""
  unknown_hosts:
    description:
      - What happens about providers of a status file that no other inventory source knows. They are never added.
      - V(warn) names them in a warning, V(ignore) says nothing.
    type: str
    choices: [warn, ignore]
    default: warn
"""

EXAMPLES = r"""
# status.fanout.yml, beside hosts.yml: the status files of playbooks run in this directory.
#   ansible-playbook fanout.hyperv.distribute -i hosts.yml -i status.fanout.yml --limit needs_update
#   ansible-inventory -i hosts.yml -i status.fanout.yml --graph
---
plugin: fanout.hyperv.distribution
---
# One template, from a folder that several people share; groups are called gold_needs_update and so on.
plugin: fanout.hyperv.distribution
status:
  - /srv/fanout/status
templates:
  - win11-gold
prefix: gold_
"""

import glob
import typing as t
from collections.abc import Iterable, Iterator
from pathlib import Path

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.fanout.hyperv.plugins.plugin_utils._grouping import (
    group_names,
    groups_of,
    told,
    variables_of,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Damaged, Document
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_file import StatusFile, default_folder, files

ENDINGS = ("fanout.yml", "fanout.yaml")


class InventoryModule(BaseInventoryPlugin):
    """Adds groups and variables to hosts that are known already."""

    NAME = "fanout.hyperv.distribution"

    def verify_file(self, path: str) -> bool:
        """Only files that say by their name that they are for this plugin."""
        return bool(super().verify_file(path)) and str(path).endswith(ENDINGS)

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Groups first, so that all exist; then the hosts that somebody else has named."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        prefix = str(self.get_option("prefix"))
        try:
            groups = group_names(prefix)
        except ValueError as error:
            raise AnsibleParserError(f"{path}: {error}") from error
        for group in groups.values():
            inventory.add_group(group)
        documents = list(self._documents(Path(path).resolve().parent))
        unknown = []
        for name, entries in told(documents, self.get_option("templates")).items():
            if name not in inventory.hosts:
                unknown.append(name)
                continue
            for group in groups_of(entries, prefix):
                inventory.add_host(name, group=group)
            # What hosts said stands in there: it must never be taken for a template.
            for key, value in variables_of(entries).items():
                inventory.set_variable(name, key, wrap_var(value))
        if unknown and self.get_option("unknown_hosts") == "warn":
            self.display.warning(
                f"{path}: no inventory source before this one knows {', '.join(unknown)}; they are in no group of it."
            )

    def _documents(self, beside: Path) -> Iterator[Document]:
        found = list(self._paths(beside))
        if not found:
            self.display.warning("There is no status file yet, so the groups by state and progress are empty.")
        for file in dict.fromkeys(found):
            try:
                document = StatusFile(path=file).read()
            except (Damaged, OSError) as error:
                self.display.warning(f"{file} is left out: {error}")
                continue
            if document is not None:
                yield document

    def _paths(self, beside: Path) -> Iterable[Path]:
        usual = str(self.get_option("status_dir") or default_folder())
        for text in self.get_option("status") or [usual]:
            path = beside / Path(text).expanduser()
            if path.is_dir():
                yield from files(path)
            elif path.exists():
                yield path
            else:
                yield from (Path(match) for match in sorted(glob.glob(str(path))))
