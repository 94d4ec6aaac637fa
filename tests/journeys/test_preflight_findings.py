# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must fail is said before a byte moves, of every host by itself, and what failed is not called silence."""

from __future__ import annotations

from pathlib import Path

from tests.integration.distribution.conftest import MakeSite, make_site
from tests.integration.distribution.site import SOURCE, TEMPLATE, Site, Values, config

__all__ = ["make_site"]
PASSWORD = "Lab-Passw0rd!"
ENDPOINT = "Bare"
CONFIGURATION = """@{
    SessionType = 'RestrictedRemoteServer'
    RunAsVirtualAccount = $true
    RoleDefinitions = @{ 'Administrators' = @{ RoleCapabilities = 'Bare' } }
}"""
CAPABILITY = "@{ VisibleCmdlets = 'Get-Date' }"


def error_of(site: Site, host: str) -> Values:
    error: Values = site.status()["providers"][host]["error"]
    return error


def change_host(site: Site, name: str, **variables: str) -> None:
    inventory = site.lab.inventory(variables=site.variables)
    inventory["hyperv"]["hosts"][name] |= variables
    site.write_inventory(inventory)


def bare_endpoint(folder: Path) -> str:
    """An endpoint without any cmdlet of Hyper-V: to a session the same as a host on which it is not installed."""
    (folder / "RoleCapabilities").mkdir()
    (folder / "RoleCapabilities" / f"{ENDPOINT}.psrc").write_text(CAPABILITY)
    path = folder / f"{ENDPOINT}.pssc"
    path.write_text(CONFIGURATION)
    return str(path)


def test_a_host_without_hyperv_is_left_out_of_the_first_list_and_told_when_it_is_named(
    make_site: MakeSite, tmp_path: Path
) -> None:
    content = config(targets=2)
    content["hosts"]["hv02"]["session_configurations"] = {ENDPOINT: bare_endpoint(tmp_path)}
    site = make_site(content)
    change_host(site, "hv02", ansible_psrp_configuration_name=ENDPOINT)
    named = site.play("preflight", distribute_targets=["hv02", "hv03"])
    assert named.code != 0
    assert "Hyper-V or its PowerShell module is not installed on hv02" in named.output
    assert site.writes() == []
    first = site.distribute()
    assert first.code == 0, first.output
    assert "hv02: none: left out of the list" in first.output
    assert "Install-WindowsFeature Hyper-V" in first.output
    assert site.words() == {"hv03": ("Ready", "OK")}


def test_a_survey_that_failed_is_not_called_silence(make_site: MakeSite) -> None:
    site = make_site(config(targets=2))
    change_host(site, "hv02", distribute_target_path="not a folder")
    played = site.distribute(distribute_targets=["hv02", "hv03"])
    assert played.code != 0
    assert site.words() == {"hv02": ("Needs update", "Failed to distribute"), "hv03": ("Ready", "OK")}
    assert "not a folder" in error_of(site, "hv02")["message"]
    site.lab.down("hv02")
    change_host(site, "hv02")
    assert site.distribute().code != 0
    assert site.words()["hv02"] == ("Not available", "Failed to distribute")


def test_hosts_that_take_no_migration_are_told_and_nobody_waits_for_them(make_site: MakeSite) -> None:
    content = config(targets=2)
    content["hosts"]["hv02"]["migration"] = {"enabled": True, "authentication": "Kerberos", "storage": 0}
    site = make_site(content)
    played = site.distribute(distribute_targets=["hv02", "hv03"])
    assert played.code != 0
    assert (error_of(site, "hv02")["code"], site.words()["hv03"]) == ("MIGRATION_LIMIT_ZERO", ("Ready", "OK"))
    assert "-MaximumStorageMigrations" in error_of(site, "hv02")["remedy"]


def test_an_account_that_no_other_host_knows_is_told_before_anything_is_written(make_site: MakeSite) -> None:
    content = config(targets=1, winrm={"authentication": ["Negotiate", "Basic"]})
    content["users"].append({"name": "here", "password": PASSWORD, "local": True, "groups": ["Administrators"]})
    site = make_site(content)
    site.write_inventory(site.lab.inventory(user="here", ansible_psrp_auth="basic"))
    played = site.distribute(distribute_targets=["hv02"])
    assert played.code != 0
    assert error_of(site, "hv02")["code"] == "NO_DELEGATION", played.output
    assert "signed in by basic" in error_of(site, "hv02")["message"]
    assert [call for call in site.writes() if "Export-VM" in call or "Move-VM" in call] == []


def test_what_a_broken_move_left_is_told_and_stops_nobody(make_site: MakeSite) -> None:
    content = config(targets=1)
    content["hosts"]["hv02"]["troubles"] = ["no_folder_right"]
    site = make_site(content)
    assert site.distribute(distribute_targets=["hv02"]).code != 0
    (planned,) = site.lab.state("hv02")["planned"]
    site.lab.patch("hv02", troubles=[])
    looked = site.play("preflight")
    assert looked.code == 0, looked.output
    assert f"left the planned VM {planned['name']} ({planned['id']}) on hv02" in looked.output.replace("\n", " ")
    again = site.distribute()
    assert again.code == 0, again.output
    assert site.names("hv02") == site.names(SOURCE) == [TEMPLATE]
    assert site.status()["providers"]["hv02"]["findings"][0]["code"] == "PLANNED_VM_LEFT"
