# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance through the playbooks: entered, changed, left, and copies and guests follow, now or later."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import termios
import time
import typing as t
from pathlib import Path

import pytest

from tests.integration.distribution.site import PATIENCE, SOURCE, TEMPLATE, Played, Values, wait_for
from tests.integration.ending import with_this_process
from tests.journeys.guest_site import KIND_OF, PROVIDERS, GuestSite, guest_site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

QUESTION = "All hosts must be recreated because the template has been modified. Do you want to recreate them now?"
READY, OLDER = ("Ready", "OK"), ("Needs update", "OK")


def line(site: GuestSite, state: str, *arguments: str, **extra: t.Any) -> list[str]:
    """The command as documented: nothing is said of the distribution but what the inventory says."""
    asked = {"maintenance_template": TEMPLATE, "maintenance_state": state, **extra}
    words = site.command(*arguments, playbook="maintenance", **asked)
    at = words.index("-e") + 1
    given = json.loads(words[at])
    del given["distribute_template"]
    return [*words[:at], json.dumps(given), *words[at + 1 :]]


def maintain(site: GuestSite, state: str, *arguments: str, **extra: t.Any) -> Played:
    """Without a terminal, as scripts do."""
    return site.run(line(site, state, *arguments, **extra), timeout=300)


def at_a_terminal(site: GuestSite, answer: str | None, **extra: t.Any) -> Played:
    """Leave maintenance at a terminal of its own. With ``answer`` None nobody sits there."""
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        with_this_process()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        line(site, "exit", **extra),
        cwd=site.folder,
        env=site.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(theirs)
    output, end = "", time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.5)[0]:
                try:
                    output += os.read(ours, 65536).decode(errors="replace")
                except OSError:  # Linux says so when the other end is closed
                    return Played(process.wait(30), " ".join(output.split()))
            elif answer is not None and QUESTION in " ".join(output.split()) and "Decide]" not in output:
                os.write(ours, f"{answer}\r".encode())  # again when it was not read: what came too early is thrown away
        raise AssertionError(f"it still waits: {output[-2000:]}")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
        os.close(ours)


def make_guests(site: GuestSite, count: int = 4) -> dict[str, Values]:
    site.inventory(**{name: {"guests_kind": kind} for name, kind in KIND_OF.items()})
    made = site.play("guests", guests_count=count)
    assert made.code == 0, made.output
    return guests_of(site, *PROVIDERS)


def guests_of(site: GuestSite, *hosts: str) -> dict[str, Values]:
    return {name: guest for host in hosts for name, guest in site.guests(host).items()}


def assert_new(site: GuestSite, before: dict[str, Values], *hosts: str) -> None:
    """Every guest of these providers is new, runs and is of the new revision; of the old ones nothing is left."""
    revision = site.status()["template"]["revision"]
    for host in hosts:
        guests, copy = site.guests(host), site.copy(host)
        assert sorted(guests) == sorted(name for name in before if f"-{host}-" in name)
        for name, guest in guests.items():
            assert guest["id"] != before[name]["id"]
            assert (guest["state"], guest["stamp"]["revision"]) == ("Running", revision)
            assert guest["disks"][0]["parent"] == (copy["disks"][0]["path"] if KIND_OF[host] == "linked" else "")
            assert guest["disks"][0]["path"] != before[name]["disks"][0]["path"]
        assert site.remains(host) == []


def assert_old(site: GuestSite, before: dict[str, Values], *hosts: str) -> None:
    for name, guest in guests_of(site, *hosts).items():
        assert guest["id"] == before[name]["id"]


def called(site: GuestSite, command: str, since: int) -> bool:
    return any(call["command"] == command for call in site.lab.calls(since=since))


def in_maintenance(site: GuestSite) -> bool:
    told: bool = site.status()["template"]["maintenance"]
    return told


def test_guests_follow_a_changed_template(tmp_path: Path) -> None:
    """Refused meanwhile; ``later`` where nobody can answer; ``now`` with a provider that is down; finished later."""
    with guest_site(tmp_path) as site:
        before = make_guests(site)
        lost = before.pop(f"{TEMPLATE}-hv03-004")
        site.lab.patch_vm("hv03", lost["id"], notes="mine now")
        old = site.status()["template"]["revision"]

        entered = maintain(site, "enter", maintenance_checkpoint=True, maintenance_by="anna")
        assert entered.code == 0, entered.output
        assert in_maintenance(site)
        begun = site.last_call()
        for playbook in ("distribute", "recreate"):
            refused = site.play(playbook)
            assert refused.code != 0, refused.output
            assert f"{TEMPLATE} is in maintenance since 20" in refused.output
            assert "by anna" in refused.output
        assert not [call for call in site.writes(begun) if not call.startswith(SOURCE)]
        assert site.words() == dict.fromkeys(PROVIDERS, READY)
        assert in_maintenance(site)

        site.change_template()
        job = at_a_terminal(site, None, awx_job_id=17)
        assert job.code == 0, job.output
        assert QUESTION not in job.output
        assert "is out of maintenance. It was modified and has revision" in job.output
        assert not in_maintenance(site)
        assert site.words() == dict.fromkeys(PROVIDERS, OLDER)
        assert site.template()["checkpoints"] == []
        assert site.status()["template"]["revision"] != old
        assert_old(site, before, *PROVIDERS)

        site.lab.down("hv04")
        done = maintain(site, "exit", maintenance_recreate="now", recreate_serial=4)
        assert done.code != 0
        assert "do not respond, or are no part of this run: hv04." in done.output
        assert "Check these and bring them back, then finish them with: ansible-playbook fanout.hyperv.recreate" in (
            " ".join(done.output.split())
        )
        assert "Not finished: hv04." in done.output
        assert {host for host, counts in done.recap.items() if counts["failed"]} == {"hv04"}
        assert site.words() == {"hv02": READY, "hv03": READY, "hv04": ("Not available", "Failed to distribute")}
        assert_new(site, before, "hv02")
        assert {vm["id"]: vm["notes"] for vm in site.vms("hv03")}[lost["id"]] == "mine now"

        site.lab.up("hv04")
        assert_old(site, before, "hv04")
        done = site.play("recreate", recreate_serial=4)
        assert done.code == 0, done.output
        assert site.words() == dict.fromkeys(PROVIDERS, READY)
        untouched = next(vm for vm in site.vms("hv03") if vm["id"] == lost["id"])
        assert (untouched["state"], untouched["disks"]) == (lost["state"], lost["disks"])
        site.lab.remove_vm("hv03", lost["id"])
        assert_new(site, before, "hv02", "hv04")
        again = maintain(site, "exit", maintenance_recreate="now")
        assert (again.code, again.changed) == (0, {}), again.output


def test_killed_in_the_middle_the_same_command_ends_it(tmp_path: Path) -> None:
    """Also with a guest that does not shut down, which is named and stays as it is until it may be turned off."""
    with guest_site(tmp_path) as site:
        before = make_guests(site)
        stubborn = before[f"{TEMPLATE}-hv03-002"]
        site.lab.patch_vm("hv03", stubborn["id"], shutdown="ignores")
        assert maintain(site, "enter").code == 0
        site.change_template()
        asked: Values = {"maintenance_recreate": "now", "recreate_serial": 4, "recreate_shutdown_timeout": 3}

        for moment in ("Move-VM", "Remove-VM"):
            begun = site.last_call()
            with site.beside(line(site, "exit", **asked)) as process:
                wait_for(lambda: called(site, moment, begun) or process.poll() is not None, moment)  # noqa: B023
                assert process.poll() is None, site.output
                os.kill(process.pid, signal.SIGKILL)
                process.wait(10)

        lease = {"recreate_lease_seconds": 5, "distribute_lease_seconds": 5, "maintenance_lease_seconds": 5}
        done = maintain(site, "exit", **{**asked, **lease})
        assert done.code != 0
        assert f"{stubborn['name']} ({stubborn['id']}) did not shut down within 3 s" in done.output
        assert "Not finished: hv03." in done.output
        assert site.guests("hv03")[stubborn["name"]]["id"] == stubborn["id"]

        done = maintain(site, "exit", recreate_turn_off=True, **{**asked, **lease})
        assert done.code == 0, done.output
        assert site.words() == dict.fromkeys(PROVIDERS, READY)
        assert_new(site, before, *PROVIDERS)
        assert site.names(SOURCE) == [TEMPLATE]


def test_what_comes_out_of_maintenance(tmp_path: Path) -> None:
    """Nothing changed, everything discarded, settings alone changed; asked at a terminal; all providers or none."""
    with guest_site(tmp_path) as site:
        old = site.status()["template"]["revision"]
        for change, discard in ((False, False), (True, True)):
            assert maintain(site, "enter", maintenance_checkpoint=True).code == 0
            if change:
                site.change_template()
            left = maintain(site, "exit", maintenance_discard=discard)
            assert left.code == 0, left.output
            assert f"still has revision {old}: nothing needs an update" in left.output
            assert not in_maintenance(site)
            assert site.template()["checkpoints"] == []
        same = site.distribute()
        assert (same.code, same.changed) == (0, {}), same.output

        planned = maintain(site, "enter", "--check")
        assert planned.code == 0, planned.output
        assert not in_maintenance(site)
        assert maintain(site, "enter").code == 0
        site.lab.patch_vm(SOURCE, site.template()["id"], memory="6GiB")
        planned = maintain(site, "exit", "--check", maintenance_recreate="now")
        assert planned.code == 0, planned.output
        assert in_maintenance(site)
        site.lab.down("hv03")
        begun = site.last_call()
        none = maintain(site, "exit", maintenance_recreate="now", maintenance_require_all=True)
        assert none.code != 0
        assert "hv03. Nothing was updated or recreated." in " ".join(none.output.split())
        assert [call for call in site.writes(begun) if not call.startswith(SOURCE)] == []
        assert site.words() == {"hv02": OLDER, "hv03": ("Not available", "OK"), "hv04": OLDER}

        site.lab.up("hv03")
        refused = at_a_terminal(site, "no")
        assert refused.code == 0, refused.output
        assert site.words() == dict.fromkeys(PROVIDERS, OLDER)
        done = at_a_terminal(site, "yes")
        assert done.code == 0, done.output
        assert site.words() == dict.fromkeys(PROVIDERS, READY)
        assert {site.copy(host)["memory"] for host in PROVIDERS} == {6 * 1024**3}


def test_nobody_enters_while_the_template_is_distributed(tmp_path: Path) -> None:
    with guest_site(tmp_path, network_rate="512KiB") as site:  # still under way however slowly the other one starts
        site.change_template()
        with site.distributing():
            wait_for(
                lambda: any(call["command"] == "Move-VM" and call["ended"] is None for call in site.lab.calls()), "move"
            )
            refused = maintain(site, "enter")
            assert refused.code != 0
            assert f"{TEMPLATE} is being distributed" in refused.output
            assert not in_maintenance(site)
