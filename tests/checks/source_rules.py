# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of docs/architecture.md that no general linter knows: who may import, name or say what, and licence headers.

python -m tests.checks.source_rules    checks every file that git knows or would add; exit code 1 when a rule is broken
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# REUSE-IgnoreStart
LICENCE_LINES = (
    "# Copyright (c) ",
    "# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or ",
    "# SPDX-License-Identifier: GPL-3.0-or-later",
)
# REUSE-IgnoreEnd
HEADED_SUFFIXES = (".py", ".yml", ".yaml")
VERBS = (
    "Add|Checkpoint|Clear|Compare|Connect|Convert|ConvertFrom|ConvertTo|Copy|Disable|Disconnect|Dismount|Enable|Export|Find|ForEach|Format"
    "|Get|Group|Import|Invoke|Join|Measure|Mount|Move|New|Optimize|Out|Read|Receive|Remove|Rename|Resize|Resolve|Restart|Restore"
    "|Resume|Save|Select|Send|Set|Sort|Split|Start|Stop|Suspend|Test|Update|Wait|Where|Write"
)
CMDLET = re.compile(rf"(?:[A-Za-z.]+\\)?(?:{VERBS})-[A-Z][A-Za-z]+")
MODULE_UTILS = "plugins/module_utils/"


@dataclass(frozen=True)
class Source:
    """One Python file of the project."""

    path: str
    tree: ast.Module

    def imports(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.lineno, node.module or ""

    def strings(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.lineno, node.value

    def names(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                yield node.lineno, node.attr
            elif isinstance(node, ast.Name):
                yield node.lineno, node.id


Finding = tuple[int, str]
Rule = Callable[[Source], Iterable[Finding]]


def _package(name: str, *packages: str) -> bool:
    return name.split(".")[0] in packages


def only_structured_commands(source: Source) -> Iterator[Finding]:
    """No script text is ever sent to a host."""
    if source.path.startswith("plugins/"):
        yield from ((line, "script text sent to a host") for line, name in source.names() if name == "add_script")


def one_file_speaks_psrp(source: Source) -> Iterator[Finding]:
    """Only one file of the session imports a remoting library."""
    if source.path.startswith("plugins/") and source.path != f"{MODULE_UTILS}_session_library.py":
        for line, name in source.imports():
            if _package(name, "pypsrp", "psrpcore", "winrm"):
                yield line, f"imports {name} outside _session_library.py"


def one_place_names_cmdlets(source: Source) -> Iterator[Finding]:
    """Only the host files name cmdlets."""
    if source.path.startswith("plugins/") and not source.path.startswith(f"{MODULE_UTILS}_host"):
        for line, text in source.strings():
            if CMDLET.fullmatch(text):
                yield line, f"names {text} outside _host*.py"


def operations_know_no_ansible(source: Source) -> Iterator[Finding]:
    """Operations and what they build on are free of Ansible; the two doors are not."""
    doors = ("_running.py", "_arguments.py")
    if source.path.startswith(MODULE_UTILS) and PurePosixPath(source.path).name not in doors:
        yield from ((line, f"imports {name}") for line, name in source.imports() if _package(name, "ansible"))


def one_place_ends_modules(source: Source) -> Iterator[Finding]:
    """Only the runner calls exit_json and fail_json."""
    if source.path.startswith("plugins/") and source.path != f"{MODULE_UTILS}_running.py":
        for line, name in source.names():
            if name in ("exit_json", "fail_json"):
                yield line, f"{name} outside _running.py"


def arrows_point_one_way(source: Source) -> Iterator[Finding]:
    """Module utilities know no plugins; the lab and the collection know nothing of each other."""
    collection = "ansible_collections.fanout.hyperv.plugins"
    if source.path.startswith(MODULE_UTILS):
        forbidden = tuple(f"{collection}.{part}" for part in ("plugin_utils", "action", "callback", "modules"))
    elif source.path.startswith("tests/lab/src/"):
        forbidden = ("ansible_collections", "ansible", "pypsrp")
    else:
        forbidden = ("hyperv_lab",) if source.path.startswith("plugins/") else ()
    for line, name in source.imports():
        if any(name == module or name.startswith(f"{module}.") for module in forbidden):
            yield line, f"imports {name}"


RULES: tuple[Rule, ...] = (
    only_structured_commands,
    one_file_speaks_psrp,
    one_place_names_cmdlets,
    operations_know_no_ansible,
    one_place_ends_modules,
    arrows_point_one_way,
)


def check_source(path: str, text: str) -> Iterator[str]:
    """Every broken rule of one Python file, as path:line: what."""
    source = Source(path, ast.parse(text, filename=path))
    for rule in RULES:
        yield from (f"{path}:{line}: {what} [{rule.__name__}]" for line, what in rule(source))


def check_header(path: str, text: str) -> Iterator[str]:
    """The three licence lines stand at the top (after a shebang line or a document start)."""
    lines = text.splitlines()
    if not lines:
        return
    start = 1 if lines[0].startswith("#!") or lines[0] == "---" else 0
    head = lines[start : start + len(LICENCE_LINES)]
    if len(head) < len(LICENCE_LINES) or not all(map(str.startswith, head, LICENCE_LINES)):
        yield f"{path}:1: licence header missing or different [licence_header]"


def check(path: str, text: str) -> Iterator[str]:
    if path.endswith(HEADED_SUFFIXES):
        yield from check_header(path, text)
    if path.endswith(".py"):
        yield from check_source(path, text)


def project_files(root: Path) -> list[str]:
    """What git tracks or would add; deleted files that are still in the index are left out."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted({name for name in listed.split("\0") if name and (root / name).is_file()})


def main() -> int:
    root = Path(__file__).resolve().parents[2]
    names = [name for name in project_files(root) if name.endswith(HEADED_SUFFIXES)]
    broken = [line for name in names for line in check(name, (root / name).read_text(encoding="utf-8"))]
    print("\n".join([*broken, f"{len(names)} files checked, {len(broken)} rules broken"]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
