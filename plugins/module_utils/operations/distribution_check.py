# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Checks what a distribution was asked for, before any host is asked anything."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import name_findings
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation, Values, Work

RUN_DIRECTORY = "FANOUT_RUN_DIR"
"""Set by the callback ``distribution_status`` for everything that the run starts; empty when it has no folder."""

CALLBACK_HINT = (
    "The callback fanout.hyperv.distribution_status is not enabled, so no status file is written. To have it, put "
    "'callbacks_enabled = fanout.hyperv.distribution_status' under [defaults] into ansible.cfg, or set "
    "ANSIBLE_CALLBACKS_ENABLED=fanout.hyperv.distribution_status."
)


def whole_number(value: t.Any) -> int:
    """The concurrency as a number > 0. Ansible takes a throttle of 0 or less, silently, as unlimited."""
    text = str(value).strip()
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or int(text) < 1:
        raise InvalidInput(
            f"distribute_concurrency is {value!r}; it has to be a whole number greater than 0.",
            remedy="Set distribute_concurrency to 1, 2, 3 ... (how many network copies may run at the same time).",
        )
    return int(text)


def forks_needed(concurrency: int, verify: str) -> int:
    """Workers that keep ``concurrency`` copies running while others clone and verify."""
    return concurrency * (3 if verify == "hash" else 2)


def check_names(params: Values) -> None:
    """The template has a name that can be one, and source and targets are in the inventory."""
    for finding in name_findings(params["template"]):
        raise InvalidInput(finding.what, remedy=finding.remedy)
    if params["source"] not in params["known_hosts"]:
        raise InvalidInput(
            f"distribute_source is {params['source']!r}, which is not a host of the inventory.",
            remedy="Set distribute_source to the inventory name of the host on which the template lives.",
        )
    known = {*params["known_hosts"], *params["known_groups"], "all"}
    unknown = [name for name in params["targets"] or [] if name not in known]
    if unknown:
        raise InvalidInput(
            f"distribute_targets names {', '.join(unknown)}, neither a host nor a group of the inventory.",
            remedy="Correct the names, or add the hosts to the inventory.",
        )


def gather(work: Work) -> Values:
    """What the rest of the run needs, checked; warnings for what would slow it down."""
    params = work.params
    concurrency = whole_number(params["concurrency"])
    check_names(params)
    needed = forks_needed(concurrency, params["verify"])
    warnings = []
    if params["forks"] < needed:
        warnings.append(
            f"forks is {params['forks']}, but {needed} are needed to keep {concurrency} copies running: "
            f"set 'forks = {needed}' under [defaults] in ansible.cfg, or run with --forks {needed}."
        )
    if RUN_DIRECTORY not in os.environ:
        warnings.append(CALLBACK_HINT)
    return {
        "concurrency": concurrency,
        "throttle": needed,
        "warnings": warnings,
        "distribution": {
            "template": {"name": params["template"], "source": params["source"]},
            "concurrency": concurrency,
        },
    }


OPERATION = Operation(
    name="distribution_check",
    argument_spec={
        "template": {"type": "str", "required": True},
        "source": {"type": "str", "required": True},
        "targets": {"type": "list", "elements": "str"},
        "concurrency": {"type": "raw", "required": True},
        "verify": {"type": "str", "choices": ["none", "size", "hash"], "default": "size"},
        "forks": {"type": "int", "required": True},
        "known_hosts": {"type": "list", "elements": "str", "required": True},
        "known_groups": {"type": "list", "elements": "str", "default": []},
    },
    gather=gather,
    needs_host=False,
)
