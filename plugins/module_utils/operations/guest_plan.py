# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Plans in which order the guests of all providers are made anew, from what the surveys brought."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    HyperVError,
    InvalidInput,
    NotFound,
    Refused,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._guest_planning import (
    Limits,
    candidates,
    is_down,
    share,
    waves,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import IN_MAINTENANCE
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation, Values, Work


def gather(work: Work) -> Values:
    """Waves of guests, and what is said about each provider."""
    params = work.params
    if params["serial"] < 1:
        raise InvalidInput(f"The option 'serial' is {params['serial']}; it has to be at least 1.")
    template = _template(params)
    surveys: Mapping[str, t.Any] = params["surveys"]
    if surveys:
        _refuse_maintenance(params["templates"]["templates"][0])
    told = {name: _items(survey, template["revision"]) for name, survey in surveys.items()}
    guests = {name: ones for name, ones in told.items() if ones is not None}
    total = sum(map(len, guests.values()))
    found = candidates(guests, everything=params["everything"], exclude=params["exclude"])
    limits = Limits(
        per_provider=params["serial"],
        per_run=share(params["serial_total"], total, "serial_total"),
        unavailable=share(params["max_unavailable"], total, "max_unavailable"),
    )
    down = {(name, str(guest["name"])) for name, ones in guests.items() for guest in ones if is_down(guest)}
    problems = {name: _problem(name, surveys[name]) for name, ones in told.items() if ones is None}
    planned = waves(found, limits, down)
    return {
        "template": template,
        "waves": planned,
        "guests": guests,
        "total": total,
        "recreated": len(found),
        "problems": problems,
        "msg": f"{len(found)} of {total} guests are made anew, in {len(planned)} waves.",
    }


def _template(params: Values) -> Values:
    """The template as its source shows it; an error when it cannot be shown."""
    answer: Mapping[str, t.Any] = params["templates"] or {}
    templates = answer.get("templates") or []
    if not templates:
        error = answer.get("error") or {}
        raise NotFound(
            f"The template {params['template_name']!r} cannot be looked at on its source {params['source_name']}. "
            f"{error.get('message') or 'It is not there.'}",
            code=str(error.get("code") or "VM_NOT_FOUND"),
            remedy=error.get("remedy") or "Check the template's name and the source.",
        )
    template = templates[0]
    revision = params["revision"] or (template.get("record") or {}).get("revision") or template["revision"]
    return {
        "id": template["id"],
        "name": template["name"],
        "revision": revision,
        "staging_path": template["staging_path"],
    }


def _refuse_maintenance(template: Mapping[str, t.Any]) -> None:
    """Guests are not made anew from a template that somebody is changing."""
    found = next((one for one in template.get("findings") or [] if one["code"] == IN_MAINTENANCE), None)
    if found is not None:
        raise Refused(found["what"], code=IN_MAINTENANCE, remedy=found["remedy"])


def _items(survey: Mapping[str, t.Any], revision: str) -> list[Values] | None:
    """The finished guests that a provider showed; None when it did not."""
    if survey.get("failed") or "guests" not in survey:
        return None
    return [{**guest, "outdated": guest["revision"] != revision} for guest in survey["guests"] if guest["finished"]]


def _problem(name: str, survey: Mapping[str, t.Any]) -> Values:
    error = survey.get("error")
    if isinstance(error, Mapping):
        return dict(error)
    return HyperVError(f"{name} was not surveyed.", code="NO_SURVEY").to_dict()


_DICT: Values = {"type": "dict"}

OPERATION = Operation(
    name="guest_plan",
    argument_spec={
        "source_name": {"type": "str", "required": True},
        "template_name": {"type": "str", "required": True},
        "templates": {**_DICT, "required": True},
        "surveys": {**_DICT, "required": True},
        "revision": {"type": "str"},
        "exclude": {"type": "list", "elements": "str", "default": []},
        "everything": {"type": "bool", "default": False},
        "serial": {"type": "int", "default": 1},
        "serial_total": {"type": "str"},
        "max_unavailable": {"type": "str"},
    },
    gather=gather,
    needs_host=False,
)
