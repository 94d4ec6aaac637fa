# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers come and go, one of them while it is down; several templates in one run; a template taken back."""

from __future__ import annotations

import json
import os
import signal
import typing as t

import pytest

from tests.integration.distribution.conftest import MakeSite, make_site
from tests.integration.distribution.site import SOURCE, TEMPLATE, Site, config, vm, wait_for

__all__ = ("make_site",)

OTHER = "server25-gold"
READY = ("Ready", "OK")
pytestmark = pytest.mark.slow


def record(site: Site) -> dict[str, t.Any]:
    """What the source has recorded."""
    (path,) = (site.lab.data / "hosts" / SOURCE).rglob("record.json")
    found: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return found


def test_one_is_added_to_five(make_site: MakeSite) -> None:
    site = make_site(config(targets=6))
    five = [f"hv{number:02}" for number in range(2, 7)]
    assert site.distribute(distribute_targets=five).code == 0
    seen: set[tuple[str, str, str]] = set()

    with site.distributing(playbook="add", provider="hv07") as process:
        while process.poll() is None:
            told = site.status()
            entry = told["providers"].get("hv07")
            if entry is not None:
                seen.add((told["distribution"], entry["state"], entry["progress"]))
            assert {name: site.words()[name] for name in five} == dict.fromkeys(five, READY)
    assert process.returncode == 0, site.output
    assert ("Adding provider", "Needs update", "Adding provider") in seen
    assert site.words()["hv07"] == READY
    assert record(site)["targets"] == [*five, "hv07"]


def test_one_that_is_down_is_removed_when_it_is_up_again(make_site: MakeSite) -> None:
    site = make_site(config(targets=2))
    assert site.distribute().code == 0
    site.lab.down("hv03")
    removed = site.play("remove", provider="hv03")
    assert removed.code != 0
    assert site.words() == {"hv02": READY, "hv03": ("Not available", "Removing provider")}
    assert record(site)["pending_removals"] == ["hv03"]

    for extra in ({}, {"distribute_targets": ["hyperv"]}):
        again = site.distribute(**extra)
        assert again.code != 0
        assert site.words() == {"hv02": READY, "hv03": ("Not available", "Removing provider")}
        assert (record(site)["targets"], record(site)["pending_removals"]) == (["hv02"], ["hv03"])

    site.lab.up("hv03")
    finished = site.distribute()
    assert finished.code == 0, finished.output
    assert site.words() == {"hv02": READY}
    assert (site.names("hv03"), site.files("hv03")) == ([], [])
    assert record(site)["pending_removals"] == []
    still = site.distribute()
    assert (still.code, still.changed) == (0, {}), still.output


def test_a_removal_that_was_killed_is_finished(make_site: MakeSite) -> None:
    site = make_site(config(targets=2))
    assert site.distribute().code == 0
    with site.distributing(playbook="remove", provider="hv03") as process:
        wait_for(lambda: any(call["command"] == "Remove-VM" for call in site.lab.calls("hv03")), "the removal")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
    finished = site.distribute()
    assert finished.code == 0, finished.output
    assert site.words() == {"hv02": READY}
    assert (site.names("hv03"), site.files("hv03")) == ([], [])


def test_hosts_that_are_not_in_the_list_are_never_written_to(make_site: MakeSite) -> None:
    site = make_site(config(targets=3))
    assert site.distribute(distribute_targets=["hv02", "hv03"]).code == 0
    before = site.last_call()
    (template,) = site.vms(SOURCE)
    site.lab.patch_vm(SOURCE, template["id"], processors=4)
    shorter = site.distribute(distribute_targets=["hv02"])
    assert shorter.code == 0, shorter.output
    written = {line.partition(":")[0] for line in site.writes(before)}
    assert written == {SOURCE, "hv02"}
    assert "holding a copy that is left alone: hv03" in shorter.output
    assert site.names("hv03") == [TEMPLATE]
    assert set(site.words()) == {"hv02"}

    cleaned = site.distribute(distribute_unlisted="remove")
    assert cleaned.code == 0, cleaned.output
    assert (site.names("hv03"), site.files("hv03")) == ([], [])


def test_a_teardown_with_one_down_is_finished_later(make_site: MakeSite) -> None:
    site = make_site(config(targets=2))
    assert site.distribute().code == 0
    site.lab.down("hv03")
    incomplete = site.play("teardown", teardown_confirm=TEMPLATE)
    assert incomplete.code != 0
    assert "hv03" in incomplete.output
    assert site.names("hv02") == []
    assert record(site)["pending_removals"] == ["hv03"]
    site.lab.up("hv03")
    done = site.play("teardown", teardown_confirm=TEMPLATE)
    assert done.code == 0, done.output
    assert [site.files(name) for name in (SOURCE, "hv02", "hv03")] == [[], [], []]
    assert site.names(SOURCE) == [TEMPLATE]


def test_a_template_is_taken_back_and_declared_anew(make_site: MakeSite) -> None:
    notes = "Ask Ada before you change this."
    site = make_site(config(targets=2, vms=[vm(notes=notes)]))
    assert site.distribute().code == 0
    gone = site.play("teardown", teardown_confirm=TEMPLATE)
    assert gone.code == 0, gone.output
    assert [site.files(name) for name in (SOURCE, "hv02", "hv03")] == [[], [], []]
    (template,) = site.vms(SOURCE)
    assert template["notes"] == notes
    assert site.words() == {}

    again = site.play("teardown", teardown_confirm=TEMPLATE)
    assert (again.code, again.changed) == (0, {}), again.output
    never = site.distribute(distribute_multi_provider=False)
    assert never.code != 0
    anew = site.distribute(distribute_targets=["hv03"])
    assert anew.code == 0, anew.output
    assert site.words() == {"hv03": READY}


def test_two_templates_in_one_run_and_one_of_them_cannot(make_site: MakeSite) -> None:
    site = make_site(config(targets=3, vms=[vm(), vm(OTHER), vm("broken", state="Running")]))
    names = [TEMPLATE, "broken", "missing", OTHER]
    played = site.distribute(template=names, distribute_concurrency=2)
    assert played.code != 0
    for host in ("hv02", "hv03", "hv04"):
        assert site.names(host) == [OTHER, TEMPLATE]
    documents = {path.stem: json.loads(path.read_text()) for path in (site.folder / "fanout-status").glob("*.json")}
    told = {name.partition("@")[0]: document["distribution"] for name, document in documents.items()}
    assert told[TEMPLATE] == told[OTHER] == "OK"
    assert told["broken"] == told["missing"] == "Failed to distribute"

    calls = [call for call in site.lab.calls() if call["command"] in ("Export-VM", "Move-VM")]
    for command, most in (("Export-VM", 1), ("Move-VM", 2)):
        assert at_once([call for call in calls if call["command"] == command]) <= most

    again = site.distribute(template=[TEMPLATE, OTHER])
    assert (again.code, again.changed) == (0, {}), again.output


def at_once(calls: list[dict[str, t.Any]]) -> int:
    """How many of these commands ran at the same time, at most."""
    moments = sorted([(call["started"], 1) for call in calls] + [(call["ended"], -1) for call in calls])
    running = most = 0
    for _moment, step in moments:
        running += step
        most = max(most, running)
    return most
