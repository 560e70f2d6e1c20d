"""What goes to and comes from commercetools, or its stand-in, is as commercetools publishes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from sandbox.commercetools import me
from tests.contract.published import Contract
from tests.contract.traffic import Traffic
from tests.wire import Call

Json = dict[str, Any]

UNPUBLISHED_ROUTES = (
    "/oauth/",  # the authorization host has a contract of its own (RFC 6749 and 7662)
    "/sandbox/sessions",  # Checkout's sessions live on a host of their own
    "/sandbox/recurring-payment-jobs",  # Checkout's, used by its own connectors, published nowhere
)

UNPUBLISHED_FIELDS = {
    # Ties a Payment to Checkout's transaction; Checkout's connectors set it.
    "PaymentDraft": {"checkoutTransactionItemId"},
    "Payment": {"checkoutTransactionItemId"},
}
"""Fields that commercetools takes and shows although the contract does not have them."""


def published(path: str) -> bool:
    return not path.startswith(UNPUBLISHED_ROUTES)


def known(type_: str, value: Json) -> Json:
    """A value without the fields that are not published."""
    hidden = UNPUBLISHED_FIELDS.get(type_, set())
    return {name: inner for name, inner in value.items() if name not in hidden}


def published_calls(traffic: Traffic) -> Iterator[Call]:
    calls = [call for call in traffic.sent_to("commercetools") if published(call.path)]
    assert calls
    yield from calls


def test_every_body_that_is_sent_is_as_published(traffic: Traffic, contract: Contract) -> None:
    problems = set()
    for call in published_calls(traffic):
        type_ = contract.body_type(call.method, call.path)
        assert (type_ is None) == (not call.body), call.name
        if type_ is not None:
            body = known(type_, msgspec.json.decode(call.body))
            problems |= {f"{type_} {each}" for each in contract.problems(type_, body)}
    assert not problems, "\n".join(sorted(problems))


def test_every_route_and_query_parameter_is_published(traffic: Traffic, contract: Contract) -> None:
    for call in published_calls(traffic):
        names = {name for name, _ in parse_qsl(call.query)}
        assert names <= contract.query_parameters(call.method, call.path), call.name


def test_every_answer_of_the_stand_in_is_as_published(traffic: Traffic, contract: Contract) -> None:
    problems = set()
    for answer in traffic.answered_by("commercetools.test"):
        if not published(answer.path):
            continue
        type_ = contract.answer_type(answer.method, answer.path)
        assert type_ is not None, answer.path
        body = shown(type_, answer.body)
        problems |= {f"{type_} {each}" for each in contract.problems(type_, body)}
    assert not problems, "\n".join(sorted(problems))


def shown(type_: str, body: Json) -> Json:
    """An answer without what is not published, in lists and in expanded payments as well."""
    if "results" in body:
        inner = type_.removesuffix("PagedQueryResponse")
        return {**body, "results": [shown(inner, each) for each in body["results"]]}
    references = body.get("paymentInfo", {}).get("payments", [])
    if any("obj" in each for each in references):
        payments = [{**each, "obj": known("Payment", each["obj"])} for each in references]
        return {**body, "paymentInfo": {**body["paymentInfo"], "payments": payments}}
    return known(type_, body)


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        ({"action": "setToken"}, "is not one of"),
        ({"action": "setInterfaceId"}, "'interfaceId' is a required property"),
        ({"action": "setKey", "name": "k"}, "'name' was unexpected"),
        (
            {"action": "changeAmountPlanned", "amount": {"centAmount": "1", "currencyCode": "EUR"}},
            "is not of type 'integer'",
        ),
        (
            {"action": "addInterfaceInteraction", "type": {"typeId": "customer", "key": "k"}},
            "'type' was expected",
        ),
    ],
)
def test_a_wrong_action_would_be_noticed(contract: Contract, action: Json, problem: str) -> None:
    (found,) = contract.problems("PaymentUpdate", {"version": 1, "actions": [action]})
    assert problem in found


def test_custom_fields_may_have_any_name_and_value(contract: Contract) -> None:
    fields = {"my-field": ["a", 1, True]}
    custom = {"type": {"typeId": "type", "key": "k"}, "fields": fields}
    assert contract.problems("CustomFieldsDraft", custom) == []


@pytest.mark.parametrize(
    ("path", "update"),
    [("", "MyCustomerUpdate"), ("carts", "MyCartUpdate"), ("payments", "MyPaymentUpdate")],
)
def test_shoppers_have_the_published_rights_and_no_others(
    contract: Contract, path: str, update: str
) -> None:
    [problem] = contract.problems(update, {"version": 1, "actions": [{"action": "?"}]})
    published = set(re.findall(r"'(\w+)'", problem))
    allowed = set(me.RIGHTS[path].actions)
    assert allowed <= published
    assert path != "payments" or allowed == published
