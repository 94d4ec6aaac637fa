# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated Hyper-V hosts that unmodified WSMan and PSRP clients can talk to."""

from __future__ import annotations

__version__ = "0.1.0"
