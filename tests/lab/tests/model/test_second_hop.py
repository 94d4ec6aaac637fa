# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the second hop, cell by cell, and everything else that can be wrong with the other end of a move."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hyperv_lab.config import DelegationConfig, UserConfig
from hyperv_lab.engine.session import Caller
from hyperv_lab.model import second_hop as hop
from hyperv_lab.model import troubles
from hyperv_lab.model.directory import Directory, caller_kind, refusal
from hyperv_lab.model.second_hop import Hop, decide, row_of
from hyperv_lab.model.switches import Rules
from hyperv_lab.model.texts import ENGLISH, GERMAN

from tests.lab.tests.model.labs import NOBODY, TEMPLATE, Model, host_config
from tests.lab.tests.model.shells import Shell

Make = Callable[..., Model]
OK, NO, ACCESS, UNKNOWN = None, 0x8009030E, 0x80070005, 0x8009030D

# Both hosts' type is Kerberos; rows: what the directory has; columns: how the caller came to the source.
KERBEROS = {
    #                       local ntlm kerberos forwarded credssp virtual
    hop.NO_GRANT: (NO, NO, NO, NO, NO, NO),
    hop.KERBEROS_ONLY: (NO, NO, NO, NO, NO, NO),
    hop.ANY_PROTOCOL: (NO, OK, OK, OK, OK, OK),
    hop.WITHOUT_CIFS: (NO, ACCESS, ACCESS, ACCESS, ACCESS, ACCESS),
    hop.WITHOUT_MIGRATION: (NO, NO, NO, NO, NO, NO),
    hop.RESOURCE_BASED: (NO, OK, OK, OK, OK, OK),
    hop.SENSITIVE: (NO, NO, NO, NO, NO, NO),
}
# Both hosts' type is CredSSP: delegation is of no use, the session itself has to bring the credentials.
CREDSSP = (NO, NO, NO, NO, OK, NO)


def expected() -> list[tuple[Hop, int | None]]:
    cells: list[tuple[Hop, int | None]] = []
    for grant, codes in KERBEROS.items():
        cells += [(Hop(caller, grant), code) for caller, code in zip(hop.CALLERS, codes, strict=True)]
    for grant in hop.GRANTS:
        both = ("CredSSP", "CredSSP")
        cells += [(Hop(caller, grant, *both), code) for caller, code in zip(hop.CALLERS, CREDSSP, strict=True)]
    for caller, grant in itertools.product(hop.CALLERS, hop.GRANTS):
        cells += [
            (Hop(caller, grant, "Kerberos", "CredSSP"), UNKNOWN),
            (Hop(caller, grant, "CredSSP", "Kerberos"), UNKNOWN),
        ]
    return cells


def test_every_cell() -> None:
    cells = expected()
    assert len(set(cells)) == len(hop.CALLERS) * len(hop.GRANTS) * len(hop.TYPES) ** 2
    wrong = [(cell, code, decide(cell, Rules())) for cell, code in cells if decide(cell, Rules()) != code]
    assert wrong == []


def test_what_else_counts() -> None:
    credssp = ("CredSSP", "CredSSP")
    assert decide(Hop(hop.CREDSSP, hop.ANY_PROTOCOL, *credssp, guarded=True), Rules()) == NO
    assert decide(Hop(hop.KERBEROS, hop.ANY_PROTOCOL, guarded=True), Rules()) is OK
    assert decide(Hop(hop.KERBEROS, hop.WITHOUT_CIFS, storage=False), Rules()) is OK
    for types in (("Kerberos", "Kerberos"), ("CredSSP", "CredSSP"), ("Kerberos", "CredSSP")):
        assert decide(Hop(hop.CREDSSP, hop.ANY_PROTOCOL, *types, domains=False), Rules()) == NO


@pytest.mark.parametrize(
    ("switch", "cell", "code"),
    [
        ("any_session_serves_credssp", Hop(hop.NTLM, hop.NO_GRANT, "CredSSP", "CredSSP"), OK),
        ("missing_cifs_is_no_credentials", Hop(hop.NTLM, hop.WITHOUT_CIFS), NO),
        ("credssp_serves_kerberos", Hop(hop.CREDSSP, hop.NO_GRANT), OK),
        ("delegated_kerberos_is_enough", Hop(hop.FORWARDED, hop.NO_GRANT), OK),
        ("virtual_account_is_nobody", Hop(hop.VIRTUAL, hop.ANY_PROTOCOL), ACCESS),
    ],
)
def test_what_nobody_has_proved_is_a_switch(switch: str, cell: Hop, code: int | None) -> None:
    assert row_of(cell).switch == switch
    assert decide(cell, Rules()) != code
    assert decide(cell, Rules().changed({switch: True})) == code


def test_every_row_says_where_it_is_from_and_is_reached() -> None:
    reached = {row_of(cell) for cell, _ in expected()}
    reached |= {row_of(Hop(hop.CREDSSP, hop.NO_GRANT, "CredSSP", "CredSSP", guarded=True))}
    reached |= {
        row_of(Hop(hop.NTLM, hop.WITHOUT_CIFS, storage=False)),
        row_of(Hop(hop.NTLM, hop.NO_GRANT, domains=False)),
    }
    assert reached == set(hop.TABLE)
    for row in hop.TABLE:
        assert row.source.rstrip("]").endswith(("[D", "[D, F", "[I"))
        assert ("[I]" in row.source) == (row.switch is not None)


# ---- the directory


@pytest.mark.parametrize(
    ("delegation", "grant"),
    [
        ("none", hop.NO_GRANT),
        ("any", hop.ANY_PROTOCOL),
        ({}, hop.NO_GRANT),
        ({"hv01": DelegationConfig({"hv02": frozenset({"cifs", "migration"})})}, hop.ANY_PROTOCOL),
        ({"hv01": DelegationConfig({"hv02": frozenset({"cifs", "migration"})}, "kerberos")}, hop.KERBEROS_ONLY),
        ({"hv01": DelegationConfig({"hv02": frozenset({"migration"})})}, hop.WITHOUT_CIFS),
        ({"hv01": DelegationConfig({"hv02": frozenset({"cifs"})})}, hop.WITHOUT_MIGRATION),
        ({"hv01": DelegationConfig({"hv03": frozenset({"cifs", "migration"})})}, hop.NO_GRANT),
        ({"hv02": DelegationConfig({"hv01": frozenset({"cifs", "migration"})})}, hop.NO_GRANT),
        ({"hv02": DelegationConfig(accepts=("hv01",))}, hop.RESOURCE_BASED),
        ({"hv01": DelegationConfig(accepts=("hv02",))}, hop.NO_GRANT),
    ],
)
def test_what_the_directory_grants(delegation: Any, grant: str) -> None:
    assert Directory(delegation).grant("hv01", "hv02", "LAB\\labadmin") == grant


def test_a_sensitive_account() -> None:
    users = {"vip": UserConfig("vip", "x", sensitive=True)}
    assert Directory("any", users).grant("hv01", "hv02", "LAB\\vip") == hop.SENSITIVE
    assert Directory("none", users).grant("hv01", "hv02", "LAB\\vip") == hop.NO_GRANT


@pytest.mark.parametrize(
    ("user", "mechanism", "delegated", "kind"),
    [
        ("LAB\\labadmin", "negotiate/ntlm", False, hop.NTLM),
        ("LAB\\labadmin", "negotiate/kerberos", False, hop.KERBEROS),
        ("LAB\\labadmin", "kerberos", True, hop.FORWARDED),
        ("LAB\\labadmin", "credssp/kerberos", True, hop.CREDSSP),
        ("HV01\\labadmin", "basic", False, hop.LOCAL),
        ("HV01\\labadmin", "credssp/ntlm", True, hop.LOCAL),
        ("WinRM Virtual Users\\WinRM VA_1", "virtual account", False, hop.VIRTUAL),
    ],
)
def test_how_the_caller_came(user: str, mechanism: str, delegated: bool, kind: str) -> None:
    assert caller_kind(Caller(user, frozenset(), mechanism, delegated), "LAB") == kind


def test_hosts_of_2025_guard_their_credentials(make: Make) -> None:
    hosts = tuple(host_config(f"hv0{number}", number, version=2025) for number in (1, 2))
    model = make(hosts=hosts)
    for host in model.fabric.hosts.values():
        host.settings.authentication = "CredSSP"
    caller = Caller("LAB\\labadmin", frozenset({"Administrators"}), "credssp/ntlm", delegated=True)
    assert refusal(model.host("hv01"), model.host("hv02"), caller) == NO


def test_rights_on_one_host_only(make: Make) -> None:
    users = (UserConfig("labadmin", "x", groups_on={"hv02": frozenset({"Users"})}),)
    shell = Shell(make(users=users))
    [error] = moved(shell).errors
    assert "(0x80070005)" in error.message
    assert (
        shell("Move-VM", Name="gold", DestinationHost="hv03", IncludeStorage=True).errors[0].message.find("0x80070005")
        < 0
    )


# ---- what else can be wrong, in two languages


def moved(shell: Shell) -> Any:
    return shell(
        "Move-VM", Name="gold", DestinationHost="hv02", IncludeStorage=True, DestinationStoragePath="C:\\Templates\\one"
    )


MOVING = [name for name, one in troubles.TROUBLES.items() if one.stage not in (troubles.EXPORT, troubles.IMPORT)]
HEADS = {"en-US": "Virtual machine migration operation for 'gold' failed at", "de-DE": "Fehler beim Migrationsvorgang"}


@pytest.mark.parametrize("language", HEADS)
@pytest.mark.parametrize("name", MOVING)
def test_troubles_of_moves(make: Make, name: str, language: str) -> None:
    model = make()
    source, target, trouble = model.host("hv01"), model.host("hv02"), troubles.TROUBLES[name]
    source.language = target.language = language
    (source if trouble.at_source else target).troubles = (name,)
    vm = model.vm()
    [error] = moved(Shell(model)).errors
    assert error.error_id == "OperationFailed,Microsoft.HyperV.PowerShell.Commands.MoveVM"
    assert error.message.startswith(HEADS[language])
    if trouble.code is not None:
        assert f"(0x{trouble.code:08X})" in error.message
    assert source.vms[vm.id] is vm and vm.id not in target.vms
    assert not vm.activity


@pytest.mark.parametrize("language", HEADS)
def test_troubles_of_exports_and_imports(make: Make, language: str) -> None:
    model = make()
    host = model.host("hv01")
    host.language, host.troubles = language, ("export_denied", "store_denied")
    shell = Shell(model)
    for name, parameters in (("Export-VM", {"Name": "gold"}), ("Import-VM", {})):
        [error] = shell(name, Path="C:\\Exports", **parameters).errors
        assert "(0x80070005)" in error.message
    assert host.volumes.exists("C:\\Exports") is False


def test_every_trouble_is_said_in_both_languages() -> None:
    for trouble in troubles.TROUBLES.values():
        codes = () if trouble.code is None else (f"0x{trouble.code:08X}",)
        for key in (*trouble.keys, *codes):
            assert key in ENGLISH and key in GERMAN, key
            assert ENGLISH[key] != GERMAN[key]


def test_everything_of_a_move_is_said_in_both_languages() -> None:
    assert [key for key in ENGLISH if key.startswith("move_") and key not in GERMAN] == []
    for key in ENGLISH.keys() & GERMAN.keys():
        assert fields(ENGLISH[key]) >= fields(GERMAN[key]), key


def fields(text: str) -> set[str]:
    return {part.partition("}")[0] for part in text.split("{")[1:]}


def test_the_second_hop_in_german(make: Make) -> None:
    model = make(delegation="none")
    model.host("hv01").language = "de-DE"
    [error] = moved(Shell(model)).errors
    assert "Im Sicherheitspaket sind keine Anmeldeinformationen verfügbar. (0x8009030E)." in error.message


# ---- who may do what at all

OPERATOR = Caller("LAB\\operator", frozenset({"Hyper-V Administrators", "Remote Management Users"}), "negotiate/ntlm")


def test_hyperv_administrators_have_the_cmdlets_and_not_the_files(make: Make) -> None:
    model = make(hosts=(host_config("hv01", 1, vms=(TEMPLATE,), writable=("C:\\Exports",)),))
    shell = Shell(model, caller=OPERATOR)
    assert shell("Get-VM").one
    changes = [
        ("New-Item", {"ItemType": "Directory", "Path": "C:\\Templates"}),
        ("New-Item", {"ItemType": "File", "Path": "C:\\note.txt"}),
        ("Set-Content", {"LiteralPath": "C:\\note.txt", "Value": "x"}),
        ("Remove-Item", {"LiteralPath": model.vm().disks[0].path}),
        ("Rename-Item", {"LiteralPath": model.vm().disks[0].path, "NewName": "other.vhdx"}),
    ]
    for name, parameters in changes:
        [error] = shell(name, **parameters).errors
        assert error.category == "PermissionDenied" or "UnauthorizedAccess" in error.error_id, (name, error.error_id)
    assert model.host("hv01").volumes.exists(model.vm().disks[0].path)
    assert not shell("New-Item", ItemType="Directory", Path="C:\\Exports\\mine", Force=True).errors
    assert not shell("Export-VM", Name="gold", Path="C:\\Exports\\mine").errors  # the service writes, not the caller


def test_others_have_neither(make: Make) -> None:
    shell = Shell(make(), caller=NOBODY)
    assert shell("Get-VM").error_id == "AccessDenied,Microsoft.HyperV.PowerShell.Commands.GetVM"
    assert "UnauthorizedAccess" in shell("New-Item", ItemType="Directory", Path="C:\\Templates").error_id
