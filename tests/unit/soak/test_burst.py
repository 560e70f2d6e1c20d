"""A burst of callers: who is turned away must be told when to come back."""

from __future__ import annotations

from soak.burst import Answer, troubles

SERVED = Answer("200", 2.0)
REFUSED = Answer("503", 0.1, overloaded=True, retry_after=True)


def test_served_and_refused_callers_are_both_in_order() -> None:
    assert troubles([SERVED, REFUSED, REFUSED]) == []


def test_a_backend_that_fails_meanwhile_is_nothing_to_do_with_the_burst() -> None:
    assert troubles([Answer("503", 2.0), Answer("502", 2.0)]) == []


def test_a_refusal_must_say_when_to_come_back() -> None:
    [found] = troubles([SERVED, Answer("503", 0.1, overloaded=True)])
    assert found.startswith("burst: 1 were refused")


def test_every_caller_must_be_answered() -> None:
    found = troubles([SERVED, Answer("no answer", 1.0), Answer("ConnectionResetError", 1.0)])
    assert found == ["burst: 1 x no answer", "burst: 1 x ConnectionResetError"]
