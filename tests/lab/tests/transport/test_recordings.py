# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's answers have the shape of those that real hosts gave, as pypsrp recorded them.

The recordings are no part of the project: they are looked for in HYPERV_RECORDINGS, or in ../shared/recordings.
"""

from __future__ import annotations

import base64
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hyperv_lab.transport.wsman import Service
from psrpcore.types import PSRPMessageType
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from winrm.protocol import Protocol

ROOT = Path(__file__).resolve().parents[4]
RECORDINGS = Path(os.environ.get("HYPERV_RECORDINGS", ROOT.parent / "shared" / "recordings"))
HEADER = 21
# Some of the recorded hosts send these and others do not, by their version.
OPTIONAL = {"ActivityId", "MemoryUsed", "ChildProcesses", "ProviderFault", "ProviderError", "ExtendedError"}
pytestmark = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings of real hosts are not here")


def messages(answer: str) -> Iterator[str]:
    """The types of the whole PSRP messages in an answer, in their order."""
    for stream in ET.fromstring(answer).iter("{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}Stream"):
        data = base64.b64decode(stream.text or "")
        while len(data) > HEADER:
            length = int.from_bytes(data[17:21], "big")
            if data[16] & 1:
                kind = int.from_bytes(data[HEADER + 4 : HEADER + 8], "little")
                yield PSRPMessageType(kind).name
            data = data[HEADER + length :]


def action(answer: str) -> str:
    found = ET.fromstring(answer).find(".//{http://schemas.xmlsoap.org/ws/2004/08/addressing}Action")
    return (found.text or "").rsplit("/", 1)[1] if found is not None else ""


def shape(answer: str) -> set[str]:
    """Every element by its path, every attribute by its element: names with their namespaces, no values."""
    found: set[str] = set()

    def walk(element: ET.Element, path: str) -> None:
        here = f"{path}/{element.tag}"
        found.add(here)
        found.update(f"{here}@{name}" for name in element.attrib)
        for child in element:
            walk(child, here)

    walk(ET.fromstring(answer), "")
    return {path for path in found if not any(f"}}{name}" in path for name in OPTIONAL)}


def recorded(*patterns: str) -> list[str]:
    answers = []
    for pattern in patterns:
        for path in sorted(RECORDINGS.glob(pattern)):
            for message in yaml.safe_load(path.read_text(encoding="utf-8"))["messages"]:
                if (message.get("response") or "").startswith("<s:Envelope"):
                    answers.append(message["response"])
    return answers


def by_action(answers: list[str]) -> dict[str, list[set[str]]]:
    found: dict[str, list[set[str]]] = {}
    for answer in answers:
        found.setdefault(action(answer), []).append(shape(answer))
    return found


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the lab answers, as it leaves."""
    seen: list[str] = []
    handle = Service.handle

    async def listen(self: Service, asked: Any) -> tuple[int, bytes]:
        status, text = await handle(self, asked)
        seen.append(text.decode())
        return status, text

    monkeypatch.setattr(Service, "handle", listen)
    return seen


def compare(ours: list[str], real: list[str], actions: set[str]) -> None:
    """Nothing in our answers that no real one has; nothing missing that all real ones have."""
    mine, theirs = by_action(ours), by_action(real)
    assert actions <= set(mine)
    for name in actions:
        every, some = set.intersection(*theirs[name]), set[str]().union(*theirs[name])
        for answer in mine[name]:
            assert answer - some == set(), name
        assert every - set[str]().union(*mine[name]) == set(), name


def test_psrp_answers(rig: Any, invoke: Any, answers: list[str]) -> None:
    with RunspacePool(rig.wsman()) as pool:
        invoke(pool, "Echo", Text="x")
        shell = PowerShell(pool)
        shell.add_cmdlet("Collect")
        shell.invoke(["a"])  # type: ignore[arg-type]  # it takes lists, too
        shell.close()
        with pytest.raises(WSManFaultError):
            pool.shell.receive("stdout", timeout=1)
        assert pool.is_alive()
    names = {"CreateResponse", "CommandResponse", "ReceiveResponse", "SendResponse", "DeleteResponse", "GetResponse"}
    compare(answers, recorded("test_psrp_*.yml"), names | {"fault"})


def test_psrp_opens_with_the_same_messages(rig: Any, answers: list[str]) -> None:
    with RunspacePool(rig.wsman()):
        pass
    ours = [list(messages(answer)) for answer in answers if action(answer) == "ReceiveResponse"]
    real = [list(messages(a)) for a in recorded("test_psrp_open_runspace.yml") if action(a) == "ReceiveResponse"]
    assert ours == real


def test_psrp_connects_with_the_same_messages(rig: Any, answers: list[str]) -> None:
    first = rig.pool()
    first.open()
    first.disconnect()
    (pool,) = RunspacePool.get_runspace_pools(rig.wsman())
    pool.connect()
    real = recorded("test_psrp_disconnect_runspaces.yml")
    compare(answers, real, {"DisconnectResponse", "EnumerateResponse", "ConnectResponse"})
    last_ours = [list(messages(answer)) for answer in answers if action(answer) == "ReceiveResponse"][-1]
    last_real = [list(messages(answer)) for answer in real if action(answer) == "ReceiveResponse"][-1]
    assert last_ours == last_real == ["RunspacePoolState"]
    pool.close()


def test_winrs_answers(rig: Any, answers: list[str]) -> None:
    protocol = Protocol(
        endpoint=f"https://127.0.77.1:{rig.port[True]}/wsman",
        transport="ntlm",
        username="labadmin",
        password="Lab:Passw0rd! ü",
        ca_trust_path=str(rig.authority.path),
    )
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "cmd.exe", ["/c", "echo", "hi"])
    assert protocol.get_command_output(shell, command) == (b"hi\r\n", b"", 0)
    with pytest.raises(Exception, match="invalid selectors"):
        protocol.get_command_output(shell, "87E77BEB-6761-4C48-9D70-A00266B8459A")
    protocol.cleanup_command(shell, command)
    protocol.close_shell(shell)
    names = {"CreateResponse", "CommandResponse", "ReceiveResponse", "SignalResponse", "DeleteResponse", "fault"}
    compare(answers, recorded("test_winrs_*.yml"), names)
