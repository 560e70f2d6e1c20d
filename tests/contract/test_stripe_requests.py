"""Every request that the processor sends to Stripe is one that Stripe's SDK could have sent."""

from __future__ import annotations

from stripe_connector.gateways.stripe.api_version import API_VERSION
from tests.contract.strict import form_problems
from tests.contract.stripe_routes import route
from tests.contract.traffic import Traffic, decoded
from tests.wire import Call


def problems_of(call: Call) -> list[str]:
    """What Stripe would object to."""
    sent = decoded(call.query if call.method == "GET" else call.body.decode())
    problems = form_problems(route(call.method, call.path).params, sent)
    return [f"{call.name}: {problem}" for problem in problems]


def test_every_request_has_a_route_and_parameters_that_the_sdk_knows(traffic: Traffic) -> None:
    calls = traffic.sent_to("stripe")
    assert calls
    assert [problem for call in calls for problem in problems_of(call)] == []


def test_every_write_carries_an_idempotency_key_and_every_call_the_pinned_version(
    traffic: Traffic,
) -> None:
    for call in traffic.sent_to("stripe"):
        assert call.headers["stripe-version"] == API_VERSION, call.name
        # What is deleted twice is deleted: Stripe keeps no keys for that.
        assert call.method in ("GET", "DELETE") or call.headers["idempotency-key"], call.name


def test_a_parameter_that_stripe_has_removed_would_be_noticed() -> None:
    create = route("POST", "/v1/payment_intents").params
    sent = decoded("amount=1000&currency=eur&payment_method_types[0]=card")
    assert form_problems(create, sent) == [
        "payment_method_types: Extra inputs are not permitted",
    ]


def test_wrong_values_would_be_noticed_however_deep() -> None:
    create = route("POST", "/v1/payment_intents").params
    sent = decoded(
        "amount=10.5&capture_method=later&automatic_payment_methods[enabled]=yes"
        "&payment_method_options[card][request_multicapture]=always&idempotency_key=k"
    )
    fields = [problem.partition(":")[0] for problem in form_problems(create, sent)]
    assert sorted(fields) == [
        "amount",
        "automatic_payment_methods",
        "capture_method",
        "currency",
        "idempotency_key",
        "payment_method_options",
    ]
