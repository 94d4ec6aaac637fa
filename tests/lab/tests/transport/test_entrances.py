# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may open which endpoint, who acts in its sessions, and what other computers make of that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hyperv_lab.client import Lab, LabError
from hyperv_lab.config import HostConfig, UserConfig
from hyperv_lab.endpoints import read_endpoint
from hyperv_lab.model.directory import Directory
from hyperv_lab.model.switches import Rules
from hyperv_lab.reading import ConfigError
from hyperv_lab.transport.accounts import Account
from hyperv_lab.transport.auth import Principal
from hyperv_lab.transport.entrances import Entrances
from hyperv_lab.transport.soap import WSManFault

Make = Callable[..., Entrances]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A host with the endpoint ``It`` for some groups, whose sessions run as virtual accounts."""

    def make(*groups: str, **rules: Any) -> Entrances:
        (tmp_path / "RoleCapabilities").mkdir(exist_ok=True)
        (tmp_path / "RoleCapabilities" / "One.psrc").write_text("@{ VisibleCmdlets = 'Select-Object' }")
        roles = "; ".join(f"'{group}' = @{{ RoleCapabilities = 'One' }}" for group in groups)
        path = tmp_path / "It.pssc"
        kind = "SessionType = 'RestrictedRemoteServer'; RunAsVirtualAccount = $true"
        path.write_text(f"@{{ {kind}; RoleDefinitions = @{{ {roles} }} }}")
        config = HostConfig("hv01", "127.0.0.1", session_configurations=(read_endpoint("It", "x", path),))
        return Entrances(SimpleNamespace(rules=Rules().changed(rules)), config)

    return make


def principal(*groups: str) -> Principal:
    return Principal(Account("LAB\\ann", frozenset(groups)), "negotiate/ntlm")


@pytest.mark.parametrize("role", ["LAB\\Ops", "lab\\ops", "HV01\\Ops", "Ops", "LAB\\ann"])
def test_the_spellings_of_a_role(make: Make, role: str) -> None:
    assert make(role).enter(principal("Ops"), "it").caller.network == "hv01$"


@pytest.mark.parametrize("role", ["OTHER\\Ops", "HV02\\Ops", "BUILTIN\\Ops", "Op", "LAB\\bob"])
def test_who_has_no_role_is_denied(make: Make, role: str) -> None:
    with pytest.raises(WSManFault) as caught:
        make(role).enter(principal("Ops", "Administrators"), "It")
    assert caught.value.code == 5


def test_a_role_does_not_open_the_other_endpoint(make: Make) -> None:
    entrances = make("BUILTIN\\Administrators")
    assert entrances.enter(principal("Administrators"), "It")
    assert entrances.enter(principal("Administrators"), "Microsoft.PowerShell").configuration.offers is None
    with pytest.raises(WSManFault) as caught:
        make("LAB\\Ops").enter(principal("Ops"), "Microsoft.PowerShell")
    assert caught.value.code == 5
    assert not entrances.knows("Other")


def test_every_session_has_a_virtual_account_of_its_own(make: Make) -> None:
    entrances = make("Ops")
    assert len({entrances.enter(principal("Ops"), "It").caller.user for _ in range(3)}) == 3


@pytest.mark.parametrize("hides", [True, False])
def test_whether_a_stand_in_hides_the_cmdlet(make: Make, hides: bool) -> None:
    configuration = make("Ops", stand_in_hides_cmdlet=hides).enter(principal("Ops"), "It").configuration
    offer = configuration.offer("Select-Object", "Select-Object")
    assert offer is not None and (offer.limits is not None) is hides


@pytest.mark.parametrize(
    ("groups", "needs_group", "may"),
    [(None, True, False), (None, False, True), (["Hyper-V Administrators"], True, True), (["Users"], False, False)],
)
def test_a_virtual_account_is_the_computer_account_elsewhere(
    make: Make, groups: list[str] | None, needs_group: bool, may: bool
) -> None:
    caller = make("Ops").enter(principal("Ops"), "It").caller
    users = {} if groups is None else {"hv01$": UserConfig("hv01$", "x", frozenset(groups))}
    rules = Rules(computer_account_needs_group=needs_group)
    assert Directory("any", users).may_manage_at(caller, "hv02", rules) is may


def test_lab_yml(tmp_path: Path) -> None:
    host = {"hosts": {"hv01": {"address": "127.0.79.1", "session_configurations": {"It": str(tmp_path / "no.pssc")}}}}
    with pytest.raises((ConfigError, LabError), match=r"session_configurations\.It.*no\.pssc"):
        Lab.start(host)
