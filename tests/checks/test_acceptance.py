# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the acceptance journey: what is cleaned out of recordings, what counts as a difference, when it refuses."""

from __future__ import annotations

import base64
import copy
import uuid
from pathlib import Path

import pytest
import yaml

from tests.acceptance import facts
from tests.acceptance.__main__ import main
from tests.acceptance.journey import Journey, Statement
from tests.acceptance.place import Place
from tests.recordings.fragments import BrokenStream, Joiner, Message, fragments, split
from tests.recordings.scrub import Scrubber, cleaned

POOL, PIPELINE = uuid.uuid4(), uuid.uuid4()
ENVELOPE = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
 xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"><s:Header><w:ResourceURI>http://schemas.microsoft.com/powershell/Microsoft.PowerShell</w:ResourceURI>
<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet></s:Header>
<s:Body>{body}</s:Body></s:Envelope>"""


def message(text: str, object_id: int = 1, kind: str = "PipelineOutput") -> Message:
    return Message(object_id, 1, kind, POOL, PIPELINE, text)


def envelope(*payloads: bytes) -> str:
    streams = "".join(f'<rsp:Stream Name="stdout">{base64.b64encode(data).decode()}</rsp:Stream>' for data in payloads)
    return ENVELOPE.format(shell=POOL, body=f"<rsp:ReceiveResponse>{streams}</rsp:ReceiveResponse>")


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_a_message_and_its_fragments(pieces: int) -> None:
    joiner, whole = Joiner(), message("<S>grüße 𐐷</S>")
    found = [one for piece in fragments(whole, pieces) for one in joiner.feed(piece.encode())]
    assert [(one.text, one.pieces, one.pool) for one in found] == [(whole.text, pieces, POOL)]


@pytest.mark.parametrize(
    "data",
    [
        b"short",
        fragments(message("<S>x</S>"), 2)[1].encode(),
        fragments(message("<S>x</S>"))[0].encode() * 2,
        fragments(message("<S>x</S>"))[0].encode()[:-1],
    ],
    ids=["too short", "no start", "the same id again", "cut"],
)
def test_broken_streams(data: bytes) -> None:
    with pytest.raises(BrokenStream):
        Joiner().feed(data)


CLEANED = [
    ("<S>hv01.example.com</S>", "<S>host01</S>"),
    ("<S>HV01</S>", "<S>host01</S>"),
    ("<S>hv011 and hv01x</S>", "<S>hv011 and hv01x</S>"),
    ("<S>EXAMPLE\\svc-fanout</S>", "<S>EXAMPLE\\user1</S>"),
    ("<S>pa&amp;ss</S>", "<S>secret</S>"),
    ("<S>10.20.30.40, then 10.20.30.41</S>", "<S>192.0.2.1, then 192.0.2.2</S>"),
    ("<Version>10.0.20348.1</Version>", "<Version>10.0.20348.1</Version>"),
    ("<Version>1.1.0.1</Version>", "<Version>1.1.0.1</Version>"),
    ("<S>S-1-5-21-1004336348-1177238915-682003330-512</S>", "<S>S-1-5-21-1-2-3-1</S>"),
    ("<S>00155D0A1B2C</S>", "<S>00155D000001</S>"),
    ('<Obj><MS><SS N="Password">AAAA</SS></MS></Obj>', '<Obj><MS><SS N="Password"></SS></MS></Obj>'),
    ('<Obj><MS><S N="EncryptedSessionKey">AAAA</S></MS></Obj>', '<Obj><MS><S N="EncryptedSessionKey"></S></MS></Obj>'),
]


@pytest.mark.parametrize(("text", "expected"), CLEANED)
def test_what_recordings_must_not_tell(text: str, expected: str) -> None:
    """Also where a message is cut in the middle of it, and is longer or shorter afterwards."""
    scrubber = Scrubber.for_hosts({"hv01.example.com": ["hv01"]}, ["svc-fanout@EXAMPLE.COM"], ["pa&ss"])
    first, second = fragments(message(text), 2)
    exchanges = [
        {"request": envelope(), "response": envelope(first.encode())},
        {"request": envelope(), "response": envelope(second.encode())},
    ]
    result = cleaned(exchanges, scrubber)
    streams = [item["response"].split('Name="stdout">')[1].split("<")[0] for item in result]
    joiner = Joiner()
    (found,) = [one for data in streams for one in joiner.feed(base64.b64decode(data))]
    assert found.text == expected
    assert [len(split(base64.b64decode(data))) for data in streams] == [1, 1]


FACTS: facts.Facts = {
    "Get-VM": {
        "objects": {"Selected.VM": {"Name": ["S"], "State": ["VMState"], "Parent": ["Nil"]}},
        "errors": ["InvalidParameter,GetVM (category 5)"],
        "states": ["Completed"],
    }
}


def test_what_differs() -> None:
    other = copy.deepcopy(FACTS)
    assert facts.differences(FACTS, other) == []
    known = other["Get-VM"]
    known["objects"]["Selected.VM"] = {"Name": ["S"], "State": ["S"], "Parent": ["G"], "More": ["B"]}
    known["errors"] = ["ObjectNotFound,GetVM (category 13)"]
    known["states"] = ["Completed", "Failed"]
    other["Get-VHD"] = {"objects": {}, "errors": [], "states": []}
    assert facts.differences(FACTS, other) == [
        "Get-VHD: asked only of the lab",
        "Get-VM: errors: InvalidParameter,GetVM (category 5): only these hosts",
        "Get-VM: errors: ObjectNotFound,GetVM (category 13): only the lab",
        "Get-VM: states: Failed: only the lab",
        "Get-VM: Selected.VM.More: only the lab",
        "Get-VM: Selected.VM.State: VMState; the lab: S",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "INVENTORY=hosts.yml TEMPLATE=name"),
        (["--inventory", "nothere.yml", "--template", "gold"], "nothere.yml: there is no such inventory"),
        (["--inventory", "hosts.yml", "--template", "gold"], "Nothing was done"),
        (["--inventory", "hosts.yml", "--template", "gold", "--confirm", "Gold"], "CONFIRM=gold"),
        (["--inventory", "one.yml", "--template", "gold", "--confirm", "gold"], "no host beside the source"),
    ],
)
def test_it_asks_before_it_starts(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    variables = {"distribute_source": "hv01", "ansible_connection": "psrp", "ansible_host": "127.0.59.1"}
    for name, hosts in (("hosts.yml", ["hv01", "hv02"]), ("one.yml", ["hv01"])):
        content = {"hyperv": {"hosts": dict.fromkeys(hosts), "vars": variables}}
        Path(name).write_text(yaml.safe_dump(content))
    assert main([*arguments, "--folder", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("logs/*"))


@pytest.mark.parametrize(("good", "code"), [(True, 0), (False, 1)])
def test_the_report_and_the_exit_code(
    good: bool, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a journey that needs no hosts."""

    def run(self: Journey) -> bool:
        self.statements.append(Statement("the run ends well", good))
        self.untaken.append("preflight: there is no playbook for it")
        return good

    def lab(folder: Path, targets: int, template: str, tell: object) -> Journey:
        return Journey(Place(tmp_path / "hosts.yml", folder), template)

    monkeypatch.setattr(Journey, "run", run)
    monkeypatch.setattr("tests.acceptance.__main__.in_the_lab", lab)
    variables = {"distribute_source": "hv01", "ansible_connection": "psrp", "ansible_host": "127.0.59.1"}
    content = {"hyperv": {"hosts": dict.fromkeys(["hv01", "hv02"]), "vars": variables}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(content))
    words = ["--inventory", str(tmp_path / "hosts.yml"), "--template", "gold", "--confirm", "gold"]
    assert main([*words, "--folder", str(tmp_path / "out")]) == code
    report = (tmp_path / "out" / "report.md").read_text()
    assert f"- {'yes' if good else '**NO**'}: the run ends well" in report
    assert "- not taken: preflight" in report and "Nothing." in report
    assert "report.md" in capsys.readouterr().out
    assert not (tmp_path / "out" / "raw").exists()
