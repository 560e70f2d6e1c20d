"""What a start writes for a cart: Payments, their one intent each, the link to it, their end."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from stripe_connector.errors import InvalidRequest, NotFound, PaymentRefused
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import (
    Cart,
    PaymentDraft,
    PaymentMethodInfoDraft,
    SessionMetadata,
)
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger.actions import (
    Action,
    AddTransaction,
    ChangeTransactionState,
    SetInterfaceId,
    SetStatusInterfaceCode,
    SetStatusInterfaceText,
    TransactionDraft,
)
from stripe_connector.ledger.facts import intent_fact
from stripe_connector.ledger.operation import KEY_LIFETIME
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import Payment, Reference
from stripe_connector.ledger.stripe_objects import PaymentIntent
from stripe_connector.money import Money
from stripe_connector.payments import attempts, intents
from stripe_connector.payments.asked import MethodGone
from stripe_connector.payments.comfort import without_refused
from stripe_connector.payments.offer import METHOD_CONFIGURATION
from stripe_connector.payments.record import Recorder

if TYPE_CHECKING:
    from stripe_connector.gateways.stripe.params import IntentCreateParams

FAILED = "failed"
"""Status code of a Payment whose intent Stripe refused to create, or whose intent is lost."""

UNKNOWN_INTENT = "unknown_intent"
"""Status code of a Payment whose intent does not exist for the current keys."""

_CONFIGURATION: Final = "payment_method_configuration"


class CartPayments:
    """Creates, updates and ends Payments of carts and their intents."""

    def __init__(
        self, commercetools: Commercetools, stripe: Stripe, recorder: Recorder, project_key: str
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._recorder = recorder
        self._project_key = project_key

    async def create(
        self, cart: Cart, number: int, due: Money, ours: Ours, metadata: SessionMetadata
    ) -> Payment:
        """The cart's Payment of a number: the new one, or the one that is there already."""
        draft = PaymentDraft(
            key=f"{cart.id}_{number}",
            amount_planned=due.draft(),
            payment_method_info=PaymentMethodInfoDraft(
                metadata.payment_interface or ours.payment_interface,
                interface_account=ours.interface_account or UNSET,
            ),
            interface_interactions=[ours.proof.interaction()],
            customer=Reference("customer", cart.customer_id) if cart.customer_id else UNSET,
            anonymous_id=(cart.anonymous_id or UNSET) if cart.customer_id is None else UNSET,
            checkout_transaction_item_id=metadata.checkout_transaction_item_id or UNSET,
        )
        return await self._recorder.create_payment(draft)

    async def create_intent(
        self, cart: Cart, payment: Payment, params: IntentCreateParams
    ) -> PaymentIntent | None:
        """The Payment's one intent; None where the Payment changed or can have none."""
        metadata = intents.intent_metadata(self._project_key, cart, payment.id)
        if (configuration := params.get(_CONFIGURATION)) is not None:
            metadata[METHOD_CONFIGURATION] = configuration
        if self._recorder.older_than(KEY_LIFETIME, payment):
            # Stripe may have expired the key of an earlier try, so a call would create a second.
            found = await self._stripe.find_intent(payment.id, intents.since(payment.created_at))
            if found is not None:
                return found

        async def made_before() -> PaymentIntent | None:
            """The intent that an earlier request created, possibly for a different cart."""
            current = await self._commercetools.get_payment(payment.id)
            if current.interface_id is not None:
                return await self._stripe.get_intent(current.interface_id)
            return await self._stripe.find_intent(payment.id, intents.since(payment.created_at))

        body: IntentCreateParams = {**params, "metadata": metadata}
        try:
            return await attempts.create(
                lambda key: without_refused(self._stripe.create_intent, body, key),
                made_before,
                f"{payment.id}:start",
            )
        except NotFound as error:
            if "payment_method" in params and error.fields.get("param") != _CONFIGURATION:
                raise MethodGone from error
            if "customer" not in params:
                raise
            # The customer was deleted at Stripe: the shopper pays as a guest.
            return await self.create_intent(cart, payment, intents.for_guest(params))
        except PaymentRefused as refusal:
            await self._fail(payment, refusal.code, refusal.message)
            raise InvalidRequest(refusal.message, code=refusal.code) from refusal

    async def link(self, payment: Payment, intent: PaymentIntent) -> Payment:
        """Record the Payment's intent, unless it has one or was given up."""

        async def compute(current: Payment) -> Sequence[Action]:
            if current.interface_id is not None or is_over(current):
                return []
            return [SetInterfaceId(intent.id)]

        linked = await self._recorder.update(payment, compute)
        if is_over(linked):
            # Another request, for other methods, was refused and gave the Payment up: the next one
            # has an intent of its own, beside which this one must not be payable.
            with contextlib.suppress(PaymentRefused):
                await self._stripe.cancel_intent(intent.id, _once_only(payment, "supersede"))
        return linked

    async def update_intent(
        self, payment: Payment, intent: PaymentIntent, cart: Cart, desired: IntentCreateParams
    ) -> PaymentIntent:
        """Update at Stripe what differs from the intent as desired."""
        changes = intents.intent_changes(intent, desired) | intents.owner(intent, cart)
        if not changes:
            return intent
        return await without_refused(
            lambda sent, key: self._stripe.update_intent(intent.id, sent, key),
            changes,
            _once_only(payment, "update"),
        )

    async def supersede(self, payment: Payment, intent: PaymentIntent) -> None:
        """Cancel an intent beside which another must become payable, and record that."""
        try:
            canceled = await self._stripe.cancel_intent(intent.id, _once_only(payment, "supersede"))
        except PaymentRefused:
            return
        await self._recorder.record_facts(payment, [intent_fact(canceled)])

    async def give_up(self, payment: Payment) -> None:
        """Record that a Payment's intent does not exist at Stripe; recorded money stays."""

        async def compute(current: Payment) -> Sequence[Action]:
            if current.payment_status.interface_code == UNKNOWN_INTENT or current.total(
                "Authorization", "Success"
            ):
                return []
            return [
                *(
                    ChangeTransactionState(t.id, "Failure")
                    for t in current.of_type("Authorization")
                    if t.unfinished
                ),
                SetStatusInterfaceCode(UNKNOWN_INTENT),
                SetStatusInterfaceText("Stripe does not know its intent: other keys, or deleted."),
            ]

        await self._recorder.update(payment, compute)

    async def _fail(self, payment: Payment, code: str, message: str) -> None:
        """Record a Payment without intent as failed, so that the next start takes a new one."""

        async def compute(current: Payment) -> Sequence[Action]:
            if current.interface_id is not None or current.payment_status.interface_code == FAILED:
                return []
            return [
                AddTransaction(
                    TransactionDraft(
                        "Authorization",
                        current.amount_planned.draft(),
                        "Failure",
                        timestamp=self._recorder.now(),
                    )
                ),
                SetStatusInterfaceCode(FAILED),
                SetStatusInterfaceText(f"{message} ({code})"),
            ]

        await self._recorder.update(payment, compute)


def _once_only(payment: Payment, operation: str) -> str:
    """A key for a call that is safe to repeat, and that Stripe must not answer from its store.

    Otherwise an intent whose amount changes and changes back would keep the wrong one, and a stored
    failure would be repeated for a day.
    """
    return f"{payment.id}:{operation}:{uuid.uuid4()}"


def is_over(payment: Payment) -> bool:
    """Whether it was given up before it had an intent."""
    return payment.interface_id is None and bool(payment.transactions)
