"""Charges a stored payment method without the shopper, as Checkout requests for recurring orders.

The Payment is created with its Authorization written ahead, under a key with the caller's name for
the transaction, so that a repetition finds it. It is added to the cart before Stripe is called: the
cart's list decides which of several transactions goes first, and the others count it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Struct
from msgspec.structs import replace

from stripe_connector import context
from stripe_connector.clock import Clock
from stripe_connector.concurrency import both
from stripe_connector.errors import (
    BackendUnavailable,
    Conflict,
)
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import (
    Cart,
    PaymentDraft,
    PaymentMethod,
    PaymentMethodInfoDraft,
    SessionMetadata,
    TokenValue,
)
from stripe_connector.ledger.actions import (
    Action,
    ChangeTransactionState,
    ChangeTransactionTimestamp,
)
from stripe_connector.ledger.operation import changed, identity, operation_of, operations
from stripe_connector.ledger.payment import Payment, Reference, Transaction
from stripe_connector.ledger.stripe_objects import OPEN
from stripe_connector.money import Money, chargeable
from stripe_connector.payments.amounts import cart_amount_due, require_due
from stripe_connector.payments.asked import (
    AmountTooHigh,
    AskedAmount,
    OtherCurrency,
)
from stripe_connector.payments.behaviour import behaviour_of
from stripe_connector.payments.movement import CLAIM_LIFETIME, Mover
from stripe_connector.payments.movement_records import unseen_charge
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.parts import Outcome, Part, Request, write_ahead
from stripe_connector.payments.record import Recorder
from stripe_connector.payments.stored.customer_methods import CustomerMethods, customer_of
from stripe_connector.settings import Settings

ACTION = "chargeStoredMethod"


class ChargeRequest(Struct, frozen=True):
    """A charge as Checkout asks for it."""

    cart_id: str
    item_id: str
    """Checkout's transaction item."""
    method_id: str
    """A stored payment method of the cart's customer, in commercetools."""
    amount: AskedAmount | None = None
    """By default all that is due."""
    idempotency_key: str | None = None
    """Names the transaction; by default the item does."""
    order_number: str | None = None
    """Of the order to come."""


class Transactions:
    """Charges stored payment methods for carts."""

    def __init__(
        self,
        commercetools: Commercetools,
        recorder: Recorder,
        mover: Mover,
        methods: CustomerMethods,
        account: OwnAccount,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._commercetools = commercetools
        self._recorder = recorder
        self._mover = mover
        self._methods = methods
        self._account = account
        self._settings = settings
        self._clock = clock

    async def charge(self, asked: ChargeRequest) -> tuple[Payment, Outcome]:
        """Charge once, however often it is asked for; the Payment and the outcome.

        Raises NotFound, InvalidRequest where it is impossible, Conflict while another transaction
        of the cart is unfinished, BackendUnavailable where the outcome is not known yet: the
        caller repeats it.
        """
        self._methods.require_enabled()
        name = asked.idempotency_key or asked.item_id
        request = Request(identity(name, ACTION), ACTION, asked.order_number)
        # Ends in a word: what ends in a number was started by a shopper.
        key = f"{asked.cart_id}_{request.identity.partition(':')[2]}_recurring"
        (cart, known), record = await both(
            both(
                self._commercetools.get_cart(asked.cart_id),
                self._commercetools.find_payment_by_key(key),
            ),
            self._methods.find(asked.method_id),
        )
        customer_of(cart)
        if known is None and (renamed := _on_cart(cart, request)) is not None:
            # Read on its own: in an expanded reference its token is masked.
            known = await self._commercetools.get_payment(renamed.id)
        payment = known or await self._written_down(cart, record, asked, request, key)
        context.note(payment=payment.id)
        await self._account.require_ours(payment)
        transaction = _transaction(payment, request)
        _require_same(payment, transaction, record, asked)
        if known is not None and transaction.state == "Initial":
            payment = await self._mover.sync_outcome(payment, transaction)
            transaction = _transaction(payment, request)
            if transaction.state == "Initial":
                payment = await self._claimed(payment, transaction)
                transaction = _transaction(payment, request)
        if transaction.state == "Initial":
            payment = await self._admitted(cart, payment, transaction)
        payment, outcome = await self._mover.carry_out(payment, transaction.id, resume=False)
        if payment.payment_status.interface_code in OPEN:
            # Refused, or waiting for a shopper who is not there: it must not be paid any more.
            payment, _ = await self._mover.cancel_open(payment)
            payment, outcome = await self._mover.carry_out(payment, transaction.id, resume=True)
        return payment, outcome

    async def _written_down(
        self,
        cart: Cart,
        record: PaymentMethod | None,
        asked: ChargeRequest,
        request: Request,
        key: str,
    ) -> Payment:
        """Create the Payment with its Authorization written ahead; not on the cart yet."""
        if cart.cart_state not in ("Active", "Frozen"):
            raise Conflict(f"The cart is {cart.cart_state.lower()} and cannot be paid.")
        method = self._methods.require_usable(cart, record, asked.method_id)
        await self._account.require_may_sell()
        ours = await self._account.ours()
        amount = _amount(require_due(cart, SessionMetadata(), ours), asked.amount)
        captured = behaviour_of(cart, self._settings).capture_method != "manual"
        part = Part("Authorization", amount, final=captured)
        written = write_ahead(part, request, self._clock.now())
        draft = PaymentDraft(
            key=key,
            amount_planned=amount.draft(),
            payment_method_info=PaymentMethodInfoDraft(
                self._settings.payment_interface,
                interface_account=ours.interface_account or UNSET,
                method=method.method or UNSET,
                token=TokenValue(method.token_value or ""),
            ),
            customer=Reference("customer", customer_of(cart)),
            checkout_transaction_item_id=asked.item_id,
            interface_interactions=[ours.proof.interaction(), written.interaction],
            transactions=[written.transaction],
        )
        return await self._recorder.create_payment(draft)

    async def _claimed(self, payment: Payment, transaction: Transaction) -> Payment:
        """Claim the transaction, so that no other request gives it up while this one resumes it.

        If one request claims while another gives up, the Payment's version lets only one succeed.
        """

        async def compute(current: Payment) -> Sequence[Action]:
            if not _is_unfinished(current, transaction):
                return []
            operation = operation_of(current, transaction)
            if operation is None:
                return []
            # So far its timestamp identified its operation: from now on its id does.
            return [
                ChangeTransactionTimestamp(transaction.id, self._recorder.now()),
                *changed(transaction, operation, operation),
            ]

        return await self._recorder.update(payment, compute)

    async def _given_up(self, payment: Payment, transaction: Transaction) -> None:
        """Close an abandoned transaction; raises Conflict while a request may work on it."""

        async def compute(current: Payment) -> Sequence[Action]:
            operation = operation_of(current, transaction)
            if not _is_unfinished(current, transaction) or self._mover.find_running_charge(current):
                return []
            actions: list[Action] = [ChangeTransactionState(transaction.id, "Failure")]
            if operation is not None:
                message = "It was abandoned."
                failed = replace(operation, error="abandoned", error_message=message)
                actions += changed(transaction, operation, failed)
            return actions

        if self._mover.find_running_charge(payment) is None:
            payment = await self._mover.sync_outcome(payment, transaction)
            if payment.interface_id is not None and _is_unfinished(payment, transaction):
                # Its intent exists and is not confirmed: a late confirmation must not succeed.
                payment, _ = await self._mover.cancel_open(payment)
            payment = await self._recorder.update(payment, compute)
        if _is_unfinished(payment, transaction):
            raise Conflict("Another transaction of this cart is unfinished.", retry_after=5)

    async def _admitted(self, cart: Cart, payment: Payment, transaction: Transaction) -> Payment:
        """Add the Payment to its cart, ready to be charged; close it where nothing is due."""
        cart = await self._commercetools.add_payment(cart, payment.id)
        if await self._settled_others(cart, payment):
            cart = await self._commercetools.get_cart(cart.id)
        due = cart_amount_due(
            cart, SessionMetadata(), await self._account.ours(), without=payment.id
        )
        if transaction.amount.currency_code == due.currency_code and (
            transaction.amount.cent_amount <= due.cent_amount
        ):
            return payment
        message = "The amount due on the cart is lower now."
        return await self._mover.fail(payment, transaction.id, "amount_not_due", message)

    async def _settled_others(self, cart: Cart, payment: Payment) -> bool:
        """Prevent other payments of the cart from being charged; returns whether any changed."""
        ours = await self._account.ours()
        changed, earlier = False, True
        for other in cart.payments:
            if other.id == payment.id:
                earlier = False
            elif (unfinished := unseen_charge(other)) is not None:
                if not earlier:
                    continue  # it waits for this one
                await self._given_up(other, unfinished)
                changed = True
            elif ours.includes(other) and self._is_being_started(other):
                raise Conflict("A payment of this cart is being started.", retry_after=5)
            elif ours.includes(other) and _is_payable(other):
                await self._mover.cancel_open(other)
                changed = True
        return changed

    def _is_being_started(self, payment: Payment) -> bool:
        """Whether a shopper is starting it: it has no intent yet that could be cancelled."""
        return (
            payment.interface_id is None
            and not payment.transactions
            and not self._recorder.older_than(CLAIM_LIFETIME, payment)
        )


def _is_payable(payment: Payment) -> bool:
    """Whether a shopper has started it and can still pay it."""
    return (
        (payment.interface_id is not None or payment.session_id is not None)
        and payment.payment_status.interface_code in (None, *OPEN)
        and not payment.total("Authorization", "Pending", "Success")
    )


def _amount(due: Money, asked: AskedAmount | None) -> Money:
    amount = due
    if asked is not None:
        if asked.currency_code != due.currency_code:
            raise OtherCurrency(asked.currency_code, due.currency_code)
        if asked.cent_amount > due.cent_amount:
            raise AmountTooHigh(asked.cent_amount, reason=f"At most {due.cent_amount} is due.")
        amount = due.with_amount(asked.cent_amount)
    chargeable(amount)
    return amount


def _on_cart(cart: Cart, request: Request) -> Payment | None:
    """The Payment that was charged for the same request, whatever the merchant calls it by now."""
    for payment in cart.payments:
        transaction = _found(payment, request)
        if transaction is not None and operations(payment)[transaction.id].action == request.action:
            return payment
    return None


def _transaction(payment: Payment, request: Request) -> Transaction:
    found = _found(payment, request)
    if found is None:
        raise BackendUnavailable("The stored data of this transaction is missing from the payment.")
    return found


def _found(payment: Payment, request: Request) -> Transaction | None:
    ours = operations(payment)
    for transaction in payment.of_type("Authorization"):
        if transaction.id in ours and ours[transaction.id].identity == request.identity:
            return transaction
    return None


def _require_same(
    payment: Payment,
    transaction: Transaction,
    record: PaymentMethod | None,
    asked: ChargeRequest,
) -> None:
    """Raises Conflict where the idempotency key was used for another transaction."""
    token = payment.payment_method_info.token
    amount = asked.amount
    other_method = record is not None and token is not None and record.token_value != token.value
    other_amount = amount is not None and (amount.cent_amount, amount.currency_code) != (
        transaction.amount.cent_amount,
        transaction.amount.currency_code,
    )
    if other_method or other_amount:
        raise Conflict("This idempotencyKey was used for another transaction.")


def _is_unfinished(payment: Payment, transaction: Transaction) -> bool:
    found = unseen_charge(payment)
    return found is not None and found.id == transaction.id
