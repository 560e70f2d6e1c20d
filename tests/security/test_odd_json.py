"""Somebody who puts whatever JSON can say, and cannot, into every field of the open routes."""

from __future__ import annotations

import pytest

from tests.behaviour.buy_now import ENABLED
from tests.behaviour.storefront import API
from tests.world import World


def nines(count: int) -> bytes:
    return b"9" * count


VALUES: list[bytes] = [
    *(b"null", b"true", b"NaN", b"Infinity", b"-Infinity"),
    *(b"1e400", b"-1e400", b"1e-400", b"-0", b"0.1"),
    *(nines(18), nines(19), nines(20), nines(309), nines(310)),
    *(nines(4_299), nines(4_300), nines(4_301), nines(5_000), nines(100_000), b"-" + nines(5_000)),
    *(b'"' + b"a" * 100_000 + b'"', b'"\\u0000"', b'"\\ud800"', b'"\\udfff\\ud800"'),
    *(b'"\xff"', b'"\xed\xa0\x80"', b'"\x00"'),
    *(b"[" * 5_000, b"[" * 5_000 + b"]" * 5_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
    *(b"[]", b"{}", b"[1]", b'{"a":1}'),
    *(b"01", b"+1", b".5", b"1.", b"0x10", b"'a'", b'"a', b"/*x*/1", b'"\\x"', b"1 1"),
    *(b'"\xe2\x80\xa8"', b'"__proto__"', b'"eyJ-eyJ-"'),
]
ORDER = f"{API}/orders/00000000-0000-0000-0000-000000000000"
SESSIONS = f"{API}/payments/sessions"
CART = f"{API}/carts/CART"
ADDRESS = b'{"action":"SetShippingAddress","SetShippingAddress":{"country":"DE","%s":%%s}}'
BODIES: list[tuple[str, str, bytes]] = [
    ("POST", f"{API}/carts", b'{"currency":%s}'),
    ("POST", f"{API}/carts", b'{"country":%s}'),
    ("POST", f"{API}/carts", b"%s"),
    ("PUT", CART, b'{"action":%s}'),
    ("PUT", CART, b'{"action":"AddLineItem","AddLineItem":%s}'),
    ("PUT", CART, b'{"action":"AddLineItem","AddLineItem":{"variantId":%s}}'),
    (
        "PUT",
        CART,
        b'{"version":%s,"action":"AddLineItem","AddLineItem":{"variantId":"brass-pen-1"}}',
    ),
    (
        "PUT",
        CART,
        b'{"action":"AddLineItem","AddLineItem":{"variantId":"brass-pen-1","quantity":%s}}',
    ),
    ("PUT", CART, b'{"action":"SetShippingAddress","SetShippingAddress":{"country":%s}}'),
    ("PUT", CART, ADDRESS % b"firstName"),
    ("PUT", CART, ADDRESS % b"email"),
    ("PUT", CART, b'{"action":"RemoveLineItem","RemoveLineItem":{"lineItemId":%s}}'),
    ("PUT", CART, b'{"action":"AddDiscountCode","AddDiscountCode":{"code":%s}}'),
    ("PUT", CART, b'{"action":"RemoveDiscountCode","RemoveDiscountCode":{"id":%s}}'),
    ("POST", SESSIONS, b'{"id":%s}'),
    ("POST", SESSIONS, b'{"id":"x","uiMode":%s}'),
    ("PUT", ORDER, b'{"actions":%s}'),
    ("PUT", ORDER, b'{"actions":[%s]}'),
    (
        "PUT",
        ORDER,
        b'{"version":%s,"actions":[{"action":"changePaymentState","paymentState":"Paid"}]}',
    ),
    ("POST", "/v1/create-session", b'{"order_id":%s}'),
    ("POST", "/v1/create-session", b'{"order_id":"x","items":%s}'),
    ("POST", "/v1/create-session", b'{"order_id":"x","items":[{"amount":%s}]}'),
    ("POST", "/v1/create-session", b'{"order_id":"x","items":[{"amount":1,"quantity":%s}]}'),
    ("POST", "/v1/create-session", b'{"order_id":"x","currency":%s}'),
]
UNLIMITED = {**ENABLED, "BFF_REQUESTS_PER_MINUTE": "0", "BUY_NOW_SESSIONS_PER_MINUTE": "0"}


@pytest.mark.parametrize(
    ("method", "path", "template"), BODIES, ids=[f"{m} {t.decode()}" for m, _, t in BODIES]
)
async def test_no_value_of_a_field_makes_the_processor_fail_or_talk(
    method: str, path: str, template: bytes
) -> None:
    world = World(UNLIMITED)
    cart = (await world.client.post(f"{API}/carts", json={})).json()["id"]
    failed: dict[bytes, str] = {}
    for value in VALUES:
        answer = await world.client.request(
            method,
            path.replace("CART", cart),
            content=template.replace(b"%s", value),
            headers={"Content-Type": "application/json"},
        )
        said = answer.text
        error = answer.json()
        well_shaped = answer.is_success or error["statusCode"] == answer.status_code
        if answer.status_code >= 500 or len(said) > 6_000 or not well_shaped:
            failed[value[:30]] = f"{answer.status_code} {said[:200]}"
        if not answer.is_success and (len(said) > 2_000 or "Traceback" in said):
            failed[value[:30]] = f"{answer.status_code} {said[:200]}"
    assert failed == {}
