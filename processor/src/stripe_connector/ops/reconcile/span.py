"""The time span of a run, given as times or as durations before now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from stripe_connector.gateways.stripe.history import CreatedSpan
from stripe_connector.ledger.operation import timestamp

_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9})S)?)?"
)
_SKEW = timedelta(minutes=5)


class Span(Struct, frozen=True):
    """From `since` to `until`, which is excluded; both in UTC."""

    since: datetime
    until: datetime
    open: bool
    """No end was given: changes during the run are part of the span."""

    def bounds(self) -> tuple[str, str | None]:
        """As ISO 8601; None where the span is open."""
        return timestamp(self.since), None if self.open else timestamp(self.until)

    def at_stripe(self) -> CreatedSpan:
        """As Stripe's filter, widened by how far the two platforms' clocks may differ."""
        until = self.until + _SKEW
        return CreatedSpan(int((self.since - _SKEW).timestamp()), int(until.timestamp()))

    def before(self, length: timedelta) -> CreatedSpan:
        """What Stripe created for so long before the span, as its filter."""
        until = self.since - _SKEW
        return CreatedSpan(int((until - length).timestamp()), int(until.timestamp()))

    def covers(self, created: str | None, modified: str | None) -> bool:
        """Whether commercetools lists a Payment with these times as one of the span.

        A Payment that was modified since the run began may have left the list.
        """
        return any(
            moment is not None and self.since <= datetime.fromisoformat(moment) < self.until
            for moment in (created, modified)
        )


def span(since: str, until: str | None, now: datetime) -> Span:
    """Parse the span; raises ValueError where it is malformed or would end before it begins.

    Both are ISO 8601: a date, a time (UTC by default), or a duration before `now`.
    """
    start = moment(since, now)
    end = now if until is None else min(moment(until, now), now)
    if start >= end:
        raise ValueError(f"the span would end before it begins: {since} to {until or 'now'}")
    return Span(start, end, until is None)


def moment(text: str, now: datetime) -> datetime:
    """A time in UTC; raises ValueError."""
    if text.startswith("P"):
        return now - duration(text)
    try:
        named = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is not an ISO 8601 date, time or duration (P1D)") from None
    return named.replace(tzinfo=UTC) if named.tzinfo is None else named.astimezone(UTC)


def duration(text: str) -> timedelta:
    """An ISO 8601 duration of weeks, days, hours, minutes and seconds; raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not an ISO 8601 duration such as P1D or PT12H")
    return timedelta(**{unit: int(number or 0) for unit, number in match.groupdict().items()})
