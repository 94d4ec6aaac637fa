# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests start ends with them, also when they are killed."""

from __future__ import annotations

import ctypes
import signal

PR_SET_PDEATHSIG = 1


def with_this_process() -> None:
    """For ``preexec_fn``: Linux kills the child when the test process has gone; its own children notice that."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
