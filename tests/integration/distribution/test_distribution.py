# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job, and what may go wrong on the way: each through ansible-playbook, proven by the hosts' call log."""

from __future__ import annotations

import hashlib
from pathlib import Path

import jsonschema
import pytest

from demo import call_log

from .conftest import MakeSite
from .site import MIB, SCHEMA, SOURCE, TARGETS, TEMPLATE, Played, Site, config, vm, wait_for


def disk_hashes(site: Site, host: str) -> set[str]:
    """SHA-256 of the disk files of ours on a host."""
    root = Path(site.lab.data) / "hosts" / host
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*.vhdx")}


def supplied(site: Site, *hosts: str) -> None:
    """Each of these hosts holds the copy and nothing else, byte for byte, with nothing left over."""
    (template,) = disk_hashes(site, SOURCE)
    for host in hosts:
        assert site.names(host) == [TEMPLATE]
        assert disk_hashes(site, host) == {template}


@pytest.mark.slow
def test_six_targets_and_then_nothing_more(make_site: MakeSite) -> None:
    site = make_site(config(network_rate="4MiB"))
    played = site.distribute()
    assert played.code == 0, played.output
    assert site.words() == {name: ("Ready", "OK") for name in TARGETS}
    supplied(site, *TARGETS)
    proven = call_log.first_run(site.lab.calls(), concurrency=2, targets=len(TARGETS))
    assert all(statement.true for statement in proven), "\n".join(map(str, proven))
    assert not [path for path in site.files(SOURCE) if "/clones/" in path]
    since = site.last_call()
    again = site.distribute()
    assert (again.code, again.changed) == (0, {}), again.output
    assert site.writes(since) == []
    assert site.lab.bugs() == []


@pytest.mark.slow
def test_check_mode_shows_the_plan_and_sends_nothing_that_writes(make_site: MakeSite) -> None:
    site = make_site(config(targets=3))
    planned = site.distribute("--check", "--diff")
    assert planned.code == 0, planned.output
    assert site.writes() == []
    for name in TARGETS[:3]:
        assert planned.recap[name]["changed"] == 1, planned.output
        assert f"plan: {name}: copy: no copy" in planned.output
    assert planned.output.count(f"name it {TEMPLATE}") == 3
    assert site.names("hv02") == []


@pytest.mark.slow
def test_one_that_is_down_holds_up_nobody_and_is_supplied_later(make_site: MakeSite) -> None:
    site = make_site(config())
    site.lab.down("hv04")
    played = site.distribute()
    assert played.code != 0
    assert site.words().pop("hv04") == ("Not available", "Failed to distribute")
    assert {word for name, word in site.words().items() if name != "hv04"} == {("Ready", "OK")}
    assert "hv04" in played.output
    assert "Check that the host is up" in played.output
    site.lab.up("hv04")
    since = site.last_call()
    again = site.distribute()
    assert again.code == 0, again.output
    assert [host for host in again.changed if host != SOURCE] == ["hv04"]
    assert {entry.split(":")[0] for entry in site.writes(since)} <= {SOURCE, "hv04"}
    assert not [entry for entry in site.writes(since) if "Export-VM" in entry]
    assert site.words() == {name: ("Ready", "OK") for name in TARGETS}


@pytest.mark.slow
def test_a_disk_that_fills_up_in_the_middle(make_site: MakeSite) -> None:
    site = make_site(config(network_rate="3MiB"))
    with site.distributing() as process:
        wait_for(lambda: moving_to(site, "hv03"), "the move to hv03")
        site.lab.set_free("hv03", "C", 4 * MIB)
        process.wait(170)
    assert process.returncode != 0
    words = site.words()
    assert words.pop("hv03") == ("Needs update", "Failed to distribute")
    assert set(words.values()) == {("Ready", "OK")}
    jsonschema.validate(site.seen(), SCHEMA)
    error = site.seen()["providers"]["hv03"]["error"]
    assert error["code"] == "DISK_FULL"
    assert "0x80070070" in error["message"]
    assert error["remedy"]
    assert "0x80070070" in site.output
    assert site.names("hv03") == []
    assert site.names(SOURCE) == [TEMPLATE]
    assert not [path for path in site.files("hv03") if path.endswith((".vhdx", ".json", ".vmcx"))]
    assert not [path for path in site.files(SOURCE) if "/clones/" in path]
    site.lab.set_free("hv03", "C", 50 * 1024 * MIB)
    again = site.distribute()
    assert again.code == 0, again.output
    supplied(site, *TARGETS)


def moving_to(site: Site, host: str) -> bool:
    """Whether bytes of a copy have arrived on the host."""
    root = Path(site.lab.data) / "hosts" / host
    return any(path.stat().st_size > MIB for path in root.rglob("*.vhdx"))


@pytest.mark.slow
def test_a_vm_of_that_name_which_is_not_ours_is_left_alone(make_site: MakeSite) -> None:
    site = make_site(config(targets=3))
    own = site.lab.add_vm("hv03", **vm())
    played = site.distribute()
    assert played.code != 0
    assert site.words() == {
        "hv02": ("Ready", "OK"),
        "hv03": ("Needs update", "Failed to distribute"),
        "hv04": ("Ready", "OK"),
    }
    assert site.status()["providers"]["hv03"]["error"]["code"] == "NAME_CONFLICT"
    assert own["id"] in played.output
    assert [entry for entry in site.writes() if entry.startswith("hv03")] == []
    assert [vm["id"] for vm in site.vms("hv03")] == [own["id"]]


@pytest.mark.slow
def test_limit_narrows_the_work_and_nothing_else(make_site: MakeSite) -> None:
    """Neither the work nor the status file, the summary or the exit code speak of providers outside of it."""
    site = make_site(config())
    with (site.folder / "ansible.cfg").open("a") as configuration:
        configuration.write("show_custom_stats = true\n")
    site.lab.down("hv04")
    site.lab.down("hv05")
    assert site.distribute().code != 0
    before = site.status()["providers"]
    assert [name for name, told in before.items() if told["progress"] != "OK"] == ["hv04", "hv05"]
    site.lab.up("hv04")

    since = site.last_call()
    supplied = site.distribute("--limit", "hv04")
    assert supplied.code == 0, supplied.output
    assert list(supplied.recap) == ["hv04"]
    after = site.status()["providers"]
    assert (after["hv04"]["state"], after["hv04"]["progress"]) == ("Ready", "OK")
    assert after == {**before, "hv04": after["hv04"]}
    assert {call["host"] for call in site.lab.calls(since=since)} == {SOURCE, "hv04"}
    assert ended(supplied) == {"ok": ["hv04"], "failed": [], "not_available": [], "errors": []}

    refused = site.distribute("--limit", "hv05")
    assert refused.code != 0
    assert list(refused.recap) == ["hv05"]
    assert site.status()["providers"]["hv04"] == after["hv04"]
    assert site.words()["hv05"] == ("Not available", "Failed to distribute")
    assert ended(refused) == {"ok": [], "failed": [], "not_available": ["hv05"], "errors": ["hv05"]}
    assert refused.summary["errors"]["hv05"]["code"] == "CONNECTION_REFUSED"
    assert refused.summary["errors"]["hv05"]["remedy"]
    assert "Check that the host is up" in refused.output.partition("PLAY RECAP")[0]


def ended(played: Played) -> dict[str, list[str]]:
    """The names in the published summary."""
    return {word: sorted(played.summary[word]) for word in ("ok", "failed", "not_available", "errors")}


@pytest.mark.slow
def test_the_first_run_may_be_over_one_provider_and_the_list_is_all_of_them(make_site: MakeSite) -> None:
    site = make_site(config(targets=3))
    played = site.distribute("--limit", "hv03")
    assert played.code == 0, played.output
    assert site.names("hv02") == []
    whole = site.distribute()
    assert whole.code == 0, whole.output
    assert sorted(site.words()) == ["hv02", "hv03", "hv04"]


@pytest.mark.slow
@pytest.mark.parametrize("variables", ["psrp", "winrm"])
def test_inventories_as_for_ansible_windows(make_site: MakeSite, variables: str) -> None:
    site = make_site(config(targets=1), variables=variables)
    played = site.distribute(distribute_verify="hash")
    assert played.code == 0, played.output
    supplied(site, "hv02")


def test_what_cannot_be_right_is_refused_before_any_host_is_asked(make_site: MakeSite) -> None:
    site = make_site(config(targets=1))
    for wrong, word in (
        ({"distribute_concurrency": 0}, "greater than 0"),
        ({"distribute_concurrency": -2}, "greater than 0"),
        ({"distribute_concurrency": 2.5}, "2.5"),
        ({"distribute_source": "hv99"}, "hv99"),
        ({"distribute_targets": ["hv98"]}, "hv98"),
    ):
        played = site.distribute(**wrong)
        assert played.code != 0, wrong
        assert word in played.output, played.output
        assert "Traceback" not in played.output
    assert site.lab.calls() == []


@pytest.mark.slow
def test_a_disabled_callback_and_too_few_forks_are_said_and_the_cap_holds(make_site: MakeSite) -> None:
    """Three workers have something to copy, four targets wait, and two may be copied to."""
    site = make_site(config(targets=4, network_rate="4MiB"))
    path = site.folder / "ansible.cfg"
    path.write_text(
        path.read_text().replace("callbacks_enabled", ";callbacks_enabled").replace("forks = 20", "forks = 3")
    )
    played = site.distribute(distribute_concurrency=2)
    assert played.code == 0, played.output
    assert "callbacks_enabled = fanout.hyperv.distribution_status" in played.output
    assert "forks is 3, but 4 are needed" in played.output
    assert not (site.folder / "fanout-status").exists()
    for name in TARGETS[:4]:
        assert site.names(name) == [TEMPLATE]
    proven = call_log.first_run(site.lab.calls(), concurrency=2, targets=4)
    assert all(statement.true for statement in proven), "\n".join(map(str, proven))
