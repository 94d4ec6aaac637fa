# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""meta/runtime.yml knows every module: the way to its action plugin, and whether it takes connection options."""

from __future__ import annotations

import typing as t
from importlib import import_module
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = "ansible_collections.fanout.hyperv.plugins.module_utils.operations"
ACTION = "fanout.hyperv.operation"
RUNTIME: dict[str, t.Any] = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
ROUTED: dict[str, str] = {name: to["redirect"] for name, to in RUNTIME["plugin_routing"]["action"].items()}


def stems(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / "plugins" / folder).glob("*.py") if path.stem != "__init__"}


MODULES = stems("modules")


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_has_one_way_to_an_action(module: str) -> None:
    ways = [ROUTED[module]] if module in ROUTED else []
    ways += [f"fanout.hyperv.{module}"] if module in stems("action") else []
    assert ways in ([ACTION], [f"fanout.hyperv.{module}"])


def test_nothing_is_routed_that_is_no_module_or_has_no_operation() -> None:
    assert set(ROUTED) - MODULES == set()
    assert set(ROUTED) == stems("module_utils/operations")
    assert stems("action") - MODULES == {ACTION.rpartition(".")[2]}


def test_an_operation_has_the_name_of_its_module() -> None:
    for name in ROUTED:
        assert import_module(f"{OPERATIONS}.{name}").OPERATION.name == name


def test_the_action_group_is_the_modules_that_reach_a_host() -> None:
    group = RUNTIME["action_groups"]["hyperv"]
    reaching = [name for name in ROUTED if import_module(f"{OPERATIONS}.{name}").OPERATION.needs_host]
    assert group == sorted(group)
    assert group == sorted(reaching)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_documentation_says_whether_a_module_is_of_the_group(module: str) -> None:
    text = (ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
    said = "fanout.hyperv._attributes.actiongroup_hyperv" in text
    assert said == (module in RUNTIME["action_groups"]["hyperv"])
