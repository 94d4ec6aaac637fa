# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back to a revision that was kept and forward again, and no disk travels."""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.integration.distribution.conftest import MakeSite, make_site
from tests.integration.distribution.site import SOURCE, TEMPLATE, Site, config
from tests.journeys.guest_site import stamp_of

__all__ = ("make_site",)

FAST: dict[str, t.Any] = {"network_rate": "200MiB", "disk_rate": "400MiB"}
READY = ("Ready", "OK")
MOST = 64 * 1024
"""Bytes that may travel besides disks; the disks have 8 MiB."""
pytestmark = pytest.mark.slow


def record(site: Site) -> dict[str, t.Any]:
    """What the source has recorded."""
    (path,) = (site.lab.data / "hosts" / SOURCE).rglob("record.json")
    found: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return found


def travelled(site: Site) -> dict[str, int]:
    """The bytes that each host's network link has carried."""
    return {name: host["network_carried"] for name, host in site.lab.everything()["hosts"].items()}


def since(site: Site, before: dict[str, int]) -> dict[str, int]:
    """Who has sent or received more than a disk could be hidden in."""
    now = travelled(site)
    return {name: now[name] - then for name, then in before.items() if now[name] - then > MOST}


def copies(site: Site, host: str) -> dict[str, tuple[str, bool]]:
    """Revision to name and superseded of every copy on a host."""
    stamps = [(vm["name"], stamp_of(vm)) for vm in site.vms(host)]
    return {s["revision"]: (name, bool(s.get("superseded"))) for name, s in stamps if s and s["kind"] == "copy"}


def current(site: Site, host: str) -> str:
    (revision,) = (one for one, (name, superseded) in copies(site, host).items() if name == TEMPLATE and not superseded)
    return revision


def exports(site: Site) -> set[str]:
    root = site.lab.data / "hosts" / SOURCE
    return {path.parent.name for path in root.rglob("manifest.json") if "fanout" in path.parts}


def change(site: Site) -> None:
    """Somebody starts the template, writes to its disk and shuts it down."""
    (template,) = (vm for vm in site.vms(SOURCE) if vm["name"] == TEMPLATE)
    site.lab.patch_vm(SOURCE, template["id"], write=True)


def test_back_and_forward_without_a_byte(make_site: MakeSite) -> None:
    site = make_site(config(targets=3, **FAST))
    two = ["hv02", "hv03"]
    keep = {"distribute_keep_revisions": 1}
    assert site.distribute(distribute_targets=two, **keep).code == 0
    first = current(site, "hv02")
    change(site)
    updated = site.distribute(**keep)
    assert updated.code == 0, updated.output
    second = current(site, "hv02")
    assert first != second
    assert all(set(copies(site, host)) == {first, second} for host in two)
    assert (exports(site), record(site)["kept"]) == ({first, second}, [first])
    quiet = site.last_call()
    again = site.distribute(**keep)
    assert (again.code, again.changed, site.writes(quiet)) == (0, {}, []), again.output

    # A revision that nobody has.
    unknown = site.play("rollback", rollback_revision="ffffffffffff")
    assert unknown.code != 0
    assert "REVISION_UNKNOWN" in unknown.output or "is not held" in unknown.output
    assert first in unknown.output
    assert all(current(site, host) == second for host in two)

    # What would be done, then back while one provider is down; a plain run finishes it.
    before, calls = travelled(site), site.last_call()
    planned = site.play("rollback", "--check", "--diff", rollback_revision=first)
    assert planned.code == 0, planned.output
    assert "take" in planned.output
    assert site.writes(calls) == []
    site.lab.down("hv03")
    back = site.play("rollback", rollback_revision=first[:6])
    assert back.code != 0
    assert "hv03" in back.output
    assert current(site, "hv02") == first
    assert site.words() == {"hv02": READY, "hv03": ("Not available", "Failed to distribute")}
    assert (record(site)["revision"], record(site)["pinned"], record(site)["kept"]) == (first, True, [second])
    site.lab.up("hv03")
    finished = site.distribute(**keep)
    assert finished.code == 0, finished.output
    assert all(current(site, host) == first and set(copies(site, host)) == {first, second} for host in two)
    assert since(site, before) == {}
    told = site.status()
    assert (told["template"]["revision"], told["template"]["pinned"]) == (first, True)
    assert {entry["revision"] for entry in told["providers"].values()} == {first}

    # The template goes on meanwhile; later runs keep what is pinned, and one that is added gets that.
    change(site)
    added = site.play("add", provider="hv04", **keep)
    assert added.code == 0, added.output
    assert all(current(site, host) == first for host in two)
    assert set(copies(site, "hv04")) == {first}
    assert set(since(site, before)) == {SOURCE, "hv04"}

    # Another revision is there by now, so it is distributed; what was kept before is surplus then.
    latest = site.play("rollback", rollback_revision="latest")
    assert latest.code == 0, latest.output
    third = current(site, "hv02")
    assert third not in (first, second)
    assert (record(site)["pinned"], record(site)["kept"]) == (False, [first])
    assert all(current(site, host) == third for host in ("hv02", "hv03", "hv04"))
    assert set(copies(site, "hv02")) == {first, third} == exports(site)

    # Back to the first and forward again with nothing new: not a byte in either direction.
    before = travelled(site)
    for asked, revision in ((first, first), ("latest", third)):
        done = site.play("rollback", rollback_revision=asked)
        assert done.code == 0, done.output
        assert all(current(site, host) == revision for host in ("hv02", "hv03", "hv04"))
    assert since(site, before) == {}

    # Fewer are kept: the surplus goes with the next run.
    fewer = site.distribute(distribute_keep_revisions=0)
    assert fewer.code == 0, fewer.output
    assert all(set(copies(site, host)) == {third} for host in ("hv02", "hv03", "hv04"))
    assert (exports(site), record(site)["kept"]) == ({third}, [])
