"""Calls to Stripe, one method for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import msgspec
import stripe
from msgspec import Struct

from stripe_connector.errors import BackendUnavailable, NotFound
from stripe_connector.gateways.outgoing import Outgoing, segment
from stripe_connector.gateways.stripe.decoding import Named, StripeList, decode
from stripe_connector.gateways.stripe.errors import (
    PermissionMissing,
    StripeUnavailable,
    other_mode,
    stripe_error,
)
from stripe_connector.gateways.stripe.models import (
    CheckoutSession,
    MethodConfiguration,
    StripeCustomer,
    StripePaymentMethod,
)
from stripe_connector.gateways.stripe.sdk import create_client
from stripe_connector.ledger.stripe_objects import Charge, Dispute, Metadata, PaymentIntent, Refund

if TYPE_CHECKING:
    from stripe_connector.gateways.stripe.params import (
        CaptureParams,
        CheckoutSessionCreateParams,
        ConfirmParams,
        CustomerCreateParams,
        CustomerSessionCreateParams,
        CustomerUpdateParams,
        IntentCreateParams,
        IntentUpdateParams,
        RefundCreateParams,
    )

T = TypeVar("T")
Params = Mapping[str, object]

_EXPAND_CHARGE: Params = {"expand": ["latest_charge"]}
_REFUNDS = "latest_charge.refunds"
EXPAND_REFUNDS: Params = {"expand": [_REFUNDS]}
EXPAND_LISTED_REFUNDS: Params = {"expand": [f"data.{_REFUNDS}"]}
_FIRST_MINUTES_S = 600
_LISTED_PAGES = 5


class _Account(Struct):
    id: str


class _Configurations(Struct):
    data: list[dict[str, Any]]


class _Secret(Struct):
    secret: str


class _ClientSecret(Struct):
    client_secret: str


_intent = msgspec.json.Decoder(PaymentIntent)
_refund = msgspec.json.Decoder(Refund)
_dispute = msgspec.json.Decoder(Dispute)
_payment_method = msgspec.json.Decoder(StripePaymentMethod)
_customer = msgspec.json.Decoder(StripeCustomer)
_session = msgspec.json.Decoder(CheckoutSession)
_named = msgspec.json.Decoder(Named)
_page = msgspec.json.Decoder(StripeList)
_account = msgspec.json.Decoder(_Account)
_configurations = msgspec.json.Decoder(_Configurations)
_secret = msgspec.json.Decoder(_Secret)
_client_secret = msgspec.json.Decoder(_ClientSecret)
_ignored = msgspec.json.Decoder(msgspec.Raw)


class Stripe:
    """One Stripe account.

    Besides what a method names, all raise StripeUnavailable when Stripe is down, slow or busy,
    BackendError when it refuses our key or our request, and StripeRefused when it refuses the
    operation. Every write carries an idempotency key, `key` where the caller has one: calls are
    repeated where that helps, and while a key is in use before IdempotencyKeyInUse is raised.
    """

    def __init__(
        self,
        *,
        secret_key: str,
        api_base: str,
        outgoing: Outgoing,
        app_info: stripe.AppInfo | None = None,
    ) -> None:
        self._clock = outgoing.clock
        self._live = is_live(secret_key)
        self._client = create_client(
            secret_key=secret_key, api_base=api_base, outgoing=outgoing, app_info=app_info
        )

    # PaymentIntents

    async def create_intent(self, params: IntentCreateParams, key: str) -> PaymentIntent:
        return await self._call(_intent, "post", "/v1/payment_intents", params, key)

    async def update_intent(
        self, intent_id: str, params: IntentUpdateParams, key: str
    ) -> PaymentIntent:
        return await self._call(_intent, "post", _intent_path(intent_id), params, key)

    async def get_intent(self, intent_id: str) -> PaymentIntent:
        """With its latest charge; raises NotFound."""
        return await self._call(_intent, "get", _intent_path(intent_id), _EXPAND_CHARGE)

    async def get_intent_metadata(self, intent_id: str) -> Metadata:
        """The owner of an intent, which may be another integration's; raises NotFound."""
        return (await self._call(_named, "get", _intent_path(intent_id))).metadata

    async def find_intent(self, payment_id: str, since: int) -> PaymentIntent | None:
        """The intent whose metadata name a commercetools payment.

        Lists what was created in the minutes after `since` (Unix seconds), which is exact, and
        then searches, which lags behind by up to a minute: None does not prove that there is none.
        """
        intent = await self._find_listed("/v1/payment_intents", _intent, payment_id, since)
        if intent is not None:
            return intent
        return await self._find_by_metadata(
            "/v1/payment_intents/search", _intent, "ct_payment_id", payment_id
        )

    async def confirm_intent(
        self, intent_id: str, params: ConfirmParams, key: str
    ) -> PaymentIntent:
        return await self._call(
            _intent,
            "post",
            f"{_intent_path(intent_id)}/confirm",
            {**params, **_EXPAND_CHARGE},
            key,
        )

    async def capture_intent(
        self, intent_id: str, params: CaptureParams, key: str
    ) -> PaymentIntent:
        return await self._call(
            _intent,
            "post",
            f"{_intent_path(intent_id)}/capture",
            {**params, **_EXPAND_CHARGE},
            key,
        )

    async def cancel_intent(self, intent_id: str, key: str) -> PaymentIntent:
        return await self._call(
            _intent, "post", f"{_intent_path(intent_id)}/cancel", _EXPAND_CHARGE, key
        )

    # Checkout Sessions

    async def create_checkout_session(
        self, params: CheckoutSessionCreateParams, key: str
    ) -> CheckoutSession:
        return await self._call(_session, "post", "/v1/checkout/sessions", params, key)

    async def get_checkout_session(self, session_id: str) -> CheckoutSession:
        """Raises NotFound."""
        return await self._call(_session, "get", _session_path(session_id))

    async def find_checkout_session_of_intent(self, intent_id: str) -> CheckoutSession | None:
        """The session that created an intent; None where no session did."""
        path, params = "/v1/checkout/sessions", {"payment_intent": intent_id, "limit": 1}
        page = await self._call(_page, "get", path, params)
        return decode(page.data[0], _session, path) if page.data else None

    async def expire_checkout_session(self, session_id: str) -> CheckoutSession:
        """Expire a session; raises StripeRefused where it is not open any more.

        With a new key for each call: a failure that Stripe stored would be repeated for a day.
        """
        return await self._call(_session, "post", f"{_session_path(session_id)}/expire")

    async def find_checkout_session(self, payment_id: str, since: int) -> CheckoutSession | None:
        """The session whose metadata name a commercetools payment, created soon after `since`."""
        return await self._find_listed("/v1/checkout/sessions", _session, payment_id, since)

    # Refunds and disputes

    async def create_refund(self, params: RefundCreateParams, key: str) -> Refund:
        return await self._call(_refund, "post", "/v1/refunds", params, key)

    async def get_charge_and_refunds(
        self, intent_id: str
    ) -> tuple[Charge | None, Sequence[Refund]]:
        """The charge of an intent with all its refunds, newest first, read at one moment."""
        intent = await self._call(_intent, "get", _intent_path(intent_id), EXPAND_REFUNDS)
        return await self.get_remaining_refunds(intent)

    async def get_remaining_refunds(
        self, intent: PaymentIntent
    ) -> tuple[Charge | None, Sequence[Refund]]:
        """The same for an intent that was read with its latest ten refunds."""
        charge = intent.charge
        if charge is None:
            return None, []
        if charge.refunds is None or charge.refunds.has_more:
            return charge, await self.list_refunds(intent.id)
        return charge, charge.refunds.data

    async def list_refunds(self, intent_id: str) -> list[Refund]:
        """All refunds of an intent, newest first."""
        return await self._all("/v1/refunds", _refund, {"payment_intent": intent_id})

    async def get_dispute(self, dispute_id: str) -> Dispute:
        """Raises NotFound."""
        return await self._call(_dispute, "get", f"/v1/disputes/{segment(dispute_id)}")

    # Customers and their payment methods

    async def get_payment_method(self, payment_method_id: str) -> StripePaymentMethod:
        """Raises NotFound."""
        path = f"/v1/payment_methods/{segment(payment_method_id)}"
        return await self._call(_payment_method, "get", path)

    async def list_payment_methods(self, customer_id: str) -> list[StripePaymentMethod]:
        """All methods that a customer has saved, newest first; none if the customer was deleted."""
        path = f"{_customer_path(customer_id)}/payment_methods"
        try:
            return await self._all(path, _payment_method, {})
        except NotFound:
            return []

    async def detach_payment_method(self, payment_method_id: str) -> StripePaymentMethod:
        """Raises NotFound, and StripeRefused where it is detached already."""
        path = f"/v1/payment_methods/{segment(payment_method_id)}/detach"
        return await self._call(_payment_method, "post", path)

    async def get_customer(self, customer_id: str) -> StripeCustomer | None:
        """None only where Stripe answers that the customer does not exist, or no longer."""
        try:
            customer = await self._call(_customer, "get", _customer_path(customer_id))
        except NotFound:
            return None
        return None if customer.deleted else customer

    async def find_customer(self, ct_customer_id: str) -> StripeCustomer | None:
        """The customer whose metadata name a commercetools customer.

        Search lags behind by up to a minute: None does not prove that there is none.
        """
        try:
            customer_id = UUID(ct_customer_id)
        except ValueError:
            return None
        return await self._find_by_metadata(
            "/v1/customers/search", _customer, "ct_customer_id", str(customer_id)
        )

    async def create_customer(self, params: CustomerCreateParams, key: str) -> StripeCustomer:
        return await self._call(_customer, "post", "/v1/customers", params, key)

    async def update_customer(
        self, customer_id: str, params: CustomerUpdateParams
    ) -> StripeCustomer:
        """Raises NotFound."""
        return await self._call(_customer, "post", _customer_path(customer_id), params)

    async def create_ephemeral_key(self, customer_id: str, api_version: str) -> str:
        """The secret of an ephemeral key for a client library that uses `api_version`."""
        created = await self._call(
            _secret,
            "post",
            "/v1/ephemeral_keys",
            {"customer": customer_id},
            api_version=api_version,
        )
        return created.secret

    async def create_customer_session(self, params: CustomerSessionCreateParams) -> str:
        """The client secret of a customer session."""
        created = await self._call(_client_secret, "post", "/v1/customer_sessions", params)
        return created.client_secret

    async def find_account_id(self) -> str | None:
        """The account that the key belongs to; None where the key may not read it."""
        try:
            return (await self._call(_account, "get", "/v1/account")).id
        except PermissionMissing:
            return None

    async def list_method_configurations(self) -> list[MethodConfiguration] | None:
        """What the account offers; None where the key may not read it."""
        params = {"limit": 100}
        try:
            found = await self._call(
                _configurations, "get", "/v1/payment_method_configurations", params
            )
        except PermissionMissing:
            return None
        return [MethodConfiguration.of(each) for each in found.data]

    async def ping(self) -> None:
        """Check that Stripe answers and that the key may read payments."""
        await self._call(_ignored, "get", "/v1/payment_intents", {"limit": 1})

    async def _call(
        self,
        decoder: msgspec.json.Decoder[T],
        method: str,
        path: str,
        params: Params | None = None,
        key: str | None = None,
        *,
        api_version: str | None = None,
    ) -> T:
        # The SDK's typed calls make an object of every field: 0.8 ms instead of 0.1 for an intent
        # (docs/performance.md, "Paths for speed").
        try:
            response = await self._client.raw_request_async(
                method, path, **(params or {}), idempotency_key=key, stripe_version=api_version
            )
        except stripe.StripeError as error:
            # Without the cause, which holds Stripe's whole answer.
            raise stripe_error(error, self._clock) from None
        except BackendUnavailable as error:
            raise StripeUnavailable(
                error.message, detail=error.detail, retry_after=error.retry_after
            ) from error
        what = f"{method} {path}"
        decoded = decode(response.body, decoder, what)
        if getattr(decoded, "livemode", None) not in (None, self._live):
            raise other_mode(what)
        return decoded

    async def _all(self, path: str, decoder: msgspec.json.Decoder[T], params: Params) -> list[T]:
        """A complete list, newest first; every item must have the expected form."""
        found: list[T] = []
        params = dict(params, limit=100)
        while True:
            page = await self._call(_page, "get", path, params)
            found += [decode(raw, decoder, path) for raw in page.data]
            last = page.last_id()
            if last is None:
                return found
            params["starting_after"] = last

    async def _find_listed(
        self, path: str, decoder: msgspec.json.Decoder[T], payment_id: str, since: int
    ) -> T | None:
        """The object whose metadata name a Payment, created soon after `since` (Unix seconds)."""
        params: dict[str, object] = {
            "created": {"gte": since, "lte": since + _FIRST_MINUTES_S},
            "limit": 100,
        }
        for _ in range(_LISTED_PAGES):
            page = await self._call(_page, "get", path, params)
            for named, raw in page.named():
                if named.metadata.get("ct_payment_id") == payment_id:
                    return decode(raw, decoder, path)
            last = page.last_id()
            if last is None:
                break
            params["starting_after"] = last
        return None

    async def _find_by_metadata(
        self, path: str, decoder: msgspec.json.Decoder[T], field: str, value: str
    ) -> T | None:
        """The first object that a search finds."""
        params = {"query": _metadata_query(field, value), "limit": 1}
        page = await self._call(_page, "get", path, params)
        return decode(page.data[0], decoder, path) if page.data else None


def is_live(secret_key: str) -> bool:
    """The mode of a key: secret (`sk_`) or restricted (`rk_`)."""
    return secret_key.partition("_")[2].startswith("live_")


def _session_path(session_id: str) -> str:
    return f"/v1/checkout/sessions/{segment(session_id)}"


def _intent_path(intent_id: str) -> str:
    return f"/v1/payment_intents/{segment(intent_id)}"


def _customer_path(customer_id: str) -> str:
    return f"/v1/customers/{segment(customer_id)}"


def _metadata_query(field: str, value: str) -> str:
    """Stripe's search language: https://docs.stripe.com/search#search-query-language"""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'metadata["{field}"]:"{escaped}"'
