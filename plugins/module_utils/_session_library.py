# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pypsrp as a session uses it: with its own repetitions off, and without work that nobody needs.

This is the only file that imports pypsrp.
"""

from __future__ import annotations

import functools
import logging
import types
import typing as t
import xml.etree.ElementTree as ET
from collections.abc import Callable

from ansible_collections.fanout.hyperv.plugins.module_utils._session_faults import missing_library
from ansible_collections.fanout.hyperv.plugins.module_utils._session_run import Order
from ansible_collections.fanout.hyperv.plugins.module_utils._wire import clixml

_TAGS = {str: "S", bool: "B", int: "I32", list: "LST"}
"""The elements that pypsrp makes of values of which nothing more is said."""


def _element(serializer: t.Any, value: t.Any, metadata: t.Any) -> t.Any:
    """The element for a value of a simple kind, an object or a list; None for anything else."""
    if value is None or metadata is None or isinstance(value, ET.Element):
        return None
    tag = _TAGS.get(type(value)) if metadata.tag == "*" else metadata.tag
    if tag == "Obj":
        return serializer._serialize_obj(metadata, value)
    if tag == "LST":
        return serializer._serialize_lst(metadata, value)
    if tag not in ("S", "B", "I32"):
        return None
    element = ET.Element(tag)
    element.text = serializer._serialize_string(value) if tag == "S" else str(value).lower()
    return element


def _serializer(serializer: t.Any, private_data: Callable[[], t.Any]) -> t.Any:
    """pypsrp's serializer without what takes time and gives nothing."""

    class Serializer(serializer.Serializer):
        def serialize(self, value: t.Any, metadata: t.Any = None, parent: t.Any = None, clear: bool = True) -> t.Any:
            """A whole message, for which pypsrp gives nothing but the value, as the bytes that it would make of it.

            Of what messages mostly consist the elements are made here: pypsrp makes thirty functions for each of them.
            """
            if clear:
                element: t.Any = super().serialize(value, metadata, parent, clear)
                whole = metadata is None and parent is None and element is not None
                return clixml(element) if whole else element
            element = None if isinstance(value, serializer.TaggedValue) else _element(self, value, metadata)
            if element is None:
                return super().serialize(value, metadata, parent, clear)
            if metadata.name is not None:
                element.attrib["N"] = metadata.name
            if parent is not None:
                parent.append(element)
            return element

        def _serialize_dynamic_obj(self, metadata: t.Any, value: t.Any) -> t.Any:
            """In full each time: commands are not copied, and pypsrp would refer to where it was written first."""
            element = super()._serialize_dynamic_obj(metadata, value)
            self.obj.clear()
            return element

        def deserialize(self, element: t.Any, metadata: t.Any = None, clear: bool = True) -> t.Any:
            """Output objects stay as they came: ``plain`` reads them, which keeps their types.

            What a host tells of itself when a shell is opened is not read at all: nobody asks for it.
            """
            if metadata is None and clear and isinstance(element, str):
                return element
            if metadata is not None and getattr(metadata, "object", None) is private_data:
                return private_data()
            return super().deserialize(element, metadata, clear)

    return Serializer


@functools.cache
def library() -> types.SimpleNamespace:
    """pypsrp, with classes that see what passes through."""
    try:
        import pypsrp.complex_objects as objects
        import pypsrp.messages as messages
        import pypsrp.powershell as powershell
        import pypsrp.serializer as serializer
        import pypsrp.shell as shell
        import pypsrp.wsman as wsman
    except ImportError as error:
        raise missing_library(error) from error

    for name in ("pypsrp", "requests_credssp", "spnego", "urllib3"):
        logging.getLogger(name).addHandler(logging.NullHandler())  # else Python prints their errors to stderr

    class WSMan(wsman.WSMan):
        def receive(
            self,
            resource_uri: str,
            resource: t.Any,
            option_set: t.Any = None,
            selector_set: t.Any = None,
            timeout: int | None = None,
        ) -> t.Any:
            """Without pypsrp's own repetitions, which take minutes and no account of the deadline."""
            answer = self.invoke(wsman.WSManAction.RECEIVE, resource_uri, resource, option_set, selector_set, timeout)
            return answer.find("s:Body", namespaces=wsman.NAMESPACES)

    class Command(objects.Command):
        def __deepcopy__(self, memo: t.Any) -> t.Any:
            """pypsrp copies commands before it writes them, for the sake of lxml; that took a sixth of our CPU."""
            return self

    class Fragmenter(powershell.Fragmenter):
        order: Order

        def defragment(self, data: bytes) -> t.Any:
            self.order.see(data)
            return super().defragment(data)

    return types.SimpleNamespace(
        WSMan=WSMan,
        Command=Command,
        Serializer=_serializer(serializer, messages.ApplicationPrivateData),
        Fragmenter=Fragmenter,
        SelectorSet=wsman.SelectorSet,
        RunspacePool=powershell.RunspacePool,
        PowerShell=powershell.PowerShell,
        DONE=shell.CommandState.DONE,
        PIPELINE_OUTPUT=messages.MessageType.PIPELINE_OUTPUT,
        TERMINATE=shell.SignalCode.TERMINATE,
        SHELL="http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
        TaggedValue=serializer.TaggedValue,
        GenericComplexObject=objects.GenericComplexObject,
        PSCredential=objects.PSCredential,
        State=objects.PSInvocationState,
        PoolState=objects.RunspacePoolState,
    )


__all__ = ["library"]
