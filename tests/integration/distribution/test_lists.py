# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists, limits and things done by hand: the exit code and the status file tell what is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import MakeSite
from .site import SOURCE, TEMPLATE, Site, config

ONE_AT_A_TIME = {"enabled": True, "authentication": "Kerberos", "simultaneous": 1, "storage": 1}


def attempts(site: Site, host: str) -> Path:
    """The folder of all attempts on a target."""
    root = Path(site.lab.data) / "hosts" / host
    (found,) = root.rglob("baseline.json")
    return found.parent.parent


@pytest.mark.slow
def test_a_list_that_shrinks_and_a_source_that_lets_nobody_in(make_site: MakeSite) -> None:
    """With hosts that take one migration at a time: the second copy waits for the first, however close they are."""
    site = make_site(config(targets=2, migration=ONE_AT_A_TIME))
    played = site.distribute()
    assert played.code == 0, played.output

    site.lab.patch("hv02", switches=["Other"])
    shorter = site.distribute(distribute_targets=["hv02"])
    assert shorter.code == 0, shorter.output
    assert site.words() == {"hv02": ("Ready", "OK")}, "hv03 left the list; hv02 needs no new copy"

    inventory = site.lab.inventory()
    inventory["hyperv"]["hosts"][SOURCE]["ansible_password"] = "wrong"
    site.write_inventory(inventory)
    refused = site.distribute()
    assert refused.code != 0
    assert site.words()["hv02"] == ("Ready", "Failed to distribute")
    error = site.status()["providers"]["hv02"]["error"]
    assert (error["layer"], error["message"].startswith(f"{SOURCE}: ")) == ("authentication", True)


@pytest.mark.slow
def test_what_was_done_by_hand_is_cleaned_once_and_only_where_it_is_ours(make_site: MakeSite) -> None:
    site = make_site(config(targets=1))
    assert site.distribute().code == 0
    (copy,) = site.vms("hv02")
    site.lab.patch_vm("hv02", copy["id"], state="Running")
    foreign = attempts(site, "hv02") / "0123456789ab-01234567"
    foreign.mkdir()
    (foreign / "owner.json").write_text("{}")
    (foreign / "mine.txt").write_text("x")

    before = site.last_call()
    refused = site.distribute()
    assert refused.code != 0
    assert site.words() == {"hv02": ("Needs update", "Failed to distribute")}
    told = site.status()["providers"]["hv02"]
    assert (told["reason"], told["error"]["code"]) == ("started", "COPY_RUNNING")
    assert site.writes(before) == []
    assert site.names("hv02") == [TEMPLATE]

    site.lab.patch_vm("hv02", copy["id"], state="Off")
    cleaned = site.distribute()
    assert (cleaned.code, cleaned.changed) == (0, {"hv02": 1}), cleaned.output
    assert [path.name for path in foreign.iterdir()] == ["mine.txt"]
    assert site.names("hv02") == [TEMPLATE]
    again = site.distribute()
    assert (again.code, again.changed) == (0, {}), again.output
