"""Ready-made curl lines for what is left of the walk."""

from __future__ import annotations

import json
from shlex import quote

from sandbox.addresses import url
from sandbox.demo.people import ISSUER, PROJECT, SECRET_KEY, People
from sandbox.demo.walk import Started


def commands(people: People, paid: Started) -> list[tuple[str, str]]:
    """What each does, and the line. They work as long as the demo stays up."""
    at = people.at
    processor, commercetools, stripe = url(at.processor), url(at.commercetools), url(at.stripe)
    session = people.session(people.cart("DE", "EUR", task_lamp_1=1))
    checkout, admin = people.token("sandbox-checkout"), people.token("sandbox-admin")
    refund = {"actions": [{"action": "refundPayment", "amount": paid.money(100)}]}
    claims = {"iss": ISSUER, "sub": "merchant", f"{ISSUER}/claims/project_key": PROJECT}
    fault = {"backend": "stripe", "kind": "fail_after", "path": "/v1/refunds", "times": 1}
    jwt = _curl(f"{url(at.jwt)}/jwt/token", body=claims)
    extract = 'sed \'s/.*"token":"\\([^"]*\\)".*/\\1/\''
    return [
        (
            "Start a payment for a new cart",
            _curl(f"{processor}/payments", f"x-session-id: {session}", method="POST"),
        ),
        (
            "Refund 1.00 EUR of the first payment",
            _curl(
                f"{processor}/operations/payment-intents/{paid.payment_id}",
                f"Authorization: Bearer {checkout}",
                body=refund,
            ),
        ),
        (
            "That payment in commercetools",
            _curl(
                f"{commercetools}/{PROJECT}/payments/{paid.payment_id}",
                f"Authorization: Bearer {admin}",
            ),
        ),
        (
            "The same at Stripe",
            _curl(
                f"{stripe}/v1/payment_intents/{paid.intent_id}",
                f"Authorization: Bearer {SECRET_KEY}",
            ),
        ),
        ("Stripe's events and their deliveries", _curl(f"{stripe}/_sandbox/stripe/events")),
        (
            "The status, with a JWT of the Merchant Center",
            f'curl -fsS {processor}/operations/status -H "Authorization: Bearer'
            f' $({jwt} | {extract})"',
        ),
        (
            "Let Stripe's next refund succeed but its answer get lost in a 500",
            _curl(f"{stripe}/_sandbox/faults", body=fault),
        ),
    ]


def _curl(
    address: str, header: str | None = None, *, body: object = None, method: str | None = None
) -> str:
    parts = ["curl", "-fsS", address]
    if method is not None:
        parts += ["-X", method]
    if header is not None:
        parts += ["-H", header]
    if body is not None:
        parts += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    return " ".join(map(quote, parts))
