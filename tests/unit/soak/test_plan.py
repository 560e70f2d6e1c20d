"""The plan of a soak: drawn from its seed alone, every kind of trouble, one instance at a time."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from sandbox.faults import FaultDesk, NewFault
from soak.plan import (
    BURST,
    QUICK,
    SIGKILL,
    SIGTERM,
    SKEW_BEYOND,
    SKEW_WITHIN,
    STEADY,
    TOLERANCE_S,
    UPGRADE,
    Disturbance,
    plan,
)


def everything(seed: int, seconds: float | None = None) -> list[Disturbance]:
    drawn = plan(seed, STEADY, seconds)
    return [*drawn.backends, *drawn.instances]


def test_the_same_seed_draws_the_same_plan_and_another_one_another() -> None:
    assert plan(7, STEADY, 600) == plan(7, STEADY, 600)
    assert plan(7, STEADY, 600) != plan(8, STEADY, 600)


def test_without_a_length_everything_happens_once() -> None:
    kinds = Counter(each.kind for each in everything(1))
    assert set(kinds.values()) == {1}
    assert kinds.keys() == {each.kind for each in everything(2)}
    assert {SIGTERM, SIGKILL, UPGRADE, BURST, SKEW_WITHIN, SKEW_BEYOND} <= kinds.keys()


def test_a_long_plan_fills_its_time_in_both_lanes() -> None:
    drawn = plan(1, STEADY, 1800)
    for lane in (drawn.backends, drawn.instances):
        assert sum(each.pause + each.lasts for each in lane) >= 1800
    happening = {each.kind for each in (*drawn.backends, *drawn.instances)}
    assert happening == {each.kind for each in everything(2)}


def test_every_rule_is_one_that_the_fault_desk_takes() -> None:
    desk = FaultDesk()
    rules = [each.rule for each in everything(3) if each.rule is not None]
    at_the_desk = [rule for rule in rules if "backend" in rule]
    for rule in at_the_desk:
        desk.add(msgspec.convert(rule, NewFault))
    for backend in ("stripe", "commercetools"):
        kinds = {rule["kind"] for rule in at_the_desk if rule["backend"] == backend}
        assert kinds == {"delay", "fail_before", "fail_after", "drop_before", "drop_after"}
    assert {rule["kind"] for rule in at_the_desk if rule["backend"] == "webhooks"} == {
        "lose",
        "repeat",
        "reorder",
        "hold",
    }
    assert {rule["when"] for rule in rules if "when" in rule} == {"after", "later", "hold"}


@pytest.mark.parametrize("seed", range(5))
def test_clocks_go_wrong_within_the_tolerance_of_webhooks_and_beyond(seed: int) -> None:
    skews = {each.kind: abs(each.seconds) for each in everything(seed)}
    assert 0 < skews[SKEW_WITHIN] < TOLERANCE_S < skews[SKEW_BEYOND]


def test_brown_outs_last_long_and_have_no_end_of_their_own() -> None:
    brown_outs = [each for each in everything(1) if each.kind.startswith("brown-out")]
    assert len(brown_outs) == 4
    for each in brown_outs:
        assert each.rule is not None
        assert each.rule["times"] is None
        assert 10 <= each.lasts <= 20


def test_the_quick_plan_takes_less_than_a_minute() -> None:
    drawn = plan(1, QUICK)
    for lane in (drawn.backends, drawn.instances):
        assert sum(each.pause + each.lasts for each in lane) < 30
