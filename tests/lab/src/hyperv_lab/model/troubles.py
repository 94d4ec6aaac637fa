# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What else can be wrong with a host, by order: ``troubles`` in lab.yml and at the admin port.

These are the rows of behaviours.md 7 and of failures.md that no state of the model brings about by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .failures import Failure

if TYPE_CHECKING:
    from .host import Host

CONNECT, PLANNED, COPY, EXPORT, IMPORT = "connect", "planned", "copy", "export", "import"


@dataclass(frozen=True)
class Trouble:
    """When it shows, the sentences before the code (keys of ``texts``), the code, and where it is described."""

    stage: str
    keys: tuple[str, ...]
    code: int | None
    source: str
    at_source: bool = False  # it is the source that has it; else the destination
    category: str = "NotSpecified"


_CONNECT, _PLANNED, _HARDWARE = ("move_connect",), ("move_planned",), ("hardware",)
TROUBLES: dict[str, Trouble] = {
    "wrong_principal": Trouble(CONNECT, _CONNECT, 0x80090322, "B7, F authentication"),
    "firewall": Trouble(CONNECT, _CONNECT, 0x8007271D, "B7, F network"),
    "listener_disabled": Trouble(CONNECT, (*_CONNECT, "listener_disabled"), 0x8007274C, "B7, F network"),
    "processor": Trouble(PLANNED, _HARDWARE, None, "B7, F compatibility"),
    "processor_features": Trouble(PLANNED, ("processor_features",), None, "B7, F compatibility"),
    "no_partition": Trouble(PLANNED, ("no_partition",), 0x800705AA, "B7, F limits"),
    "no_memory": Trouble(PLANNED, ("no_memory",), 0x8007000E, "B7, F limits"),
    "service_logon": Trouble(PLANNED, _PLANNED, 0x80070569, "B7, F authentication"),
    "account_restriction": Trouble(PLANNED, _PLANNED, 0x8007052F, "F authentication"),
    "unknown_creator": Trouble(PLANNED, _PLANNED, 0x80070534, "F authentication", at_source=True),
    "registry_name": Trouble(PLANNED, ("smb_failed",), 0x8007000D, "F network"),
    "cluster_network": Trouble(PLANNED, _PLANNED, 0x80071398, "F network", at_source=True),
    "migrating_already": Trouble(PLANNED, _PLANNED, 0x800700AA, "F limits", at_source=True),
    "saved_state": Trouble(PLANNED, _PLANNED, 0xC0370027, "F limits", at_source=True),
    "stops_sending": Trouble(COPY, ("receive_failed",), 0x800705B4, "B7", at_source=True),
    "no_folder_right": Trouble(COPY, ("folder_denied",), 0x80070005, "B7, F authentication"),
    "drive_missing": Trouble(COPY, ("register_failed",), 0x80070003, "F compatibility"),
    "export_denied": Trouble(EXPORT, ("export_failed", "export_copy_failed"), 0x80070005, "F export", at_source=True),
    "store_denied": Trouble(
        IMPORT, ("import_failed", "store_denied"), 0x80070005, "F authentication", category="PermissionDenied"
    ),
}


def meet(host: Host, vm: str, stage: str, *, at_source: bool, other: str = "") -> Failure | None:
    """What goes wrong at this point for this host, if anything; ``other``: the host at the other end."""
    for name in host.troubles:
        trouble = TROUBLES[name]
        if (trouble.stage, trouble.at_source) == (stage, at_source):
            return _failure(host, vm, trouble, other)
    return None


def _failure(host: Host, vm: str, trouble: Trouble, other: str) -> Failure:
    why = "" if trouble.code is None else host.say_code(trouble.code)
    path = host.settings.virtual_machine_path
    values = {"vm": vm, "host": other or host.computer_name, "why": why, "path": path}
    lines = [host.say(key, **values) for key in trouble.keys]
    if why and not any(why in line for line in lines):
        lines.append(why)
    return Failure(*lines, category=trouble.category, hresult=trouble.code)
