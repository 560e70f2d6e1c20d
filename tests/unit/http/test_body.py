"""What a request body may be, and how a refusal names what is wrong with it."""

from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from starlette.requests import Request
from starlette.types import Message

from stripe_connector.errors import ConnectorError, PayloadTooLarge, UnsupportedMediaType
from stripe_connector.http.body import json_body, limited


class Amount(Struct, rename="camel"):
    cent_amount: Annotated[int, msgspec.Meta(ge=1)]
    currency_code: str


class Capture(Struct, tag_field="action", tag="capturePayment"):
    amount: Amount


class Cancel(Struct, tag_field="action", tag="cancelPayment"):
    pass


class Reason(Enum):
    DUPLICATE = "duplicate"
    FRAUD = "fraudulent"


class Order(Struct, rename="camel"):
    actions: list[Capture | Cancel] = []
    capture_method: Literal["automatic", "manual"] = "automatic"
    counts: dict[str, int] = {}
    reason: Reason = Reason.FRAUD


class Named(Struct, forbid_unknown_fields=True):
    name: str


def request(
    chunks: list[bytes],
    *,
    content_type: str | None = "application/json",
    length: int | None = None,
    limit: int = 10_000,
) -> Request:
    headers = [] if content_type is None else [(b"content-type", content_type.encode())]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    scope = {"type": "http", "headers": headers}
    messages: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": index < len(chunks)}
        for index, chunk in enumerate(chunks, start=1)
    ]

    async def receive() -> Message:
        return messages.pop(0)

    return Request(scope, limited(scope, receive, limit))


async def refusal(body: bytes, shape: type[Any] = Order) -> dict[str, Any]:
    with pytest.raises(ConnectorError) as refused:
        await json_body(request([body]), shape)
    assert refused.value.status == 400
    (error,) = refused.value.body()["errors"]
    return dict(error)


async def test_a_body_is_decoded_as_its_type() -> None:
    body = b'{"actions":[{"action":"cancelPayment"}],"captureMethod":"manual","extra":1}'
    assert await json_body(request([body[:9], body[9:]]), Order) == Order([Cancel()], "manual")


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain"])
async def test_an_empty_body_is_an_empty_object(content_type: str | None) -> None:
    assert await json_body(request([b""], content_type=content_type), Order) == Order()


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=utf-8", 'application/json;charset="UTF-8"'],
)
async def test_json_is_accepted(content_type: str) -> None:
    assert await json_body(request([b"{}"], content_type=content_type), Order) == Order()


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "application/jsonp",
    ],
)
async def test_other_media_types_are_refused(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaType):
        await json_body(request([b"{}"], content_type=content_type), Order)


@pytest.mark.parametrize("length", [None, 5])
async def test_a_body_over_the_limit_is_refused_whatever_its_length_header_says(
    length: int | None,
) -> None:
    with pytest.raises(PayloadTooLarge):
        await request([b"x" * 60, b"x" * 60], length=length, limit=100).body()


async def test_a_length_over_the_limit_is_refused_before_anything_is_read() -> None:
    with pytest.raises(PayloadTooLarge):
        await request([], length=101, limit=100).body()


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert len(await request([b"x" * 100], length=100, limit=100).body()) == 100


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{}}",
        b"nonsense",
        b"\xff",
        b'"\xff"',
        b"[]",
        b"null",
        b"7",
        b'{"captureMethod":1',
        b'{"captureMethod":1} trailing',
        b'{"counts":{"a":NaN}}',
        b'{"x":' + b"[" * 9_000,
    ],
)
async def test_what_is_not_the_json_of_the_route_is_invalid_json(body: bytes) -> None:
    assert (await refusal(body))["code"] == "InvalidJsonInput"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"actions":[{}]}', "actions.0.action"),
        (b'{"actions":[{"action":"capturePayment"}]}', "actions.0.amount"),
        (
            b'{"actions":[{"action":"capturePayment","amount":{"centAmount":1}}]}',
            "actions.0.amount.currencyCode",
        ),
    ],
)
async def test_a_missing_field_is_named_by_its_path(body: bytes, field: str) -> None:
    error = await refusal(body)
    assert (error["code"], error["field"]) == ("RequiredField", field)


async def test_a_field_missing_at_the_top_is_named() -> None:
    assert (await refusal(b"{}", Named))["field"] == "name"


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        (b'{"captureMethod":7}', "captureMethod", 7),
        (b'{"actions":{"a":[]}}', "actions", "object"),
        (b'{"actions":[[]]}', "actions.0", "array"),
        (b'{"actions":[{"action":"cancelPayment"},7]}', "actions.1", 7),
        (
            b'{"actions":[{"action":"capturePayment","amount":'
            b'{"centAmount":"12","currencyCode":"EUR"}}]}',
            "actions.0.amount.centAmount",
            "12",
        ),
        (
            b'{"actions":[{"action":"capturePayment","amount":'
            b'{"centAmount":0,"currencyCode":"EUR"}}]}',
            "actions.0.amount.centAmount",
            0,
        ),
        (b'{"counts":{"a":"b"}}', "counts.*", None),
        (b'{"captureMethod":' + b"9" * 30 + b"}", "captureMethod", "9" * 30),
        (b'{"captureMethod":"' + b"x" * 500 + b'"}', "captureMethod", "x" * 100),
    ],
)
async def test_a_wrong_value_is_named_by_its_path(body: bytes, field: str, value: object) -> None:
    error = await refusal(body)
    assert (error["code"], error["field"], error["invalidValue"]) == ("InvalidField", field, value)


@pytest.mark.parametrize(
    ("body", "allowed"),
    [
        (b'{"captureMethod":"never"}', ["automatic", "manual"]),
        (b'{"reason":"bored"}', ["duplicate", "fraudulent"]),
        (b'{"actions":[{"action":"payOut"}]}', ["cancelPayment", "capturePayment"]),
    ],
)
async def test_the_values_of_a_closed_set_are_told(body: bytes, allowed: list[str]) -> None:
    assert (await refusal(body))["allowedValues"] == allowed


async def test_an_unknown_field_is_refused_where_the_type_forbids_it() -> None:
    error = await refusal(b'{"name":"x","extra":1}', Named)
    assert (error["code"], error["field"]) == ("InvalidField", "extra")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
near_misses = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("actions", "captureMethod", "counts"), json_values)
)


@given(st.binary() | near_misses.map(msgspec.json.encode))
async def test_every_body_is_either_taken_or_refused_in_the_error_shape(body: bytes) -> None:
    outcome: object
    try:
        outcome = await json_body(request([body]), Order)
    except ConnectorError as error:
        outcome = error.body()["statusCode"]
        msgspec.json.encode(error.body())
    assert outcome == 400 or isinstance(outcome, Order)
