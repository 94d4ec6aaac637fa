# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run costs and how busy it keeps the links, printed as tables.

python -m tests.bench                doors, flow, repeat and lab
python -m tests.bench doors          CPU per host and task through each front door
python -m tests.bench flow           mean Move-VM calls in flight over K while clones wait
python -m tests.bench lab [N]        start-up and memory of N hosts (300), pipelines per second
python -m tests.bench repeat [N...]  CPU per provider of a run that has nothing to do (10, 100 and 300 providers)
"""
