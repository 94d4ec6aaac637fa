# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup as playbooks use it: documents, queries, and errors that say what to do."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible_collections.fanout.hyperv.plugins.lookup.distribution_status import LookupModule
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Run, seconds, utc
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_file import StatusFile
from ansible_collections.fanout.hyperv.plugins.plugin_utils._tracking import Tracker

T0 = seconds("2026-11-20T13:00:00Z")
FULL = {"code": "DISK_FULL", "layer": "hyperv", "message": "voll", "remedy": "Make room."}
FAILED = "providers.* | [?progress == 'Failed to distribute'].{name: name, remedy: error.remedy}"


class Lookup(LookupModule):
    """With options that were given, as no collection is installed here: the playbook's test has the real ones."""

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        self.given = {"source": None, "query": None, "status_dir": None, **direct}

    def get_option(self, option: str, hostvars: t.Any = None) -> t.Any:
        return self.given[option]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two templates, one of them on two sources, in the folder that is looked at."""
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", str(tmp_path))
    tmp_path = tmp_path / "fanout"
    for template, source in (("gold", "hv01"), ("silver", "hv01"), ("silver", "hv09")):
        one = Tracker(Run(id="run-1", started=utc(T0), updated=utc(T0), state="finished"), template, source)
        failed = {"facts": {"answers": True, "copy": "none", "tried": "failed"}, "error": FULL}
        ready = {"facts": {"answers": True, "copy": "current"}}
        one.merge({"providers": {"hv02": ready, "hv03": failed if template == "gold" else ready}}, T0)
        StatusFile.of(tmp_path, template, source).update(one.patch(T0).apply)
    return tmp_path


def lookup(*terms: str, **options: t.Any) -> list[t.Any]:
    found: list[t.Any] = Lookup().run(list(terms), {}, **options)
    return found


def test_a_document_with_the_names_of_its_providers() -> None:
    (document,) = lookup("gold")
    assert (document["distribution"], document["summary"]["failed"]) == ("Failed to distribute", 1)
    assert document["providers"]["hv03"]["name"] == "hv03"
    assert document["providers"]["hv03"]["error"]["remedy"] == "Make room."


def test_all_of_a_folder_and_one_of_several() -> None:
    assert [one["template"]["name"] for one in lookup()] == ["gold", "silver", "silver"]
    (document,) = lookup("silver", source="hv09")
    assert document["template"]["source"] == "hv09"


def test_a_query() -> None:
    pytest.importorskip("jmespath")
    assert lookup("gold", query=FAILED) == [[{"name": "hv03", "remedy": "Make room."}]]
    assert lookup(query="[template.name, distribution]") == [
        ["gold", "Failed to distribute"],
        ["silver", "OK"],
        ["silver", "OK"],
    ]


@pytest.mark.parametrize(
    ("query", "said"), [("providers.[", "not a JMESPath expression"), ("sum(@)", "cannot be answered")]
)
def test_a_query_that_is_wrong(query: str, said: str) -> None:
    pytest.importorskip("jmespath")
    with pytest.raises(AnsibleError, match=said):
        lookup("gold", query=query)


def test_without_jmespath_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jmespath", None)
    with pytest.raises(AnsibleError, match="needs the Python library jmespath .*pip install jmespath"):
        lookup("gold", query="distribution")
    assert lookup("gold")[0]["distribution"] == "Failed to distribute"


@pytest.mark.parametrize(
    ("terms", "options", "said"),
    [
        (["bronze"], {}, "no status file of the template 'bronze'"),
        (["silver"], {}, "Say which one: the option source"),
        (["gold"], {"source": "hv09"}, "no status file of the template 'gold' on hv09"),
        (["*"], {}, r"no status file of the template '\*'"),
    ],
)
def test_what_is_not_there_is_said(terms: list[str], options: dict[str, str], said: str) -> None:
    with pytest.raises(AnsibleError, match=said):
        lookup(*terms, **options)


def test_a_damaged_file_is_said(folder: Path) -> None:
    (folder / "gold@hv01.json").write_text("{", encoding="utf-8")
    with pytest.raises(AnsibleError, match=r"gold@hv01.json: not JSON"):
        lookup("gold")


def test_a_folder_of_one_s_own(tmp_path: Path) -> None:
    assert lookup(status_dir=str(tmp_path / "elsewhere")) == []
