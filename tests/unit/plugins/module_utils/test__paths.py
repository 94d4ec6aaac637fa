# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths: what lies in what, and which folders are refused."""

from __future__ import annotations

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _paths
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import Layout
from hypothesis import given
from hypothesis import strategies as st

TEMPLATE = "cccccccc-0000-0000-0000-000000000003"


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        (r"C:\VMs\a", r"C:\VMs", True),
        (r"c:\vms\A\b.vhdx", r"C:\VMS\a", True),
        (r"C:\VMs/a", r"C:/VMs/", True),
        (r"C:\VMs", r"C:\VMs", False),
        (r"C:\VMs2\a", r"C:\VMs", False),
        (r"C:\VMs\..\Windows\a", r"C:\VMs", False),
        (r"C:\VMs\a", r"C:\VMs\..\VMs", False),
        (r"D:\VMs\a", r"C:\VMs", False),
        (r"VMs\a", r"VMs", False),
        (r"C:VMs\a", r"C:VMs", False),
        (r"\VMs\a", r"\VMs", False),
        (r"C:\VMs\a:stream", r"C:\VMs", False),
        ("C:\\Stra\u00dfe\\a", "C:\\STRASSE", False),
        ("C:\\\u00dcber\\a", "C:\\\u00fcBER", True),
        (r"\\srv\share\a\b", r"\\SRV\share\a", True),
        (r"\\srv\share2\a", r"\\srv\share", False),
        (r"\\?\C:\VMs\a", r"C:\VMs", False),
        ("", r"C:\VMs", False),
        (r"C:\a", "", False),
    ],
)
def test_inside(path: str, folder: str, expected: bool) -> None:
    assert _paths.inside(path, folder) is expected


parts = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters='\\/:*?"<>|\0'), min_size=1, max_size=8).filter(
        lambda part: part.strip(". ") == part
    ),
    min_size=1,
    max_size=4,
)


@given(parts, parts)
def test_what_is_joined_lies_inside_and_is_found_again(folder: list[str], names: list[str]) -> None:
    base = _paths.join("C:\\", *folder)
    path = _paths.join(base, *names)
    assert _paths.inside(path, base)
    assert not _paths.inside(base, path)
    assert _paths.same(_paths.join(base, _paths.relative(path, base)), path)


def test_relative_needs_a_path_inside() -> None:
    with pytest.raises(InvalidInput):
        _paths.relative(r"C:\VMs2\a", r"C:\VMs")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"C:\Hyper-V", "C:\\"),
        (r"c:\clusterstorage\volume1\x", "C:\\ClusterStorage\\Volume1\\"),
        (r"C:\ClusterStorage\Volume10\x", "C:\\"),
        (r"C:\ClusterStorage\Volume1", "C:\\ClusterStorage\\Volume1\\"),
        (r"E:\x", None),
    ],
)
def test_volume_of(path: str, expected: str | None) -> None:
    assert _paths.volume_of(path, ["C:\\", "D:\\", "C:\\ClusterStorage\\Volume1\\"]) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("D:\\", "D:\\"),
        ("D:/VMs/", r"D:\VMs"),
        (r"d:\Virtuelle Maschinen\größe", r"d:\Virtuelle Maschinen\größe"),
        (r"D:\a.b\$x'(1)", r"D:\a.b\$x'(1)"),
    ],
)
def test_check_folder_gives_the_path_as_windows_writes_it(path: str, expected: str) -> None:
    assert _paths.check_folder(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "",
        "VMs",
        r"\VMs",
        r"D:VMs",
        r"\\srv\share\VMs",
        r"\\?\C:\VMs",
        r"\\.\C:\VMs",
        "//?/C:/VMs",
        r"D:\VMs*",
        r"D:\a[1]",
        r"D:\a`b",
        r"D:\a?b",
        'D:\\a"b',
        "D:\\a|b",
        "D:\\a\nb",
        "D:\\a\0b",
        r"D:\a:b",
        r"D:\a\..\b",
        r"D:\a.",
        "D:\\a \\b",
        r"D:\NUL\x",
        r"D:\com1.txt",
        r"1:\a",
        "D:\\" + "x" * 300,
    ],
)
def test_check_folder_refuses(path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        _paths.check_folder(path)
    assert caught.value.code == "INVALID_PATH"


def test_check_folder_knows_how_much_will_be_added_and_when_shares_are_wanted() -> None:
    assert _paths.check_folder("D:\\" + "x" * 200, room=56)
    with pytest.raises(InvalidInput):
        _paths.check_folder("D:\\" + "x" * 200, room=57)
    assert _paths.check_folder(r"\\srv\share\VMs", allow_unc=True) == r"\\srv\share\VMs"


def test_layout() -> None:
    layout = Layout(r"D:\VMs", TEMPLATE)
    folder = rf"D:\VMs\fanout\{TEMPLATE}"
    assert layout.record == rf"{folder}\record.json"
    assert layout.export("0123456789ab") == rf"{folder}\0123456789ab\export"
    assert layout.manifest("0123456789ab") == rf"{folder}\0123456789ab\manifest.json"
    assert layout.clone("0123456789ab", "deadbeef") == rf"{folder}\0123456789ab\clones\deadbeef"
    assert layout.attempt("0123456789ab", "deadbeef") == rf"{folder}\0123456789ab-deadbeef"
    assert layout.export_lease == r"D:\VMs\fanout\leases\export"
    assert layout.copy_lease == rf"D:\VMs\fanout\leases\copy-{TEMPLATE}"
    assert layout.owns(layout.attempt("0123456789ab", "deadbeef"))
    assert not layout.owns(layout.template) and not layout.owns(layout.export_lease)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("0123456789ab-deadbeef", ("0123456789ab", "deadbeef")),
        ("0123456789AB-deadbeef", None),
        ("0123456789ab", None),
        ("0123456789ab-deadbee", None),
        ("0123456789ab-deadbeef-x", None),
        ("exports-of-ann", None),
    ],
)
def test_attempt_of(name: str, expected: tuple[str, str] | None) -> None:
    assert _paths.attempt_of(name) == expected


def test_attempts_are_told_from_others() -> None:
    attempt = _paths.new_attempt()
    assert _paths.attempt_of(f"0123456789ab-{attempt}") == ("0123456789ab", attempt)
    assert attempt != _paths.new_attempt()
