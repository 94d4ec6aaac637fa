# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode, diff, failures and sessions, for all operations in one place."""

from __future__ import annotations

import io
import json
import typing as t
from contextlib import redirect_stdout

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _running
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    HostUnreachable,
    HyperVError,
    InvalidInput,
    Orphaned,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._running import (
    HostPool,
    LooseSlots,
    ParentWatch,
    Route,
    failure,
    perform,
    routes_from_params,
    run_operation,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._work import (
    Change,
    Decision,
    Operation,
    Same,
    Values,
    Work,
)
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import FakeHost, work


def run(decision: t.Any, *, check_mode: bool = False, diff: bool = False, **more: t.Any) -> Values:
    def decide(_work: Work) -> Decision:
        if isinstance(decision, Exception):
            raise decision
        return t.cast(Decision, decision)

    operation = Operation(name="x", argument_spec={}, decide=decide, **more)
    return run_operation(operation, work({}, host=FakeHost()), check_mode=check_mode, diff=diff)


def change(apply: t.Any = lambda: None, **more: t.Any) -> Change:
    return Change(reason="because", before={"a": 1}, after={"a": 2}, apply=apply, **more)


def test_nothing_to_do() -> None:
    assert run(None) == {"changed": False}
    assert run(Same(values={"a": 1}, reason="as asked")) == {"changed": False, "msg": "as asked", "a": 1}


def test_a_change_is_applied_and_its_values_are_told() -> None:
    calls: list[str] = []

    def apply() -> Values:
        calls.append("applied")
        return {"a": 2}

    assert run(change(apply, values={"a": 1, "b": 1}, plan=("step",))) == {
        "changed": True,
        "msg": "because",
        "a": 2,
        "b": 1,
        "plan": ["step"],
    }
    assert calls == ["applied"]


def test_check_mode_tells_and_does_not_apply() -> None:
    def apply() -> t.NoReturn:
        raise AssertionError("applied in check mode")

    assert run(change(apply), check_mode=True, diff=True) == {
        "changed": True,
        "msg": "because",
        "diff": {"before": {"a": 1}, "after": {"a": 2}},
    }


def test_no_diff_unless_asked() -> None:
    assert "diff" not in run(change())


def test_a_failure_says_whether_something_may_have_changed() -> None:
    def apply() -> t.NoReturn:
        raise CommandFailed("it broke", code="0x80070070", remedy="Make room", host="hv02")

    before = run(CommandFailed("it broke"))
    assert (before["failed"], before["changed"]) == (True, False)
    after = run(change(apply))
    assert (after["failed"], after["changed"]) == (True, True)
    assert after["msg"] == "hv02: it broke. Make room."
    assert after["error"]["code"] == "0x80070070"


def test_a_failure_may_carry_values() -> None:
    def on_error(_work: Work, error: HyperVError) -> Values:
        return {"distribution": error.code}

    assert run(HostUnreachable("down"), on_error=on_error)["distribution"] == "UNREACHABLE"


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        run(KeyError("bug"))


@pytest.mark.parametrize(
    "error, text",
    [
        (HyperVError("down"), "hv01: down."),
        (HyperVError("hv01: down.", host="hv01"), "hv01: down."),
        (HyperVError("down", cause="Nobody is there", remedy="Go there!"), "hv01: down. Nobody is there. Go there!"),
        (HyperVError("down, because of rain", cause="because of rain"), "hv01: down, because of rain."),
    ],
)
def test_one_sentence_after_the_other(error: HyperVError, text: str) -> None:
    assert failure(error, "hv01")["msg"] == text


# Hosts and sessions


class FakeSession:
    """Notes how it is left."""

    made: t.ClassVar[list[FakeSession]] = []

    def __init__(self, options: ConnectionOptions, *, label: str) -> None:
        self.options, self.label = options, label
        self.left_with: t.Any = "open"
        FakeSession.made.append(self)

    def __enter__(self) -> FakeSession:
        return self

    def __exit__(self, kind: t.Any, *_rest: t.Any) -> None:
        self.left_with = kind


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[FakeSession]:
    FakeSession.made = []
    monkeypatch.setattr(_running, "Session", FakeSession)
    return FakeSession.made


ROUTES = {"host": Route(label="hv02", options=ConnectionOptions(server="a", username="u", password="p"))}


def test_a_session_per_role_and_one_more_for_control(sessions: list[FakeSession]) -> None:
    with HostPool(ROUTES) as pool:
        assert not sessions, "nothing is opened before it is used"
        host = pool.get("host")
        assert pool.get("host") is host
        assert pool.get("host", control=True) is not host
        assert len(sessions) == 2
        with pytest.raises(InvalidInput):
            pool.get("source")
    assert [session.left_with for session in sessions] == [None, None]


def test_an_orphan_leaves_its_sessions_as_such(sessions: list[FakeSession]) -> None:
    with pytest.raises(Orphaned), HostPool(ROUTES) as pool:
        pool.get("host")
        raise Orphaned
    assert sessions[0].left_with is Orphaned


def go(operation: Operation, routes: t.Any) -> Values:
    return perform(
        operation,
        {},
        provider="hv02",
        routes=routes,
        reporter=ParentWatch(),
        slots=LooseSlots(),
        check_mode=False,
        diff=False,
    )


def test_options_that_cannot_be_are_a_failure_like_any_other(sessions: list[FakeSession]) -> None:
    def routes() -> t.NoReturn:
        raise InvalidInput("server is not set")

    result = go(Operation(name="x", argument_spec={}, gather=lambda work: {}), routes)
    assert (result["failed"], result["error"]["layer"]) == (True, "input")


def test_warnings_about_the_connection_are_shown(sessions: list[FakeSession]) -> None:
    options = ConnectionOptions(server="a", warnings=("careful",))
    operation = Operation(name="x", argument_spec={}, gather=lambda work: {"warnings": ["mine"]})
    result = go(operation, lambda: {"host": Route(label="hv02", options=options)})
    assert result["warnings"] == ["careful", "mine"]


def test_an_operation_without_a_host_needs_no_connection(sessions: list[FakeSession]) -> None:
    def routes() -> t.NoReturn:
        raise AssertionError("asked how to reach a host")

    operation = Operation(name="x", argument_spec={}, gather=lambda work: {"a": 1}, needs_host=False)
    assert go(operation, routes) == {"changed": False, "a": 1}


def test_routes_of_a_module() -> None:
    operation = Operation(name="x", argument_spec={}, gather=lambda work: {}, hosts=("source",))
    params: dict[str, t.Any] = {"server": "hv02", "username": "u", "password": "p", "source": "gold-host"}
    params["source_connection"] = None
    assert set(routes_from_params(operation, params)) == {"host"}
    params["source_connection"] = {"server": "hv01", "username": "u", "password": "q"}
    routes = routes_from_params(operation, params)
    assert (routes["source"].label, routes["source"].options.server) == ("gold-host", "hv01")
    with pytest.raises(InvalidInput) as caught:
        routes_from_params(operation, {"server": None})
    assert "FANOUT_HYPERV_SERVER" in str(caught.value)


# A module's process


def test_a_module_notices_that_its_parent_has_gone() -> None:
    parents = iter([10, 10, 1])
    watch = ParentWatch(parent=lambda: next(parents))
    watch.check()
    with pytest.raises(Orphaned):
        watch.progress(percent=1)


def test_a_lone_module_counts_the_moves_that_the_source_shows() -> None:
    flights = [{"a", "b"}, {"a", "b"}, {"a"}]
    sleeps: list[float] = []
    slots = LooseSlots(sleep=sleeps.append)
    checks: list[int] = []
    with slots.copy(2, "c", lambda: flights.pop(0), lambda: checks.append(1)):
        pass
    assert (len(sleeps), len(checks)) == (2, 2)
    with slots.copy(1, "c", lambda: {"c"}, lambda: None):
        assert len(sleeps) == 2, "its own move does not count"


def module_result(arguments: Values, operation: Operation) -> Values:
    testing = pytest.importorskip("ansible.module_utils.testing")
    out = io.StringIO()
    with testing.patch_module_args(arguments), redirect_stdout(out), pytest.raises(SystemExit):
        _running.run_module(operation)
    return t.cast(Values, json.loads(out.getvalue()))


def test_a_module_from_its_arguments_to_its_result(sessions: list[FakeSession]) -> None:
    def decide(work: Work) -> Decision:
        return change(lambda: {"seen": work.params["name"]})

    operation = Operation(name="x", argument_spec={"name": {"type": "str"}}, decide=decide)
    given = {"server": "hv02", "username": "u", "password": "s3cret", "name": "gold"}
    result = module_result(given, operation)
    assert (result["changed"], result["seen"]) == (True, "gold")
    assert "s3cret" not in json.dumps(result)
    checked = module_result({**given, "_ansible_check_mode": True, "_ansible_diff": True}, operation)
    assert (checked["changed"], "seen" in checked, checked["diff"]["after"]) == (True, False, {"a": 2})
    assert module_result({"name": "gold"}, operation)["failed"]
