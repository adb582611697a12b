"""How calls are timed and counted."""

from __future__ import annotations

import time

import grpc
import pytest

from serving.checks.latency import measure, side_by_side, summary


class Refusal(grpc.RpcError):
    """What a client library raises for a call that the server refuses."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.RESOURCE_EXHAUSTED


def refuse() -> None:
    time.sleep(0.001)
    raise Refusal


def test_percentiles_are_those_of_the_sorted_values() -> None:
    found = summary([value / 1000 for value in range(101, 0, -1)], seconds=2.0)
    assert (found.p50_s, found.p95_s, found.p99_s) == (0.051, 0.096, 0.1)
    assert (found.count, found.per_second) == (101, 50.5)


def test_clients_call_at_the_same_time() -> None:
    [found] = measure([[lambda: time.sleep(0.01)] * 4], seconds=0.3)
    assert found.per_second > 200
    assert found.p50_s == pytest.approx(0.01, abs=0.005)


def test_a_call_that_ends_after_its_turn_does_not_raise_the_rate() -> None:
    [found] = measure([[lambda: time.sleep(0.1)] * 3], seconds=0.02, turns=2)
    assert found.count == 6
    assert found.per_second <= 3 / 0.1


def test_groups_of_clients_take_turns() -> None:
    asked: list[str] = []
    groups = [
        [lambda: (asked.append("a"), time.sleep(0.002))],
        [lambda: (asked.append("b"), time.sleep(0.002))],
    ]
    measure(groups, seconds=0.06, turns=3)
    changes = sum(a != b for a, b in zip(asked, asked[1:], strict=False))
    assert (asked[0], changes) == ("a", 7)  # one turn more, to warm up


def test_a_refused_call_is_counted_and_its_client_calls_on() -> None:
    [found] = measure([[refuse, lambda: time.sleep(0.001)]], seconds=0.1)
    assert found.refused["RESOURCE_EXHAUSTED"] > 5
    assert found.count > 5
    assert "RESOURCE_EXHAUSTED x " in str(found)
    assert found.to_json()["refused"] == found.refused


def test_any_other_failure_ends_the_measurement() -> None:
    with pytest.raises(ZeroDivisionError):
        measure([[lambda: 1 / 0]], seconds=0.1)


def test_two_calls_take_turns() -> None:
    asked: list[str] = []
    one, other = side_by_side(
        lambda: (asked.append("a"), time.sleep(0.002)),
        lambda: (asked.append("b"), time.sleep(0.006)),
        seconds=0.2,
    )
    assert asked == ["a", "b"] * (len(asked) // 2)
    assert one.count == other.count > 5
    assert one.p50_s < other.p50_s
