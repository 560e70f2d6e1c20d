"""Confirms a payment after the shopper did: its state comes from Stripe, never from the browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from stripe_connector.concurrency import both
from stripe_connector.errors import Conflict, InvalidRequest, NotFound, PaymentRefused
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import Cart, Session
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger.actions import Action
from stripe_connector.ledger.facts import CUSTOMER_ID, PAYMENT_ID, PROJECT_KEY, intent_fact
from stripe_connector.ledger.merge import AMOUNT_MISMATCH, merge
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.stripe_objects import PaymentIntent
from stripe_connector.money import Money
from stripe_connector.payments.amounts import cart_amount_due
from stripe_connector.payments.limits import kept_amount
from stripe_connector.payments.modify import Modifier
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.record import Recorder
from stripe_connector.payments.shopper import Shopper, read_session_and_cart


class Confirmer:
    """Checks and records the state of a payment that the browser reports as done."""

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        recorder: Recorder,
        modifier: Modifier,
        account: OwnAccount,
        project_key: str,
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._recorder = recorder
        self._modifier = modifier
        self._account = account
        self._project_key = project_key

    async def confirm(
        self, shopper: Shopper, payment_id: str, intent_id: str
    ) -> Literal["approved", "pending"]:
        """Record the intent's state in the Payment on the shopper's cart.

        Raises InvalidRequest where payment, cart and intent do not belong together, PaymentRefused
        for a declined attempt, Conflict for an intent that is not confirmed yet, whose money was
        refunded, or whose amount is not what the cart costs: that is recorded, and bars fulfilment.
        """
        (session, cart), intent = await both(
            read_session_and_cart(shopper, self._commercetools, self._account),
            self._intent(intent_id),
        )
        if cart.cart_state == "Merged":
            raise Conflict("The cart was merged into another one.", code="CartMerged")
        await self._account.require_may_sell()
        payment = await self._matching(session, cart, payment_id, intent)
        match intent.status:
            case "succeeded" | "requires_capture":
                pass
            case _ if intent_fact(intent).authorization == "Pending":
                await self._recorder.sync_intent(payment, intent.id)
                return "pending"
            case "canceled":
                await self._recorder.sync_intent(payment, intent.id)
                raise Conflict("The payment was canceled.", code="PaymentCanceled")
            case "requires_payment_method" if intent.last_payment_error is not None:
                await self._recorder.sync_intent(payment, intent.id)
                error = intent.last_payment_error
                raise PaymentRefused(
                    error.message or "The payment was declined.",
                    code=error.code,
                    fields={"declineCode": error.decline_code} if error.decline_code else None,
                )
            case _:
                raise Conflict(
                    "The payment is not confirmed yet.",
                    code="PaymentNotConfirmed",
                    fields={"status": intent.status},
                )
        due = cart_amount_due(
            cart, session.metadata, await self._account.ours(), without=payment.id
        )
        payment = await self._record(payment, intent, due)
        if payment.payment_status.interface_code == AMOUNT_MISMATCH:
            await self._modifier.after_record(payment)
            raise Conflict(
                "The amount paid is not what the cart costs now.",
                code="AmountMismatch",
                fields={"paymentReference": payment.id},
            )
        if kept_amount(payment) <= 0:
            raise Conflict("The payment was reversed.", code="PaymentReversed")
        return "approved"

    async def _intent(self, intent_id: str) -> PaymentIntent:
        try:
            return await self._stripe.get_intent(intent_id)
        except NotFound as error:
            raise _mismatch() from error

    async def _matching(
        self, session: Session, cart: Cart, payment_id: str, intent: PaymentIntent
    ) -> Payment:
        payment = next((p for p in cart.payments if p.id == payment_id), None)
        if payment is not None:
            await self._account.require_ours(payment)
        customer = intent.metadata.get(CUSTOMER_ID)
        if (
            payment is None
            or session.cart_id != cart.id
            or payment.interface_id not in (None, intent.id)
            or intent.metadata.get(PAYMENT_ID) != payment.id
            or intent.metadata.get(PROJECT_KEY) != self._project_key
            or intent.currency.upper() != cart.gross_total.currency_code
            or (customer is not None and customer != cart.customer_id)
        ):
            raise _mismatch()
        return payment

    async def _record(self, payment: Payment, intent: PaymentIntent, due: Money) -> Payment:
        """Merge, and plan what the cart costs now, so that Stripe's amount is compared with it."""
        fact = intent_fact(intent)

        async def compute(current: Payment) -> Sequence[Action]:
            return merge(current, [fact], self._recorder.now(), planned=due)

        return await self._recorder.update(payment, compute)


def _mismatch() -> InvalidRequest:
    return InvalidRequest(
        "The payment does not belong to this session's cart.", code="PaymentMismatch"
    )
