"""Creates one Stripe customer for each commercetools customer, also under concurrent requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from msgspec import Struct

from stripe_connector.cache import Cache
from stripe_connector.clock import Clock
from stripe_connector.concurrency import Tries, both
from stripe_connector.errors import (
    DuplicateField,
    InvalidRequest,
    NotFound,
    VersionConflict,
    required_field,
)
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import Address, Cart, Customer
from stripe_connector.gateways.commercetools.update_actions import (
    SetCustomerField,
    SetCustomerType,
)
from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger.facts import CUSTOMER_ID, PROJECT_KEY
from stripe_connector.ledger.payment import Reference
from stripe_connector.payments import attempts
from stripe_connector.payments.comfort import EMAIL, fitting, without_refused
from stripe_connector.payments.intents import full_name, phone_of, stripe_address
from stripe_connector.settings import Settings

if TYPE_CHECKING:
    from stripe_connector.gateways.stripe.params import CustomerUpdateParams, SavedMethodFeatures

FIELD = "stripeConnector_stripeCustomerId"
CONTAINER = "stripe-connector-customers"
"""Custom objects for customers whose own custom type lacks our field."""

_STRIPE_ID = re.compile(r"cus_[A-Za-z0-9_]{1,128}")
_PROVEN_FOR = 900.0
"""Seconds. Metadata at Stripe are written once; Stripe itself refuses a customer deleted since. It
saves a tenth of the CPU of a customer's start (docs/performance.md, "Paths for speed")."""
_PROVEN_AT_ONCE = 10_000


class CustomerClaim(Struct, frozen=True):
    """The Stripe customer that a commercetools customer's profile names; not verified, as shoppers
    may write it."""

    customer: Customer
    stripe_id: str | None
    proven: bool
    """Whether it was verified lately, so that no call is needed."""


class CustomerSession(Struct, frozen=True, rename="camel"):
    """The data with which the browser shows and saves a customer's payment methods."""

    stripe_customer_id: str
    ephemeral_key: str
    session_id: str
    """The client secret of Stripe's customer session."""


class Customers:
    """Finds, creates and remembers Stripe customers.

    What is remembered proves nothing: shoppers may write their Customer's custom fields themselves
    (https://docs.commercetools.com/api/projects/me-profile). An id counts once the customer at
    Stripe names the commercetools customer in its metadata, which only the secret key can write.
    """

    def __init__(
        self, commercetools: Commercetools, stripe: Stripe, settings: Settings, clock: Clock
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._settings = settings
        self._proven: Cache[tuple[str, str], bool] = Cache(
            clock,
            capacity=_PROVEN_AT_ONCE,
            keep_for=lambda proven: _PROVEN_FOR if proven else 0,
        )

    async def find_known(self, customer_id: str) -> str | None:
        """The remembered Stripe customer of a commercetools customer, verified to be theirs."""
        claim = await self.claim(customer_id)
        return await self.proven(claim) if claim is not None else None

    async def claim(self, customer_id: str) -> CustomerClaim | None:
        """The remembered Stripe customer, not verified; None without a commercetools customer."""
        customer = await self._commercetools.get_customer(customer_id)
        if customer is None:
            return None
        stripe_id = await self._remembered(customer)
        proven = stripe_id is not None and bool(self._proven.kept((stripe_id, customer_id)))
        return CustomerClaim(customer, stripe_id, proven)

    async def proven(self, claim: CustomerClaim) -> str | None:
        """The Stripe customer of a claim, if it is theirs."""
        stripe_id = claim.stripe_id
        if stripe_id is None or not await self._is_theirs(stripe_id, claim.customer.id):
            return None
        return stripe_id

    async def forget(self, customer_id: str, stripe_id: str) -> bool:
        """Forget a Stripe customer that was deleted; False where it was not remembered.

        Raises VersionConflict; Stripe then sends the event again.
        """
        customer = await self._commercetools.get_customer(customer_id)
        if customer is None or await self._remembered(customer) != stripe_id:
            return False
        if customer.custom is not None and customer.custom.fields.get(FIELD) == stripe_id:
            await self._commercetools.update_customer(customer, [SetCustomerField(FIELD)])
        else:
            await self._commercetools.delete_custom_object(CONTAINER, customer_id)
        return True

    async def create_session(self, cart_id: str) -> CustomerSession | None:
        """A session for a cart's customer; None for guests and customers that are gone."""
        cart = await self._commercetools.get_cart(cart_id)
        customer = (
            await self._commercetools.get_customer(cart.customer_id) if cart.customer_id else None
        )
        if customer is None:
            return None
        remembered = await self._remembered(customer)
        if remembered is not None:
            try:
                valid, session = await both(
                    self._is_theirs_now(remembered, customer.id), self._open(remembered, cart)
                )
            except NotFound:
                valid = False  # deleted at Stripe: no session can be opened for it
            if valid:
                return session
        stripe_id = await self._resolve(customer, cart, stale=remembered)
        return await self._open(stripe_id, cart)

    async def get_or_create(self, cart: Cart, claim: CustomerClaim | None) -> str:
        """The Stripe customer of the cart's customer, created where there is none.

        Raises InvalidRequest for guests and deleted customers, whose claim is None.
        """
        if claim is None:
            raise required_field("customerId")
        customer, claimed = claim.customer, claim.stripe_id
        if claimed is not None and await self._is_theirs_now(claimed, customer.id):
            return claimed
        return await self._resolve(customer, cart, stale=claimed)

    async def _remembered(self, customer: Customer) -> str | None:
        """The id that is stored for a customer, verified or not."""
        if customer.custom is None:
            return None
        field = customer.custom.fields.get(FIELD)
        if _is_stripe_id(field):
            return field
        value = await self._commercetools.find_custom_object(CONTAINER, customer.id)
        return value if _is_stripe_id(value) else None

    async def _is_theirs(self, stripe_id: str, customer_id: str) -> bool:
        """Whether the customer at Stripe names the commercetools customer; the result is cached."""
        return await self._proven.get(
            (stripe_id, customer_id), lambda: self._is_theirs_now(stripe_id, customer_id)
        )

    async def _is_theirs_now(self, stripe_id: str, customer_id: str) -> bool:
        found = await self._stripe.get_customer(stripe_id)
        theirs = found is not None and found.metadata.get(CUSTOMER_ID) == customer_id
        self._proven.put((stripe_id, customer_id), theirs)
        return theirs

    async def _open(self, stripe_id: str, cart: Cart) -> CustomerSession:
        configured = self._settings.stripe_saved_payment_methods_config
        features = cast("SavedMethodFeatures", configured.copy())
        if cart.is_recurring:
            features["payment_method_save"] = "enabled"
            features["payment_method_save_usage"] = "off_session"
        version = self._settings.stripe_api_version or API_VERSION
        key, session = await both(
            self._stripe.create_ephemeral_key(stripe_id, version),
            self._stripe.create_customer_session(
                {
                    "customer": stripe_id,
                    "components": {"payment_element": {"enabled": True, "features": features}},
                }
            ),
        )
        return CustomerSession(stripe_id, key, session)

    async def _resolve(self, customer: Customer, cart: Cart, *, stale: str | None) -> str:
        """Find or create the Stripe customer, and remember it."""
        found = await self._stripe.find_customer(customer.id)
        stripe_id = found.id if found else await self._create(customer, cart, stale)
        self._proven.put((stripe_id, customer.id), True)
        tries = Tries("The customer", self._commercetools.clock)
        while True:
            try:
                return await self._remember(customer, stripe_id, stale)
            except VersionConflict:
                await tries.again()
                reread = await self._commercetools.get_customer(customer.id)
                if reread is None:
                    return stripe_id
                customer = reread
                winner = await self._remembered(customer)
                if (
                    winner is not None
                    and winner != stale
                    and await self._is_theirs(winner, customer.id)
                ):
                    return winner

    async def _create(self, customer: Customer, cart: Cart, stale: str | None) -> str:
        """Create the customer; concurrent requests create only one, as key and body are the same.

        So the body has only values that never change; names and addresses follow.
        """
        ties = {CUSTOMER_ID: customer.id, PROJECT_KEY: self._settings.ctp_project_key}
        created = await attempts.create(
            lambda key: self._stripe.create_customer({"metadata": ties}, key),
            lambda: self._stripe.find_customer(customer.id),
            f"customer:{customer.id}:{stale or ''}:1",
        )
        await without_refused(
            lambda details, _: self._stripe.update_customer(created.id, details),
            _details(customer, cart),
            created.id,
        )
        return created.id

    async def _remember(self, customer: Customer, stripe_id: str, stale: str | None) -> str:
        """Store the id on the customer, or in a custom object if a type of the merchant's is set.

        A customer's own custom type is never replaced: that would delete the merchant's data.
        """
        key = self._settings.ct_custom_type_stripe_customer_key
        if customer.custom is None:
            set_type = SetCustomerType(Reference("type", key=key), {FIELD: stripe_id})
            try:
                await self._commercetools.update_customer(customer, [set_type])
            except InvalidRequest as error:
                if error.code != "ReferencedResourceNotFound":
                    raise
                await self._create_type()
                await self._commercetools.update_customer(customer, [set_type])
        elif customer.custom.type.id == await self._commercetools.get_type_id(key):
            set_field = SetCustomerField(FIELD, stripe_id)
            await self._commercetools.update_customer(customer, [set_field])
        elif stale is None:
            await self._commercetools.create_custom_object(CONTAINER, customer.id, stripe_id)
        else:
            await self._commercetools.put_custom_object(CONTAINER, customer.id, stripe_id)
        return stripe_id

    async def _create_type(self) -> None:
        """Create the missing custom type, where post-deploy did not run."""
        try:
            await self._commercetools.create_type(
                customer_type_draft(self._settings.ct_custom_type_stripe_customer_key)
            )
        except DuplicateField:
            return  # another request was faster


def _is_stripe_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _STRIPE_ID.fullmatch(value) is not None


def customer_type_draft(key: str) -> dict[str, Any]:
    """The custom type that holds a customer's Stripe id."""
    return {
        "key": key,
        "name": {"en": "Stripe Customer ID"},
        "description": {"en": "The customer's id at Stripe"},
        "resourceTypeIds": ["customer"],
        "fieldDefinitions": [
            {
                "name": FIELD,
                "type": {"name": "String"},
                "label": {"en": "Stripe Customer ID"},
                "required": False,
                "inputHint": "SingleLine",
            }
        ],
    }


def _details(customer: Customer, cart: Cart) -> CustomerUpdateParams:
    """The customer's data for Stripe, without missing values."""
    address = (customer.addresses[0] if customer.addresses else None) or cart.delivery_address
    address = address or Address()
    parts = {
        "email": fitting(cart.customer_email or customer.email or address.email, EMAIL),
        "name": full_name(customer.first_name, customer.last_name)
        or full_name(address.first_name, address.last_name),
        "phone": phone_of(address),
        "address": stripe_address(address),
    }
    return cast("CustomerUpdateParams", {name: value for name, value in parts.items() if value})
