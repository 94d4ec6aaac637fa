# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Constrained endpoints: what their files may say, what they make visible, and what is hidden then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hyperv_lab.endpoints import VIRTUAL, Endpoint, read_endpoint
from hyperv_lab.engine.psdata import DataFileError, parse
from hyperv_lab.engine.session import Caller
from hyperv_lab.reading import ConfigError

from .rig import Host, Result, Rig

GROUP = r"LAB\Operators"
HEAD = f"SessionType = 'RestrictedRemoteServer'; RoleDefinitions = @{{ '{GROUP}' = @{{ RoleCapabilities = 'One' }} }}"
UTILITY = "Microsoft.PowerShell.Utility"
Make = Callable[..., Endpoint]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """An endpoint from what its files hold between their outer braces; ``roles``: further role capabilities."""

    def make(capability: str, configuration: str = HEAD, **roles: str) -> Endpoint:
        (tmp_path / "RoleCapabilities").mkdir(exist_ok=True)
        for name, content in {"One": capability, **roles}.items():
            (tmp_path / "RoleCapabilities" / f"{name}.psrc").write_text(f"@{{ {content} }}")
        path = tmp_path / "It.pssc"
        path.write_text(f"@{{ {configuration} }}")
        return read_endpoint("It", "endpoints.It", path)

    return make


def rig_of(host: Host, endpoint: Endpoint, *names: str, **more: Any) -> Rig:
    return Rig(host, endpoint.configuration(endpoint.serves(names or (GROUP,)), **more))


def refused(result: Result) -> str | None:
    """The id of the error, None without one."""
    return result.error_id if result.errors or result.reason is not None else None


# ---- data files


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("@{}", {}),
        ("@{ A = 'it''s'; 'B C' = 5 }", {"A": "it's", "B C": 5}),
        ('# a comment\n@{\n  A = "x" # more\n <# and\n more #> B = $true\n}\n', {"A": "x", "B": True}),
        ("@{ A = 'x', 'y' }", {"A": ["x", "y"]}),
        ("@{ A = @('x'\n 'y', 'z'\n) ; B = @() }", {"A": ["x", "y", "z"], "B": []}),
        ("@{ A = @{ B = @{ C = -1.5; D = $null } } }", {"A": {"B": {"C": -1.5, "D": None}}}),
        ("@{ A = @( @{ Name = 'x' }, 'y' ) }", {"A": [{"Name": "x"}, "y"]}),
    ],
)
def test_data(text: str, value: Any) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("@{ A = Get-Date }", 1),
        ('@{\n A = "$env:COMPUTERNAME\\x" }', 2),
        ("@{ A = $env:COMPUTERNAME }", 1),
        ("@{ A = 'x' + 'y' }", 1),
        ("@{\n\n A = { Get-Date } }", 3),
        ("@{ A = 'x'\n a = 'y' }", 2),
        ("@{ A = 'x' B = 'y' }", 1),
        ("@{ A = 'x'", 1),
        ("'x'", 1),
        ("@{ A = 'x' } @{}", 1),
    ],
)
def test_what_is_no_data_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(DataFileError, match=f"line {line}:"):
        parse(text)


# ---- files of an endpoint


@pytest.mark.parametrize(
    ("capability", "configuration", "word"),
    [
        ("VisibleCmdlets = 'Get-Nothing'", HEAD, "Get-Nothing"),
        ("VisibleCmdlet = 'Get-VM'", HEAD, "did you mean VisibleCmdlets"),
        ("ScriptsToProcess = 'C:\\x.ps1'", HEAD, "ScriptsToProcess"),
        (
            "VisibleCmdlets = @{ Name = 'Get-VM'; Parameters = @{ Name = 'Name'; ValidatePattern = 'x' } }",
            HEAD,
            "Pattern",
        ),
        ("", HEAD.replace("RestrictedRemoteServer", "Default"), "SessionType"),
        ("", HEAD.replace("'One'", "'Other'"), "Other.psrc"),
        ("", HEAD + "; MountUserDrive = $true", "MountUserDrive"),
        ("", "SessionType = 'RestrictedRemoteServer'", "RoleDefinitions"),
    ],
)
def test_files_that_cannot_be_served_as_they_are(make: Make, capability: str, configuration: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        make(capability, configuration)


def test_who_may_come_in_and_who_acts(make: Make) -> None:
    plain = make("")
    assert plain.serves(["lab\\operators"]) and not plain.serves(["Administrators", "OTHER\\Operators"])
    caller = Caller("LAB\\ann", frozenset({"Operators"}), "negotiate/ntlm", True)
    assert plain.acting(caller, 1, "hv01") is caller
    virtual = make("", HEAD + "; RunAsVirtualAccount = $true").acting(caller, 7, "hv01")
    name = "WinRM Virtual Users\\WinRM VA_7_LAB_ann"
    assert virtual == Caller(name, frozenset({"Administrators"}), VIRTUAL, network="hv01$")
    groups = "; RunAsVirtualAccount = $true; RunAsVirtualAccountGroups = 'Hyper-V Administrators'"
    assert make("", HEAD + groups).acting(caller, 1, "hv01").groups == {"Hyper-V Administrators"}


# ---- what is visible


def test_commands_need_their_module(make: Make, host: Host) -> None:
    """A name alone means commands of the modules that are there; with its module it brings that along."""
    hidden = "CommandNotFoundException"
    assert refused(rig_of(host, make("VisibleCmdlets = 'Get-VM'"))(("Get-VM", {}))) == hidden
    for capability in ("VisibleCmdlets = 'Get-VM'; ModulesToImport = 'Hyper-V'", "VisibleCmdlets = 'Hyper-V\\Get-VM'"):
        rig = rig_of(host, make(capability))
        assert hidden not in (refused(rig(("Get-VM", {}))), refused(rig((r"Hyper-V\Get-VM", {}))))
    assert refused(rig_of(host, make(r"VisibleCmdlets = 'Hyper-V\Get-*'"))(("Get-VM", {}))) != hidden


def test_aliases_are_not_visible(make: Make, host: Host) -> None:
    rig = rig_of(host, make("VisibleCmdlets = 'Get-ChildItem'; VisibleProviders = 'FileSystem'"))
    assert refused(rig(("gci", {"LiteralPath": "C:\\"}))) == "CommandNotFoundException"


@pytest.mark.parametrize(
    ("name", "parameters", "error"),
    [
        ("Select-Object", {"Property": ["Name"]}, None),
        ("select", {"Property": ["Name"]}, None),
        ("Select-Object", {"Property": ["Year"]}, "ParameterArgumentValidationError,Select-Object"),
        ("Select-Object", {"First": 1}, "NamedParameterNotFound,Select-Object"),
        ("Measure-Object", {}, None),
        ("Measure-Object", {"Property": ["Length"]}, "NamedParameterNotFound,Measure-Object"),
        (f"{UTILITY}\\Select-Object", {"First": 1}, "CommandNotFoundException"),
        ("Sort-Object", {}, "CommandNotFoundException"),
    ],
)
def test_the_commands_of_every_restricted_session(
    make: Make, host: Host, name: str, parameters: dict[str, Any], error: str | None
) -> None:
    rig = rig_of(host, make(r"VisibleCmdlets = 'Get-Date'"))
    assert refused(rig(("Get-Date", {}), (name, parameters))) == error


@pytest.mark.parametrize("hides", [True, False])
def test_the_real_select_object_by_its_full_name_and_perhaps_by_its_bare_one(
    make: Make, host: Host, hides: bool
) -> None:
    endpoint = make(rf"VisibleCmdlets = 'Get-Date', '{UTILITY}\Select-Object'")
    rig = rig_of(host, endpoint, proxies_win=hides)
    assert refused(rig(("Get-Date", {}), (f"{UTILITY}\\Select-Object", {"Property": ["Year"]}))) is None
    bare = refused(rig(("Get-Date", {}), ("Select-Object", {"Property": ["Year"]})))
    assert bare == ("ParameterArgumentValidationError,Select-Object" if hides else None)


def test_parameters_that_are_not_visible(make: Make, host: Host) -> None:
    allowed = "@{ Name = 'Set-Variable'; Parameters = @{ Name = 'Name'; ValidateSet = 'a', 'b' }, @{ Name = 'Value' } }"
    rig = rig_of(host, make(f"VisibleCmdlets = {allowed}"))
    assert refused(rig(("Set-Variable", {"Name": "a", "Value": 1}))) is None
    other = refused(rig(("Set-Variable", {"Name": "c", "Value": 1})))
    assert other == "ParameterArgumentValidationError,Set-Variable"
    hidden = refused(rig(("Set-Variable", {"Name": "a", "Value": 1, "PassThru": True})))
    assert hidden == "NamedParameterNotFound,Set-Variable"
    qualified = refused(rig((f"{UTILITY}\\Set-Variable", {"Name": "a", "Value": 1})))
    assert qualified == "CommandNotFoundException"


def test_two_roles_together(make: Make, host: Host) -> None:
    both = HEAD.replace("'One'", "'One', 'Two'")
    parameters = "@{ Name = 'Name'; ValidateSet = 'a' }, @{ Name = 'Value' }"
    limited = f"VisibleCmdlets = @{{ Name = 'Set-Variable'; Parameters = {parameters} }}"
    rig = rig_of(host, make(limited, both, Two=limited.replace("'a'", "'b'")))
    for name in ("a", "b"):
        assert refused(rig(("Set-Variable", {"Name": name, "Value": 1}))) is None
    assert refused(rig(("Set-Variable", {"Name": "c", "Value": 1}))) is not None
    rig = rig_of(host, make(limited, both, Two="VisibleCmdlets = 'Set-Variable'"))
    assert refused(rig(("Set-Variable", {"Name": "c", "Value": 1, "PassThru": True}))) is None


def test_drives_need_the_provider(make: Make, host: Host) -> None:
    look = ("Get-Item", {"LiteralPath": "C:\\"})
    hidden = refused(rig_of(host, make("VisibleCmdlets = 'Get-Item'"))(look))
    assert hidden == "DriveNotFound,Microsoft.PowerShell.Commands.GetItemCommand"
    assert refused(rig_of(host, make("VisibleCmdlets = 'Get-Item'; VisibleProviders = 'FileSystem'"))(look)) is None
