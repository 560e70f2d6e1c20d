"""The Stripe stand-in takes no parameter, and shows no object, that Stripe's SDK does not know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest

from sandbox.stripe.app import OPERATIONS
from sandbox.stripe.calls import Operation
from sandbox.stripe.forms import Array, Kind, OneOf, Shape, boolean, integer, text
from tests.contract.strict import answer_problems, fields, is_hash, members, object_problems
from tests.contract.stripe_routes import Route, route
from tests.contract.traffic import Answer, Traffic

_PAY_WITH_DATA = {
    ("POST", path)
    for path in (
        "/v1/payment_intents",
        "/v1/payment_intents/{id}",
        "/v1/payment_intents/{id}/confirm",
        "/v1/confirmation_tokens",
        "/v1/test_helpers/confirmation_tokens",
    )
}
BEYOND_THE_SDK: dict[str, set[tuple[str, str]]] = {
    # Stripe.js proves with the client secret that the shopper may confirm.
    "client_secret": {("POST", "/v1/payment_intents/{id}/confirm")},
    # Stripe.js sends card numbers; servers that do so are rare, and the SDK does not type it.
    "payment_method_data.type=card": _PAY_WITH_DATA,
    "payment_method_data.card": _PAY_WITH_DATA,
    # Known to API versions before the pinned one, and refused at that one.
    "payment_method_types": {
        ("POST", "/v1/checkout/sessions"),
        ("POST", "/v1/payment_intents"),
        ("POST", "/v1/payment_intents/{id}"),
        ("POST", "/v1/payment_intents/{id}/confirm"),
    },
}
"""Parameters that Stripe takes although the SDK does not know them, and where."""

FIELDS_BEYOND_THE_SDK = {
    # Stripe's mobile SDKs read it.
    "ephemeral_key": {"associated_objects"},
}
"""Fields that Stripe shows although the SDK does not know them, by kind of object."""

TYPES: list[tuple[Kind, type]] = [(integer, int), (boolean, bool), (text, str)]


def sdk_route(method: str, path: str) -> Route:
    """Only Stripe.js makes confirmation tokens; for tests there is a helper of the same form."""
    helper = (method, path) == ("POST", "/v1/confirmation_tokens")
    return route(method, "/v1/test_helpers/confirmation_tokens" if helper else path)


def unknown(accepted: Kind, hint: Any, path: str) -> Iterator[str]:
    """The parameters and values that are accepted although the SDK does not know them."""
    known = members(hint)
    if isinstance(accepted, Shape):
        hashes = [fields(each) for each in known if is_hash(each)]
        merged = {name: inner for each in hashes for name, inner in each.items()}
        for name, kind in accepted.fields.items():
            if name in merged:
                yield from unknown(kind, merged[name], f"{path}.{name}" if path else name)
            else:
                yield f"{path}.{name}" if path else name
    elif isinstance(accepted, Array):
        lists = [get_args(each)[0] for each in known if get_origin(each) is list]
        if not lists:
            yield f"{path} is no list"
        for item in lists:
            yield from unknown(accepted.item, item, f"{path}[]")
    elif isinstance(accepted, OneOf):
        listed = {value for each in known for value in get_args(each)}
        if str not in known:
            yield from (f"{path}={word}" for word in accepted.allowed if word not in listed)
    else:
        expected = next((type_ for kind, type_ in TYPES if kind is accepted), None)
        kinds = {str if get_origin(each) is Literal else each for each in known}
        if expected is not None and not kinds & {expected, str}:
            yield f"{path} is no {expected.__name__}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
def test_a_route_accepts_no_parameter_that_the_sdk_does_not_know(operation: Operation) -> None:
    params = sdk_route(operation.method, operation.path).params
    excess = [
        name
        for name in unknown(operation.accepts, params, "")
        if (operation.method, operation.path) not in BEYOND_THE_SDK.get(name, ())
    ]
    assert not excess, "\n".join(excess)


def test_every_answer_is_of_the_form_that_the_sdk_reads(traffic: Traffic) -> None:
    problems = set()
    for answer in api_answers(traffic):
        if answer.to_browser:
            continue  # shows a part of what the secret key is shown
        ours = FIELDS_BEYOND_THE_SDK.get(answer.body["object"], set())
        body = {name: value for name, value in answer.body.items() if name not in ours}
        kind = sdk_route(answer.method, answer.path).answer
        problems |= {f"{answer.method} {answer.path}{each}" for each in answer_problems(kind, body)}
    assert not problems, "\n".join(sorted(problems))


def test_every_event_is_of_the_form_that_the_sdk_reads(traffic: Traffic) -> None:
    problems = {
        f"{event['type']}{problem}"
        for event in traffic.events
        for problem in [*object_problems(event), *object_problems(event["data"]["object"])]
    }
    assert traffic.events
    assert not problems, "\n".join(sorted(problems))


def test_every_route_has_answered(traffic: Traffic) -> None:
    """The walks leave no route out, so that no answer goes unchecked."""
    answered = {
        (answer.method, sdk_route(answer.method, answer.path).path)
        for answer in api_answers(traffic)
    }
    silent = [
        f"{each.method} {each.path}"
        for each in OPERATIONS
        if (each.method, sdk_route(each.method, each.path).path) not in answered
    ]
    assert not silent, "\n".join(silent)


def test_a_field_that_stripe_does_not_show_would_be_noticed(traffic: Traffic) -> None:
    event = next(each for each in traffic.events if each["type"] == "charge.succeeded")
    charge = event["data"]["object"]
    assert object_problems(charge) == []
    assert object_problems({**charge, "refunds_total": 1})
    assert object_problems({**charge, "status": "done"})
    assert object_problems({name: charge[name] for name in charge if name != "amount_captured"})
    billing = {**charge["billing_details"], "nickname": "Ada"}
    assert object_problems({**charge, "billing_details": billing})


def api_answers(traffic: Traffic) -> list[Answer]:
    """Answers of Stripe's API, without the sandbox's own routes."""
    return [each for each in traffic.answered_by("stripe.test") if each.path.startswith("/v1/")]
