# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers come and go: playbooks add and remove, and what they leave alone."""

from __future__ import annotations

import pytest

from .conftest import MakeSite
from .site import TEMPLATE, config


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
def test_what_is_available_is_told_without_writing(make_site: MakeSite) -> None:
    site = make_site(config(targets=2))
    site.lab.patch("hv03", switches=["Other"])
    asked = site.play("preflight", distribute_targets=["hv02", "hv03"])
    assert asked.code != 0
    assert "no virtual switch" in asked.output
    assert site.writes() == []

    listed = site.play("providers")
    assert listed.code == 0, listed.output
    rows = {line.split()[0]: line.split() for line in listed.output.splitlines() if "standalone" in line}
    assert rows["hv02"][1:3] == ["yes", "target"]
    assert rows["hv03"][1:3] == ["no", "-"]
    assert "SWITCH_MISSING" in listed.output
    refused = site.play("teardown")
    assert refused.code != 0
    assert f"teardown_confirm={TEMPLATE}" in refused.output
    assert site.writes() == []
