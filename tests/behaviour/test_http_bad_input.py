"""What callers get who send nonsense: a documented 4xx in commercetools' shape, never a 500."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.world import World, money

JSON = {"Content-Type": "application/json"}
UNKNOWN = "11111111-0000-4000-8000-000000000000"
LONGEST_INTEGER = 10**15

BODIES = [
    pytest.param("/operations/payment-intents/{payment}", id="modify"),
    pytest.param("/confirmPayments/{payment}", id="confirm"),
    pytest.param("/payments", id="start"),
    pytest.param("/operations/transactions", id="charge"),
]
"""The routes that read a body of JSON."""


class Shop:
    """A world with a payment that is started, and everybody's credentials."""

    def __init__(self, world: World, headers: Mapping[str, str], payment: str) -> None:
        self.world = world
        self.headers = headers
        self.payment = payment

    async def post(
        self, path: str, content: bytes, headers: Mapping[str, str] = JSON
    ) -> httpx.Response:
        return await self.world.client.post(
            path.format(payment=self.payment),
            content=content,
            headers={**self.headers, **headers},
        )

    async def modify(self, body: Any, payment: str | None = None) -> httpx.Response:
        return await self.world.client.post(
            f"/operations/payment-intents/{payment or self.payment}",
            json=body,
            headers=self.headers,
        )

    async def capture(self, amount: Any) -> httpx.Response:
        return await self.modify({"actions": [{"action": "capturePayment", "amount": amount}]})


async def open_shop() -> Shop:
    world = World({"STRIPE_CAPTURE_METHOD": "manual"})
    cart = await world.cart(1000)
    session = await world.session(cart["id"])
    started = await world.start(session)
    await world.pay(started["clientSecret"])
    await world.deliver_all()
    return Shop(world, {**session, **await world.checkout()}, started["paymentReference"])


def assert_refused(answer: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """The status in commercetools' shape; returns the one error."""
    body = answer.json()
    assert answer.status_code == body["statusCode"] == status, answer.text
    [error] = body["errors"]
    assert body["message"] == error["message"] != ""
    assert code is None or error["code"] == code, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["X-Correlation-ID"]
    return dict(error)


# Bodies


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"nope",
        b'{"actions": [}',
        b'{"paymentIntent": "pi_1"',
        b"\xff\xfe",
        b'"\xc3\x28"',
        b"{}{}",
        b"\x00",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"null",
        b"[]",
        b"1",
        b'""',
    ],
    ids=lambda content: repr(content[:20]),
)
async def test_what_is_no_json_object_is_a_400(path: str, content: bytes) -> None:
    shop = await open_shop()
    error = assert_refused(await shop.post(path, content), 400, "InvalidJsonInput")
    assert error["detailedErrorMessage"]


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonp",
        "application/json, text/plain",
    ],
)
async def test_a_body_that_is_not_declared_as_json_is_a_415(
    path: str, content_type: str | None
) -> None:
    shop = await open_shop()
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert_refused(await shop.post(path, b"{}", headers), 415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "Application/JSON", 'application/json;charset="UTF-8"'],
)
async def test_json_may_name_its_character_set(content_type: str) -> None:
    shop = await open_shop()
    answer = await shop.post(
        "/operations/payment-intents/{payment}",
        b'{"actions":[{"action":"cancelPayment"}]}',
        {"Content-Type": content_type},
    )
    assert answer.json() == {"outcome": "approved"}


@pytest.mark.parametrize("path", [body for body in BODIES if body.id != "start"])
async def test_a_missing_field_is_named(path: str) -> None:
    shop = await open_shop()
    for content in (b"", b"{}"):
        error = assert_refused(await shop.post(path, content), 400, "RequiredField")
        assert error["field"] in ("actions", "paymentIntent", "cartId")


@pytest.mark.parametrize("path", [*BODIES, pytest.param("/stripe/webhooks", id="webhooks")])
@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_beyond_the_limit_is_a_413(path: str, declared: bool) -> None:
    shop = await open_shop()
    content = b'"' + b"a" * (2**20) + b'"'
    # Well formed and recent, for which alone a webhook's body is read.
    signature = f"t={int(shop.world.clock.time())},v1={'0' * 64}"

    async def in_pieces() -> Any:
        for start in range(0, len(content), 65_536):
            yield content[start : start + 65_536]

    answer = await shop.world.client.post(
        path.format(payment=shop.payment),
        content=content if declared else in_pieces(),
        headers={**shop.headers, **JSON, "Stripe-Signature": signature},
    )
    assert_refused(answer, 413, "PayloadTooLarge")


async def test_authentication_comes_before_the_body_is_looked_at() -> None:
    shop = await open_shop()
    for path in ("/operations/payment-intents/{payment}", "/confirmPayments/{payment}"):
        answer = await shop.world.client.post(
            path.format(payment=shop.payment), content=b"{" * 2**20
        )
        assert_refused(answer, 401, "access_denied")


# Modifications


@pytest.mark.parametrize(
    ("actions", "code", "field"),
    [
        ([], "InvalidField", "actions"),
        ([{"action": "cancelPayment"}] * 2, "InvalidField", "actions"),
        (None, "InvalidField", "actions"),
        ({}, "InvalidField", "actions"),
        ("cancelPayment", "InvalidField", "actions"),
        ([None], "InvalidField", "actions.0"),
        (["cancelPayment"], "InvalidField", "actions.0"),
        ([[]], "InvalidField", "actions.0"),
        ([{}], "RequiredField", "actions.0.action"),
        ([{"action": None}], "InvalidField", "actions.0.action"),
        ([{"action": 1}], "InvalidField", "actions.0.action"),
        ([{"action": "payOut"}], "InvalidField", "actions.0.action"),
        ([{"action": "CapturePayment"}], "InvalidField", "actions.0.action"),
        ([{"action": "capturePayment"}], "RequiredField", "actions.0.amount"),
        ([{"action": "refundPayment"}], "RequiredField", "actions.0.amount"),
        (
            [{"action": "cancelPayment", "merchantReference": 7}],
            "InvalidField",
            "actions.0.merchantReference",
        ),
        (
            [{"action": "cancelPayment", "merchantReference": "x" * 257}],
            "InvalidField",
            "actions.0.merchantReference",
        ),
        (
            [{"action": "refundPayment", "amount": money(1), "transactionId": []}],
            "InvalidField",
            "actions.0.transactionId",
        ),
    ],
    ids=str,
)
async def test_actions_that_are_none_are_refused_with_the_path_of_the_field(
    actions: Any, code: str, field: str
) -> None:
    shop = await open_shop()
    before = await shop.world.payment(shop.payment)
    error = assert_refused(await shop.modify({"actions": actions}), 400, code)
    assert error["field"] == field
    assert await shop.world.payment(shop.payment) == before


async def test_an_unknown_action_is_told_which_there_are() -> None:
    shop = await open_shop()
    answer = await shop.modify({"actions": [{"action": "payOut"}]})
    assert assert_refused(answer, 400)["allowedValues"] == [
        "cancelPayment",
        "capturePayment",
        "refundPayment",
        "reversePayment",
    ]


@pytest.mark.parametrize(
    ("amount", "code", "field"),
    [
        (None, "InvalidField", "amount"),
        (100, "InvalidField", "amount"),
        ([], "InvalidField", "amount"),
        ({}, "RequiredField", "amount.centAmount"),
        ({"currencyCode": "EUR"}, "RequiredField", "amount.centAmount"),
        ({"centAmount": 1}, "RequiredField", "amount.currencyCode"),
        (money(0), "InvalidField", "amount.centAmount"),
        (money(-1), "InvalidField", "amount.centAmount"),
        (money(LONGEST_INTEGER + 1), "InvalidField", "amount.centAmount"),
        (money(2**63), "InvalidField", "amount.centAmount"),
        (money(10**30), "InvalidField", "amount.centAmount"),
        ({"centAmount": 1.5, "currencyCode": "EUR"}, "InvalidField", "amount.centAmount"),
        ({"centAmount": "1", "currencyCode": "EUR"}, "InvalidField", "amount.centAmount"),
        ({"centAmount": True, "currencyCode": "EUR"}, "InvalidField", "amount.centAmount"),
        ({"centAmount": None, "currencyCode": "EUR"}, "InvalidField", "amount.centAmount"),
        ({"centAmount": [1], "currencyCode": "EUR"}, "InvalidField", "amount.centAmount"),
        (money(1, ""), "InvalidField", "amount.currencyCode"),
        (money(1, "eur"), "InvalidField", "amount.currencyCode"),
        (money(1, "EURO"), "InvalidField", "amount.currencyCode"),
        (money(1, "EUR\n"), "InvalidField", "amount.currencyCode"),
        ({"centAmount": 1, "currencyCode": 978}, "InvalidField", "amount.currencyCode"),
    ],
    ids=str,
)
async def test_an_amount_that_is_none_is_refused_with_the_path_of_the_field(
    amount: Any, code: str, field: str
) -> None:
    shop = await open_shop()
    error = assert_refused(await shop.capture(amount), 400, code)
    assert error["field"] == f"actions.0.{field}"
    assert await shop.world.transactions(shop.payment) == [("Authorization", 1000, "Success")]


@pytest.mark.parametrize("amount", [money(1001), money(LONGEST_INTEGER), money(500, "USD")])
async def test_an_amount_that_the_payment_does_not_have_is_refused(amount: Any) -> None:
    shop = await open_shop()
    error = assert_refused(await shop.capture(amount), 400, "InvalidField")
    assert error["field"].startswith("actions.0.amount.")
    assert await shop.world.transactions(shop.payment) == [("Authorization", 1000, "Success")]


async def test_unknown_fields_are_tolerated_where_checkout_may_add_them() -> None:
    shop = await open_shop()
    body = {
        "actions": [
            {"action": "capturePayment", "amount": {**money(1000), "fractionDigits": 2}, "new": 1}
        ],
        "alsoNew": {},
    }
    assert (await shop.modify(body)).json() == {"outcome": "approved"}


@pytest.mark.parametrize("key", ["", " ", "k" * 256])
async def test_an_idempotency_key_that_is_none_is_a_400(key: str) -> None:
    shop = await open_shop()
    answer = await shop.world.client.post(
        f"/operations/payment-intents/{shop.payment}",
        json={"actions": [{"action": "cancelPayment"}]},
        headers={**shop.headers, "Idempotency-Key": key},
    )
    assert_refused(answer, 400)
    assert await shop.world.transactions(shop.payment) == [("Authorization", 1000, "Success")]


# Confirmations


@pytest.mark.parametrize(
    "intent",
    [
        None,
        1,
        True,
        [],
        {},
        "",
        "pi_",
        "ch_1",
        "pi_1/../../customers",
        "pi_ü",
        "pi_" + "a" * 300,
        "pi_1\n",
    ],
    ids=repr,
)
async def test_an_intent_that_is_none_is_refused_without_asking_stripe(intent: Any) -> None:
    shop = await open_shop()
    shop.world.network.calls.clear()
    answer = await shop.world.client.post(
        f"/confirmPayments/{shop.payment}", json={"paymentIntent": intent}, headers=shop.headers
    )
    error = assert_refused(answer, 400, "InvalidField")
    assert error["field"] == "paymentIntent"
    assert all(call.backend != "stripe" for call in shop.world.network.calls)


@pytest.mark.parametrize("intent", ["pi_unknown", "pi_1_secret_2"])
async def test_an_intent_that_stripe_does_not_know_is_a_mismatch(intent: str) -> None:
    shop = await open_shop()
    answer = await shop.world.client.post(
        f"/confirmPayments/{shop.payment}", json={"paymentIntent": intent}, headers=shop.headers
    )
    assert_refused(answer, 400, "PaymentMismatch")
    assert answer.json()["outcome"] == "rejected"


# Paths


BAD_IDS = [
    UNKNOWN,
    "x",
    "%2e",
    "%2e%2e",
    "%2e%2e%2f%2e%2e",
    "a%2fb",
    "key=a",
    "key%3Da",
    "%00",
    "%0a",
    "a%3Fb%3Dc",
    "a%23b",
    "%25",
    "%C3%BC",
    "%F0%9F%92%B8",
    "%ff",
    "a" * 4_000,
    "%20",
    "{id}",
    '"',
    "*",
]


@pytest.mark.parametrize("id_", BAD_IDS, ids=lambda id_: id_[:12])
async def test_a_path_that_names_no_payment_is_never_a_500(id_: str) -> None:
    shop = await open_shop()
    shop.world.network.calls.clear()
    answer = await shop.modify({"actions": [{"action": "cancelPayment"}]}, id_)
    assert_refused(answer, 404, "ResourceNotFound")
    answer = await shop.world.client.post(
        f"/confirmPayments/{id_}", json={"paymentIntent": "pi_unknown"}, headers=shop.headers
    )
    assert answer.status_code in (400, 404)
    assert_refused(answer, answer.status_code)
    asked = {
        call.path.split("/")[2]
        for call in shop.world.network.calls
        if call.backend != "stripe" and call.path.startswith("/sandbox")
    }
    assert asked <= {"payments", "sessions", "carts"}


@pytest.mark.parametrize("id_", BAD_IDS, ids=lambda id_: id_[:12])
async def test_an_unknown_component_is_configured_or_refused_but_never_a_500(id_: str) -> None:
    shop = await open_shop()
    for path in ("/config-element", "/get-config-element"):
        answer = await shop.world.client.get(f"{path}/{id_}", headers=shop.headers)
        assert answer.status_code in (200, 400, 404), answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/operations",
        "/operations/",
        "/operations/config/",
        "//operations/config",
        "/operations/payment-intents",
        "/operations/payment-intents/",
        "/operations/payment-intents/a/b",
        "/confirmPayments",
        "/config-element",
        "/config-element/",
        "/Payments",
        "/payments/1",
        "/payments%00",
        "/stripe/webhooks/",
        "/%2e%2e/payments",
        "/api/%2e%2e/%2e%2e/etc/passwd",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
async def test_an_unknown_path_is_a_404_whatever_the_method(path: str, method: str) -> None:
    shop = await open_shop()
    answer = await shop.world.client.request(method, path, headers=shop.headers)
    assert_refused(answer, 404, "ResourceNotFound")


ROUTES = {
    "/operations/config": "GET",
    "/operations/status": "GET",
    "/operations/payment-components": "GET",
    f"/operations/payment-intents/{UNKNOWN}": "POST",
    "/config-element/payment": "GET",
    "/get-config-element/payment": "GET",
    "/payments": "GET POST",
    f"/confirmPayments/{UNKNOWN}": "POST",
    "/customer/session": "GET",
    "/stored-payment-methods": "GET",
    f"/stored-payment-methods/{UNKNOWN}": "DELETE",
    "/operations/transactions": "POST",
    "/express-payment-data": "GET",
    "/express-config": "POST",
    "/applePayConfig": "GET",
    "/stripe/webhooks": "POST",
    "/health/live": "GET",
    "/health/ready": "GET",
}


@pytest.mark.parametrize("path", ROUTES)
async def test_another_method_is_a_405_that_names_the_right_ones(path: str) -> None:
    world = World()
    allowed = set(ROUTES[path].split())
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        if method in allowed:
            continue
        answer = await world.client.request(method, path)
        assert_refused(answer, 405, "MethodNotAllowed")
        named = {each.strip() for each in answer.headers["Allow"].split(",")}
        assert named - {"HEAD", "OPTIONS"} == allowed
    assert world.network.calls == []


@pytest.mark.parametrize("path", [path for path, methods in ROUTES.items() if "GET" in methods])
async def test_head_is_guarded_like_get(path: str) -> None:
    world = World()
    bare = await world.client.head(path)
    assert bare.status_code == (await world.client.get(path)).status_code
    assert bare.content == b""


# Anything at all


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)

ALMOST_A_MODIFICATION = st.fixed_dictionaries(
    {},
    optional={
        "actions": ANY_JSON
        | st.lists(
            ANY_JSON
            | st.fixed_dictionaries(
                {
                    "action": st.sampled_from(
                        ["capturePayment", "refundPayment", "cancelPayment", "reversePayment"]
                    )
                    | ANY_JSON
                },
                optional={
                    "amount": ANY_JSON
                    | st.fixed_dictionaries(
                        {
                            "centAmount": st.integers() | ANY_JSON,
                            "currencyCode": st.sampled_from(["EUR", "USD", "JPY"]) | ANY_JSON,
                        }
                    ),
                    "transactionId": ANY_JSON,
                    "merchantReference": ANY_JSON,
                },
            ),
            max_size=2,
        ),
        "merchantReference": ANY_JSON,
        "paymentIntent": ANY_JSON | st.just("pi_unknown"),
    },
)

generated = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def shop() -> Shop:
    return await open_shop()


@pytest.mark.parametrize("path", BODIES)
@generated
@given(body=ANY_JSON | ALMOST_A_MODIFICATION)
async def test_no_json_makes_the_processor_fail(path: str, body: Any, shop: Shop) -> None:
    answer = await shop.post(path, json.dumps(body).encode())
    assert answer.status_code in (200, 202, 400, 402, 404, 409), (body, answer.text)
    if answer.status_code >= 400:
        assert_refused(answer, answer.status_code)


@pytest.mark.parametrize("path", BODIES)
@generated
@given(content=st.binary(max_size=64))
async def test_no_bytes_make_the_processor_fail(path: str, content: bytes, shop: Shop) -> None:
    answer = await shop.post(path, content)
    assert_refused(answer, 400)


@generated
@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "X-Correlation-ID",
                "X-Request-ID",
                "x-express-checkout",
                "x-express-customer-session",
                "Origin",
                "Accept",
                "Content-Length-X",
                "Stripe-Signature",
            ]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=300),
    )
)
async def test_no_header_makes_the_processor_fail(headers: dict[str, str], shop: Shop) -> None:
    raw = [(name.encode(), value.strip().encode("latin-1")) for name, value in headers.items()]
    raw += [(name.encode(), value.encode()) for name, value in shop.headers.items()]
    answer = await shop.world.client.get("/operations/config", headers=raw)
    assert answer.status_code == 200
    assert answer.headers["X-Correlation-ID"].isascii()
