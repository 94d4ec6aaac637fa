# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the status files say, for conditions, messages and tickets."""

from __future__ import annotations

DOCUMENTATION = r"""
name: distribution_status
short_description: Reads the status file of a distribution
version_added: 0.1.0
author:
  - The fanout.hyperv authors (@fanout-hyperv)
description:
  - Returns for each template the document that the callback P(fanout.hyperv.distribution_status#callback) keeps.
    C(docs/status_file.md) describes it field by field; besides, each provider has its C(name).
  - What a run that was killed had under way is shown as failed, the run as C(interrupted).
  - Reads files of the control node. No host is asked; the playbook C(fanout.hyperv.status) asks them.
options:
  _terms:
    description:
      - Names of templates. Without any, all templates of the folder.
    type: list
    elements: str
  source:
    description:
      - Inventory name of the host on which the template lives. Needed only when several hosts have a template of that
        name.
    type: str
  query:
    description:
      - A JMESPath expression; its result for each document is returned instead of the document.
      - Needs the Python library jmespath on the control node.
    type: str
  status_dir:
    description:
      - The folder of the status files, as told to the callback.
      - Without it V(fanout-status) in the working directory, in AWX V(fanout) in the job's artifacts
        (E(AWX_ISOLATED_DATA_DIR)).
    type: path
    env:
      - name: FANOUT_STATUS_DIR
    ini:
      - section: callback_distribution_status
        key: status_dir
notes:
  - A template without a status file is an error, also for O(query).
"""

EXAMPLES = r"""
---
- name: Open a ticket when anything is wrong
  ansible.builtin.debug:
    msg: "{{ status.distribution }}: {{ status.summary.failed }} of {{ status.summary.providers }} failed"
  vars:
    status: "{{ lookup('fanout.hyperv.distribution_status', 'win11-gold') }}"
  when: status.distribution != 'OK'

- name: Names and remedies of the providers that failed
  ansible.builtin.debug:
    msg: "{{ lookup('fanout.hyperv.distribution_status', 'win11-gold', query=failed) }}"
  vars:
    failed: "providers.* | [?progress == 'Failed to distribute'].{name: name, remedy: error.remedy}"

- name: One word for each template
  ansible.builtin.debug:
    msg: "{{ query('fanout.hyperv.distribution_status', query='[template.name, distribution]') }}"
"""

RETURN = r"""
_raw:
  description: For each template its document, or what the query makes of it.
  type: list
  elements: raw
"""

import typing as t
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.fanout.hyperv.plugins.plugin_utils._reading import StatusError, documents
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Document
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_file import default_folder

Values = dict[str, t.Any]
Query = t.Callable[[Values], t.Any]


def compiled(text: str) -> Query:
    """The expression, ready to be asked of a document; AnsibleError when it cannot be."""
    try:
        import jmespath
        import jmespath.exceptions
    except ImportError:
        raise AnsibleError(
            "The option query of the lookup fanout.hyperv.distribution_status needs the Python library jmespath on the "
            "control node: python -m pip install jmespath"
        ) from None
    try:
        expression = jmespath.compile(text)
    except jmespath.exceptions.ParseError as error:
        raise AnsibleError(f"{text!r} is not a JMESPath expression: {error}") from None

    def ask(values: Values) -> t.Any:
        try:
            return expression.search(values)
        except jmespath.exceptions.JMESPathError as error:
            raise AnsibleError(f"The query {text!r} cannot be answered: {error}") from None

    return ask


def plain(document: Document) -> Values:
    """The document, its providers with their names."""
    values = document.to_dict()
    values["providers"] = {name: {"name": name, **entry} for name, entry in values["providers"].items()}
    return values


class LookupModule(LookupBase):
    """Finds the files and asks them."""

    def run(self, terms: list[str], variables: Values | None = None, **options: t.Any) -> list[t.Any]:
        """A document, or the query's result, for each template."""
        self.set_options(var_options=variables, direct=options)
        text = self.get_option("query")
        ask: Query = compiled(text) if text else lambda values: values
        try:
            found = documents(self.folder(), [str(term) for term in terms], self.get_option("source"))
        except StatusError as error:
            raise AnsibleError(str(error)) from None
        return [ask(plain(document)) for _file, document in found]

    def folder(self) -> Path:
        """Where the status files are."""
        given = self.get_option("status_dir")
        return Path(given).absolute() if given else default_folder()
