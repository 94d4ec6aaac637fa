# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives: Windows' names and rules over real folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from hyperv_lab.model import windows_paths as win
from hyperv_lab.model.files import FileError, Volumes

from tests.lab.tests.engine.rig import WALL


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return Volumes(tmp_path, {"C": 1000, "D": 100}, {"C": 200}, wall=lambda: WALL)


def code(caught: pytest.ExceptionInfo[FileError]) -> int:
    return caught.value.code


@pytest.mark.parametrize(
    ("path", "full"),
    [
        ("c:\\a\\B", "C:\\a\\B"),
        ("C:/a/b/", "C:\\a\\b"),
        ("C:\\a\\..\\b\\.\\c", "C:\\b\\c"),
        ("C:\\..\\..\\a", "C:\\a"),
        ("C:\\a.\\b. .", "C:\\a\\b"),
        ("\\\\?\\C:\\a.\\b", "C:\\a.\\b"),
        ("C:", "C:\\"),
    ],
)
def test_paths_as_windows_normalises_them(volumes: Volumes, path: str, full: str) -> None:
    assert volumes.full(path) == full


@pytest.mark.parametrize(
    ("path", "win32"),
    [
        ("C:\\a*b", win.INVALID_NAME),
        ('C:\\a"b', win.INVALID_NAME),
        ("C:\\a:b", win.INVALID_NAME),
        ("C:\\a\tb", win.INVALID_NAME),
        ("C:\\nul", win.INVALID_NAME),
        ("C:\\com1.txt", win.INVALID_NAME),
        ("relative\\path", win.INVALID_NAME),
        ("C:relative", win.INVALID_NAME),
        ("C:\\" + "a\\" * 140, win.NAME_TOO_LONG),
        ("C:\\" + "a" * 256, win.NAME_TOO_LONG),
        ("Z:\\a", win.PATH_NOT_FOUND),
        ("\\\\server\\share", win.BAD_NETPATH),
    ],
)
def test_paths_that_windows_refuses(volumes: Volumes, path: str, win32: int) -> None:
    with pytest.raises(FileError) as caught:
        volumes.map(path)
    assert code(caught) == win32
    assert not volumes.exists(path)


def test_long_paths_with_their_prefix(volumes: Volumes) -> None:
    long = "C:\\" + "folder\\" * 40
    assert volumes.map("\\\\?\\" + long)
    with pytest.raises(FileError):
        volumes.mkdir(long, parents=True)


def test_a_folder_needs_room_for_names_below_it(volumes: Volumes) -> None:
    name = "C:\\" + "a" * 245
    with pytest.raises(FileError) as caught:
        volumes.mkdir(name)
    assert code(caught) == win.NAME_TOO_LONG
    volumes.write(name, b"")


def test_names_are_found_in_any_case_and_keep_theirs(volumes: Volumes) -> None:
    volumes.mkdir("C:\\Über\\Ort", parents=True)
    volumes.write("C:\\üBER\\oRT\\File.TXT", b"x")
    assert volumes.true_name("c:\\ÜBER\\ORT\\FILE.txt") == "C:\\Über\\Ort\\File.TXT"
    assert volumes.listdir("C:\\über\\ort") == ["File.TXT"]
    with pytest.raises(FileError) as caught:
        volumes.mkdir("C:\\ÜBER")
    assert code(caught) == win.ALREADY_EXISTS


def test_only_one_of_two_makes_a_folder(volumes: Volumes) -> None:
    volumes.mkdir("C:\\lease")
    with pytest.raises(FileError) as caught:
        volumes.mkdir("C:\\lease")
    assert (code(caught), caught.value.hresult) == (win.ALREADY_EXISTS, 0x800700B7)


def test_what_is_missing(volumes: Volumes) -> None:
    for path, win32 in (("C:\\no", win.FILE_NOT_FOUND), ("C:\\no\\file", win.PATH_NOT_FOUND)):
        with pytest.raises(FileError) as caught:
            volumes.read(path)
        assert code(caught) == win32
    with pytest.raises(FileError) as caught:
        volumes.write("C:\\no\\file", b"")
    assert code(caught) == win.PATH_NOT_FOUND
    with pytest.raises(FileError) as caught:
        volumes.mkdir("C:\\no\\folder")
    assert code(caught) == win.PATH_NOT_FOUND


def test_space_is_what_lies_there(volumes: Volumes) -> None:
    assert volumes.free("C") == 800
    volumes.write("C:\\a", b"x" * 300)
    assert volumes.free("C:\\a") == 500
    volumes.write("C:\\a", b"x" * 100)
    volumes.write("C:\\a", b"x" * 50, append=True)
    assert volumes.free("c") == 650 == volumes.left("C")
    volumes.remove("C:\\a")
    assert volumes.left("C") == 800
    volumes.set_free("C", 5)
    assert volumes.free("C") == 5
    volumes.set_capacity("C", 2000)
    assert volumes.free("C") == 1005


def test_a_full_disk_keeps_what_did_fit(volumes: Volumes) -> None:
    with pytest.raises(FileError) as caught:
        volumes.write("D:\\a", b"x" * 150)
    assert (code(caught), caught.value.hresult) == (win.DISK_FULL, 0x80070070)
    assert (volumes.size("D:\\a"), volumes.free("D")) == (100, 0)


def test_chunks_stop_at_the_end_of_the_disk(volumes: Volumes) -> None:
    volumes.write("D:\\a", b"")
    volumes.write_chunk("D:\\a", 0, b"x" * 60)
    volumes.write_chunk("D:\\a", 20, b"y" * 40)
    with pytest.raises(FileError) as caught:
        volumes.write_chunk("D:\\a", 60, b"z" * 60)
    assert code(caught) == win.DISK_FULL
    assert (volumes.size("D:\\a"), volumes.free("D")) == (60, 40)


def test_open_files(volumes: Volumes) -> None:
    volumes.mkdir("C:\\f")
    volumes.write("C:\\f\\a", b"x")
    with volumes.using("C:\\F\\A"):
        assert volumes.read("C:\\f\\a") == b"x"
        for change in (
            lambda: volumes.remove("C:\\f\\a"),
            lambda: volumes.write("C:\\f\\a", b""),
            lambda: volumes.rename("C:\\f\\a", "C:\\b"),
        ):
            with pytest.raises(FileError) as caught:
                change()
            assert (code(caught), caught.value.hresult) == (win.SHARING_VIOLATION, 0x80070020)
        with pytest.raises(FileError) as caught:
            volumes.rename("C:\\f", "C:\\g")
        assert code(caught) == win.ACCESS_DENIED
        with volumes.using("C:\\f\\a", exclusive=True), pytest.raises(FileError) as caught:
            volumes.read("C:\\f\\a")
        assert volumes.in_use("C:\\f\\a")
    assert not volumes.in_use("C:\\f\\a")
    volumes.rename("C:\\f", "C:\\g")
    assert volumes.read("C:\\g\\a") == b"x"


def test_folders_with_something_in_them_stay(volumes: Volumes) -> None:
    volumes.mkdir("C:\\f\\g", parents=True)
    with pytest.raises(FileError) as caught:
        volumes.remove("C:\\f")
    assert code(caught) == win.DIR_NOT_EMPTY
    volumes.remove("C:\\f\\g")
    volumes.remove("C:\\f")
    assert not volumes.exists("C:\\f")


def test_renaming(volumes: Volumes) -> None:
    volumes.write("C:\\a", b"1")
    volumes.write("C:\\b", b"2")
    with pytest.raises(FileError) as caught:
        volumes.rename("C:\\a", "C:\\B")
    assert code(caught) == win.ALREADY_EXISTS
    volumes.rename("C:\\a", "C:\\A")
    assert volumes.true_name("C:\\a") == "C:\\A"
    volumes.rename("C:\\a", "D:\\a")
    assert (volumes.read("D:\\a"), volumes.exists("C:\\a")) == (b"1", False)
    volumes.mkdir("C:\\f")
    with pytest.raises(FileError) as caught:
        volumes.rename("C:\\f", "D:\\f")
    assert code(caught) == win.NOT_SAME_DEVICE


def test_junctions_are_folders_until_they_are_removed(volumes: Volumes) -> None:
    volumes.mkdir("C:\\real")
    volumes.write("C:\\real\\a", b"x")
    volumes.make_junction("C:\\way", "C:\\real")
    assert volumes.read("C:\\way\\a") == b"x"
    stat = volumes.stat("C:\\way")
    assert (stat.is_link, stat.is_dir, stat.target) == (True, True, "C:\\real")
    volumes.remove("C:\\way")
    assert volumes.exists("C:\\real\\a")


def test_files_have_the_time_of_their_host(volumes: Volumes) -> None:
    volumes.write("C:\\a", b"x")
    assert volumes.stat("C:\\a").modified == WALL


def test_a_drive_itself(volumes: Volumes) -> None:
    assert volumes.is_dir("C:\\")
    assert volumes.stat("D:\\").name == "D:\\"
    with pytest.raises(FileError):
        volumes.remove("C:\\")
    with pytest.raises(FileError) as caught:
        volumes.mkdir("C:\\")
    assert code(caught) == win.ALREADY_EXISTS
