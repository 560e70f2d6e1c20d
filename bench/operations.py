"""What is measured: each operation with its preparation, its request and its targets."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import time
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from bench.backend import Json, Prepared, Size
from bench.client import Request, request

SECRET = "whsec_benchmark0123456789"
_numbers = itertools.count(1)


class Workload(Struct, frozen=True, kw_only=True):
    """Requests of one kind, each about its own situation."""

    name: str
    kind: str
    """The situation that the backend prepares."""
    build: Callable[[Prepared], Request]
    before: Callable[[Prepared], Request] | None = None
    """Sent once, unmeasured, before each request."""
    size: Size = Size()


class Operation(Workload, frozen=True, kw_only=True):
    """One row of the table."""

    calls: int
    """Backend calls in sequence at most."""
    ratio: float | None = None
    """How much of the reference's CPU it may take at most."""
    reference: Callable[[Prepared], Request] | None = None
    """The reference's request, where Stripe's own connector has another."""


def with_session(
    method: str, path: str, expected: bytes, *, known: bool = False
) -> Callable[[Prepared], Request]:
    """A shopper's request, with a new session's id unless the session shall be `known`."""

    def build(prepared: Prepared) -> Request:
        number = 1 if known else next(_numbers) + 1
        headers = {"x-session-id": f"{prepared.cart}_{number}"}
        return request(method, path, headers, expected=expected)

    return build


def _confirm(prepared: Prepared) -> Request:
    body = msgspec.json.encode({"paymentIntent": prepared.intent})
    headers = {
        "x-session-id": f"{prepared.cart}_{next(_numbers) + 1}",
        "content-type": "application/json",
    }
    path = f"/confirmPayments/{prepared.payment}"
    return request("POST", path, headers, body, expected=b'"approved"')


def _succeeded(effect: bytes) -> Callable[[Prepared], Request]:
    return lambda prepared: delivery(prepared.event, effect)


def refunded(prepared: Prepared) -> Request:
    return delivery(prepared.refund_event, b'"stored"')


def delivery(event: Json, expected: bytes) -> Request:
    """A webhook, signed now: https://docs.stripe.com/webhooks#verify-manually"""
    body = msgspec.json.encode(event)
    now = int(time.time())
    signature = hmac.new(SECRET.encode(), b"%d.%b" % (now, body), hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json; charset=utf-8",
        "stripe-signature": f"t={now},v1={signature}",
    }
    return request("POST", "/stripe/webhooks", headers, body, expected=expected)


def _capture(*, token_known: bool) -> Callable[[Prepared], Request]:
    def build(prepared: Prepared) -> Request:
        amount = prepared.event["data"]["object"]["amount"]
        money = {"centAmount": amount, "currencyCode": "EUR"}
        body = {"actions": [{"action": "capturePayment", "amount": money}]}
        token = "known" if token_known else f"caller-{next(_numbers)}"
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        path = f"/operations/payment-intents/{prepared.payment}"
        encoded = msgspec.json.encode(body)
        return request("POST", path, headers, encoded, expected=b'"approved"')

    return build


_config_known = with_session("GET", "/operations/config", b'"clientKey"', known=True)
stored = _succeeded(b'"stored"')

OPERATIONS: Sequence[Operation] = (
    Operation(
        name="GET /operations/config",
        kind="guest",
        build=with_session("GET", "/operations/config", b'"clientKey"'),
        calls=1,
    ),
    Operation(
        name="GET /operations/config, session known",
        kind="guest",
        build=_config_known,
        calls=0,
        ratio=0.2,
        before=_config_known,
    ),
    Operation(
        name="POST /payments, first",
        kind="guest",
        build=with_session("POST", "/payments", b'"clientSecret"'),
        calls=5,
        ratio=0.35,
        reference=with_session("GET", "/payments", b""),
    ),
    Operation(
        name="POST /payments, first, session known",
        kind="guest",
        build=with_session("POST", "/payments", b'"clientSecret"', known=True),
        calls=4,
        ratio=0.35,
        reference=with_session("GET", "/payments", b"", known=True),
        before=_config_known,
    ),
    Operation(
        name="POST /payments, again",
        kind="started",
        build=with_session("POST", "/payments", b'"clientSecret"'),
        calls=3,
        ratio=0.3,
        reference=with_session("GET", "/payments", b""),
    ),
    Operation(
        name="POST /confirmPayments",
        kind="paid",
        build=_confirm,
        calls=3,
        ratio=0.4,
    ),
    Operation(
        name="GET /config-element/payment",
        kind="guest",
        build=with_session("GET", "/config-element/payment", b'"cartInfo"'),
        calls=2,
    ),
    Operation(
        name="GET /customer/session, customer known",
        kind="customer",
        build=with_session("GET", "/customer/session", b'"ephemeralKey"'),
        calls=4,
    ),
    Operation(
        name="webhook payment_intent.succeeded",
        kind="paid",
        build=stored,
        calls=2,
        ratio=0.3,
    ),
    Operation(
        name="webhook repeated",
        kind="paid",
        build=_succeeded(b'"already stored"'),
        calls=1,
        ratio=0.25,
        before=stored,
    ),
    Operation(
        name="webhook charge.refunded",
        kind="paid",
        build=refunded,
        calls=3,
        before=stored,
    ),
    Operation(
        name="capture",
        kind="held",
        build=_capture(token_known=False),
        calls=5,
        ratio=0.5,
        before=stored,
    ),
    Operation(
        name="capture, caller's token known",
        kind="held",
        build=_capture(token_known=True),
        calls=4,
        ratio=0.5,
        before=stored,
    ),
)
