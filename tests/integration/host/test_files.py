# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a host, over the wire."""

from __future__ import annotations

import hashlib
import typing as t
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CommandFailed, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.tests.integration.host.conftest import Open
from hyperv_lab.client import Lab

TEXTS = ["", "{}", "a\r\nb\n", "größe € 😀 \u2028", '{"x": "$(y) `z` \'\'"}', " \t ", "x" * 200_000, "\ufeffx"]


@pytest.fixture
def folder(hv01: Host, request: pytest.FixtureRequest) -> str:
    path = rf"D:\files\{request.node.name.partition('[')[0]}"
    hv01.files.ensure_folder(path)
    return path


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_texts_come_back_as_they_were(hv01: Host, folder: str, text: str) -> None:
    path = rf"{folder}\r.json"
    hv01.files.write_text(path, text)
    hv01.files.write_text(path, text)
    assert hv01.files.read_text(path) == text.removeprefix("\ufeff")
    assert [entry.name for entry in hv01.files.entries(folder) or ()] == ["r.json"]


def test_a_writer_killed_in_between(hv01: Host, folder: str) -> None:
    hv01.files.write_in_place(rf"{folder}\r.json.new", "new")
    assert hv01.files.read_text(rf"{folder}\r.json") == "new"
    assert hv01.files.read_text(rf"{folder}\other.json") is None


def test_what_is_not_there(hv01: Host, folder: str) -> None:
    for path in (rf"{folder}\no", r"D:\no\no", r"Q:\no"):
        assert hv01.files.entry(path) is None
        assert hv01.files.entries(path) is None
        assert hv01.files.read_plain(path) is None
        assert hv01.files.remove_file(path) is False
        assert hv01.files.remove_folder_if_empty(path) is False
        assert hv01.files.remove_empty_folders(path) == ()
    with pytest.raises(CommandFailed):
        hv01.files.write_in_place(r"D:\no\no", "x")
    with pytest.raises(CommandFailed):
        hv01.files.create_text(r"D:\no\no", "x")
    with pytest.raises(CommandFailed):
        hv01.files.ensure_folder(r"Q:\no")


def test_entries(hv01: Host, folder: str) -> None:
    hv01.files.write_in_place(rf"{folder}\f[1]", "12345")
    hv01.files.ensure_folder(rf"{folder}\d")
    found = {entry.name: entry for entry in hv01.files.entries(folder.upper()) or ()}
    assert sorted(found) == ["d", "f[1]"]
    file = found["f[1]"]
    assert (file.is_folder, file.is_link, found["d"].is_folder) == (False, False, True)
    assert file.size in (5, 8), "with or without a byte order mark"
    assert abs(file.modified - datetime.now(timezone.utc)) < timedelta(seconds=30)
    assert [entry.name for entry in hv01.files.found([rf"{folder}\f[1]", rf"{folder}\no"])] == ["f[1]"]
    assert hv01.files.remove_file(rf"{folder}\f[1]") is True


def test_a_hash(hv01: Host, folder: str) -> None:
    hv01.files.create_text(rf"{folder}\f", "12345")
    assert hv01.files.sha256(rf"{folder}\f") == hashlib.sha256(b"12345").hexdigest()


def test_folders(hv01: Host, folder: str) -> None:
    assert hv01.files.make_folder(rf"{folder}\a\b\c") is True
    assert hv01.files.make_folder(rf"{folder}\a\b\c") is False
    hv01.files.ensure_folder(rf"{folder}\a\b\c")
    assert hv01.files.remove_folder_if_empty(rf"{folder}\a\b") is False
    assert hv01.files.remove_emptied_folder(rf"{folder}\a\b") is False
    assert hv01.files.entry(rf"{folder}\a\b\c") is not None
    hv01.files.create_text(rf"{folder}\a\f", "x")
    assert hv01.files.remove_empty_folders(rf"{folder}\a") == (rf"{folder}\a\f",)
    assert [entry.path for entry in hv01.files.tree(folder)] == [rf"{folder}\a", rf"{folder}\a\f"]
    with pytest.raises(CommandFailed):
        hv01.files.make_folder(rf"{folder}\a\f")
    with pytest.raises(Refused):
        hv01.files.remove_file(rf"{folder}\a")


def test_a_junction_is_neither_followed_nor_deleted_through(hv01: Host, folder: str, lab: Lab) -> None:
    hv01.files.ensure_folder(r"C:\precious")
    hv01.files.create_text(r"C:\precious\theirs", "x")
    hv01.files.ensure_folder(rf"{folder}\a")
    real = lab.data / "hosts" / "hv01"
    (real / "D" / "files" / folder.rpartition("\\")[2] / "a" / "link").symlink_to(real / "C" / "precious")
    link = rf"{folder}\a\link"
    entry = hv01.files.entry(link)
    assert entry is not None and entry.is_link
    assert hv01.files.remove_empty_folders(rf"{folder}\a") == (link,)
    assert hv01.files.remove_empty_folders(link) == (link,)
    assert hv01.files.remove_folder_if_empty(link) is False
    assert [entry.path for entry in hv01.files.tree(folder)] == [rf"{folder}\a", link]
    with pytest.raises(Refused):
        hv01.files.remove_file(link)
    assert hv01.files.read_plain(r"C:\precious\theirs") == "x"


def test_of_many_that_create_a_file_one_succeeds(folder: str, open_host: Open) -> None:
    hosts = [open_host("hv01") for _number in range(4)]

    def create(numbered: tuple[int, Host]) -> list[int]:
        number, host = numbered
        return [name for name in range(10) if host.files.create_text(rf"{folder}\{name}", str(number))]

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(create, enumerate(hosts)))
    assert sorted(name for names in made for name in names) == list(range(10))
    for number, names in enumerate(made):
        assert all(hosts[0].files.read_plain(rf"{folder}\{name}") == str(number) for name in names)


def test_nothing_was_recursive(lab: Lab, hv01: Host, folder: str) -> None:
    since = lab.last_call()
    hv01.files.ensure_folder(rf"{folder}\a\b")
    hv01.files.remove_empty_folders(folder)
    parameters: list[dict[str, t.Any]] = [call["parameters"] for call in lab.calls(since=since)]
    assert parameters and not any("Recurse" in given for given in parameters)
