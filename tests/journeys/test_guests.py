# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests are made through the playbook: whole, linked, and on the source; nothing that is not ours is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.distribution.site import SOURCE, TEMPLATE
from tests.journeys.guest_site import KIND_OF, PROVIDERS, guest_site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_guests_are_made_once_and_left_alone(tmp_path: Path) -> None:
    with guest_site(tmp_path) as site:
        site.inventory(**{name: {"guests_kind": kind} for name, kind in KIND_OF.items()})
        settings = {"guests_count": 2, "guests_memory_mb": 2048, "guests_processors": 3, "guests_vlan": 12}
        before = site.last_call()
        planned = site.play("guests", "--check", "--diff", **settings)
        assert planned.code == 0, planned.output
        assert "make win11-gold-hv03-002 (full)" in planned.output
        assert site.writes(before) == []

        made = site.play("guests", **settings)
        assert made.code == 0, made.output
        for name in PROVIDERS:
            guests = site.guests(name)
            assert sorted(guests) == site.names_of(name, 2)
            parent = site.copy(name)["disks"][0]["path"]
            for guest in guests.values():
                assert guest["stamp"]["made"]["kind"] == KIND_OF[name]
                assert (guest["state"], guest["memory"], guest["processors"]) == ("Running", 2048 * 1024**2, 3)
                assert [one["vlan"] for one in guest["adapters"]] == [12]
                assert [one["switch"] for one in guest["adapters"]] == ["Production"]
                assert guest["disks"][0]["parent"] == (parent if KIND_OF[name] == "linked" else "")
            assert len({one["mac"] for guest in guests.values() for one in guest["adapters"]}) == 2
            assert site.remains(name) == []
        assert site.guests(SOURCE) == {}

        again = site.play("guests", **{**settings, "guests_memory_mb": 4096})
        assert (again.code, again.changed) == (0, {}), again.output
        more = site.play("guests", "--limit", "hv03", **{**settings, "guests_count": 3})
        assert more.code == 0, more.output
        assert sorted(site.guests("hv03")) == site.names_of("hv03", 3)
        untouched = site.distribute()
        assert (untouched.code, untouched.changed) == (0, {}), untouched.output


def test_a_vm_of_a_guests_name_is_not_touched(tmp_path: Path) -> None:
    with guest_site(tmp_path) as site:
        stranger = site.lab.add_vm("hv03", name=f"{TEMPLATE.upper()}-hv03-002", disks=[{"size": "1GiB"}])
        before = site.last_call()
        done = site.play("guests", guests_count=2, guests_kind="linked")
        assert done.code != 0
        assert "is not a guest made by us" in done.output
        assert stranger["id"] in done.output
        assert [call for call in site.writes(before) if call.startswith("hv03")] == []
        assert sorted(site.guests("hv02")) == site.names_of("hv02", 2)
        assert next(vm for vm in site.vms("hv03") if vm["id"] == stranger["id"]) == stranger


def test_guests_on_the_source_are_made_of_a_copy_there(tmp_path: Path) -> None:
    with guest_site(tmp_path) as site:
        template = site.template()
        made = site.play("guests", "--limit", SOURCE, guests_count=1, guests_kind="linked", guests_on_source=True)
        assert made.code == 0, made.output
        (guest,) = site.guests(SOURCE).values()
        copy = site.copy(SOURCE)
        assert copy["name"] == f"{TEMPLATE} (guests)"
        assert guest["disks"][0]["parent"] == copy["disks"][0]["path"]
        assert site.template() == template
        again = site.play("guests", "--limit", SOURCE, guests_count=1, guests_on_source=True)
        assert (again.code, again.changed) == (0, {}), again.output
        assert SOURCE not in site.status()["providers"]
        untouched = site.distribute()
        assert (untouched.code, untouched.changed) == (0, {}), untouched.output
