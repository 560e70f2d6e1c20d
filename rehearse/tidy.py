"""Prepares a project for the walk, and afterwards takes away what the walk made."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from rehearse.sides import Side
from sandbox.demo.people import StepFailed
from stripe_connector.deploy.custom_types import wanted_types

_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture")
_STAYS = {
    "payment_intents": "intents with their charges, refunds and events, which Stripe keeps;"
    " refunded or cancelled unless the contrary is said below",
    "sessions": "Checkout sessions, which expire by themselves",
}


async def prepare(side: Side) -> list[dict[str, Any]]:
    """Create the custom types that the processor needs and the project lacks: what was made."""
    made = []
    for wanted in wanted_types(side.settings):
        found = await side.commercetools("GET", f"types/key={wanted.draft['key']}")
        if found.status == 404:
            made.append((await side.commercetools("POST", "types", wanted.draft)).need(201))
    return made


async def tidy(side: Side, types: list[dict[str, Any]]) -> list[str]:
    """Give back, cancel and delete what was created; what stays, in words without ids."""
    created = side.recorder.created
    tasks: list[tuple[str, Awaitable[None]]] = [
        *(("a payment, not given back", _end(side, each)) for each in created["payment_intents"]),
        *(("a customer at Stripe", _forget(side, each)) for each in created["customers"]),
        *(("a cart", _delete(side, f"carts/{each}")) for each in created["carts"]),
        *(("a Payment", _delete(side, f"payments/{each}")) for each in created["payments"]),
        *(
            (f"the custom type {each['key']}", _delete(side, f"types/{each['id']}"))
            for each in types
        ),
    ]
    refused = []
    for what, task in tasks:
        try:
            await task
        except StepFailed as error:
            refused.append(f"{what}: {error}")
        except LookupError as error:
            refused.append(f"{what}: an answer lacks {error}")
    counted = {kind: len(set(created[kind])) for kind in _STAYS}
    return [f"{n} {_STAYS[kind]}" for kind, n in counted.items() if n] + refused


async def _end(side: Side, intent_id: str) -> None:
    """Cancel an open intent; give back what a paid one still has."""
    path = f"/v1/payment_intents/{intent_id}"
    intent = (await side.stripe("GET", path, **{"expand[]": "latest_charge"})).need(200)
    if intent["status"] in _OPEN:
        (await side.stripe("POST", f"{path}/cancel")).need(200)
    elif intent["status"] == "succeeded":
        charge = intent["latest_charge"]
        if charge["amount_captured"] > charge["amount_refunded"]:
            (await side.stripe("POST", "/v1/refunds", payment_intent=intent_id)).need(200)


async def _forget(side: Side, customer_id: str) -> None:
    (await side.stripe("DELETE", f"/v1/customers/{customer_id}")).need(200)


async def _delete(side: Side, path: str) -> None:
    """Delete a resource of the project at its current version, if it is still there."""
    found = await side.commercetools("GET", path)
    if found.status != 404:
        version = found.need(200)["version"]
        (await side.commercetools("DELETE", f"{path}?version={version}")).need(200)
