# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file cmdlets on real folders: what they do, and the provider's error for what they do not."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hyperv_lab.model.switches import Rules

from tests.lab.tests.engine.rig import WALL, Host, Result, Rig

PS = "Microsoft.PowerShell.Commands."


def item(path: str, **more: Any) -> dict[str, Any]:
    return {"LiteralPath": path, **more}


@pytest.fixture
def tree(rig: Rig) -> Rig:
    """C:\\t: files a.txt and b[1].txt, folder f with x.txt and, below g, y.txt."""
    volumes = rig.host.volumes
    volumes.mkdir("C:\\t\\f\\g", parents=True)
    for path in ("C:\\t\\a.txt", "C:\\t\\b[1].txt", "C:\\t\\f\\x.txt", "C:\\t\\f\\g\\y.txt"):
        volumes.write(path, path.encode())
    return rig


def names(result: Result) -> list[str]:
    assert not result.errors, result.errors
    return [str(entry.Name if hasattr(entry, "Name") else entry) for entry in result.output]


def expect(result: Result, error_id: str, category: str, *, state: str = "Completed") -> None:
    assert result.error_id == error_id
    assert (result.error.CategoryInfo.Category.name, result.state) == (category, state)


# ---- Get-Item, Get-ChildItem, Test-Path


def test_a_file_as_an_object(tree: Rig) -> None:
    shown = tree(("Get-Item", item("c:\\T\\A.TXT"))).one
    assert shown.PSTypeNames[0] == "Deserialized.System.IO.FileInfo"
    assert (shown.FullName, shown.Name, shown.Length) == ("C:\\t\\a.txt", "a.txt", 10)
    assert (shown.Attributes, shown.PSIsContainer, shown.LinkType) == ("Archive", False, None)
    assert (shown.LastWriteTimeUtc, shown.LastWriteTimeUtc.tzinfo is not None) == (WALL, True)
    assert shown.PSPath == "Microsoft.PowerShell.Core\\FileSystem::C:\\t\\a.txt"
    assert str(shown.PSObject.to_string) == "C:\\t\\a.txt"


def test_a_junction_as_an_object(tree: Rig) -> None:
    tree.host.volumes.make_junction("C:\\way", "C:\\t")
    shown = tree(("Get-Item", item("C:\\way"))).one
    assert (shown.Attributes, shown.LinkType, list(shown.Target)) == (
        "Directory, ReparsePoint",
        "Junction",
        ["C:\\t"],
    )


def test_times_are_of_the_right_kind(tree: Rig) -> None:
    shown = tree(("Get-Item", item("C:\\t")), ("Select-Object", {"Property": ["LastWriteTime", "Attributes"]})).one
    assert shown.LastWriteTime == WALL
    assert shown.Attributes == 16  # an enum, where Select-Object keeps the depth


def test_listings(tree: Rig) -> None:
    assert names(tree(("Get-ChildItem", item("C:\\t")))) == ["f", "a.txt", "b[1].txt"]
    assert names(tree(("Get-ChildItem", item("C:\\t", Directory=None)))) == ["f"]
    assert names(tree(("Get-ChildItem", item("C:\\t", File=None)))) == ["a.txt", "b[1].txt"]
    assert names(tree(("Get-ChildItem", item("C:\\t", Filter="*.txt")))) == ["a.txt", "b[1].txt"]
    assert names(tree(("Get-ChildItem", item("C:\\t\\a.txt")))) == ["a.txt"]
    assert tree(("Get-ChildItem", item("C:\\t", Recurse=None, Name=None))).output == [
        "f",
        "a.txt",
        "b[1].txt",
        "f\\g",
        "f\\x.txt",
        "f\\g\\y.txt",
    ]
    assert names(tree(("Get-ChildItem", item("C:\\t", Depth=1, File=None)))) == ["a.txt", "b[1].txt", "x.txt"]


def test_recursion_follows_junctions(tree: Rig) -> None:
    tree.host.volumes.make_junction("C:\\t\\f\\g\\way", "C:\\t\\f\\g")
    listed = tree(("Get-ChildItem", item("C:\\t", Depth=3, Name=None))).output
    assert "f\\g\\way\\y.txt" in listed


def test_hidden_items_are_shown_with_force(tree: Rig) -> None:
    tree.host.volumes.set_attributes("C:\\t\\a.txt", frozenset({"Hidden"}))
    assert names(tree(("Get-ChildItem", item("C:\\t")))) == ["f", "b[1].txt"]
    assert names(tree(("Get-ChildItem", item("C:\\t", Force=None)))) == ["f", "a.txt", "b[1].txt"]
    expect(tree(("Get-Item", item("C:\\t\\a.txt"))), f"ItemNotFound,{PS}GetItemCommand", "ObjectNotFound")


def test_patterns_and_literal_names(tree: Rig) -> None:
    tree.host.volumes.write("C:\\t\\b1.txt", b"")
    assert names(tree(("Get-Item", {"Path": "C:\\t\\b[1].txt"}))) == ["b1.txt"]
    assert names(tree(("Get-Item", item("C:\\t\\b[1].txt")))) == ["b[1].txt"]
    assert names(tree(("Get-Item", {"Path": "C:\\t\\b`[1`].txt"}))) == ["b[1].txt"]
    assert names(tree(("Get-Item", {"Path": "C:\\*\\?.txt"}))) == ["a.txt"]
    assert tree(("Get-Item", {"Path": "C:\\t\\*.nix"})).output == []


def test_test_path(tree: Rig) -> None:
    cases: list[tuple[dict[str, Any], bool]] = [
        (item("C:\\t\\b[1].txt"), True),
        ({"Path": "C:\\t\\b[1].txt"}, False),
        (item("C:\\t", PathType="Leaf"), False),
        (item("C:\\t", PathType="Container"), True),
        (item("C:\\t\\a.txt", PathType="leaf"), True),
        (item("C:\\no"), False),
        (item("Z:\\no"), False),
        (item("\\\\server\\share"), False),
        (item("C:\\a<b"), False),
    ]
    assert [tree(("Test-Path", arguments)).one for arguments, _ in cases] == [there for _, there in cases]


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("Get-Item", {}),
        ("Get-ChildItem", {}),
        ("Get-Content", {}),
        ("Remove-Item", {}),
        ("Copy-Item", {"Destination": "C:\\z"}),
        ("Move-Item", {"Destination": "C:\\z"}),
        ("Resolve-Path", {}),
    ],
)
def test_what_is_not_there(tree: Rig, command: str, more: dict[str, Any]) -> None:
    class_name = PS + command.replace("-", "") + "Command"
    expect(tree((command, item("C:\\t\\no", **more))), f"PathNotFound,{class_name}", "ObjectNotFound")
    expect(tree((command, item("Y:\\t", **more))), f"DriveNotFound,{class_name}", "ObjectNotFound")


def test_names_that_cannot_be(tree: Rig) -> None:
    expect(tree(("Get-Item", item("C:\\a<b"))), f"ItemExistsArgumentError,{PS}GetItemCommand", "InvalidArgument")
    too_long = tree(("Get-Item", item("C:\\" + "a\\" * 140)))
    expect(too_long, f"ItemExistsPathTooLongError,{PS}GetItemCommand", "InvalidArgument")


# ---- New-Item


def test_new_folders(rig: Rig, host: Host) -> None:
    made = rig(("New-Item", {"Path": "C:\\a\\b[1]\\c", "ItemType": "Directory"})).one
    assert (made.FullName, made.PSIsContainer) == ("C:\\a\\b[1]\\c", True)
    again = rig(("New-Item", {"Path": "C:\\A\\b[1]", "ItemType": "dir"}))
    expect(again, f"DirectoryExist,{PS}NewItemCommand", "ResourceExists")
    assert again.error.CategoryInfo.Reason == "IOException"
    forced = rig(("New-Item", {"Path": "C:\\a", "ItemType": "Directory", "Force": None}))
    assert forced.one.FullName == "C:\\a"
    assert host.volumes.is_dir("C:\\a\\b[1]\\c")


def test_new_files(rig: Rig, host: Host) -> None:
    assert rig(("New-Item", {"Path": "C:\\a.txt", "Value": "x"})).one.Length == 1
    expect(rig(("New-Item", {"Path": "C:\\a.txt"})), f"NewItemIOError,{PS}NewItemCommand", "WriteError")
    expect(rig(("New-Item", {"Path": "C:\\no\\a.txt"})), f"NewItemIOError,{PS}NewItemCommand", "WriteError")
    rig(("New-Item", {"Path": "C:\\no\\a.txt", "Force": None, "Value": "y"}))
    assert host.volumes.read("C:\\no\\a.txt") == b"y"


def test_what_if_makes_nothing(rig: Rig, host: Host) -> None:
    assert rig(("New-Item", {"Path": "C:\\a", "ItemType": "Directory", "WhatIf": None})).output == []
    assert not host.volumes.exists("C:\\a")


def test_a_confirmation_cannot_be_asked(rig: Rig, host: Host) -> None:
    asked = rig(("New-Item", {"Path": "C:\\a", "ItemType": "Directory", "Confirm": None}))
    expect(asked, f"HostFunctionNotImplemented,{PS}NewItemCommand", "NotImplemented", state="Failed")
    assert not host.volumes.exists("C:\\a")


# ---- Remove-Item


def test_a_folder_with_children_is_a_question(tree: Rig) -> None:
    for more in ({}, {"Force": None}, {"Confirm": False}, {"Force": None, "Confirm": False}):
        asked = tree(("Remove-Item", item("C:\\t", **more)))
        expect(asked, f"HostFunctionNotImplemented,{PS}RemoveItemCommand", "NotImplemented", state="Failed")
    assert tree.host.volumes.exists("C:\\t\\f\\g\\y.txt")


def test_removing(tree: Rig) -> None:
    volumes = tree.host.volumes
    assert tree(("Remove-Item", item("C:\\t\\b[1].txt"))).output == []
    volumes.mkdir("C:\\empty")
    tree(("Remove-Item", item("C:\\empty")))
    tree(("Remove-Item", item("C:\\t", Recurse=None)))
    assert volumes.listdir("C:\\") == []


def test_removing_stops_at_junctions(tree: Rig) -> None:
    volumes = tree.host.volumes
    volumes.mkdir("C:\\u")
    volumes.make_junction("C:\\u\\way", "C:\\t")
    tree(("Remove-Item", item("C:\\u", Recurse=None)))
    assert not volumes.exists("C:\\u")
    assert volumes.exists("C:\\t\\a.txt")


def test_what_cannot_be_removed(tree: Rig) -> None:
    volumes = tree.host.volumes
    with volumes.using("C:\\t\\a.txt"):
        expect(
            tree(("Remove-Item", item("C:\\t\\a.txt"))),
            f"RemoveFileSystemItemIOError,{PS}RemoveItemCommand",
            "WriteError",
        )
    volumes.set_attributes("C:\\t\\a.txt", frozenset({"ReadOnly"}))
    denied = tree(("Remove-Item", item("C:\\t\\a.txt")))
    expect(denied, f"RemoveFileSystemItemUnAuthorizedAccess,{PS}RemoveItemCommand", "PermissionDenied")
    tree(("Remove-Item", item("C:\\t\\a.txt", Force=None)))
    assert not volumes.exists("C:\\t\\a.txt")


def test_removing_what_the_pipeline_brings(tree: Rig) -> None:
    tree(("Get-ChildItem", item("C:\\t", File=None)), ("Remove-Item", {}))
    assert tree.host.volumes.listdir("C:\\t") == ["f"]


# ---- Copy-Item, Move-Item, Rename-Item


def test_copying(tree: Rig) -> None:
    volumes = tree.host.volumes
    tree(("Copy-Item", item("C:\\t\\a.txt", Destination="C:\\t\\f\\x.txt")))
    assert volumes.read("C:\\t\\f\\x.txt") == b"C:\\t\\a.txt"
    tree(("Copy-Item", item("C:\\t\\a.txt", Destination="C:\\t\\f")))
    assert volumes.exists("C:\\t\\f\\a.txt")
    tree(("Copy-Item", item("C:\\t\\f", Destination="C:\\u")))
    assert volumes.listdir("C:\\u") == []
    tree(("Copy-Item", item("C:\\t\\f", Destination="C:\\u", Recurse=None)))
    assert volumes.read("C:\\u\\f\\g\\y.txt") == b"C:\\t\\f\\g\\y.txt"
    again = tree(("Copy-Item", item("C:\\t\\f\\g", Destination="C:\\u\\f", Recurse=None)))
    expect(again, f"DirectoryExist,{PS}CopyItemCommand", "ResourceExists")


def test_what_cannot_be_copied(tree: Rig) -> None:
    lost = tree(("Copy-Item", item("C:\\t\\a.txt", Destination="C:\\no\\a.txt")))
    expect(lost, f"System.IO.DirectoryNotFoundException,{PS}CopyItemCommand", "NotSpecified", state="Failed")
    tree.host.volumes.set_free("C", 3)
    full = tree(("Copy-Item", item("C:\\t\\a.txt", Destination="C:\\t\\c.txt")))
    expect(full, f"System.IO.IOException,{PS}CopyItemCommand", "NotSpecified", state="Failed")
    assert full.error.Exception.HResult == 0x80070070 - (1 << 32)
    itself = tree(("Copy-Item", item("C:\\t\\a.txt", Destination="C:\\t\\A.txt")))
    expect(itself, f"CopyError,{PS}CopyItemCommand", "WriteError")


def test_moving(tree: Rig) -> None:
    volumes = tree.host.volumes
    tree(("Move-Item", item("C:\\t\\a.txt", Destination="C:\\t\\c.txt")))
    assert volumes.read("C:\\t\\c.txt") == b"C:\\t\\a.txt"
    taken = tree(("Move-Item", item("C:\\t\\c.txt", Destination="C:\\t\\b[1].txt")))
    expect(taken, f"MoveFileInfoItemIOError,{PS}MoveItemCommand", "WriteError")
    forced = tree(("Move-Item", item("C:\\t\\c.txt", Destination="C:\\t\\b[1].txt", Force=None, PassThru=None)))
    assert (forced.one.Name, volumes.read("C:\\t\\b[1].txt")) == ("b[1].txt", b"C:\\t\\a.txt")
    tree(("Move-Item", item("C:\\t\\f", Destination="C:\\u")))
    tree(("Move-Item", item("C:\\u", Destination="C:\\t")))
    assert volumes.exists("C:\\t\\u\\g\\y.txt")


def test_what_cannot_be_moved(tree: Rig) -> None:
    volumes = tree.host.volumes
    lost = tree(("Move-Item", item("C:\\t\\a.txt", Destination="C:\\no\\a.txt")))
    expect(lost, f"MoveFileInfoItemIOError,{PS}MoveItemCommand", "WriteError")
    with volumes.using("C:\\t\\b[1].txt"):
        held = tree(("Move-Item", item("C:\\t\\a.txt", Destination="C:\\t\\b[1].txt", Force=None)))
        expect(held, f"MoveFileInfoItemIOError,{PS}MoveItemCommand", "WriteError")
        inside = tree(("Move-Item", item("C:\\t", Destination="C:\\u")))
        expect(inside, f"MoveDirectoryItemUnauthorizedAccessError,{PS}MoveItemCommand", "PermissionDenied")
    far = tree(("Move-Item", item("C:\\t", Destination="D:\\t")))
    expect(far, f"MoveDirectoryItemIOError,{PS}MoveItemCommand", "WriteError")
    below = tree(("Move-Item", item("C:\\t", Destination="C:\\t\\f")))
    expect(below, f"MoveItemArgumentError,{PS}MoveItemCommand", "InvalidArgument")


def test_renaming(tree: Rig) -> None:
    volumes = tree.host.volumes
    tree(("Rename-Item", item("C:\\t\\a.txt", NewName="d.txt")))
    assert volumes.exists("C:\\t\\d.txt")
    taken = tree(("Rename-Item", item("C:\\t\\d.txt", NewName="b[1].txt", Force=None)))
    expect(taken, f"RenameItemIOError,{PS}RenameItemCommand", "WriteError")
    lost = tree(("Rename-Item", item("C:\\t\\no", NewName="x")))
    expect(lost, f"InvalidOperation,{PS}RenameItemCommand", "InvalidOperation")
    path = tree(("Rename-Item", item("C:\\t\\d.txt", NewName="C:\\elsewhere\\d.txt")))
    expect(path, f"Argument,{PS}RenameItemCommand", "InvalidArgument", state="Failed")


# ---- Get-Content, Set-Content, Get-FileHash


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("UTF8", b"\xef\xbb\xbf\xc3\xbc\r\n"),
        ("Unicode", b"\xff\xfe\xfc\x00\r\x00\n\x00"),
        ("BigEndianUnicode", b"\xfe\xff\x00\xfc\x00\r\x00\n"),
        ("Ascii", b"?\r\n"),
        (None, b"\xfc\r\n"),
    ],
)
def test_text_is_written_with_its_marks(rig: Rig, host: Host, encoding: str | None, data: bytes) -> None:
    more = {"Encoding": encoding} if encoding else {}
    rig(("Set-Content", item("C:\\a", Value="ü", **more)))
    assert host.volumes.read("C:\\a") == data
    if encoding != "Ascii":
        assert rig(("Get-Content", item("C:\\a"))).one == "ü"


def test_text_without_a_mark_is_ansi_unless_said(rig: Rig, host: Host) -> None:
    host.volumes.write("C:\\a", "ü".encode())
    assert rig(("Get-Content", item("C:\\a"))).one == "Ã¼"
    assert rig(("Get-Content", item("C:\\a", Encoding="UTF8"))).one == "ü"


def test_lines_and_raw_text(rig: Rig, host: Host) -> None:
    host.volumes.write("C:\\a", b"one\r\ntwo\n\nfour\n")
    assert rig(("Get-Content", item("C:\\a"))).output == ["one", "two", "", "four"]
    assert rig(("Get-Content", item("C:\\a", Raw=None))).one == "one\r\ntwo\n\nfour\n"
    assert rig(("Get-Content", item("C:\\a", TotalCount=2))).output == ["one", "two"]
    assert rig(("Get-Content", item("C:\\a", Tail=1))).output == ["four"]
    assert rig(("Get-Content", item("C:\\a", ReadCount=3))).output == [["one", "two", ""], ["four"]]
    assert rig(("Get-Content", item("C:\\a", ReadCount=0))).output == [["one", "two", "", "four"]]
    host.volumes.write("C:\\a", b"")
    assert rig(("Get-Content", item("C:\\a", Raw=None))).output == []


def test_every_line_carries_notes(rig: Rig, host: Host) -> None:
    host.volumes.write("C:\\a", b"one\r\ntwo")
    lines = rig(("Get-Content", item("C:\\a"))).output
    notes = {entry.name: entry.get_value(lines[1]) for entry in lines[1].PSObject.extended_properties}
    assert list(notes) == ["PSPath", "PSParentPath", "PSChildName", "PSDrive", "PSProvider", "ReadCount"]
    assert (notes["ReadCount"], notes["PSChildName"]) == (2, "a")


def test_writing_text(rig: Rig, host: Host) -> None:
    rig(("Set-Content", item("C:\\a", Value=["x", 5, True])))
    assert host.volumes.read("C:\\a") == b"x\r\n5\r\nTrue\r\n"
    rig(("Set-Content", item("C:\\a", Value="x", NoNewline=None)))
    assert host.volumes.read("C:\\a") == b"x"
    rig(("Write-Output", {"InputObject": ["1", "2"]}), ("Set-Content", item("C:\\a")))
    assert host.volumes.read("C:\\a") == b"1\r\n2\r\n"
    rig(("Set-Content", item("C:\\a", Value=[1, 255], Encoding="Byte")))
    assert host.volumes.read("C:\\a") == b"\x01\xff"


def test_what_cannot_be_read_or_written(tree: Rig) -> None:
    volumes = tree.host.volumes
    folder = tree(("Get-Content", item("C:\\t")))
    expect(folder, f"GetContentReaderUnauthorizedAccessError,{PS}GetContentCommand", "PermissionDenied")
    with volumes.using("C:\\t\\a.txt", exclusive=True):
        expect(
            tree(("Get-Content", item("C:\\t\\a.txt"))), f"GetContentReaderIOError,{PS}GetContentCommand", "ReadError"
        )
        held = tree(("Set-Content", item("C:\\t\\a.txt", Value="x")))
        expect(held, f"ClearContentIOError,{PS}SetContentCommand", "WriteError", state="Failed")
    lost = tree(("Set-Content", item("C:\\no\\a", Value="x")))
    expect(lost, f"GetContentWriterDirectoryNotFoundError,{PS}SetContentCommand", "ObjectNotFound")
    volumes.set_free("C", 0)
    full = tree(("Set-Content", item("C:\\t\\a.txt", Value="x" * 100)))
    expect(full, f"ProviderContentCloseError,{PS}SetContentCommand", "NotSpecified")
    assert full.error.Exception.HResult == 0x80070070 - (1 << 32)
    assert volumes.size("C:\\t\\a.txt") == 10


def test_blocks_of_bytes(rig: Rig, host: Host) -> None:
    data = bytes(range(256)) * 1024
    host.volumes.write("C:\\disk", data)
    reading = item("C:\\disk", Encoding="Byte", ReadCount=64, TotalCount=131136)
    blocks = rig(("Get-Content", reading), ("Select-Object", {"Index": [1024, 2048]})).output
    assert [bytes(block) for block in blocks] == [data[65536:65600], data[131072:131136]]
    assert [block.PSTypeNames[0] for block in blocks] == ["Deserialized.System.Object[]"] * 2
    assert len(rig(("Get-Content", reading), ("Measure-Object", {})).output) == 1
    assert rig(("Get-Content", item("C:\\disk", Encoding="Byte", TotalCount=3))).output == [0, 1, 2]


def test_blocks_of_bytes_as_byte_arrays(rig: Rig, host: Host) -> None:
    host.rules = Rules(content_blocks_are_byte_arrays=True)
    host.volumes.write("C:\\disk", b"abcd")
    blocks = rig(("Get-Content", item("C:\\disk", Encoding="Byte", ReadCount=2))).output
    assert [bytes(block) for block in blocks] == [b"ab", b"cd"]


def test_hashes(tree: Rig) -> None:
    content = b"C:\\t\\a.txt"
    shown = tree(("Get-FileHash", item("C:\\t\\a.txt"))).one
    assert (shown.Algorithm, shown.Path) == ("SHA256", "C:\\t\\a.txt")
    assert shown.Hash == hashlib.sha256(content).hexdigest().upper()
    assert (
        tree(("Get-FileHash", item("C:\\t\\a.txt", Algorithm="MD5"))).one.Hash
        == hashlib.md5(content).hexdigest().upper()
    )
    lost = tree(("Get-FileHash", item("C:\\t\\no")))
    expect(lost, f"PathNotFound,{PS}ResolvePathCommand", "ObjectNotFound")
    with tree.host.volumes.using("C:\\t\\a.txt", exclusive=True):
        held = tree(("Get-FileHash", item("C:\\t\\a.txt")))
    expect(held, "FileReadError,Get-FileHash", "ReadError")


def test_what_is_not_simulated_fails(tree: Rig) -> None:
    for stage in (
        ("Get-ChildItem", item("C:\\t", Include="*.txt")),
        ("Get-Content", item("C:\\t\\a.txt", Wait=None)),
        ("New-Item", {"Path": "C:\\l", "ItemType": "Junction", "Value": "C:\\t"}),
        ("Get-Item", item("HKLM:\\Software")),
    ):
        assert tree(stage).error_id == "NotSimulated"
