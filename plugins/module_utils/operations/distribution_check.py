# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Checks what a distribution was asked for, before any host is asked anything."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput
from ansible_collections.fanout.hyperv.plugins.module_utils._listing import check_known, expand
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


def template_names(params: Values) -> list[str]:
    """The names of the templates, each once; one name need not be a list."""
    given = params["template"]
    names = list(dict.fromkeys(given)) if isinstance(given, (list, tuple)) else [given]
    if not names or not all(isinstance(name, str) for name in names):
        raise InvalidInput(
            f"distribute_template is {given!r}; it has to be the name of a template VM, or a list of such names.",
            remedy="Set distribute_template to the exact name of the VM on the source.",
        )
    for name in names:
        for finding in name_findings(name):
            raise InvalidInput(finding.what, remedy=finding.remedy)
    if len(names) > 1 and params["template_id"]:
        raise InvalidInput(
            f"distribute_template_id means one VM, and distribute_template names {len(names)}.",
            remedy="Distribute that VM by itself.",
        )
    return names


def check_names(params: Values) -> None:
    """Source and targets are in the inventory."""
    if params["source"] not in params["known_hosts"]:
        raise InvalidInput(
            f"distribute_source is {params['source']!r}, which is not a host of the inventory.",
            remedy="Set distribute_source to the inventory name of the host on which the template lives.",
        )
    for option in ("targets", "add", "remove"):
        check_known(f"distribute_{option}", params[option] or [], params["known_hosts"], list(params["groups"]))
    both = [option for option in ("add", "remove") if params[option]]
    if params["targets"] is not None and both:
        raise InvalidInput(
            f"distribute_targets sets the list whole, and distribute_{both[0]} changes it.",
            remedy="Use one of them.",
        )


def chosen(params: Values) -> list[str]:
    """The providers that ``add`` and ``remove`` name, all of which have to be part of the run."""
    names = expand([*params["add"], *params["remove"]], params["groups"], params["candidates"]) or []
    if params["source"] in names and params["source"] in [*params["add"], *params["remove"]]:
        raise InvalidInput(
            f"{params['source']} is the source: it holds the template itself and is never in the list.",
            remedy="Name other providers.",
        )
    names = [name for name in names if name != params["source"]]
    outside = [name for name in names if name not in params["playing"]]
    if outside:
        raise InvalidInput(
            f"{', '.join(outside)} cannot be reached by this run.",
            code="NOT_IN_RUN",
            cause="--limit, or the pattern distribute_providers, leaves them out; or an earlier play has failed there.",
            remedy="Run without --limit, or name other providers.",
        )
    return names


def gather(work: Work) -> Values:
    """What the rest of the run needs, checked; warnings for what would slow it down."""
    params = work.params
    concurrency = whole_number(params["concurrency"])
    names = template_names(params)
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
        "chosen": chosen(params) if params["playing"] is not None else [],
        "templates": names,
        "results": [
            {"distribution": {"template": {"name": name, "source": params["source"]}, "concurrency": concurrency}}
            for name in names
        ],
    }


OPERATION = Operation(
    name="distribution_check",
    argument_spec={
        "template": {"type": "raw", "required": True},
        "template_id": {"type": "str"},
        "source": {"type": "str", "required": True},
        "targets": {"type": "list", "elements": "str"},
        "add": {"type": "list", "elements": "str", "default": []},
        "remove": {"type": "list", "elements": "str", "default": []},
        "candidates": {"type": "list", "elements": "str", "default": []},
        "playing": {"type": "list", "elements": "str"},
        "concurrency": {"type": "raw", "required": True},
        "verify": {"type": "str", "choices": ["none", "size", "hash"], "default": "size"},
        "forks": {"type": "int", "required": True},
        "known_hosts": {"type": "list", "elements": "str", "required": True},
        "groups": {"type": "dict", "default": {}},
    },
    gather=gather,
    needs_host=False,
)
