"""Options of Stripe.js as its own types have them, against the settings that take them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest

from stripe_connector.settings.stripe_options import (
    Fields,
    PaymentElementOptions,
    payment_element_options,
)
from tests.contract.node import run

Json = dict[str, Any]

DELIBERATE: set[str] = {
    # Apple says what they contain: any object is passed on.
    "applePay.recurringPaymentRequest",
    "applePay.deferredPaymentRequest",
    "applePay.automaticReloadPaymentRequest",
}


@pytest.fixture(scope="module")
def published() -> Json:
    done = run("stripe-js-options.js", "StripePaymentElementOptions")
    assert done.returncode == 0, done.stderr
    described: Json = json.loads(done.stdout)
    return described


def values(described: Json) -> Iterator[object]:
    """One value for each thing that a type of Stripe.js allows."""
    yield from described["words"]
    samples = {"string": "text", "number": 3, "false": False, "true": True}
    for other in described["other"]:
        yield samples[other]
    if described["list"]:
        yield ["card"]
    if described["fields"] is not None:
        for name, inner in described["fields"].items():
            for value in values(inner):
                yield {name: value}


def options(published: Json) -> Iterator[Json]:
    for name, inner in published["fields"].items():
        for value in values(inner):
            if name == "layout" and isinstance(value, dict):
                value = {"type": "tabs", **value}
            yield {name: value}


def test_every_option_that_stripe_js_types_is_taken(published: Json) -> None:
    refused = []
    tried = 0
    for option in options(published):
        tried += 1
        try:
            payment_element_options(json.dumps(option))
        except ValueError as error:
            refused.append(f"{option}: {error}")
    assert tried > 100
    assert not refused, "\n".join(refused)


def ours(kind: Any, path: str) -> Iterator[tuple[str, set[object]]]:
    """Paths of our fields with the words that each takes."""
    for field in msgspec.structs.fields(kind):
        name = f"{path}.{field.encode_name}".removeprefix(".")
        members = list(get_args(field.type)) or [field.type]
        if get_origin(field.type) is Literal:
            members = [field.type]
        words = {w for m in members if get_origin(m) is Literal for w in get_args(m)}
        yield name, words
        for member in members:
            if isinstance(member, type) and issubclass(member, msgspec.Struct):
                yield from ours(member, name)


def test_no_option_is_taken_that_stripe_js_does_not_type(published: Json) -> None:
    unknown = []
    fields = [("fields." + name, words) for name, words in ours(Fields, "")]
    for path, words in [*ours(PaymentElementOptions, ""), *fields]:
        if path in DELIBERATE:
            continue
        node: Json | None = published
        for part in path.split("."):
            node = (node["fields"] or {}).get(part) if node else None
        if node is None:
            unknown.append(path)
        elif excess := words - set(node["words"]):
            unknown.append(f"{path}: {excess}")
    assert not unknown


@pytest.mark.parametrize(
    "option",
    [
        {"fields": {"billingDetail": "auto"}},
        {"fields": {"card": {"billingDetails": "sometimes"}}},
        {"walletOptions": {"emailRequired": "yes"}},
        {"layout": {"type": "tabs", "paymentMethodLogoPosition": "middle"}},
        {"applePay": {"paymentRequest": {}}},
        {"defaultValues": {"card": {"network": "visa"}}},
    ],
)
def test_what_stripe_js_does_not_know_is_refused(option: Json) -> None:
    with pytest.raises(ValueError, match=r"."):
        payment_element_options(json.dumps(option))
