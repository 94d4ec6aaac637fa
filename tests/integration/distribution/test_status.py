# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status file: readable at every moment, of its schema, true at the end."""

from __future__ import annotations

import json
import os
import signal
import threading
import typing as t

import jsonschema
import pytest

from .conftest import MakeSite
from .site import SCHEMA, TARGETS, Site, config, wait_for

__all__ = ["SCHEMA"]


class Reader(threading.Thread):
    """Reads the status file again and again, as a dashboard would."""

    def __init__(self, site: Site) -> None:
        super().__init__(daemon=True)
        self._site = site
        self._stop_now = threading.Event()
        self.documents: list[dict[str, t.Any]] = []
        self.failures: list[str] = []

    def run(self) -> None:
        while not self._stop_now.wait(0.01):
            for path in (self._site.folder / "fanout-status").glob("*.json"):
                try:
                    document = json.loads(path.read_text())
                    if not self.documents or document != self.documents[-1]:
                        jsonschema.validate(document, SCHEMA)
                        self.documents.append(document)
                except (ValueError, jsonschema.ValidationError) as error:
                    self.failures.append(str(error))

    def finish(self) -> None:
        self._stop_now.set()
        self.join(30)


@pytest.mark.slow
def test_it_can_be_read_at_every_moment_and_ends_true(make_site: MakeSite) -> None:
    site = make_site(config(network_rate="4MiB"))
    reader = Reader(site)
    reader.start()
    played = site.distribute()
    reader.finish()
    assert played.code == 0, played.output
    assert reader.failures == []
    words = [document["distribution"] for document in reader.documents]
    assert "Adding provider" in words
    assert words[-1] == "OK"
    assert reader.documents[-1]["run"]["state"] == "finished"
    percents = {
        told["percent"]
        for document in reader.documents
        for told in document["providers"].values()
        if told["phase"] == "copying" and told["percent"]
    }
    assert len(percents) > 3, "no progress was seen while copies ran"
    assert site.words() == {name: ("Ready", "OK") for name in TARGETS}
    revisions = {told["revision"] for told in site.status()["providers"].values()}
    assert revisions == {site.status()["template"]["revision"]}


@pytest.mark.slow
def test_progress_is_printed_also_when_nobody_looks(make_site: MakeSite) -> None:
    site = make_site(config(targets=1, network_rate="2MiB"))
    played = site.distribute()
    assert played.code == 0, played.output
    lines = [line for line in played.output.splitlines() if line.startswith("hv02: copying")]
    assert lines, played.output
    assert any("%" in line for line in lines), lines


def copying(site: Site) -> list[str]:
    if not list((site.folder / "fanout-status").glob("*.json")):
        return []
    return [name for name, told in site.status()["providers"].items() if told["phase"] == "copying"]


@pytest.mark.slow
def test_of_a_killed_run_readers_see_that_it_was_interrupted(make_site: MakeSite) -> None:
    site = make_site(config(targets=1, network_rate="1MiB"))
    with site.distributing() as process:
        wait_for(lambda: copying(site) == ["hv02"], "a copy under way")
        jsonschema.validate(site.seen(), SCHEMA)
        assert (site.seen()["run"]["state"], site.seen()["distribution"]) == ("running", "Adding provider")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        wait_for(lambda: site.seen()["run"]["state"] != "running", "the end of all that held the run's lock", 30)
    assert site.status()["run"]["state"] == "running", "nobody was left to write anything else"
    seen = site.seen()
    jsonschema.validate(seen, SCHEMA)
    assert (seen["run"]["state"], seen["distribution"]) == ("interrupted", "Failed to distribute")
    told = seen["providers"]["hv02"]
    assert (told["progress"], told["error"]["code"]) == ("Failed to distribute", "INTERRUPTED")
    assert (told["phase"], told["rate"], told["eta"]) == (None, None, None)
