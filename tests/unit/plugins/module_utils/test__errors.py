# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors: codes that stay, HRESULTs that are found, secrets that are not."""

from __future__ import annotations

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _errors as errors

RECORD = errors.ErrorRecord(
    "Echec de la copie.\r\nEspace insuffisant. (0x80070070)",
    "OperationFailed,Microsoft.HyperV.PowerShell.Commands.ExportVM",
    command="Export-VM",
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nothing", ()),
        ("... (0x8009030E).", ("0x8009030E",)),
        ("(0x8009030e) and (0x80070005), (0x8009030E)", ("0x8009030E", "0x80070005")),
        ("0x123 0x123456789", ()),
        ("0X80070005", ()),
    ],
)
def test_hresults_in_a_message(text: str, found: tuple[str, ...]) -> None:
    assert errors.hresults(text) == found


@pytest.mark.parametrize(
    ("number", "found"),
    [(None, ()), (0x80131501, ()), (0x80131620, ()), (0x80070070, ("0x80070070",))],
)
def test_the_exceptions_own_hresult_counts_unless_it_is_one_of_dotnets_own(
    number: int | None, found: tuple[str, ...]
) -> None:
    assert errors.ErrorRecord("no room", "X", hresult=number).hresults == found


def test_a_record_tells_its_identifier_without_the_class() -> None:
    assert RECORD.identifier == "OperationFailed"
    assert RECORD.to_dict()["hresults"] == ["0x80070070"]


@pytest.mark.parametrize(
    ("kind", "code", "layer", "transient"),
    [
        (errors.HyperVError, "FAILED", "distribution", False),
        (errors.InvalidInput, "INVALID_INPUT", "input", False),
        (errors.AuthenticationFailed, "AUTHENTICATION_FAILED", "authentication", False),
        (errors.HostUnreachable, "UNREACHABLE", "connection", True),
        (errors.OutcomeUnknown, "OUTCOME_UNKNOWN", "connection", True),
        (errors.OperationTimedOut, "TIMED_OUT", "host", True),
        (errors.CommandFailed, "COMMAND_FAILED", "hyperv", False),
        (errors.Conflict, "CONFLICT", "distribution", False),
        (errors.Refused, "REFUSED", "distribution", False),
        (errors.LeaseHeld, "LEASE_HELD", "distribution", True),
        (errors.LeaseLost, "LEASE_LOST", "distribution", True),
        (errors.NotFound, "NOT_FOUND", "distribution", False),
        (errors.VerificationFailed, "VERIFICATION_FAILED", "distribution", False),
    ],
)
def test_what_each_kind_says_of_itself(kind: type[errors.HyperVError], code: str, layer: str, transient: bool) -> None:
    told = kind("words").to_dict()
    assert (told["code"], told["layer"], told["transient"], told["message"]) == (code, layer, transient, "words")
    assert set(told) == {"code", "layer", "message", "cause", "remedy", "transient", "raw"}


def test_what_is_given_wins_over_the_kind_and_leaves_the_kind_alone() -> None:
    error = errors.HostUnreachable("words", code="TLS_FAILED", layer="protocol", transient=False, remedy="do", raw="r")
    assert error.to_dict() == {
        "code": "TLS_FAILED",
        "layer": "protocol",
        "message": "words",
        "cause": None,
        "remedy": "do",
        "transient": False,
        "raw": "r",
    }
    assert errors.HostUnreachable("words").code == "UNREACHABLE"


def test_a_hidden_secret_is_nowhere() -> None:
    error = errors.HyperVError("told s3cret", cause="s3cret", remedy="not s3cret", raw="s3crets3cret")
    error.hide("s3cret")
    assert "s3cret" not in repr(error) + str(error) + str(error.to_dict())
    assert error.message == "told ***"


def test_command_failed_knows_which_errors_it_is() -> None:
    other = errors.ErrorRecord("x", "AccessDenied,X")
    assert errors.CommandFailed("x", records=[RECORD, RECORD]).has("OperationFailed", "ObjectNotFound")
    assert not errors.CommandFailed("x", records=[RECORD, other]).has("OperationFailed")
    assert not errors.CommandFailed("x").has("OperationFailed")


def test_orphaned_passes_by_those_who_catch_errors() -> None:
    assert not issubclass(errors.Orphaned, Exception)


def test_categories_are_powershells() -> None:
    assert len(errors.CATEGORIES) == 32
    assert [errors.CATEGORIES[number] for number in (0, 5, 13, 18, 31)] == [
        "NotSpecified",
        "InvalidArgument",
        "ObjectNotFound",
        "PermissionDenied",
        "NotEnabled",
    ]
