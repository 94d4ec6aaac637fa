# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another machine, played by this one: modules are sent to it and run there as their own processes."""

from __future__ import annotations

from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = r"""
name: elsewhere
short_description: A jump host for tests
description:
  - Runs modules here, and says that it is not local.
extends_documentation_fragment:
  - connection_pipelining
options:
  become_success_timeout:
    description: As for the local connection.
    default: 10
  become_strip_preamble:
    description: As for the local connection.
    default: true
"""


class Connection(Local):
    """For tests only."""

    transport = "elsewhere"
