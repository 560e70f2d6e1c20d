"""Somebody who wants more than a client's share, or to use up the share of others."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from stripe_connector.http.rate_limit import client_address
from tests.behaviour.storefront import API
from tests.world import World

PEER = "10.0.0.1"
ORDER = f"{API}/orders/b5f5a0d2-5c3e-4b77-9d55-7f1a4c1f2a01"

FORWARDED: list[tuple[str, str]] = [
    ("203.0.113.7", "203.0.113.7"),
    ("203.0.113.7:5555", "203.0.113.7"),
    ("203.0.113.7:6666", "203.0.113.7"),
    (" 203.0.113.7\t", "203.0.113.7"),
    ("::ffff:203.0.113.7", "203.0.113.7"),
    ("::FFFF:cb00:7107", "203.0.113.7"),
    ("0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"),
    ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
    ("[::ffff:203.0.113.7]", "203.0.113.7"),
    ("::ffff:198.51.100.8", "198.51.100.8"),
    ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
    ("2001:DB8:1:2:ffff::1", "2001:db8:1:2::/64"),
    ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
    ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
    ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
    ("fe80::1%eth0", "fe80::/64"),
    ("fe80::1%" + "x" * 50, "fe80::/64"),
    # What is no address
    ("unknown", PEER),
    ("_hidden", PEER),
    ("01.2.3.4", PEER),
    ("1.2.3", PEER),
    ("1.2.3.4.5", PEER),
    ("1.2.3.4:", PEER),
    ("1.2.3.4:123456", PEER),
    ("1.2.3.4:x", PEER),
    ("1.2.3.4/8", PEER),
    ("[1.2.3.4", PEER),
    ("[]", PEER),
    ("[]:1", PEER),
    ("::ffff:203.0.113.7:443", PEER),
    ("::g", PEER),
    ('"203.0.113.7"', PEER),
    ("for=203.0.113.7", PEER),
    ("16909060", PEER),
    ("0x1020304", PEER),
    ("a" * 60_000, PEER),
    ("1." * 30_000, PEER),
    ("\xff\xfe", PEER),
    ("\u0661.\u0662.\u0663.\u0664", PEER),
    (",", PEER),
    ("", PEER),
]

PEERS = [each for each in FORWARDED if each[1] != PEER and each[0] == each[0].strip()]


def request(*forwarded: str, peer: str = PEER) -> Request:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return Request({"type": "http", "client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(("entry", "client"), FORWARDED, ids=lambda text: ascii(text[:40]))
def test_an_entry_is_parsed_and_what_is_no_address_counts_as_the_peer(
    entry: str, client: str
) -> None:
    assert client_address(request(entry), 1) == client
    assert client_address(request(f"forged, {entry}, 10.9.9.9"), 2) == (
        client if entry.strip(" ,") else client_address(request("forged"), 1)
    )


@pytest.mark.parametrize(("entry", "client"), PEERS, ids=lambda text: text[:40])
def test_the_peer_itself_is_parsed_as_well(entry: str, client: str) -> None:
    assert client_address(request("198.51.100.1", peer=entry), 0) == client


@pytest.mark.parametrize("proxies", [0, 1, 2])
async def test_a_client_has_its_share_behind_any_number_of_proxies_and_one_only(
    proxies: int,
) -> None:
    """Where no proxy is trusted all share the peer's; else each address has its own."""
    world = World({"BFF_REQUESTS_PER_MINUTE": "1", "BFF_TRUSTED_PROXIES": str(proxies)})
    inner = ["", "", ", 10.1.1.1"][proxies]
    forms = {
        "203.0.113.7": ["203.0.113.7", "203.0.113.7:1", "::ffff:203.0.113.7"],
        "198.51.100.8": ["::ffff:198.51.100.8", "[::ffff:198.51.100.8]:80", "198.51.100.8"],
        "2001:db8::/64": ["2001:db8::1", "[2001:db8::2]:1", "2001:db8::3"],
    }
    allowed = 0
    for spellings in forms.values():
        for spelling in spellings:
            headers = {"X-Forwarded-For": f"192.0.2.66, {spelling}{inner}"}
            allowed += (await world.client.get(ORDER, headers=headers)).status_code != 429
    assert allowed == (1 if proxies == 0 else len(forms))
