# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rates and what is left, from steps as coarse as Hyper-V tells them."""

from __future__ import annotations

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._rate import Rate

GIB = 1 << 30


def test_nothing_is_known_before_something_has_grown() -> None:
    rate = Rate()
    assert rate.per_second(0) is None
    rate.add(0, 100)
    rate.add(5, 100)
    assert rate.per_second(5) is None
    assert rate.seconds_left(5, 1000) is None


def test_a_steady_growth_is_told_exactly() -> None:
    rate = Rate()
    for second in range(11):
        rate.add(second, second * 50)
    assert rate.per_second(10) == pytest.approx(50)
    assert rate.seconds_left(10, 1000) == pytest.approx(10)
    assert rate.seconds_left(12, 1000) == pytest.approx(8, abs=1.5)


def test_whole_percents_that_take_minutes_are_steps_not_standstills() -> None:
    rate = Rate()
    for second in range(0, 601):
        rate.add(second, (second // 120) * GIB)
    assert rate.per_second(600) == pytest.approx(GIB / 120)
    assert rate.per_second(650) == pytest.approx(GIB / 120)


def test_the_rate_falls_while_nothing_grows() -> None:
    rate = Rate()
    for second in range(11):
        rate.add(second, second * 100)
    assert rate.per_second(100) == pytest.approx(1000 / 99)


def test_old_samples_do_not_count() -> None:
    rate = Rate(window=10)
    for second in range(20):
        rate.add(second, second * 1000)
    for second in range(20, 60):
        rate.add(second, 19_000 + (second - 19) * 10)
    assert rate.per_second(59) == pytest.approx(10)


def test_an_amount_that_shrinks_is_a_new_beginning() -> None:
    rate = Rate()
    rate.add(0, 0)
    rate.add(1, 500)
    rate.add(2, 10)
    assert rate.per_second(2) is None
    rate.add(3, 30)
    assert rate.per_second(3) == pytest.approx(20)


def test_what_is_left_is_never_less_than_nothing() -> None:
    rate = Rate()
    rate.add(0, 0)
    rate.add(10, 100)
    assert rate.seconds_left(11, 100) == 0
    assert rate.seconds_left(11, None) is None
