# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our classes write is what pypsrp's own write."""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._session import _seal
from ansible_collections.fanout.hyperv.plugins.module_utils._session_library import library
from ansible_collections.fanout.hyperv.plugins.module_utils._wire import Int64, Properties, UInt32, wire
from pypsrp import complex_objects, messages
from pypsrp.serializer import Serializer

PARAMETERS: dict[str, t.Any] = {
    "Text": "a_x0041_ <&> \n \u00fc \U0001f600",
    "Switch": True,
    "Off": False,
    "Number": 7,
    "Large": 2**40,
    "Sized": Int64(5),
    "Unsigned": UInt32(5),
    "Fraction": 0.5,
    "Bytes": b"\x00\xff",
    "Nothing": None,
    "List": ["a", 1, True, None, ["b"]],
    "Empty": [],
    "Table": {"a": 1, "b": ["c"]},
    "Object": Properties({"ClassName": "Win32_Volume", "Filter": "DriveType=3"}),
}


def message(command: t.Any, statements: int, version: str) -> messages.CreatePipeline:
    commands = []
    for number in range(statements * 2):
        one = command(f"Get-VM{number}", protocol_version=version, is_script=False, args=[])
        one.args = [
            complex_objects.CommandParameter(name=name, value=wire(value, _seal)) for name, value in PARAMETERS.items()
        ]
        one.end_of_statement = bool(number % 2)
        commands.append(one)
    return messages.CreatePipeline(
        no_input=True,
        apartment_state=complex_objects.ApartmentState(value=2),
        remote_stream_options=complex_objects.RemoteStreamOptions(value=0),
        add_to_history=False,
        host_info=complex_objects.HostInfo(host=None),
        pipeline=complex_objects.Pipeline(is_nested=False, cmds=commands, history=None, redirect_err_to_out=False),
        is_nested=False,
    )


@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3"])
@pytest.mark.parametrize("statements", [1, 3])
def test_a_pipeline_is_written_as_the_library_writes_it(statements: int, version: str) -> None:
    theirs = Serializer().serialize(message(complex_objects.Command, statements, version))
    assert theirs is not None
    ours = library().Serializer().serialize(message(library().Command, statements, version))
    assert ours == ET.tostring(theirs, encoding="utf-8", method="xml")
