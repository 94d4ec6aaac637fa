# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WSMan's SOAP envelopes: requests taken apart, answers and faults put together."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "pwsh": "http://schemas.microsoft.com/powershell",
}
SHELL_URI = NS["rsp"]
FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
ADDRESSING_FAULT_ACTION = "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault"
FAULT_NS = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
FAULT_DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
PREFIXES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items() if prefix != "pwsh")
DEFAULT_TIMEOUT = 60.0
DEFAULT_ENVELOPE = 153600
DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?")


class WSManFault(Exception):
    """A fault as WinRM sends it. ``message`` is the text of the provider, where it differs from the reason."""

    def __init__(
        self, code: int, who: str, subcode: str, reason: str, message: str | None = None, detail: str | None = None
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.who = who
        self.subcode = subcode
        self.reason = reason
        self.message = reason if message is None else message
        self.detail = detail

    @property
    def action(self) -> str:
        """Faults of WS-Addressing have an action of their own, as recorded from a real host."""
        return ADDRESSING_FAULT_ACTION if self.subcode.startswith("a:") else FAULT_ACTION

    def to_xml(self, machine: str) -> str:
        detail = f"<w:FaultDetail>{FAULT_DETAIL}{self.detail}</w:FaultDetail>" if self.detail else ""
        return (
            f"<s:Fault><s:Code><s:Value>s:{self.who}</s:Value><s:Subcode><s:Value>{self.subcode}</s:Value></s:Subcode>"
            f'</s:Code><s:Reason><s:Text xml:lang="en-US">{escape(self.reason)} </s:Text></s:Reason>'
            f'<s:Detail>{detail}<f:WSManFault xmlns:f="{FAULT_NS}" Code="{self.code}" Machine="{escape(machine)}">'
            f"<f:Message>{escape(self.message)} </f:Message></f:WSManFault></s:Detail></s:Fault>"
        )


class BadEnvelope(Exception):
    """No SOAP at all."""


@dataclass(frozen=True)
class Message:
    """A request: its header's fields, and its body's only element."""

    action: str
    message_id: str
    resource_uri: str
    to: str
    session_id: str | None
    timeout: float
    max_envelope: int
    shell_id: str | None
    body: ET.Element
    options: Mapping[str, str] = field(default_factory=dict)
    bad_timeout: str | None = None
    """An OperationTimeout that is none; otherwise None."""

    @property
    def operation(self) -> str:
        """The last word of the action: Create, Command, Receive, …"""
        return self.action.rpartition("/")[2]

    def element(self, name: str) -> ET.Element:
        found = self.body.find(name, NS)
        if found is None:
            raise schema_fault(name)
        return found


def schema_fault(what: str) -> WSManFault:
    return WSManFault(
        2150858817,
        "Sender",
        "w:SchemaValidationError",
        f"The SOAP XML in the message does not match its schema: {what}.",
    )


def parse(data: bytes) -> Message:
    try:
        root = ET.fromstring(data)
    except ET.ParseError as error:
        raise BadEnvelope(str(error)) from error
    header, body = root.find("s:Header", NS), root.find("s:Body", NS)
    if header is None or body is None:
        raise BadEnvelope("no envelope")
    selectors = header.findall("w:SelectorSet/w:Selector", NS)
    timeout = header.findtext("w:OperationTimeout", None, NS)
    return Message(
        action=header.findtext("a:Action", "", NS).strip(),
        message_id=header.findtext("a:MessageID", "", NS),
        resource_uri=header.findtext("w:ResourceURI", "", NS).strip(),
        to=header.findtext("a:To", "", NS),
        session_id=header.findtext("p:SessionId", None, NS),
        timeout=seconds(timeout, DEFAULT_TIMEOUT),
        max_envelope=_number(header.findtext("w:MaxEnvelopeSize", None, NS)),
        shell_id=next((item.text for item in selectors if item.get("Name") == "ShellId"), None),
        body=body,
        options={item.get("Name", ""): item.text or "" for item in header.findall("w:OptionSet/w:Option", NS)},
        bad_timeout=None if timeout is None or DURATION.fullmatch(timeout.strip()) else timeout,
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.strip().isdigit() else DEFAULT_ENVELOPE


def seconds(duration: str | None, default: float) -> float:
    """An xs:duration of days and less."""
    match = DURATION.fullmatch((duration or "").strip())
    if match is None:
        return default
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US" {PREFIXES}><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<p:ActivityId>{str(uuid.uuid4()).upper()}</p:ActivityId><a:To>{ANONYMOUS}</a:To>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
