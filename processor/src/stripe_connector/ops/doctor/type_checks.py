"""Checks of custom types: ours have the fields that we write, and the merchant's exist."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from stripe_connector.gateways.commercetools.administration import (
    CommercetoolsAdministration,
    TypeDefinition,
)
from stripe_connector.ledger import operation, proof
from stripe_connector.ops.doctor.checks import (
    Check,
    Finding,
    Peer,
    broken,
    doubtful,
    skipped,
    sound,
)
from stripe_connector.payments import interactions
from stripe_connector.payments.stored import customers
from stripe_connector.settings import Settings, variables

GROUP = "Custom types"

_CUSTOMER_KEY = "CT_CUSTOM_TYPE_STRIPE_CUSTOMER_KEY"
_NAMED_BY_MERCHANT = (
    "CT_CUSTOM_TYPE_LAUNCHPAD_PURCHASE_ORDER_KEY",
    "CT_CUSTOM_TYPE_SUBSCRIPTION_LINE_ITEM_KEY",
)


class TypeChecks:
    """All types of the connector, each compared with the draft that it is made from."""

    def __init__(self, settings: Settings, commercetools: CommercetoolsAdministration) -> None:
        self._settings = settings
        self._commercetools = commercetools

    def all(self) -> list[Check]:
        settings = self._settings
        customer = customers.customer_type_draft(settings.ct_custom_type_stripe_customer_key)
        peer = Peer("commercetools", "Try again; https://status.commercetools.com shows outages.")
        needs = ("API host",)
        return [
            Check(
                GROUP,
                "Operation type",
                partial(self.ours, operation.operation_type_draft()),
                peer,
                needs,
            ),
            Check(GROUP, "Proof type", partial(self.ours, proof.proof_type_draft()), peer, needs),
            Check(GROUP, "Interaction type", self.interaction, peer, needs),
            Check(GROUP, "Customer type", partial(self.ours, customer), peer, needs),
            Check(GROUP, "Merchant's types", self.merchants, peer, needs),
        ]

    async def interaction(self) -> Finding:
        if not self._settings.stripe_interface_interactions:
            return skipped("STRIPE_INTERFACE_INTERACTIONS is false.")
        return await self.ours(interactions.interaction_type_draft())

    async def ours(self, draft: Mapping[str, Any]) -> Finding:
        """Whether the type is as the draft has it, or what would fail otherwise."""
        found = await self._commercetools.find_custom_type(draft["key"])
        if found is None:
            return doubtful(
                f"The type {draft['key']} does not exist; the first write that needs it creates"
                " it.",
                "Run stripe-connector post-deploy.",
            )
        return _compared(found, draft)

    async def merchants(self) -> Finding:
        named = {
            variable.name: str(getattr(self._settings, variable.attribute))
            for variable in variables()
            if variable.name in _NAMED_BY_MERCHANT
            and getattr(self._settings, variable.attribute) != variable.default
        }
        if not named:
            return skipped("No type is configured.")
        missing = [
            f"{name} ({key})"
            for name, key in named.items()
            if await self._commercetools.find_custom_type(key) is None
        ]
        if missing:
            return doubtful(
                f"There is no type with the key of {', '.join(missing)}.",
                "Create the type in commercetools, or correct the key.",
            )
        return sound(", ".join(named.values()))


def _compared(found: TypeDefinition, draft: Mapping[str, Any]) -> Finding:
    key: str = draft["key"]
    (resource,) = draft["resourceTypeIds"]
    if resource not in found.resource_type_ids:
        return broken(
            f"The type {key} is not the connector's: it is for"
            f" {', '.join(found.resource_type_ids)},"
            f" not for {resource}.",
            _give_way(key),
        )
    wanted = {field["name"]: field for field in draft["fieldDefinitions"]}
    there = {field.name: field for field in found.field_definitions}
    missing = sorted(wanted.keys() - there.keys())
    if missing:
        return broken(
            f"The type {key} lacks the fields {', '.join(missing)}: writes that need them fail.",
            "Run stripe-connector post-deploy: it adds them and changes nothing else."
            if there.keys() <= wanted.keys()
            else "Add them in commercetools (action addFieldDefinition): post-deploy does not"
            " change a type that has other fields.",
        )
    other = sorted(
        name for name, field in wanted.items() if there[name].type["name"] != field["type"]["name"]
    )
    if other:
        return broken(
            f"The type {key} declares {', '.join(other)} with another type than"
            f" {', '.join(wanted[name]['type']['name'] for name in other)}.",
            _give_way(key),
        )
    demanded = sorted(
        name
        for name, field in there.items()
        if field.required and not wanted.get(name, {}).get("required", False)
    )
    if demanded:
        return broken(
            f"The type {key} requires {', '.join(demanded)}, which the connector does not set.",
            _give_way(key),
        )
    return sound(key)


def _give_way(key: str) -> str:
    fixed = key in {operation.TYPE_KEY, proof.TYPE_KEY, interactions.TYPE_KEY}
    elsewhere = "" if fixed else f", or name another in {_CUSTOMER_KEY}"
    return (
        f"Change that type's key in commercetools (action changeKey){elsewhere}; then run"
        " stripe-connector post-deploy."
    )
