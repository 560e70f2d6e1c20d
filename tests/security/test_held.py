"""What was tried and held goes on being tried: of each kind as many as in the first attack."""

from __future__ import annotations

import pytest

from tests.security import (
    test_access_tokens,
    test_forged_deliveries,
    test_forged_links,
    test_forged_tokens,
    test_guessed_sessions,
    test_odd_json,
    test_raw_http,
    test_storefront_visitor,
)

PLACES_OF_INJECTIONS = 9
CLAIMS_OF_COOKIES = 6
TRIED = {
    "forged JWTs": (len(test_forged_tokens.FORGED), 91),
    "key documents": (
        len(test_forged_tokens.BAD_KEYS) + len(test_forged_tokens.DOCUMENTS),
        28,
    ),
    "forms of access tokens": (
        len(test_access_tokens.MANGLED) + len(test_access_tokens.UNKNOWN),
        18,
    ),
    "scopes": (len(test_access_tokens.SCOPED), 20),
    "session ids": (
        len(test_guessed_sessions.MANGLED) + len(test_guessed_sessions.UNKNOWN),
        30,
    ),
    "origins, each in three places": (3 * len(test_guessed_sessions.ORIGINS), 66),
    "signatures and signed bodies": (
        len(test_forged_deliveries.FORGED)
        + len(test_forged_deliveries.ACCEPTED)
        + len(test_forged_deliveries.OTHER_BYTES)
        + len(test_forged_deliveries.SIGNED_BODIES),
        51,
    ),
    "injected values": (PLACES_OF_INJECTIONS * len(test_storefront_visitor.INJECTED), 256),
    "guessed ids": (len(test_storefront_visitor.GUESSED_IDS), 17),
    "links and cookies": (2 * len(test_forged_links.NAMES) + CLAIMS_OF_COOKIES, 46),
    "raw requests": (len(test_raw_http.REQUESTS), 55),
    "odd JSON": (len(test_odd_json.BODIES) * len(test_odd_json.VALUES), 1_152),
}


@pytest.mark.parametrize("kind", TRIED)
def test_as_many_are_tried_as_were_at_first(kind: str) -> None:
    now, then = TRIED[kind]
    assert now >= then
