# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures; see the package's docstring. Figures are of this machine: compare ratios, not seconds."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from . import doors, flow, lab, repeat


def main(arguments: list[str]) -> int:
    what, numbers = arguments[:1], [int(word) for word in arguments[1:]]
    with tempfile.TemporaryDirectory(prefix="fanout-bench-") as folder:
        if what in ([], ["doors"]):
            doors.measure(Path(folder) / "doors")
        if what in ([], ["flow"]):
            flow.measure(Path(folder) / "flow")
        if what in ([], ["repeat"]):
            repeat.measure(Path(folder) / "repeat", numbers or [10, 100, 300])
        if what in ([], ["lab"]):
            lab.measure(Path(folder) / "lab", numbers[0] if numbers else 300)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
