"""Times as commercetools writes them: ISO 8601 in UTC with milliseconds, so that they sort."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(moment: datetime) -> str:
    """An aware time in commercetools' form."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_timestamp(text: str) -> str | None:
    """Any ISO 8601 time in commercetools' form, or None if it is none; UTC if it names no zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
