# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers come and go: playbooks add and remove, and what they leave alone."""

from __future__ import annotations

import pytest

from .conftest import MakeSite
from .site import TEMPLATE, config, vm


@pytest.mark.slow
def test_one_is_added_and_one_is_removed_while_the_others_are_not_touched(make_site: MakeSite) -> None:
    site = make_site(config(targets=3))
    first = site.distribute(distribute_targets=["hv02", "hv03"])
    assert first.code == 0, first.output

    before = site.last_call()
    added = site.play("add", provider="hv04")
    assert added.code == 0, added.output
    assert site.words() == dict.fromkeys(("hv02", "hv03", "hv04"), ("Ready", "OK"))
    called = {call["host"] for call in site.lab.calls(since=before)}
    assert called == {"hv01", "hv04"}

    unknown = site.play("remove", provider="hv033")
    assert unknown.code != 0
    assert "hv033" in unknown.output
    assert "hv03" in unknown.output.split("Similar names are known", 1)[1]

    before = site.last_call()
    removed = site.play("remove", provider="hv03")
    assert removed.code == 0, removed.output
    assert set(site.words()) == {"hv02", "hv04"}
    assert site.names("hv03") == []
    assert site.files("hv03") == []
    assert {call["host"] for call in site.lab.calls(since=before)} == {"hv01", "hv03"}

    again = site.distribute()
    assert (again.code, again.changed) == (0, {}), again.output
    assert set(site.words()) == {"hv02", "hv04"}
    assert site.names("hv02") == site.names("hv04") == [TEMPLATE]


@pytest.mark.slow
def test_what_is_available_and_the_way_back_to_an_undeclared_template(make_site: MakeSite) -> None:
    notes = "Ask Ada before you change this."
    site = make_site(config(targets=3, vms=[vm(notes=notes)]))
    site.lab.patch("hv04", switches=["Other"])
    before = site.last_call()
    wrong = site.play("preflight")
    assert wrong.code == 0, "hv04 is not eligible, so it is not in the list"
    asked = site.play("preflight", distribute_targets=["hv02", "hv04"])
    assert asked.code != 0
    assert "SWITCH_MISSING" in asked.output or "no virtual switch" in asked.output
    assert site.writes(before) == []

    assert site.distribute(distribute_targets=["hv02", "hv03"]).code == 0
    before = site.last_call()
    listed = site.play("providers")
    assert listed.code == 0, listed.output
    rows = {
        line.split()[0]: line.split()
        for line in listed.output.splitlines()
        if line.startswith("hv0") and ": " not in line[:40]
    }
    assert rows["hv02"][1:5] == ["yes", "target", "Ready", "OK"]
    assert rows["hv04"][1:3] == ["no", "-"]
    assert "SWITCH_MISSING" in listed.output
    assert site.writes(before) == []

    refused = site.play("teardown")
    assert refused.code != 0
    assert "teardown_confirm=win11-gold" in refused.output
    assert site.writes(before) == []
    gone = site.play("teardown", teardown_confirm=TEMPLATE)
    assert gone.code == 0, gone.output
    for name in ("hv01", "hv02", "hv03"):
        assert site.files(name) == []
    (template,) = site.vms("hv01")
    assert template["notes"] == notes
    assert site.words() == {}

    again = site.play("teardown", teardown_confirm=TEMPLATE)
    assert (again.code, again.changed) == (0, {}), again.output
    anew = site.distribute(distribute_targets=["hv03"])
    assert anew.code == 0, anew.output
    assert site.words() == {"hv03": ("Ready", "OK")}
