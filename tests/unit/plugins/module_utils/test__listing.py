# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is to hold a template after a request, and what stands in the way of leaving."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput
from ansible_collections.fanout.hyperv.plugins.module_utils._listing import (
    Listing,
    Request,
    check_known,
    make_listing,
    obstacle,
    same_as_listed,
    similar,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._record import Record

Values = dict[str, t.Any]

NOTHING: Values = {"verdict": "none", "copies": [], "leftovers": []}
COPY: Values = {"id": "1", "name": "win11-gold", "state": "Off", "stamped": True}
CURRENT: Values = {**NOTHING, "verdict": "current", "copies": [COPY]}
GUEST: Values = {"id": "9", "name": "desk-1", "kind": "guest", "state": "Off"}
ALL = ("hv02", "hv03", "hv04", "hv05")
COMPUTERS = {name: f"uuid/{name}" for name in ALL}
RECORD = Record(
    template_id="t",
    name="win11-gold",
    multi_provider=True,
    targets=("hv02", "hv03"),
    pending_removals=("hv05",),
    computers={name: COMPUTERS[name] for name in ("hv02", "hv03")},
)
HELD: dict[str, Values] = {"hv02": CURRENT, "hv03": CURRENT, "hv04": NOTHING, "hv05": CURRENT}


def listing(request: Request, *, of: Record | None = RECORD, held: dict[str, Values] | None = None) -> Listing:
    record = of or Record(template_id="t", name="win11-gold", multi_provider=True)
    return make_listing(
        record,
        request,
        declared=of is not None,
        candidates=ALL,
        ineligible={"hv04"},
        holdings=HELD if held is None else held,
        computers=COMPUTERS,
    )


@pytest.mark.parametrize(
    ("request_", "targets", "leaving"),
    [
        (Request(), "hv02 hv03", "hv05"),
        (Request(add=("hv04",)), "hv02 hv03 hv04", "hv05"),
        (Request(add=("hv05",)), "hv02 hv03 hv05", ""),
        (Request(remove=("hv03",)), "hv02", "hv05 hv03"),
        (Request(remove=("hv04",)), "hv02 hv03", "hv05"),  # it holds nothing
        (Request(remove=("hv02", "hv03")), "", "hv05 hv02 hv03"),
        (Request(targets=("hv03",)), "hv03", "hv05"),
        (Request(targets=("hv03",), unlisted="remove"), "hv03", "hv05 hv02"),
        (Request(targets=ALL), "hv02 hv03 hv04", "hv05"),  # of a group: not before its removal has ended
        (Request(targets=ALL, named=frozenset(["hv05"])), "hv02 hv03 hv04 hv05", ""),
        (Request(unlisted="remove"), "hv02 hv03", "hv05"),
    ],
)
def test_who_is_in_the_list_and_who_leaves(request_: Request, targets: str, leaving: str) -> None:
    made = listing(request_)
    assert (made.targets, made.leaving) == (tuple(targets.split()), tuple(leaving.split()))
    assert not made.refused


def test_the_first_list_is_of_all_that_are_eligible_and_removes_nothing() -> None:
    made = listing(Request(unlisted="remove"), of=None)
    assert (made.targets, made.leaving) == (("hv02", "hv03", "hv05"), ())
    assert made.record.joining == (), "what they hold is right already"


def test_the_first_list_may_be_made_by_adding_one() -> None:
    assert listing(Request(add=("hv02",)), of=None).targets == ("hv02",)


def test_who_does_not_answer_is_removed_later() -> None:
    made = listing(Request(remove=("hv03", "hv04")), held={})
    assert made.leaving == ("hv05", "hv03", "hv04")
    assert not made.empty


def test_a_removal_that_has_ended_is_recorded() -> None:
    made = listing(Request(), held={**HELD, "hv05": NOTHING})
    assert (made.leaving, made.empty, made.wish.removed) == ((), frozenset(["hv05"]), ("hv05",))


def test_nothing_is_recorded_when_nothing_is_new() -> None:
    assert listing(Request(), held={"hv02": CURRENT, "hv03": CURRENT}).record == RECORD
    assert listing(Request(add=("hv02",)), held={}).record == RECORD


@pytest.mark.parametrize("request_", [Request(remove=("hv03",)), Request(targets=("hv02",), unlisted="remove")])
def test_whose_guests_depend_on_the_copy_stays_in_the_list(request_: Request) -> None:
    made = listing(request_, held={**HELD, "hv03": {**CURRENT, "users": [GUEST]}})
    assert made.targets == ("hv02", "hv03")
    assert made.leaving == ("hv05",)
    assert "desk-1 (9)" in made.refused["hv03"].what


def test_guests_may_go_with_the_copy() -> None:
    held = {**HELD, "hv03": {**CURRENT, "users": [GUEST]}}
    assert listing(Request(remove=("hv03",), remove_guests=True), held=held).leaving == ("hv05", "hv03")


def test_another_name_of_a_computer_in_the_list_leaves_without_its_copy() -> None:
    record = Record(
        template_id="t",
        name="x",
        multi_provider=True,
        targets=("hv02", "twin"),
        computers={"hv02": "uuid/hv02"},
    )
    computers = {"twin": "uuid/hv02"}
    made = make_listing(
        record,
        Request(remove=("twin",)),
        declared=True,
        candidates=["hv02", "twin"],
        ineligible=(),
        holdings={"twin": CURRENT},
        computers=computers,
    )
    assert (made.targets, made.leaving, made.empty) == (("hv02",), (), frozenset(["twin"]))
    assert same_as_listed(made.record, "twin", computers) == "hv02"


@pytest.mark.parametrize(
    ("copy", "remove_guests", "code"),
    [
        (NOTHING, False, None),
        (CURRENT, False, None),
        ({**CURRENT, "copies": [{**COPY, "state": "Running"}]}, True, "VM_NOT_OFF"),
        ({**CURRENT, "copies": [{**COPY, "stamped": False}]}, True, "STAMP_MISSING"),
        ({**CURRENT, "users": [GUEST]}, False, "GUESTS_DEPEND"),
        ({**CURRENT, "users": [GUEST]}, True, None),
        ({**CURRENT, "users": [{**GUEST, "state": "Running"}]}, True, "VM_NOT_OFF"),
        ({**CURRENT, "users": [GUEST, {**GUEST, "kind": "other"}]}, True, "DISK_IN_USE"),
    ],
)
def test_what_stands_in_the_way_of_a_removal(copy: Values, remove_guests: bool, code: str | None) -> None:
    found = obstacle("hv03", copy, remove_guests=remove_guests)
    assert (found and found.code) == code
    if found is not None:
        assert found.what.startswith("hv03: ")
        assert found.remedy


@pytest.mark.parametrize(
    ("name", "near"),
    [("hv033", ["hv03"]), ("HV03", ["hv03"]), ("hv03.example.com", ["hv03"]), ("zz", [])],
)
def test_names_that_somebody_may_have_meant(name: str, near: list[str]) -> None:
    assert similar(name, ["hyperv", *ALL])[: len(near) or None] == near


def test_an_unknown_name_is_refused_with_those_that_look_like_it() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_known("distribute_remove", ["hv02", "hv033"], ALL, ["hyperv"])
    assert "hv033" in str(caught.value)
    assert "hv03" in str(caught.value.cause)
