"""docs/operations/events.md lists the events that are handled, and what each handler does."""

from __future__ import annotations

import re
from pathlib import Path

from stripe_connector.storefront.events import EFFECTS, HANDLED, REPLAYED

PAGE = Path(__file__).parents[3] / "docs/operations/events.md"
ROW = re.compile(r"^\| `([a-z_.]+)` \| (.+) \| (compared|replayed) \|$", re.MULTILINE)


def test_every_handled_event_is_listed_with_what_its_handler_does() -> None:
    rows = ROW.findall(PAGE.read_text())
    assert rows == [
        (type_, EFFECTS[type_], "replayed" if type_ in REPLAYED else "compared")
        for type_ in sorted(HANDLED)
    ]


def test_only_what_is_handled_is_replayed() -> None:
    assert REPLAYED < HANDLED
