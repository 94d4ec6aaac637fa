# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role capability that the project ships allows what the collection sends, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

from ansible_collections.fanout.hyperv.plugins.module_utils._host_base import select
from hyperv_lab.endpoints import read_endpoint
from hyperv_lab.engine import psdata
from hyperv_lab.engine.tables import FUNCTIONS, command_table

from tests.checks.source_rules import CMDLET

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "files" / "jea" / "FanoutHyperV"
CAPABILITY = MODULE / "RoleCapabilities" / "FanoutHyperV.psrc"
HOST_FILES = sorted((ROOT / "plugins" / "module_utils").glob("_host*.py"))
CORE = "Microsoft.PowerShell.Core"  # no module that could be imported, so its commands stand there by their names
COMPLETE = (
    f"Whoever lets the collection use another cmdlet, or one no longer, changes {CAPABILITY.relative_to(ROOT)} too."
)


def cmdlets_named() -> set[str]:
    """The cmdlets that the files of the host name: what is sent as a command, and what looks like a cmdlet."""
    nodes = [node for path in HOST_FILES for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args]
    sent = [call.args[0] for call in calls if getattr(call.func, "id", "") in ("command", "Command")]
    texts = [node for node in nodes if isinstance(node, ast.Constant) and CMDLET.fullmatch(str(node.value))]
    named = {str(node.value) for node in (*sent, *texts) if isinstance(node, ast.Constant)}
    return {name.rpartition("\\")[2] for name in named}


def allowed() -> list[str]:
    """The commands of the role capability, as they are written."""
    content = psdata.read(CAPABILITY)
    return [*content["VisibleCmdlets"], *content["VisibleFunctions"]]


def test_the_role_capability_names_what_the_collection_sends() -> None:
    visible = {entry.rpartition("\\")[2] for entry in allowed()}
    assert cmdlets_named() - visible == set(), f"not in the role capability. {COMPLETE}"
    assert visible - cmdlets_named() == set(), f"in the role capability for nothing. {COMPLETE}"


def test_a_command_that_has_a_stand_in_is_sent_by_its_full_name() -> None:
    """Sessions without a script language have functions of these names, which can do next to nothing."""
    with_stand_ins = {"Select-Object", "Measure-Object", "Get-Command", "Out-Default"}
    assert cmdlets_named() & with_stand_ins == {"Select-Object"}
    assert select(Property=["Name"]).full_name == r"Microsoft.PowerShell.Utility\Select-Object"
    bare = [path.name for path in HOST_FILES if 'command("Select-Object"' in path.read_text(encoding="utf-8")]
    assert bare == [], "use select() of _host_base.py"


def test_every_command_stands_there_once_with_its_module_under_its_kind() -> None:
    content = psdata.read(CAPABILITY)
    assert len(set(allowed())) == len(allowed())
    for key, functions in (("VisibleCmdlets", False), ("VisibleFunctions", True)):
        for entry in content[key]:
            module, _, name = entry.rpartition("\\")
            assert (module or CORE) == command_table(name).module, entry
            assert module in ("", *content["ModulesToImport"]), entry
            assert (name in FUNCTIONS) is functions, entry


def test_the_files_of_the_endpoint_are_what_windows_expects() -> None:
    """A module folder of this name, so that the role capability is found; PSRC has to be a folder of a module."""
    endpoint = read_endpoint("FanoutHyperV", "FanoutHyperV", MODULE / "FanoutHyperV.pssc")
    assert endpoint.virtual_groups == frozenset({"Administrators"})
    assert psdata.read(MODULE / f"{MODULE.name}.psd1")["PowerShellVersion"] == "5.1"
    ids = [psdata.read(path)["GUID"] for path in MODULE.rglob("*.ps*")]
    assert len(set(ids)) == len(ids) == 3
