"""Checkout sessions for tests: how they are made, and a shopper who fills in the page."""

from __future__ import annotations

from typing import Any

import httpx

from tests.sandbox.stripe_account import Account, Json

SESSIONS = "/v1/checkout/sessions"
SUCCESS_URL = "https://shop.example/success?session={CHECKOUT_SESSION_ID}"
CANCEL_URL = "https://shop.example/cart"
HALF_AN_HOUR, DAY = 1800, 86_400


def line(unit_amount: int, quantity: int = 1, index: int = 0, currency: str = "eur") -> Json:
    item = f"line_items[{index}]"
    return {
        f"{item}[price_data][currency]": currency,
        f"{item}[price_data][unit_amount]": unit_amount,
        f"{item}[price_data][product_data][name]": f"Mug {index}",
        f"{item}[quantity]": quantity,
    }


def shipping(amount: int, index: int = 0, currency: str = "eur") -> Json:
    rate = f"shipping_options[{index}][shipping_rate_data]"
    return {
        f"{rate}[display_name]": f"Parcel {index}",
        f"{rate}[fixed_amount][amount]": amount,
        f"{rate}[fixed_amount][currency]": currency,
    }


def hosted(*lines: Json, **more: Any) -> Json:
    """The parameters of a session with a hosted page: 10.00 EUR unless lines are given."""
    merged = {name: value for each in lines or (line(1000),) for name, value in each.items()}
    urls = {"success_url": SUCCESS_URL, "cancel_url": CANCEL_URL}
    return {"mode": "payment", **urls, **merged, **more}


async def opened(account: Account, *lines: Json, **more: Any) -> Json:
    return await account.post(SESSIONS, **hosted(*lines, **more))


async def current(account: Account, session: Json, *expand: str) -> Json:
    """The session as it is now."""
    return await account.get(f"{SESSIONS}/{session['id']}", **{"expand[]": list(expand)})


async def expired(account: Account, session: Json) -> Json:
    return await account.post(f"{SESSIONS}/{session['id']}/expire")


CARD = {
    "email": "ada@example.com",
    "method": "card",
    "number": "4242 4242 4242 4242",
    "expiry": "12 / 34",
    "cvc": "123",
    "name": "Ada Lovelace",
}
DEBIT = {
    "email": "ada@example.com",
    "method": "sepa_debit",
    "iban": "DE89 3704 0044 0532 0130 00",
    "holder": "Ada Lovelace",
}
CHALLENGED = "4000 0027 6000 3184"
DECLINED = "4000 0000 0000 0002"


class Shopper:
    """A browser without keys, which follows no redirect by itself."""

    def __init__(self, account: Account) -> None:
        self._client = httpx.AsyncClient(
            transport=account.client._transport, base_url=account.state.public_url
        )

    async def open(self, url: str) -> httpx.Response:
        return await self._client.get(url)

    async def submit(self, session: Json, form: Json, *, by_script: bool = False) -> httpx.Response:
        headers = {"accept": "application/json"} if by_script else {}
        return await self._client.post(f"/c/pay/{session['id']}", data=form, headers=headers)

    async def answer(self, challenge: str, outcome: str) -> httpx.Response:
        return await self._client.post(challenge, data={"outcome": outcome})
