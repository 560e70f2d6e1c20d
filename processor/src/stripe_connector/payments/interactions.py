"""Interface interactions: masked requests to Stripe and its answers, stored with the Payment."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct

from stripe_connector.ledger.actions import Action, AddInterfaceInteraction
from stripe_connector.ledger.payment import Reference

TYPE_KEY = "commercetools-checkout-payment-interface-interaction"

_PRIVATE = re.compile(
    r"secret|billing_details|shipping|receipt_|email|phone|address|name$|fingerprint|^card$|iban"
)
_MASK = "***"


class Interaction(Struct, frozen=True):
    """One exchange with Stripe that changed a Payment."""

    kind: str
    """The event's type or the operation."""
    id: str
    """The event's or the transaction's id."""
    request: Any = None
    response: Any = None

    def action(self, at: str) -> Action:
        """As an update action; `at` is ISO 8601 in UTC."""
        fields = {"interactionId": self.id, "createdAt": at, "type": self.kind}
        for name, value in (("request", self.request), ("response", self.response)):
            if value is not None:
                fields[name] = msgspec.json.encode(
                    without_personal_data(msgspec.to_builtins(value))
                ).decode()
        return AddInterfaceInteraction(type=Reference(type_id="type", key=TYPE_KEY), fields=fields)


def interaction_type_draft() -> dict[str, Any]:
    """The custom type of the interactions, as commercetools Checkout defines it."""

    def field(name: str, type_name: str, *, required: bool) -> dict[str, Any]:
        return {
            "name": name,
            "type": {"name": type_name},
            "label": {"en": name},
            "required": required,
            "inputHint": "MultiLine" if name in ("request", "response") else "SingleLine",
        }

    return {
        "key": TYPE_KEY,
        "name": {"en": "Payment interface interaction"},
        "resourceTypeIds": ["payment-interface-interaction"],
        "fieldDefinitions": [
            field("interactionId", "String", required=True),
            field("createdAt", "DateTime", required=True),
            field("request", "String", required=False),
            field("response", "String", required=False),
            field("type", "String", required=True),
        ],
    }


def without_personal_data(value: Any) -> Any:
    """A copy without secrets and personal data, which are recognised by the field's name."""
    if isinstance(value, dict):
        return {
            key: _MASK if _PRIVATE.search(key) and item is not None else without_personal_data(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [without_personal_data(item) for item in value]
    return value
