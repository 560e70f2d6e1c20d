"""Time spans as people and schedulers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stripe_connector.ops.reconcile.span import Span, duration, span

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # date and time in order


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("P1D", None, Span(at(2026, 9, 20, 12), NOW, True)),
        ("PT36H", "PT1H", Span(at(2026, 9, 20), at(2026, 9, 21, 11), False)),
        ("2026-09-01", "2026-09-02", Span(at(2026, 9, 1), at(2026, 9, 2), False)),
        (
            "2026-09-01T10:00:00+02:00",
            "2026-09-01T10:00",
            Span(at(2026, 9, 1, 8), at(2026, 9, 1, 10), False),
        ),
        ("2026-09-01", "2030-01-01", Span(at(2026, 9, 1), NOW, False)),
    ],
)
def test_moments_and_durations(since: str, until: str | None, expected: Span) -> None:
    assert span(since, until, NOW) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P2W", timedelta(weeks=2)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("PT0S", timedelta()),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "1D", "P1H", "P-1D", "P1.5D", "P1M", "24h"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        duration(text)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("yesterday", None),
        ("2026-13-01", None),
        ("P1D", "P2D"),
        ("P1D", "P1D"),
        ("2026-09-22", None),
        ("24h", None),
    ],
)
def test_what_is_no_span(since: str, until: str | None) -> None:
    with pytest.raises(ValueError, match=r"ISO 8601|before it begins"):
        span(since, until, NOW)


def test_what_a_span_lists_and_what_may_have_left_the_list() -> None:
    whole = span("P1D", None, NOW)
    inside, before, later = (
        "2026-09-21T11:00:00.000Z",
        "2026-09-01T11:00:00.000Z",
        "2026-09-21T12:00:01.000Z",
    )
    assert whole.covers(before, inside)
    assert whole.covers(inside, later)
    assert not whole.covers(before, before)
    assert not whole.covers(before, later)
    assert not whole.covers(None, None)


def test_stripes_filter_allows_for_clocks_that_differ() -> None:
    created = span("2026-09-01", "2026-09-02", NOW).at_stripe()
    assert created.params() == {
        "gte": int(at(2026, 9, 1).timestamp()) - 300,
        "lt": int(at(2026, 9, 2).timestamp()) + 300,
    }
