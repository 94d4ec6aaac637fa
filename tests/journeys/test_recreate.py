# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests are made anew from a new revision through the playbooks, wave by wave; also after kill -9 in the middle."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest

from tests.integration.distribution.site import SOURCE, TEMPLATE, Values, wait_for
from tests.journeys.guest_site import KIND_OF, PROVIDERS, GuestSite, guest_site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def with_guests(site: GuestSite, count: int = 4) -> dict[str, str]:
    """Guests on every provider, and a newer revision of the template there. The ids of the guests by name."""
    site.inventory(**{name: {"guests_kind": kind} for name, kind in KIND_OF.items()})
    made = site.play("guests", guests_count=count)
    assert made.code == 0, made.output
    site.change_template()
    newer = site.distribute()
    assert newer.code == 0, newer.output
    return {name: guest["id"] for host in PROVIDERS for name, guest in site.guests(host).items()}


def assert_new(site: GuestSite, before: dict[str, str], count: int = 4) -> None:
    """Every guest is new and of the newer revision; of the older one nothing is left."""
    revisions = set()
    for host in PROVIDERS:
        guests = site.guests(host)
        copy = site.copy(host)
        assert sorted(guests) == site.names_of(host, count)
        for name, guest in guests.items():
            assert guest["id"] != before[name]
            assert guest["state"] == "Running"
            assert "unfinished" not in guest["stamp"]
            revisions.add(guest["stamp"]["revision"])
            parent = copy["disks"][0]["path"] if KIND_OF[host] == "linked" else ""
            assert guest["disks"][0]["parent"] == parent
        assert site.remains(host) == []
        assert len(site.vms(host)) == count + 1, "an older copy is still there"
    assert revisions == {site.status()["template"]["revision"]}


def script(folder: Path, text: str) -> str:
    path = folder / "hook.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_every_guest_is_made_anew_from_the_new_revision(tmp_path: Path) -> None:
    with guest_site(tmp_path) as site:
        before = with_guests(site)
        linked = [vm for vm in site.vms("hv02") if vm["name"].startswith("fanout-")]
        assert len(linked) == 1, "the older copy has to stay while guests stand on it"
        stranger = site.lab.add_vm("hv03", name="mine", disks=[{"size": "1GiB"}], state="Running")
        untouched = next(vm for vm in site.vms("hv03") if vm["name"] == "mine")
        hook = script(tmp_path, f'echo "$FANOUT_PROVIDER $FANOUT_GUEST" >> {tmp_path}/drained')
        begun = site.last_call()
        planned = site.play("recreate", "--check", recreate_serial=2)
        assert planned.code == 0, planned.output
        assert site.writes(begun) == []

        done = site.play("recreate", recreate_serial=2, recreate_serial_total="4", recreate_drain_command=[hook])
        assert done.code == 0, done.output
        drained = (tmp_path / "drained").read_text().split()
        assert sorted(drained[1::2]) == sorted(before)
        site.lab.remove_vm("hv03", stranger["id"])
        assert untouched["state"] == "Running"
        assert_new(site, before)
        again = site.play("recreate")
        assert (again.code, again.changed) == (0, {}), again.output


def test_a_guest_that_does_not_shut_down_stops_what_comes_after(tmp_path: Path) -> None:
    with guest_site(tmp_path) as site:
        before = with_guests(site, 2)
        stubborn = site.guests("hv03")[f"{TEMPLATE}-hv03-001"]
        site.lab.patch_vm("hv03", stubborn["id"], shutdown="ignores")
        asked: Values = {"recreate_shutdown_timeout": 3}
        done = site.play("recreate", recreate_exclude=["*-hv02-002"], **asked)
        assert done.code != 0
        assert "did not shut down within 3 s" in done.output
        after = {name: guest["id"] for host in PROVIDERS for name, guest in site.guests(host).items()}
        same = {name for name in before if before[name] == after[name]}
        # The first wave is one guest of each provider; there is no second one.
        assert same == {f"{TEMPLATE}-hv02-002", f"{TEMPLATE}-hv03-001", f"{TEMPLATE}-hv03-002", f"{TEMPLATE}-hv04-002"}
        assert site.guests("hv03")[f"{TEMPLATE}-hv03-001"]["state"] == "Running"

        done = site.play("recreate", recreate_turn_off=True, recreate_exclude=["*-hv02-002"], **asked)
        assert done.code == 0, done.output
        after = {name: guest["id"] for host in PROVIDERS for name, guest in site.guests(host).items()}
        assert {name for name in before if before[name] == after[name]} == {f"{TEMPLATE}-hv02-002"}
        assert len(site.vms("hv02")) == 4, "two guests, the copy, and the older copy that one of them stands on"
        done = site.play("recreate", **asked)
        assert done.code == 0, done.output
        assert_new(site, before, 2)


def test_a_provider_that_is_down_is_named_and_finished_later(tmp_path: Path) -> None:
    with guest_site(tmp_path) as site:
        before = with_guests(site, 1)
        site.lab.down("hv04")
        done = site.play("recreate")
        assert done.code != 0
        assert done.recap["hv04"]["failed"] == 1
        assert {host: next(iter(site.guests(host).values()))["id"] in before.values() for host in ("hv02", "hv03")} == {
            "hv02": False,
            "hv03": False,
        }
        site.lab.up("hv04")
        done = site.play("recreate")
        assert done.code == 0, done.output
        assert_new(site, before, 1)


@pytest.mark.parametrize("moment", ["Stop-VM", "Remove-VM", "Import-VM", "New-VM", "Start-VM"])
def test_a_run_that_was_killed_is_continued_by_the_next_one(tmp_path: Path, moment: str) -> None:
    with guest_site(tmp_path) as site:
        before = with_guests(site, 2)
        begun = site.last_call()
        with site.distributing(playbook="recreate", recreate_serial=2) as process:
            wait_for(
                lambda: (
                    any(call["command"] == moment for call in site.lab.calls(since=begun)) or process.poll() is not None
                ),
                moment,
            )
            assert process.poll() is None, site.output
            os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
        done = site.play("recreate", recreate_lease_seconds=5)
        assert done.code == 0, done.output
        assert_new(site, before, 2)
        assert site.names(SOURCE) == [TEMPLATE]
