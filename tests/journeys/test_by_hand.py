# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies that somebody has changed by hand: each is told for what it is, and exactly those that need it are retried."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import pytest

from tests.integration.distribution.conftest import MakeSite, make_site
from tests.integration.distribution.site import SOURCE, TEMPLATE, Site, config

__all__ = ["make_site"]
GROUPS = "status.fanout.yml"
OK = ("Ready", "OK")
FAILED = ("Needs update", "Failed to distribute")


def disk_of(site: Site, host: str, vm_id: str | None = None) -> Path:
    """The disk's file of the copy on a host, in the lab's folder for that host."""
    root = Path(site.lab.data) / "hosts" / host
    (found,) = [path for path in root.rglob("*.vhdx") if "fanout" in path.parts and (vm_id or "") in str(path)]
    return found


def the_copy(site: Site, host: str) -> dict[str, t.Any]:
    (copy,) = site.vms(host)
    return copy


def delete(site: Site, host: str) -> None:
    site.lab.remove_vm(host, the_copy(site, host)["id"])


def change(site: Site, host: str, **changes: t.Any) -> None:
    site.lab.patch_vm(host, the_copy(site, host)["id"], **changes)


def replace_disk(site: Site, host: str) -> None:
    """Another disk under the same name, as if from a backup of something else."""
    site.lab.add_vm(host, name="other", disks=[{"size": "40GiB", "payload": "8MiB"}])
    root = Path(site.lab.data) / "hosts" / host
    (other,) = [path for path in root.rglob("*.vhdx") if "fanout" not in path.parts]
    shutil.copyfile(other, disk_of(site, host))


def damage_disk(site: Site, host: str) -> None:
    """One byte of the content: size, identifiers and headers stay as they were."""
    path = disk_of(site, host)
    content = bytearray(path.read_bytes())
    content[-1000] ^= 0xFF
    path.write_bytes(content)


def reasons(site: Site) -> dict[str, str | None]:
    return {name: told["reason"] for name, told in site.status()["providers"].items()}


def hosts_called(site: Site, since: int) -> set[str]:
    return {str(call["host"]) for call in site.lab.calls(since=since)}


@pytest.mark.slow
def test_each_is_told_and_only_those_that_need_it_are_retried(make_site: MakeSite) -> None:
    site = make_site(config(targets=6, network_rate="32MiB"))
    (site.folder / GROUPS).write_text("plugin: fanout.hyperv.distribution\n")
    played = site.distribute()
    assert played.code == 0, played.output
    copies = {name: the_copy(site, name)["id"] for name in ("hv03", "hv04", "hv05", "hv06")}

    delete(site, "hv02")
    change(site, "hv03", name="mine now")
    change(site, "hv04", state="Running")
    replace_disk(site, "hv05")
    change(site, "hv06", notes="")

    since = site.last_call()
    planned = site.distribute("--check")
    assert site.writes(since) == [], "check mode changes nothing"
    for name, word in {
        "hv02": "no copy",
        "hv03": "It was renamed to 'mine now'.",
        "hv04": "has to be replaced, but it is Running",
        "hv05": "has another identifier",
        "hv06": "carries no stamp of ours",
    }.items():
        lines = [line for line in planned.output.splitlines() if f"plan: {name}: " in line]
        assert lines and word in lines[0], (name, lines, planned.output)

    since = site.last_call()
    mended = site.distribute()
    assert mended.code != 0, "what cannot be mended without somebody makes the run fail"
    assert site.words() == {name: OK for name in ("hv02", "hv03", "hv05", "hv07")} | {"hv04": FAILED, "hv06": FAILED}
    assert reasons(site) == dict.fromkeys(("hv02", "hv03", "hv05", "hv07")) | {"hv04": "started", "hv06": "unstamped"}
    codes = {name: told["error"]["code"] for name, told in site.status()["providers"].items() if told["error"]}
    assert codes == {"hv04": "COPY_RUNNING", "hv06": "STAMP_MISSING"}
    assert the_copy(site, "hv03")["id"] == copies["hv03"], "a copy that was only renamed is not copied again"
    assert the_copy(site, "hv03")["name"] == TEMPLATE
    assert sorted(site.names("hv05")) == ["other", TEMPLATE], "its own disks are replaced, other VMs are left alone"
    assert copies["hv05"] not in [vm["id"] for vm in site.vms("hv05")]
    for name in ("hv04", "hv06"):
        assert the_copy(site, name)["id"] == copies[name]
        assert [line for line in site.writes(since) if line.startswith(f"{name}: ")] == []

    # Exactly those that need it: groups from the status file.
    change(site, "hv04", state="Off")
    since = site.last_call()
    retried = site.distribute("-i", GROUPS, "--limit", "failed_to_distribute")
    assert hosts_called(site, since) == {SOURCE, "hv04", "hv06"}, retried.output
    assert site.words()["hv04"] == OK
    assert site.words()["hv06"] == FAILED, "without a word nobody's VM is taken over"

    since = site.last_call()
    adopted = site.play("add", provider="hv06")
    assert adopted.code == 0, adopted.output
    assert the_copy(site, "hv06")["id"] == copies["hv06"]
    assert not [line for line in site.writes(since) if "Move-VM" in line or "Import-VM" in line]
    assert set(site.words().values()) == {OK}
    again = site.distribute()
    assert (again.code, again.changed) == (0, {}), again.output
    nobody = site.distribute("-i", GROUPS, "--limit", "needs_update")
    assert "leaves us with no hosts to target" in nobody.output


@pytest.mark.slow
def test_damage_at_equal_size_is_found_by_hash_and_mended(make_site: MakeSite) -> None:
    site = make_site(config(targets=2, network_rate="32MiB"))
    played = site.distribute()
    assert played.code == 0, played.output
    damaged, sound = the_copy(site, "hv02")["id"], the_copy(site, "hv03")["id"]
    damage_disk(site, "hv02")

    blind = site.distribute()
    assert (blind.code, blind.changed) == (0, {}), "sizes and identifiers are as they were"
    found = site.distribute(distribute_verify="hash")
    assert found.code == 0, found.output
    assert "hv02" in found.changed and "hv03" not in found.changed
    assert "hv02: the copy win11-gold is damaged: " in found.output
    assert "SHA-256 is" in found.output
    assert site.names("hv02") == [TEMPLATE]
    assert the_copy(site, "hv02")["id"] != damaged
    assert the_copy(site, "hv03")["id"] == sound
    assert set(site.words().values()) == {OK}
    assert {told["phase"] for told in site.status()["providers"].values()} == {None}
    again = site.distribute(distribute_verify="hash")
    assert (again.code, again.changed) == (0, {}), again.output
