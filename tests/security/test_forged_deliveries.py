"""Somebody who sends events in Stripe's name."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from collections.abc import Callable

import pytest
from starlette.requests import Request

from stripe_connector.errors import InvalidRequest
from stripe_connector.gateways.stripe import signed_events as webhooks
from stripe_connector.http.auth import StripeGuard
from stripe_connector.storefront.events import HANDLED
from tests.fakes import FakeClock
from tests.world import SECRET, START, World

NOW = int(START)
EVENT = json.dumps(
    {
        "id": "evt_x",
        "object": "event",
        "type": "charge.succeeded",
        "created": NOW,
        "data": {"object": {"id": "ch_1", "object": "charge", "metadata": {}}},
    }
).encode()


def mac(at: object = NOW, secret: str = SECRET, body: bytes = EVENT) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


RIGHT = mac()
WRONG = mac(secret="whsec_wrong")

FORGED: dict[str, tuple[str, str]] = {
    "empty": ("", "MalformedSignature"),
    "no time": (f"v1={RIGHT}", "MalformedSignature"),
    "no signature": (f"t={NOW}", "MalformedSignature"),
    "another scheme alone": (f"t={NOW},v0={RIGHT}", "MalformedSignature"),
    "old": (f"t={NOW - 301},v1={mac(NOW - 301)}", "StaleSignature"),
    "of the future": (f"t={NOW + 301},v1={mac(NOW + 301)}", "StaleSignature"),
    "of an empty secret": (f"t={NOW},v1={mac(secret='')}", "InvalidSignature"),
    "of another secret": (f"t={NOW},v1={WRONG}", "InvalidSignature"),
    "two times, the signed one first": (
        f"t={NOW - 301},t={NOW},v1={mac(NOW - 301)}",
        "MalformedSignature",
    ),
    "two times, the signed one last": (
        f"t={NOW},t={NOW - 301},v1={mac(NOW - 301)}",
        "MalformedSignature",
    ),
    "twice the same time": (f"t={NOW},t={NOW},v1={RIGHT}", "MalformedSignature"),
    "time with a point": (f"t={NOW}.0,v1={RIGHT}", "MalformedSignature"),
    "time with a space": (f"t= {NOW},v1={RIGHT}", "MalformedSignature"),
    "time with a sign": (f"t=+{NOW},v1={RIGHT}", "MalformedSignature"),
    "time with an underscore": (f"t=1_{str(NOW)[1:]},v1={RIGHT}", "MalformedSignature"),
    "time in hexadecimal": (f"t={NOW:#x},v1={RIGHT}", "MalformedSignature"),
    "huge time": (f"t={'9' * 900},v1={RIGHT}", "MalformedSignature"),
    "time of 12 digits": (f"t={'9' * 12},v1={RIGHT}", "StaleSignature"),
    "time before 1970": (f"t=-1,v1={RIGHT}", "MalformedSignature"),
    "time zero": (f"t=0,v1={mac(0)}", "StaleSignature"),
    "no digits": (f"t=,v1={RIGHT}", "MalformedSignature"),
    "in capitals": (f"t={NOW},v1={RIGHT.upper()}", "MalformedSignature"),
    "a digit less": (f"t={NOW},v1={RIGHT[:-1]}", "MalformedSignature"),
    "a digit more": (f"t={NOW},v1={RIGHT}0", "MalformedSignature"),
    "nothing signed": (f"t={NOW},v1=", "MalformedSignature"),
    "not ASCII": (f"t={NOW},v1=é", "MalformedSignature"),
    "semicolon": (f"t={NOW};v1={RIGHT}", "MalformedSignature"),
    "names in capitals": (f"T={NOW},V1={RIGHT}", "MalformedSignature"),
    "space before a name": (f"t={NOW}, v1={RIGHT}", "MalformedSignature"),
    "control character": (f"t={NOW},v1={RIGHT}\x01", "MalformedSignature"),
    "one right, one malformed": (f"t={NOW},v1={RIGHT},v1=x", "MalformedSignature"),
    "many": (f"t={NOW}," + f"v1={WRONG}," * 14 + "v0=", "InvalidSignature"),
    "too many": (f"t={NOW}," + f"v1={WRONG}," * 20, "MalformedSignature"),
    "a header of 400 kB": (f"t={NOW}," + "v1=a," * 100_000, "MalformedSignature"),
}
ACCEPTED: dict[str, str] = {
    "wrong and right": f"t={NOW},v1={WRONG},v1={RIGHT}",
    "right and wrong": f"t={NOW},v1={RIGHT},v1={WRONG}",
    "another scheme beside": f"v0=abc,t={NOW},v1={RIGHT}",
    "290 seconds old": f"t={NOW - 290},v1={mac(NOW - 290)}",
}
OTHER_BYTES: dict[str, tuple[bytes, dict[str, str]]] = {
    "a space more": (EVENT + b" ", {}),
    "encoded anew": (json.dumps(json.loads(EVENT), indent=1).encode(), {}),
    "nothing": (b"", {}),
    "compressed": (gzip.compress(EVENT), {"Content-Encoding": "gzip"}),
}


def shaped(**changes: object) -> bytes:
    return json.dumps({"id": "e", "created": NOW, "data": {"object": {}}, **changes}).encode()


SIGNED_BODIES: dict[str, bytes] = {
    "null": b"null",
    "a list": b"[]",
    "deep": b"[" * 60_000,
    "no number": b'{"id":NaN}',
    "no text": b'{"id":"\xff"}',
    "NUL": b"\0",
    "compressed": gzip.compress(EVENT),
    "a name twice": EVENT[:-1] + b',"type":"x","type":"y"}',
    "huge time": EVENT.replace(b'"created": ', b'"created": 1' + b"0" * 400),
    "huge type": shaped(type="a" * 200_000),
    "type is a list": shaped(type=["charge.succeeded"]),
    "metadata is a list": shaped(
        type="charge.succeeded", data={"object": {"id": "ch", "metadata": [1]}}
    ),
    "metadata of objects": shaped(
        type="payment_intent.succeeded",
        data={"object": {"id": "pi_1", "metadata": {"ct_payment_id": {"a": 1}}}},
    ),
    "ids are numbers": shaped(
        type="checkout.session.completed",
        data={"object": {"id": 1, "metadata": {"ct_payment_id": 5}}},
    ),
    "ids are paths": shaped(
        type="checkout.session.completed",
        data={
            "object": {
                "id": "cs_1",
                "metadata": {
                    "ct_payment_id": "../carts",
                    "ct_project_key": "sandbox",
                    "ct_order_id": "../x",
                },
            }
        },
    ),
}


async def deliver(world: World, body: bytes, *headers: str, **more: str) -> tuple[int, str]:
    """The status and the code of the error."""
    lines = [(b"stripe-signature", each.encode("latin-1")) for each in headers]
    lines += [(name.encode(), value.encode()) for name, value in more.items()]
    answer = await world.client.post("/stripe/webhooks", content=body, headers=lines)
    code = "" if answer.is_success else answer.json()["errors"][0]["code"]
    return answer.status_code, code


@pytest.mark.parametrize(("header", "code"), FORGED.values(), ids=FORGED)
async def test_a_forged_signature_is_refused(header: str, code: str) -> None:
    world = World()
    assert await deliver(world, EVENT, header) == (400, code)
    assert world.network.calls == []


@pytest.mark.parametrize("header", ACCEPTED.values(), ids=ACCEPTED)
async def test_what_stripe_signs_is_taken_beside_other_signatures(header: str) -> None:
    assert await deliver(World(), EVENT, header) == (200, "")


@pytest.mark.parametrize(("body", "more"), OTHER_BYTES.values(), ids=OTHER_BYTES)
async def test_a_signature_is_of_these_bytes_alone(body: bytes, more: dict[str, str]) -> None:
    world = World()
    refused = await deliver(world, body, f"t={NOW},v1={RIGHT}", **more)
    assert refused == (400, "InvalidSignature")
    assert world.network.calls == []


async def test_more_than_a_megabyte_is_not_hashed() -> None:
    world = World()
    header = f"t={NOW},v1={WRONG}"
    assert await deliver(world, b" " * 2**20, header) == (400, "InvalidSignature")
    assert await deliver(world, b" " * (2**20 + 1), header) == (413, "PayloadTooLarge")


async def test_of_two_signature_headers_neither_is_believed() -> None:
    for order in ((WRONG, RIGHT), (RIGHT, WRONG)):
        headers = [f"t={NOW},v1={each}" for each in order]
        assert await deliver(World(), EVENT, *headers) == (400, "RepeatedHeader")


@pytest.mark.parametrize("body", SIGNED_BODIES.values(), ids=SIGNED_BODIES)
async def test_odd_bodies_that_are_signed_break_nothing(body: bytes) -> None:
    status, _ = await deliver(World(), body, f"t={NOW},v1={mac(body=body)}")
    assert status in (200, 400)


ODD_OBJECTS: dict[str, dict[str, object]] = {
    "nothing": {},
    "an id that is none": {"id": 5},
    "null": {"id": None, "metadata": None, "payment_intent": None, "customer": None},
    "somebody else's": {"id": "xx_1", "metadata": {"ct_project_key": "other"}},
    "an intent that is none": {"id": "xx_1", "payment_intent": [1], "charge": 5},
}


@pytest.mark.parametrize("type_", sorted(HANDLED))
@pytest.mark.parametrize("object_", ODD_OBJECTS.values(), ids=ODD_OBJECTS)
async def test_of_what_is_not_ours_no_form_is_asked(type_: str, object_: dict[str, object]) -> None:
    """It is acknowledged: Stripe would send it for three days, and disable the endpoint."""
    body = shaped(type=type_, data={"object": object_})
    assert await deliver(World(), body, f"t={NOW},v1={mac(body=body)}") == (200, "")


class Unread:
    """A body that fails the test when it is read."""

    def __init__(self) -> None:
        self.reads = 0

    async def __call__(self) -> dict[str, object]:
        self.reads += 1
        return {"type": "http.request", "body": EVENT, "more_body": False}


def hashing(count: list[int]) -> Callable[[bytes, str, tuple[str, ...]], None]:
    """`webhooks.verify`, which counts the bytes that are hashed for each secret."""

    def verify(payload: bytes, header: str, secrets: tuple[str, ...]) -> None:
        count.extend(len(payload) for _ in secrets)
        webhooks.verify(payload, header, secrets)

    return verify


@pytest.mark.parametrize(("header", "code"), FORGED.values(), ids=FORGED)
async def test_a_refused_delivery_costs_one_hash_at_most_and_none_unless_its_header_can_be_right(
    header: str, code: str
) -> None:
    body, hashed = Unread(), list[int]()
    guard = StripeGuard(webhooks.check_header, hashing(hashed), (SECRET,), FakeClock(START))
    headers = [(b"stripe-signature", header.encode("latin-1"))]
    request = Request({"type": "http", "method": "POST", "headers": headers}, body)
    with pytest.raises(InvalidRequest) as refused:
        await guard.authenticate(request)
    assert refused.value.code == code
    read = code == "InvalidSignature"
    assert (body.reads, hashed) == (int(read), [len(EVENT)] if read else [])
