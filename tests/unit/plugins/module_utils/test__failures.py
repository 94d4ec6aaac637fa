# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known failures: recognised by numbers and identifiers, never by words."""

from __future__ import annotations

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _failures as failures
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import ErrorRecord

SUFFIX = ",Microsoft.HyperV.PowerShell.Commands.X"


def record(text: str = "", identifier: str = "OperationFailed", category: str = "NotSpecified", verb: str = "Move"):  # type: ignore[no-untyped-def]
    return ErrorRecord(text, identifier + SUFFIX, category, command=f"{verb}-VM")


@pytest.mark.parametrize(
    ("text", "verb", "code", "transient", "remedy"),
    [
        ("(0x8009030E)", "Move", "NO_DELEGATION", False, "Microsoft Virtual System Migration Service"),
        ("(0x8009030d)", "Move", "NO_DELEGATION", False, "klist purge"),
        ("(0x80090322)", "Move", "WRONG_PRINCIPAL", False, "setspn"),
        ("(0x80070005)", "Move", "ACCESS_DENIED", False, "both hosts"),
        ("(0x80070005)", "Export", "ACCESS_DENIED", False, "HOST$"),
        ("(0x80070005)", "Import", "ACCESS_DENIED", False, "SYSTEM"),
        ("(0x80070005)", "Set", "ACCESS_DENIED", False, "Administrators"),
        ("(0x80070569)", "Move", "SERVICE_LOGON_RIGHT", False, "gpupdate"),
        ("(0x8007052F)", "Move", "SERVICE_LOGON_RIGHT", False, "gpupdate"),
        ("(0x80070534)", "Move", "UNKNOWN_CREATOR", False, "import"),
        ("(0x8007274C)", "Move", "MIGRATION_NETWORK", True, "6600"),
        ("(0x8007274D)", "Move", "MIGRATION_NETWORK", True, "6600"),
        ("(0x80072746)", "Move", "MIGRATION_NETWORK", True, "6600"),
        ("(0x8007271D)", "Move", "MIGRATION_NETWORK", False, "6600"),
        ("(0x800705B4)", "Move", "MIGRATION_NETWORK", True, "6600"),
        ("(0x80071398)", "Move", "CLUSTERED", False, "cluster"),
        ("(0x800700AA)", "Move", "BUSY", True, "Wait"),
        ("(0xC0370027)", "Move", "NOT_OFF", False, "saved state"),
        ("(0x800705AA)", "Move", "NO_RESOURCES", False, "memory"),
        ("(0x8007000E)", "Move", "NO_RESOURCES", False, "memory"),
        ("(0xC03A0014)", "Move", "ATTACHMENT_MISSING", False, "Eject"),
        ("(0x80070002)", "Export", "FILE_NOT_FOUND", False, "Get-VMHardDiskDrive"),
        ("(0x80070003)", "Move", "PATH_NOT_FOUND", False, "Create"),
        ("(0x80070050)", "Export", "FILE_EXISTS", False, "file names"),
        ("(0x80070070)", "Export", "DISK_FULL", False, "Free space"),
        ("(0x80070020)", "Export", "FILE_IN_USE", True, "Wait"),
        ("(0x80070057)", "Import", "BROKEN_EXPORT", False, "anew"),
        ("(0x8007000D)", "Move", "INVALID_DATA", False, "ComputerName"),
    ],
)
def test_hresults(text: str, verb: str, code: str, transient: bool, remedy: str) -> None:
    found = failures.explain([record(f"Le transfert a échoué. {text}", verb=verb)])
    assert (found.code, found.transient) == (code, transient)
    assert remedy in str(found.remedy)
    assert found.cause


@pytest.mark.parametrize(
    ("identifier", "category", "code"),
    [
        ("ObjectNotFound", "ObjectNotFound", "OBJECT_NOT_FOUND"),
        ("AccessDenied", "PermissionDenied", "ACCESS_DENIED"),
        ("InvalidState", "InvalidOperation", "INVALID_STATE"),
        ("CommandNotFoundException", "ObjectNotFound", "CMDLET_MISSING"),
        ("NamedParameterNotFound", "InvalidArgument", "CMDLET_DIFFERS"),
        ("PathNotFound", "ObjectNotFound", "PATH_NOT_FOUND"),
        ("Other", "PermissionDenied", "ACCESS_DENIED"),
        ("Other", "ResourceBusy", "BUSY"),
        ("Other", "ObjectNotFound", "OBJECT_NOT_FOUND"),
        ("OperationFailed", "NotSpecified", "COMMAND_FAILED"),
    ],
)
def test_identifiers_and_categories(identifier: str, category: str, code: str) -> None:
    assert failures.explain([record("words", identifier, category)]).code == code


def test_a_number_anywhere_wins_over_identifiers_and_these_over_categories() -> None:
    vague, denied = record(category="ResourceBusy"), record(identifier="AccessDenied")
    full = record("(0x80070070)")
    assert failures.explain([vague, denied, full]).code == "DISK_FULL"
    assert failures.explain([vague, denied]).code == "ACCESS_DENIED"
    assert failures.explain([vague]).code == "BUSY"


def test_words_alone_decide_nothing() -> None:
    """As from a German host, and with the English words that somebody might look for."""
    for words in ("Zugriff verweigert", "General access denied error", "not found", "There is not enough space"):
        assert failures.explain([record(words)]) == failures.UNKNOWN


def test_an_unknown_number_leaves_it_to_the_identifier() -> None:
    assert failures.explain([record("(0x8FFFFFFF)", "ObjectNotFound")]).code == "OBJECT_NOT_FOUND"


def test_the_number_of_the_exception_counts() -> None:
    full = ErrorRecord("No room.", "WriteError,X", command="Set-Content", hresult=0x80070070)
    assert failures.explain([full]).code == "DISK_FULL"


def test_nothing_known_of_nothing() -> None:
    assert failures.explain([]) == failures.UNKNOWN


@pytest.mark.parametrize(
    ("fault", "code", "transient"),
    [
        (5, "ACCESS_DENIED", False),
        (2150858843, "SHELL_GONE", True),
        (2150859173, "QUOTA", True),
        (2150859174, "QUOTA", True),
        (2150859236, "QUOTA", True),
        (2150859241, "QUOTA", True),
        (2150858811, "NO_SUCH_ENDPOINT", False),
        (2150859180, "SHELLS_FORBIDDEN", False),
        (2150858793, "NO_ANSWER", True),
        (99, "WSMAN_FAULT", False),
        ("w:Nonsense", "WSMAN_FAULT", False),
        (None, "WSMAN_FAULT", False),
    ],
)
def test_faults_of_winrm(fault: object, code: str, transient: bool) -> None:
    found = failures.explain_fault(fault)
    assert (found.code, found.transient) == (code, transient)


def test_every_symptom_of_the_transport_has_a_cause_and_a_remedy() -> None:
    for name, found in failures.TRANSPORT.items():
        assert found.code == name
        assert found.cause and found.remedy
