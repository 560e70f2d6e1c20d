"""Reads both sides for the verdict, page by page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from sandbox.addresses import Addresses, url
from soak.calls import Calls, Json
from soak.judge import Event, Truth

_PAGE = 500
_STRIPE_PAGE = 100
_EVENTS_PAGE = 500


Reader: TypeAlias = Callable[[], Awaitable[list[Event]]]


class _Events(Struct, frozen=True):
    events: list[Event]


async def truth(calls: Calls) -> Truth:
    """All current objects of both sides."""
    return Truth(
        payments=await _resources(calls, "payments"),
        carts=await _resources(calls, "carts"),
        orders=await _resources(calls, "orders"),
        intents=await _objects(calls, "payment_intents", **{"expand[]": "data.latest_charge"}),
        charges=await _objects(calls, "charges"),
        refunds=await _objects(calls, "refunds"),
        disputes=await _objects(calls, "disputes"),
    )


async def events(at: Addresses, client: httpx.AsyncClient) -> list[Event]:
    """All events with their deliveries."""
    found: list[Event] = []
    while True:
        answer = await client.get(
            f"{url(at.stripe)}/_sandbox/stripe/events",
            params={"offset": len(found), "limit": _EVENTS_PAGE},
        )
        page = msgspec.json.decode(answer.raise_for_status().content, type=_Events).events
        found += page
        if len(page) < _EVENTS_PAGE:
            return found


async def _resources(calls: Calls, kind: str) -> list[Json]:
    found: list[Json] = []
    while True:
        query = f"sort=id%20asc&limit={_PAGE}&withTotal=false"
        if found:
            after = found[-1]["id"]
            query += f"&where={quote(f'id > {chr(34)}{after}{chr(34)}')}"
        page = (await calls.commercetools("GET", f"{kind}?{query}"))["results"]
        found += page
        if len(page) < _PAGE:
            return found


async def _objects(calls: Calls, kind: str, **parameters: Any) -> list[Json]:
    found: list[Json] = []
    while True:
        after = {"starting_after": found[-1]["id"]} if found else {}
        page = await calls.stripe("GET", f"/v1/{kind}", limit=_STRIPE_PAGE, **after, **parameters)
        found += page["data"]
        if not page["has_more"]:
            return found
