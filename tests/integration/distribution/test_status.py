# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status file: readable at every moment, of its schema, true at the end."""

from __future__ import annotations

import json
import threading
import typing as t

import jsonschema
import pytest

from .conftest import MakeSite
from .site import ROOT, TARGETS, Site, config

SCHEMA = json.loads((ROOT / "docs" / "status.schema.json").read_text())


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
