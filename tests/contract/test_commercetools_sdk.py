"""Every body that is sent to commercetools survives the types of commercetools' Python SDK."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

import msgspec
from commercetools.platform import models

from tests.contract.traffic import Traffic
from tests.wire import Call

Json = dict[str, Any]


class Model(Protocol):
    """A type of the SDK."""

    @classmethod
    def deserialize(cls, data: Json) -> Model: ...

    def serialize(self) -> Json: ...


MODELS: dict[str, type[Model]] = {
    "/payments": models.PaymentDraft,
    "/payments/*": models.PaymentUpdate,
    "/carts": models.CartDraft,
    "/carts/*": models.CartUpdate,
    "/orders": models.OrderFromCartDraft,
    "/customers/*": models.CustomerUpdate,
    "/types": models.TypeDraft,
    "/types/*": models.TypeUpdate,
    "/custom-objects": models.CustomObjectDraft,
}
UNKNOWN_ROUTES = {
    "/payment-methods",  # the SDK has no stored payment methods
    "/payment-methods/*",
    "/recurring-payment-jobs",  # Checkout's
}
UNKNOWN_ACTIONS = {
    "setMethodInfoToken",  # came with stored payment methods
    "setTransactionInterfaceId",  # came in September 2025
}
UNKNOWN_FIELDS = {
    # Checkout's; the SDK drops what it does not know.
    "/payments checkoutTransactionItemId",
    # Came with stored payment methods.
    "/payments paymentMethodInfo.interfaceAccount",
    "/payments paymentMethodInfo.token",
    # Came in September 2025.
    "/payments/* actions[].transaction.interfaceId",
}


def test_every_body_comes_back_as_it_went(traffic: Traffic) -> None:
    lost = set()
    for call in posts(traffic):
        model = MODELS.get(resource(call))
        if model is None:
            continue
        body = msgspec.json.decode(call.body)
        if "actions" in body:
            body["actions"] = [a for a in body["actions"] if a["action"] not in UNKNOWN_ACTIONS]
        back = model.deserialize(body).serialize()
        lost |= {f"{resource(call)} {place}" for place in differences(body, back)}
    assert lost == UNKNOWN_FIELDS


def test_every_route_is_known_or_known_to_be_unknown(traffic: Traffic) -> None:
    assert {resource(call) for call in posts(traffic)} == MODELS.keys() | UNKNOWN_ROUTES


def posts(traffic: Traffic) -> list[Call]:
    return [
        call
        for call in traffic.sent_to("commercetools")
        if call.method == "POST" and not call.path.startswith("/oauth/")
    ]


def resource(call: Call) -> str:
    """The path without the project, ids blanked out."""
    return re.sub(r"/[0-9a-f-]{36}", "/*", call.path.removeprefix("/sandbox"))


def differences(sent: object, back: object, place: str = "") -> Iterator[str]:
    """Where two JSON values differ."""
    if isinstance(sent, dict) and isinstance(back, dict):
        for name in sent.keys() | back.keys():
            inner = f"{place}.{name}" if place else name
            yield from differences(sent.get(name), back.get(name), inner)
    elif isinstance(sent, list) and isinstance(back, list) and len(sent) == len(back):
        for one, other in zip(sent, back, strict=True):
            yield from differences(one, other, f"{place}[]")
    elif sent != back and not same_moment(sent, back):
        yield place


def same_moment(sent: object, back: object) -> bool:
    """Equal but for the notation: Z or +00:00, milliseconds or none."""
    try:
        return datetime.fromisoformat(str(sent)) == datetime.fromisoformat(str(back))
    except ValueError:
        return False
