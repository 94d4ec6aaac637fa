# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a host: what is there is told from what may not be seen; nothing recursive, no link followed."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from datetime import datetime, timezone

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._command import Command, Outcome
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CommandFailed, NotFound, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._host_files import Files
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.host_fakes import ScriptedSession, error

MISSING = Outcome(objects=[], errors=(error("ObjectNotFound", "PathNotFound"),))
DENIED = Outcome(objects=[], errors=(error("PermissionDenied", "GetItemUnauthorizedAccessError"),))

NO_DRIVE = Outcome(objects=[], errors=(error("ObjectNotFound", "DriveNotFound"),))
NO_SUCH_COMMAND = Outcome(objects=[], errors=(error("ObjectNotFound", "CommandNotFoundException"),))


def row(path: str, attributes: str = "Archive") -> dict[str, t.Any]:
    return {
        "Name": path.rpartition("\\")[2],
        "FullName": path,
        "PSIsContainer": "Directory" in attributes,
        "Length": None if "Directory" in attributes else 5,
        "Attributes": attributes,
        "LastWriteTimeUtc": datetime(2026, 11, 20, tzinfo=timezone.utc),
    }


class Disk:
    """A session to a small file system: path to attributes, or to a text."""

    def __init__(self, **paths: str) -> None:
        self.paths = paths
        self.session = ScriptedSession(self._answer)
        self.files = Files(t.cast(t.Any, self.session))

    def _answer(self, stages: tuple[Command, ...]) -> t.Any:
        parameters = stages[0].parameters
        path = parameters.get("LiteralPath", parameters.get("Path"))
        return getattr(self, stages[0].name.replace("-", "_").lower())(path)

    def get_item(self, paths: list[str]) -> t.Any:
        found = [row(path, self.paths[path]) for path in paths if path in self.paths]
        return Outcome(objects=found, errors=() if len(found) == len(paths) else MISSING.errors)

    def get_childitem(self, folder: str) -> t.Any:
        if folder not in self.paths:
            return MISSING
        assert "ReparsePoint" not in self.paths[folder], "a link was followed"
        below = [path for path in self.paths if path.rpartition("\\")[0] == folder]
        return [row(path, self.paths[path]) for path in below]

    def remove_item(self, path: str) -> t.Any:
        if path not in self.paths:
            return MISSING
        if any(other.startswith(path + "\\") for other in self.paths):
            return Outcome(objects=[], errors=(error("InvalidOperation"),))
        del self.paths[path]
        return []


def scripted(*answers: t.Any) -> tuple[Files, ScriptedSession]:
    left = list(answers)
    session = ScriptedSession(lambda _stages: left.pop(0))
    return Files(t.cast(t.Any, session)), session


def test_every_question_takes_paths_literally() -> None:
    files, session = scripted([row("D:\\a[1]")], [], [{"Hash": "AB"}], ["x"], [])
    files.entry("D:\\a[1]")
    files.entries("D:\\a[1]")
    files.sha256("D:\\a[1]")
    files.read_plain("D:\\a[1]")
    files.write_in_place("D:\\a[1]", "")
    assert all(
        "LiteralPath" in stages[0].parameters and "Path" not in stages[0].parameters for stages in session.pipelines
    )


@pytest.mark.parametrize(
    "question",
    [
        lambda files: files.entry("D:\\a"),
        lambda files: files.entries("D:\\a"),
        lambda files: files.read_plain("D:\\a"),
        lambda files: files.remove_file("D:\\a"),
    ],
)
def test_not_there_is_no_error_and_not_allowed_is_one(question: Callable[[Files], t.Any]) -> None:
    assert not question(scripted(MISSING)[0])
    for answer in (DENIED, NO_SUCH_COMMAND):
        with pytest.raises(CommandFailed):
            question(scripted(answer)[0])


def test_modified_needs_the_file() -> None:
    with pytest.raises(NotFound):
        scripted(MISSING)[0].modified("D:\\a")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["text"], "text"),
        (["\ufefftext"], "text"),
        ([], ""),
        ([""], ""),
    ],
)
def test_a_text_without_its_byte_order_mark(answers: list[str], expected: str) -> None:
    files, session = scripted(answers)
    assert files.read_text("D:\\r.json") == expected
    assert session.pipelines[0][0].parameters == {"LiteralPath": "D:\\r.json", "Raw": True, "Encoding": "UTF8"}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([MISSING, ["new"]], "new"),
        ([MISSING, MISSING, ["just moved"]], "just moved"),
        ([MISSING, MISSING, MISSING], None),
    ],
)
def test_a_writer_in_the_middle_of_replacing_the_file(answers: list[t.Any], expected: str | None) -> None:
    files, session = scripted(*answers)
    assert files.read_text("D:\\r.json") == expected
    read = [stages[0].parameters["LiteralPath"] for stages in session.pipelines]
    assert read == ["D:\\r.json", "D:\\r.json.new", "D:\\r.json"][: len(answers)]


def test_a_text_is_written_under_a_temporary_name_first() -> None:
    files, session = scripted([], [])
    files.write_text("D:\\r.json", "{}")
    [[write], [move]] = session.pipelines
    assert (write.name, write.parameters["LiteralPath"], write.parameters["Value"]) == (
        "Set-Content",
        "D:\\r.json.new",
        "{}",
    )
    assert move.parameters == {"LiteralPath": "D:\\r.json.new", "Destination": "D:\\r.json", "Force": True}


@pytest.mark.parametrize(
    "make", [lambda files: files.make_folder("D:\\a"), lambda files: files.create_text("D:\\a", "x")]
)
def test_making_what_may_be_there(make: Callable[[Files], bool]) -> None:
    failed = Outcome(objects=[], errors=(error("WriteError", "NewItemIOError"),))
    assert make(scripted([])[0]) is True
    assert make(scripted(failed, [row("D:\\a", "Directory")])[0]) is False
    with pytest.raises(CommandFailed):
        make(scripted(failed, MISSING)[0])


def test_only_an_exclusive_creation_tells_who_was_first() -> None:
    files, session = scripted([], [])
    files.create_text("D:\\a", "x")
    files.make_folder("D:\\b")
    assert all("Force" not in stages[0].parameters for stages in session.pipelines)


def test_a_file_in_the_place_of_a_folder_is_an_error() -> None:
    failed = Outcome(objects=[], errors=(error("ResourceExists", "DirectoryExist"),))
    with pytest.raises(CommandFailed):
        scripted(failed, [row("D:\\a")])[0].make_folder("D:\\a")


@pytest.mark.parametrize("attributes", ["Directory", "Archive, ReparsePoint", "Directory, ReparsePoint"])
def test_what_is_not_a_plain_file_is_not_deleted(attributes: str) -> None:
    disk = Disk(a=attributes)
    with pytest.raises(Refused):
        disk.files.remove_file("a")
    assert disk.paths == {"a": attributes}


def test_files_that_were_listed_are_deleted_and_nothing_else() -> None:
    disk = Disk(**{"a": "Directory", "a\\f": "Archive", "a\\l": "ReparsePoint", "a\\d": "Directory"})
    assert disk.files.remove_files(disk.files.entries("a") or ()) == 1
    assert list(disk.paths) == ["a", "a\\l", "a\\d"]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ({"a": "Directory"}, True),
        ({"a": "Directory", "a\\f": "Archive"}, False),
        ({"a": "Directory, ReparsePoint"}, False),
        ({"a": "Archive"}, False),
        ({}, False),
    ],
)
def test_remove_folder_if_empty(paths: dict[str, str], expected: bool) -> None:
    disk = Disk(**paths)
    assert disk.files.remove_folder_if_empty("a") is expected
    assert ("a" in disk.paths) is (bool(paths) and not expected)


def test_something_that_comes_in_while_a_folder_is_deleted() -> None:
    refused = Outcome(objects=[], errors=(error("InvalidOperation"),))
    files, _session = scripted(refused, [row("a\\f")])
    assert files.remove_emptied_folder("a") is False
    with pytest.raises(CommandFailed):
        scripted(refused, [])[0].remove_emptied_folder("a")


def test_empty_folders_go_and_files_and_links_stay() -> None:
    disk = Disk(
        **{
            "a": "Directory",
            "a\\b": "Directory",
            "a\\b\\c": "Directory",
            "a\\link": "Directory, ReparsePoint",
            "a\\link\\theirs": "Archive",
            "a\\d": "Directory",
            "a\\d\\f": "Archive",
        }
    )
    assert disk.files.remove_empty_folders("a") == ("a\\link", "a\\d\\f")
    assert list(disk.paths) == ["a", "a\\link", "a\\link\\theirs", "a\\d", "a\\d\\f"]
    assert disk.files.remove_empty_folders("a\\link") == ("a\\link",)
    assert disk.files.remove_empty_folders("gone") == ()


def test_a_tree_does_not_go_through_links() -> None:
    disk = Disk(
        **{
            "a": "Directory",
            "a\\b": "Directory",
            "a\\b\\f": "Archive",
            "a\\l": "Directory, ReparsePoint",
            "a\\l\\x": "Archive",
        }
    )
    assert [entry.path for entry in disk.files.tree("a")] == ["a\\b", "a\\b\\f", "a\\l"]
    assert disk.files.tree("gone") == ()


def test_nothing_is_ever_recursive() -> None:
    disk = Disk(**{"a": "Directory", "a\\b": "Directory", "a\\f": "Archive"})
    disk.files.remove_files(disk.files.entries("a") or ())
    disk.files.remove_empty_folders("a")
    assert disk.paths == {}
    assert all("Recurse" not in stage.parameters for stages in disk.session.pipelines for stage in stages)


@pytest.mark.parametrize("drives", [True, False])
@pytest.mark.parametrize(
    "look",
    [
        lambda files: files.entry("X:\\a"),
        lambda files: files.entries("X:\\a"),
        lambda files: files.read_plain("X:\\a"),
        lambda files: files.remove_emptied_folder("X:\\a") or None,
    ],
)
def test_a_missing_drive_is_told_from_a_session_that_shows_no_drives(
    look: Callable[[Files], t.Any], drives: bool
) -> None:
    """Endpoints without the FileSystem provider have none: then nothing is known about any file."""

    def answer(stages: tuple[Command, ...]) -> t.Any:
        of_the_system = stages[0].parameters["LiteralPath"] in ("C:\\", ["C:\\"])
        return [row("C:\\", "Directory")] if of_the_system and drives else NO_DRIVE

    files = Files(t.cast(t.Any, ScriptedSession(answer)))
    if drives:
        assert look(files) is None
    else:
        with pytest.raises(CommandFailed) as caught:
            look(files)
        assert caught.value.code == "NO_DRIVES"
        assert "VisibleProviders" in str(caught.value.remedy)
