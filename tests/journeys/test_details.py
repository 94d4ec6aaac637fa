# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook status, the lookup, the report, and what Ctrl-C leaves: on a lab, as people use them."""

from __future__ import annotations

import os
import signal
import typing as t

import jsonschema
import pytest

from tests.integration.distribution.conftest import MakeSite, make_site
from tests.integration.distribution.site import ANSIBLE, TARGETS, TEMPLATE, Played, Site, config, wait_for
from tests.integration.distribution.test_status import SCHEMA

__all__ = ["make_site"]
QUERY = "providers.* | [?state != 'Ready'].name | sort(@)"


def play(site: Site, command: str, *arguments: str) -> Played:
    return site.run([str(ANSIBLE / command), *arguments])


def status(site: Site, *variables: str) -> Played:
    extra = [part for variable in variables for part in ("-e", variable)]
    return play(site, "ansible-playbook", "fanout.hyperv.status", "-i", "inventory.yml", *extra)


def row(played: Played, provider: str) -> list[str]:
    """The words of a provider's row in the printed table."""
    return next(line.split() for line in played.output.splitlines() if line.startswith(f"{provider} "))


def runs(site: Site) -> list[tuple[str, str]]:
    return [(run["kind"], run["state"]) for run in site.status()["runs"]]


@pytest.mark.slow
def test_the_hosts_are_asked_and_nothing_is_written_to_them(make_site: MakeSite) -> None:
    site = make_site(config(targets=3))
    first = status(site, f"status_template={TEMPLATE}")
    assert first.code == 0, first.output
    assert site.words() == dict.fromkeys(TARGETS[:3], ("Needs update", "OK"))
    assert site.writes() == []
    assert runs(site) == [("survey", "finished")]

    assert site.distribute().code == 0
    done = site.last_call()
    site.lab.down("hv04")
    copy = next(vm for vm in site.vms("hv03") if vm["name"] == TEMPLATE)
    site.lab.patch_vm("hv03", copy["id"], state="Running")
    told = status(site, f"status_template={TEMPLATE}")
    assert told.code == 0, told.output
    assert site.writes(since=done) == []
    assert site.words() == {
        "hv02": ("Ready", "OK"),
        "hv03": ("Needs update", "OK"),
        "hv04": ("Not available", "OK"),
    }
    assert row(told, "hv02")[:3] == ["hv02", "Ready", "OK"]
    assert row(told, "hv04")[:3] == ["hv04", "Not", "available"]
    assert "CONNECTION_REFUSED" in row(told, "hv04")
    assert "remedy: Check that the host is up" in told.output
    assert "plan: " not in told.output
    assert runs(site) == [("survey", "finished"), ("distribution", "finished")]
    jsonschema.validate(site.status(), SCHEMA)

    asked = site.last_call()
    cached = status(site, "status_cached=true")
    assert cached.code == 0, cached.output
    assert row(cached, "hv04") == row(told, "hv04")
    assert site.lab.calls(since=asked) == []
    lookup = f"{{{{ lookup('fanout.hyperv.distribution_status', '{TEMPLATE}', query=\"{QUERY}\") | join(' ') }}}}"
    read = play(site, "ansible", "localhost", "-m", "ansible.builtin.debug", "-a", f'msg="{lookup}"')
    assert "hv03 hv04" in read.output, read.output
    page = site.status_file.with_suffix(".html").read_text()
    assert "Not available (1)" in page
    assert "refresh" not in page


@pytest.mark.slow
def test_it_works_without_the_callback_and_a_name_that_is_none_leaves_nothing(make_site: MakeSite) -> None:
    site = make_site(config(targets=1))
    configuration = site.folder / "ansible.cfg"
    lines = configuration.read_text().splitlines(keepends=True)
    configuration.write_text("".join(line for line in lines if not line.startswith("callbacks_enabled")))
    wrong = status(site, "status_template=win11-silver")
    assert wrong.code == 2
    assert "no VM called 'win11-silver'" in wrong.output
    assert not (site.folder / "fanout-status").exists()
    unknown = status(site, "status_template=win11-silver", "status_cached=true")
    assert unknown.code == 2
    assert "There is no status file of the template 'win11-silver'" in unknown.output
    told = status(site, f"status_template={TEMPLATE}")
    assert told.code == 0, told.output
    assert row(told, "hv02")[:4] == ["hv02", "Needs", "update", "OK"]
    assert f"Status file: {site.status_file}" in told.output
    assert site.status_file.with_suffix(".html").exists()
    nothing = status(site)
    assert nothing.code == 2
    assert "Say which template" in nothing.output


@pytest.mark.slow
def test_ctrl_c_leaves_a_true_file_and_the_next_run_goes_on(make_site: MakeSite) -> None:
    site = make_site(config(targets=3, network_rate="2MiB"))
    with site.distributing() as process:
        wait_for(lambda: len(copying(site)) == 2, "two copies under way")
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to ansible-playbook and to its workers
        process.wait(60)
    document = site.status()
    jsonschema.validate(document, SCHEMA)
    assert document["run"]["state"] == "interrupted"
    assert document["run"]["finished"] is not None
    assert document["distribution"] == "Failed to distribute"
    cut = [name for name, told in document["providers"].items() if (told["error"] or {}).get("code") == "INTERRUPTED"]
    assert len(cut) >= 2
    for name in cut:
        told = document["providers"][name]
        assert (told["phase"], told["rate"], told["eta"]) == (None, None, None)
        assert all(phase["finished"] for phase in told["phases"])
    assert "Run interrupted" in site.status_file.with_suffix(".html").read_text()
    again = site.distribute()
    assert again.code == 0, again.output
    assert site.words() == dict.fromkeys(TARGETS[:3], ("Ready", "OK"))


def copying(site: Site) -> list[str]:
    if not list((site.folder / "fanout-status").glob("*.json")):
        return []
    providers: dict[str, t.Any] = site.status()["providers"]
    return [name for name, told in providers.items() if told["phase"] == "copying" and told["percent"]]


@pytest.mark.slow
def test_a_second_run_does_not_talk_over_the_first_one(make_site: MakeSite) -> None:
    site = make_site(config(targets=2, network_rate="2MiB"))
    seen: list[tuple[str, str]] = []
    with site.distributing() as process:
        wait_for(lambda: len(copying(site)) == 2, "two copies under way")
        second = site.distribute("--limit", "hv02")
        if process.poll() is None:
            seen = [(told["progress"], told["run"]) for told in site.status()["providers"].values()]
        process.wait(120)
        assert process.returncode == 0, site.output
    assert not [word for word, _run in seen if word == "Failed to distribute"], second.output
    assert site.words() == dict.fromkeys(TARGETS[:2], ("Ready", "OK"))
    assert {run["state"] for run in site.status()["runs"]} == {"finished"}
