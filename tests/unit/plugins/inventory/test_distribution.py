# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin after an inventory that names the hosts. tests/journeys has it as ansible-playbook loads it."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import ansible.template
import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display
from ansible.vars.manager import VariableManager
from ansible_collections.fanout.hyperv.plugins.inventory.distribution import DOCUMENTATION, InventoryModule
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Document, Provider, Run, Template

NOW = "2026-11-20T12:00:00Z"
HOSTS = "hyperv:\n  hosts:\n    hv01:\n    hv02:\n    hv03:\n    hv04:\n"
PLUGIN = "plugin: fanout.hyperv.distribution\n"
ERROR = {
    "code": "UNREACHABLE",
    "layer": "connection",
    "message": "{{ lookup('pipe', 'touch /tmp/never') }}",
    "cause": None,
    "remedy": None,
    "transient": True,
    "raw": None,
}


constants.config.initialize_plugin_configuration_definitions(
    "inventory", InventoryModule.NAME, yaml.safe_load(DOCUMENTATION)["options"]
)


class Bench:
    """A folder with inventories and status files, and what Ansible makes of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.warnings: list[str] = []
        (folder / "hosts.yml").write_text(HOSTS)
        (folder / "fanout-status").mkdir()
        monkeypatch.chdir(folder)
        monkeypatch.delenv("FANOUT_STATUS_DIR", raising=False)
        monkeypatch.delenv("AWX_ISOLATED_DATA_DIR", raising=False)
        monkeypatch.setattr(Display, "warning", lambda _self, text, *_more, **_options: self.warnings.append(text))

    def status(self, template: str = "gold", folder: str = "fanout-status", **providers: t.Any) -> None:
        document = Document(
            template=Template(name=template, source="hv01"),
            runs=(Run(id="1", started=NOW, updated=NOW, finished=NOW, state="finished"),),
            providers={
                name: Provider(state=state, progress=word, error=ERROR if word.startswith("Failed") else None)
                for name, (state, word) in providers.items()
            },
        )
        path = self.folder / folder / f"{template}@hv01.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document.to_dict()))

    def load(self, options: str = "", *, first: bool = False) -> InventoryManager:
        """The inventory with this source after the one that names the hosts, or before it."""
        path = self.folder / "status.fanout.yml"
        path.write_text(PLUGIN + options)
        self.loader = DataLoader()
        names = [str(self.folder / "hosts.yml")]
        inventory = InventoryManager(loader=self.loader, sources=[] if first else names)
        plugin = InventoryModule()
        plugin._load_name, plugin._redirected_names = plugin.NAME, [plugin.NAME]
        assert plugin.verify_file(str(path))
        plugin.parse(inventory._inventory, self.loader, str(path))
        inventory._inventory.reconcile_inventory()
        return inventory

    def groups(self, options: str = "") -> dict[str, list[str]]:
        groups = self.load(options).get_groups_dict()
        return {name: sorted(hosts) for name, hosts in groups.items() if name not in ("all", "ungrouped", "hyperv")}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def test_hosts_are_in_the_groups_of_their_words(bench: Bench) -> None:
    bench.status(
        hv02=("Ready", "OK"), hv03=("Needs update", "Failed to distribute"), hv04=("Not available", "Removing provider")
    )
    assert bench.groups() == {
        "ready": ["hv02"],
        "needs_update": ["hv03"],
        "not_available": ["hv04"],
        "ok": ["hv02"],
        "failed_to_distribute": ["hv03"],
        "removing_provider": ["hv04"],
        "distributing": [],
        "adding_provider": [],
    }
    assert bench.warnings == []


def test_a_host_that_only_the_status_file_knows_never_becomes_one(bench: Bench) -> None:
    bench.status(hv02=("Ready", "OK"), stranger=("Needs update", "OK"))
    inventory = bench.load()
    assert "stranger" not in inventory.hosts
    assert [text for text in bench.warnings if "stranger" in text]
    bench.warnings.clear()
    assert "stranger" not in bench.load("unknown_hosts: ignore\n").hosts
    assert bench.warnings == []
    assert bench.load(first=True).get_groups_dict()["ready"] == []
    assert [text for text in bench.warnings if "hv02" in text], "the order of sources matters, so it is said"


def test_what_a_host_said_is_never_a_template(bench: Bench) -> None:
    bench.status(hv03=("Needs update", "Failed to distribute"))
    inventory = bench.load()
    variables = VariableManager(loader=bench.loader, inventory=inventory)
    values = variables.get_vars(host=inventory.get_host("hv03"), include_hostvars=False)
    assert values["fanout_state"] == "Needs update"
    question = getattr(ansible.template, "trust_as_template", str)(
        "{{ fanout_error.message }}"
    )  # since ansible-core 2.19
    told = ansible.template.Templar(loader=bench.loader, variables=values).template(question)
    assert told == ERROR["message"]


def test_several_files_a_filter_and_a_prefix(bench: Bench) -> None:
    bench.status(hv02=("Ready", "OK"))
    bench.status("other", hv02=("Needs update", "OK"), hv03=("Ready", "OK"))
    assert bench.groups()["needs_update"] == ["hv02"]
    assert bench.groups()["ready"] == ["hv02", "hv03"]
    some = bench.groups("templates: [gold]\nprefix: gold_\n")
    assert (some["gold_ready"], some["gold_needs_update"]) == (["hv02"], [])


@pytest.mark.parametrize("status", ["elsewhere", "elsewhere/gold@hv01.json", "else*/gold*.json"])
def test_where_status_files_are(bench: Bench, status: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bench.status(folder="elsewhere", hv04=("Ready", "OK"))
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    assert bench.groups(f"status: ['{status}']\n")["ready"] == ["hv04"], "beside the inventory file"


def test_the_callbacks_own_setting_counts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.status(folder="elsewhere", hv04=("Ready", "OK"))
    monkeypatch.setenv("FANOUT_STATUS_DIR", str(bench.folder / "elsewhere"))
    assert bench.groups()["ready"] == ["hv04"]


def test_no_file_yet_and_a_damaged_one_are_said_and_stop_nothing(bench: Bench) -> None:
    assert set(map(tuple, bench.groups().values())) == {()}
    assert "no status file yet" in bench.warnings[0]
    bench.status(hv02=("Ready", "OK"))
    (bench.folder / "fanout-status" / "bad@hv01.json").write_text("{")
    bench.warnings.clear()
    assert bench.groups()["ready"] == ["hv02"]
    (warning,) = bench.warnings
    assert "bad@hv01.json" in warning


def test_a_prefix_that_makes_no_group_names_is_refused(bench: Bench) -> None:
    bench.status(hv02=("Ready", "OK"))
    with pytest.raises(AnsibleParserError, match="'a b'"):
        bench.load("prefix: 'a b'\n")


@pytest.mark.parametrize(
    ("name", "is_one"), [("fanout.yml", True), ("gold.fanout.yaml", True), ("hosts.yml", False), ("fanout.ini", False)]
)
def test_files_are_known_by_their_names(name: str, is_one: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_text(PLUGIN)
    assert InventoryModule().verify_file(str(tmp_path / name)) is is_one
    assert not InventoryModule().verify_file(str(tmp_path / "nothing" / name))
