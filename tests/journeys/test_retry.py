# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tries within a run, and a run that is interrupted: what the status file says is true."""

from __future__ import annotations

import os
import signal
import typing as t

import pytest

from tests.integration.distribution.conftest import MakeSite, make_site
from tests.integration.distribution.site import SOURCE, TEMPLATE, Site, config, wait_for

__all__ = ["make_site"]
BUSY = "The operation cannot be performed while the object is in use. (0x800700AA)"
"""Hyper-V's word for a VM that a backup holds: it passes."""


def moves(site: Site) -> list[dict[str, t.Any]]:
    """Those that began; one that the lab was told to let fail did not."""
    return [call for call in site.lab.calls(SOURCE) if call["command"] == "Move-VM"]


@pytest.mark.slow
def test_an_error_that_may_pass_is_tried_again_while_others_go_on(make_site: MakeSite) -> None:
    site = make_site(config(targets=2))
    site.lab.fault(SOURCE, kind="fail_command", command="Move-VM", message=BUSY, error_id="OperationFailed")
    played = site.distribute(distribute_concurrency=1, distribute_retry_delay=8)
    assert played.code == 0, played.output
    assert "It is tried again in 8 s (2 more at most)" in played.output
    told = site.status()["providers"]
    assert sorted(entry["attempts"] for entry in told.values()) == [1, 2]
    assert set(site.words().values()) == {("Ready", "OK")}
    order = sorted(told, key=lambda name: told[name]["attempts"])
    moved = [call["parameters"]["DestinationHost"].split(".")[0] for call in moves(site)]
    assert moved == order, "the one slot was free for the other while the first one waited"
    assert site.names(SOURCE) == [TEMPLATE]


@pytest.mark.slow
def test_retries_end_and_a_provider_that_does_not_answer_is_not_tried_at_all(make_site: MakeSite) -> None:
    site = make_site(config(targets=2))
    site.lab.down("hv03")
    site.lab.fault(SOURCE, kind="fail_command", command="Move-VM", message=BUSY, count=9)
    played = site.distribute(distribute_retries=1, distribute_retry_delay=0.5)
    assert played.code != 0
    told = site.status()["providers"]
    assert (told["hv02"]["attempts"], told["hv02"]["error"]["code"]) == (2, "BUSY")
    assert told["hv02"]["error"]["transient"] is True
    assert (told["hv03"]["attempts"], told["hv03"]["state"]) == (0, "Not available")
    assert played.output.count("It is tried again") == 1
    assert [path for path in site.files(SOURCE) if path.endswith(".vhdx") and "/clones/" in path] == []

    site.lab.clear_faults(SOURCE)
    site.lab.up("hv03")
    again = site.distribute()
    assert again.code == 0, again.output
    assert site.status()["providers"]["hv02"]["attempts"] == 3, "since it was last OK"
    assert set(site.words().values()) == {("Ready", "OK")}


@pytest.mark.slow
def test_a_run_that_is_interrupted_leaves_a_true_file(make_site: MakeSite) -> None:
    """Ctrl-C: the terminal sends SIGINT to ansible-playbook and to its workers."""
    site = make_site(config(targets=3, network_rate="2MiB"))
    with site.distributing(distribute_concurrency=1) as process:
        wait_for(lambda: any(told["phase"] == "copying" for told in status(site).values()), "a copy under way")
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
    assert process.returncode != 0
    document = site.status()
    assert document["run"]["state"] == "interrupted"
    assert document["run"]["finished"] is not None
    progress = {told["progress"] for told in document["providers"].values()}
    assert "Adding provider" not in progress and "Distributing" not in progress, "nobody works on it any more"
    assert "Failed to distribute" in progress
    assert {told["state"] for told in document["providers"].values()} == {"Needs update"}
    cut = [name for name, told in document["providers"].items() if (told["error"] or {}).get("code") == "INTERRUPTED"]
    assert cut, "the copies that were cut off say why"
    assert document["summary"]["ok"] == 0

    again = site.distribute()
    assert again.code == 0, again.output
    assert set(site.words().values()) == {("Ready", "OK")}
    assert [site.names(name) for name in ("hv02", "hv03", "hv04")] == [[TEMPLATE]] * 3
    assert site.names(SOURCE) == [TEMPLATE]


def status(site: Site) -> dict[str, t.Any]:
    """What is known of the providers; nothing before there is a file."""
    found = list((site.folder / "fanout-status").glob("*@*.json"))
    providers: dict[str, t.Any] = site.status()["providers"] if found else {}
    return providers
