# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-ItemProperty of files, as far as it is simulated: IsReadOnly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from ..engine.errors import NotSimulated, PSError
from ..engine.registry import Bound, Context, cmdlet
from .file_errors import full_id
from .file_paths import existing, volumes_of
from .files import refuse_unsupported


@cmdlet("Set-ItemProperty")
async def set_item_property(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    refuse_unsupported(ctx, args, "Filter", "Include", "Exclude", "InputObject", "Credential", "PassThru")
    if str(args["Name"]).lower() != "isreadonly":
        raise NotSimulated(f"Set-ItemProperty -Name {args['Name']}")
    volumes = volumes_of(ctx)
    for path in list(existing(ctx, args)):
        if volumes.is_dir(path):  # a DirectoryInfo has no such property
            ctx.write_error(
                PSError(
                    f"The property IsReadOnly=True does not exist on {path}.",
                    full_id(ctx, "SetPropertyError"),
                    "WriteError",
                    "System.InvalidOperationException",
                    path,
                )
            )
            continue
        if not ctx.should_process(path, "Set Property"):
            continue
        attributes = volumes.attributes(path) - {"ReadOnly"}
        on = str(args["Value"]).lower() not in ("false", "0", "")
        volumes.set_attributes(path, attributes | {"ReadOnly"} if on else attributes)
    return
    yield
