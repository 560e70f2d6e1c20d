"""Years of payments without storage: both backends, computed from the number of a payment.

Payment n has an intent n, one event, every tenth a refund; every thousandth is recorded wrongly.
So there may be millions of them, and only the memory of the reading program can grow.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, unquote

import httpx
import msgspec

from bench.samples import PROJECT, Json, Samples

START = 1_700_000_000
"""Unix seconds at which the first payment was made; one follows every second."""
WRONG_EVERY = 1000
_REFUND_EVERY = 10
_PAGE = 100
_STAMP = "2023-11-14T22:13:20.000Z"

_NUMBER = re.compile(r"0(\d{11})\b")


class History:
    """Answers for `count` payments; stores none of them."""

    def __init__(
        self,
        samples: Samples,
        count: int,
        on_page: Callable[[int], None] = lambda _: None,
        *,
        busy_every: int = 0,
    ) -> None:
        """`on_page` gets the number of payments compared, before each page of their intents.

        Every so many calls one is answered 429, unless that is 0.
        """
        self.count = count
        self.calls = 0
        """So far."""
        self.refused = 0
        """Of these, with 429."""
        self._busy_every = busy_every
        self._on_page = on_page
        self._spread = 0xFFFFFFFF // count
        self._intent = _Template(_intent(samples))
        self._refund = _Template(_refund(samples))
        self._event = _Template(_event(samples))
        right = _payment(samples)
        self._cart = _Template(_cart(samples, right))
        self._right = _Template(right)
        self._wrong = _Template({**right, "transactions": right["transactions"][:1]})
        self._routes: list[tuple[re.Pattern[str], Callable[[str, dict[str, str]], bytes]]] = [
            (re.compile(r"/oauth/token"), self._token),
            (re.compile(rf"/{PROJECT}/payments"), self._payments),
            (re.compile(rf"/{PROJECT}/payments/[\w-]+"), self._one_payment),
            (re.compile(rf"/{PROJECT}/carts"), self._carts),
            (re.compile(rf"/{PROJECT}/orders"), self._no_orders),
            (re.compile(r"/v1/account"), self._account),
            (re.compile(r"/v1/payment_intents"), self._intents),
            (re.compile(r"/v1/payment_intents/\w+"), self._one_intent),
            (re.compile(r"/v1/refunds"), self._refunds),
            (re.compile(r"/v1/disputes"), self._nothing),
            (re.compile(r"/v1/events"), self._events),
        ]

    def transport(self) -> httpx.MockTransport:
        """Answers in place of the network."""
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        if self._busy_every and self.calls % self._busy_every == 0:
            self.refused += 1
            return httpx.Response(429, headers={"Retry-After": "0"}, content=b"{}")
        query = {name: given[-1] for name, given in parse_qs(request.url.query.decode()).items()}
        for pattern, route in self._routes:
            if pattern.fullmatch(request.url.path):
                return httpx.Response(200, content=route(unquote(request.url.path), query))
        return httpx.Response(404, content=b"{}")

    def _token(self, _path: str, _query: dict[str, str]) -> bytes:
        return msgspec.json.encode(
            {"access_token": "t", "token_type": "Bearer", "expires_in": 172_800, "scope": ""}
        )

    # commercetools

    def _payments(self, _path: str, query: dict[str, str]) -> bytes:
        where = query["where"]
        if "interfaceId in" in where:
            numbers = [int(found) for found in _NUMBER.findall(where)]
            return self._results(numbers)
        if 'transactions(state="Initial")' in where:
            return self._results([])  # nothing was left unfinished
        after = re.search(r'id > "[\w-]+-0(\d{11})"', where)
        first = int(after[1]) + 1 if after else 0
        return self._results(list(range(first, min(first + _PAGE, self.count))))

    def _results(self, numbers: list[int]) -> bytes:
        return b'{"results":[' + b",".join(self._payment(number) for number in numbers) + b"]}"

    def _payment(self, number: int) -> bytes:
        wrong = number % WRONG_EVERY == 0
        return (self._wrong if wrong else self._right).of(number, number * self._spread)

    def _one_payment(self, path: str, _query: dict[str, str]) -> bytes:
        return self._payment(int(path[-11:]))

    def _carts(self, _path: str, query: dict[str, str]) -> bytes:
        numbers = [int(found) for found in _NUMBER.findall(query["where"])]
        carts = (self._cart.of(number, number * self._spread) for number in numbers)
        return b'{"results":[' + b",".join(carts) + b"]}"

    def _no_orders(self, _path: str, _query: dict[str, str]) -> bytes:
        return b'{"results":[]}'

    # Stripe, newest first

    def _intents(self, _path: str, query: dict[str, str]) -> bytes:
        if int(query.get("created[lt]", START + 1)) <= START:
            return self._nothing("", query)  # from before the first of them
        after = query.get("starting_after")
        self._on_page(0 if after is None else self.count - int(after[-11:]))
        return self._listed(self._intent, query, 1)

    def _one_intent(self, path: str, _query: dict[str, str]) -> bytes:
        return self._intent.of(int(path[-11:]))

    def _refunds(self, _path: str, query: dict[str, str]) -> bytes:
        return self._listed(self._refund, query, _REFUND_EVERY)

    def _events(self, _path: str, query: dict[str, str]) -> bytes:
        return self._listed(self._event, query, 1)

    def _account(self, _path: str, _query: dict[str, str]) -> bytes:
        return b'{"id":"acct_bench","object":"account"}'

    def _nothing(self, _path: str, _query: dict[str, str]) -> bytes:
        return b'{"data":[],"has_more":false}'

    def _listed(self, template: _Template, query: dict[str, str], every: int) -> bytes:
        after = query.get("starting_after")
        newest = (self.count - 1) // every * every if after is None else int(after[-11:]) - every
        numbers = range(newest, -1, -every)[:_PAGE]
        more = bool(numbers) and numbers[-1] >= every
        data = b",".join(template.of(number) for number in numbers)
        return b'{"data":[' + data + b'],"has_more":' + (b"true}" if more else b"false}")


class _Template:
    """An object with its number, and what follows from it, left open."""

    def __init__(self, sample: Json) -> None:
        encoded = msgspec.json.encode(sample)
        self._encoded = encoded.replace(b'"@created"', b"@created")

    def of(self, number: int, prefix: int = 0) -> bytes:
        return (
            self._encoded.replace(b"@number", b"0%011d" % number)
            .replace(b"@created", b"%d" % (START + number))
            .replace(b"@prefix", b"%08x" % prefix)
        )


def _intent(samples: Samples) -> Json:
    charge = {
        **samples.paid_intent["latest_charge"],
        "id": "ch_@number",
        "payment_intent": "pi_@number",
        "refunds": {"data": [], "has_more": False},
    }
    return {
        **samples.paid_intent,
        "id": "pi_@number",
        "created": "@created",
        "latest_charge": charge,
        "metadata": {
            "ct_project_key": PROJECT,
            "ct_payment_id": "@number",
            "cart_id": "cart-@number",
        },
    }


def _payment(samples: Samples) -> Json:
    intent = samples.paid_intent
    amount = {
        "type": "centPrecision",
        "centAmount": intent["amount"],
        "currencyCode": intent["currency"].upper(),
        "fractionDigits": 2,
    }
    done = {"amount": amount, "state": "Success", "timestamp": _STAMP}
    return {
        **samples.payment,
        "id": "@prefix-0000-4000-8000-@number",
        "createdAt": _STAMP,
        "lastModifiedAt": _STAMP,
        "interfaceId": "pi_@number",
        "amountPlanned": amount,
        "paymentMethodInfo": {"paymentInterface": "checkout-stripe", "method": "card"},
        "paymentStatus": {"interfaceCode": "succeeded", "interfaceText": "Paid."},
        "transactions": [
            {**done, "id": "a", "type": "Authorization", "interactionId": "pi_@number"},
            {**done, "id": "c", "type": "Charge", "interactionId": "ch_@number:1"},
        ],
    }


def _cart(samples: Samples, payment: Json) -> Json:
    reference = {"typeId": "payment", "id": payment["id"], "obj": payment}
    price = payment["amountPlanned"]
    return {
        **samples.cart,
        "id": "cart-@number",
        "totalPrice": price,
        "taxedPrice": None,
        "paymentInfo": {"payments": [reference]},
    }


def _refund(samples: Samples) -> Json:
    ids = {"id": "re_@number", "payment_intent": "pi_@number", "created": "@created"}
    return {**samples.refund, **ids}


def _event(samples: Samples) -> Json:
    snapshot = {**_intent(samples), "latest_charge": "ch_@number"}
    return {
        **samples.event,
        "id": "evt_@number",
        "type": "payment_intent.succeeded",
        "created": "@created",
        "data": {"object": snapshot},
    }
