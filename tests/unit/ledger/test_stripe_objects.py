"""What is read out of Stripe's objects beyond their fields."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from msgspec import Struct

from stripe_connector import money
from stripe_connector.ledger import (
    actions,
    facts,
    operation,
    ours,
    payment,
    proof,
    stripe_objects,
)
from stripe_connector.ledger.stripe_objects import (
    BankTransfer,
    CardDetails,
    CardOptions,
    Charge,
    Event,
    MethodDetails,
    MethodOptions,
    NextAction,
    PaymentIntent,
    Refund,
)

VALUES = [
    each
    for module in (actions, facts, money, operation, ours, payment, proof, stripe_objects)
    for _, each in inspect.getmembers(module, inspect.isclass)
    if issubclass(each, Struct) and each.__module__ == module.__name__
]


@pytest.mark.parametrize("kind", VALUES, ids=lambda each: each.__name__)
def test_what_the_ledger_works_with_are_values_that_nobody_can_change(kind: type[Struct]) -> None:
    assert kind.__struct_config__.frozen


def intent(**fields: Any) -> PaymentIntent:
    values = {"id": "pi_1", "amount": 1000, "amount_received": 0, "currency": "eur"}
    return PaymentIntent(**{**values, "status": "requires_action", "created": 1, **fields})


def transfer(remaining: int | None, type_: str = "display_bank_transfer_instructions") -> Any:
    return NextAction(type_, BankTransfer(remaining))


@pytest.mark.parametrize(
    ("fields", "funded"),
    [
        ({"next_action": transfer(600)}, 400),
        ({"next_action": transfer(999)}, 1),
        ({"next_action": transfer(1000)}, 0),
        ({"next_action": transfer(1200)}, 0),  # the intent's amount has changed since
        ({"next_action": transfer(0)}, 1000),
        ({"next_action": transfer(None)}, 0),
        ({"next_action": NextAction("display_bank_transfer_instructions")}, 0),
        ({"next_action": transfer(600, "use_stripe_sdk")}, 0),
        ({"next_action": transfer(600), "status": "succeeded"}, 0),
        ({}, 0),
    ],
)
def test_what_came_of_a_bank_transfer_is_what_does_not_remain(
    fields: dict[str, Any], funded: int
) -> None:
    assert intent(**fields).funded == funded


@pytest.mark.parametrize(
    ("fields", "waits_for"),
    [
        ({"next_action": NextAction("oxxo_display_details")}, "oxxo_display_details"),
        ({"next_action": NextAction("a_new_action")}, "a_new_action"),
        ({"next_action": NextAction("redirect_to_url")}, None),
        ({"next_action": NextAction("oxxo_display_details"), "status": "processing"}, None),
        ({}, None),
    ],
)
def test_what_is_awaited_outside_of_the_page(fields: dict[str, Any], waits_for: str | None) -> None:
    assert intent(**fields).waits_for == waits_for


def charge(**fields: Any) -> Charge:
    values = {"id": "ch_1", "amount": 1000, "amount_captured": 0, "currency": "eur"}
    return Charge(**{**values, "status": "succeeded", "captured": False, **fields})


@pytest.mark.parametrize(
    ("details", "authorized"),
    [
        (None, 1000),
        (MethodDetails("klarna"), 1000),
        (MethodDetails("card", CardDetails()), 1000),
        (MethodDetails("card", CardDetails(amount_authorized=800)), 800),
        (MethodDetails("card", CardDetails(amount_authorized=0)), 0),
        (MethodDetails("card", CardDetails(amount_authorized=1200)), 1000),
    ],
)
def test_a_bank_has_approved_at_most_the_charge(
    details: MethodDetails | None, authorized: int
) -> None:
    assert charge(payment_method_details=details).authorized == authorized


def test_an_intent_names_its_charge_expanded_or_not() -> None:
    expanded = intent(latest_charge=charge())
    assert (expanded.charge_id, expanded.charge) == ("ch_1", charge())
    named = intent(latest_charge="ch_2")
    assert (named.charge_id, named.charge) == ("ch_2", None)
    assert (intent().charge_id, intent().charge) == (None, None)


@pytest.mark.parametrize(
    ("options", "may"),
    [
        (None, False),
        (MethodOptions(), False),
        (MethodOptions(CardOptions()), False),
        (MethodOptions(CardOptions("never")), False),
        (MethodOptions(CardOptions("if_available")), True),
    ],
)
def test_only_a_requested_overcapture_may_happen(options: MethodOptions | None, may: bool) -> None:
    assert intent(payment_method_options=options).may_be_overcaptured is may


def test_metadata_is_never_null() -> None:
    assert intent().metadata == {}
    assert intent(own_metadata={"a": "b"}).metadata == {"a": "b"}
    assert Refund("re_1", 1, "eur").metadata == {}
    assert Refund("re_1", 1, "eur", own_metadata={"a": "b"}).metadata == {"a": "b"}


def event(type_: str = "charge.succeeded", **fields: Any) -> Event:
    return Event("evt_1", type_, 1, None, fields)


@pytest.mark.parametrize(
    ("about", "intent_id"),
    [
        ({"object": "payment_intent", "id": "pi_1"}, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": {"id": "pi_1"}}, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": None}, None),
        ({"object": "charge", "id": "ch_1", "payment_intent": 7}, None),
        ({"object": "charge", "id": "ch_1"}, None),
    ],
)
def test_an_events_intent_is_its_object_or_what_that_names(
    about: dict[str, Any], intent_id: str | None
) -> None:
    assert event(**about).intent_id == intent_id


def test_an_events_metadata_is_that_of_its_object() -> None:
    assert event(metadata={"a": "b"}).metadata == {"a": "b"}
    assert event(metadata=None).metadata == event(metadata="x").metadata == event().metadata == {}


@pytest.mark.parametrize(
    ("type_", "action", "unfinished"),
    [
        ("payment_intent.requires_action", {"type": "use_stripe_sdk"}, True),
        ("payment_intent.requires_action", {"type": "oxxo_display_details"}, False),
        ("payment_intent.requires_action", None, False),
        ("payment_intent.requires_action", "use_stripe_sdk", False),
        ("payment_intent.processing", {"type": "use_stripe_sdk"}, False),
        ("payment_intent.succeeded", {"type": "use_stripe_sdk"}, False),
    ],
)
def test_a_shopper_who_authenticates_says_nothing_about_money(
    type_: str, action: Any, unfinished: bool
) -> None:
    found = event(type_, object="payment_intent", next_action=action)
    assert found.is_unfinished_in_page is unfinished
