"""Moving money exactly once: write the intention down, call Stripe, write down what happened.

The transaction is in the Payment before Stripe is called, so that a repetition by anyone, after a
crash at any point, finds it and resumes it instead of starting a second one. Stripe's idempotency
key is made of the transaction's id, so that even two instances at once move the money once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from stripe_connector.clock import Clock
from stripe_connector.errors import (
    BackendUnavailable,
    Conflict,
    InvalidRequest,
    NotFound,
    PaymentRefused,
)
from stripe_connector.gateways.stripe.errors import KEY_SPENT, StripeRefused
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger.actions import (
    Action,
    AddTransaction,
    ChangeTransactionState,
    SetTransactionCustomField,
)
from stripe_connector.ledger.facts import (
    PAYMENT_ID,
    PROJECT_KEY,
    TRANSACTION_ID,
    ExpiredSessionFact,
    intent_fact,
    refund_fact,
)
from stripe_connector.ledger.operation import (
    ATTEMPT,
    ATTEMPTED_AT,
    ERROR,
    ERROR_MESSAGE,
    KEY_LIFETIME,
    Operation,
    idempotency_key,
    operation_of,
    timestamp,
)
from stripe_connector.ledger.payment import Payment, Transaction
from stripe_connector.ledger.stripe_objects import PaymentIntent
from stripe_connector.money import to_stripe
from stripe_connector.payments.attempts import TRIES
from stripe_connector.payments.interactions import Interaction
from stripe_connector.payments.off_session import OffSession
from stripe_connector.payments.parts import Outcome, Plan, Request, written_ahead
from stripe_connector.payments.record import Recorder

PATIENCE = timedelta(minutes=10)
"""No request takes that long: whoever claimed a charge before has died over it."""


class Mover:
    """Carries out movements of money on Payments."""

    def __init__(
        self,
        stripe: Stripe,
        recorder: Recorder,
        clock: Clock,
        *,
        project_key: str,
        repeat_window_s: int,
    ) -> None:
        self._stripe = stripe
        self._off_session = OffSession(stripe, recorder, project_key)
        self._recorder = recorder
        self._clock = clock
        self._project_key = project_key
        self._repeat_window = timedelta(seconds=repeat_window_s)

    async def move(
        self, payment: Payment, request: Request, plan: Plan, *, replaces: str | None = None
    ) -> tuple[Payment, list[Outcome]]:
        """Write ahead and carry out, or find and resume; one outcome for each movement.

        The plan is asked only if the request is not written down already. `replaces` names an
        unfinished transaction that fails in the write that brings the new ones.
        """
        fresh = False

        async def compute(current: Payment) -> Sequence[Action]:
            nonlocal fresh
            fresh = False
            if self.known(current, request):
                return []
            if replaces is not None and not _by_id(current, replaces).unfinished:
                return []
            fresh = True
            now = self._clock.now()
            parts = await plan(current)
            actions: list[Action] = [
                AddTransaction(written_ahead(part, request, now)) for part in parts
            ]
            if replaces is not None:
                actions.append(ChangeTransactionState(replaces, "Failure"))
            return actions

        payment = await self._recorder.update(payment, compute)
        outcomes = []
        # What only releases money goes first: where it fails, nothing was paid back yet.
        for known in sorted(self.known(payment, request), key=lambda t: t.type):
            payment, outcome = await self.carry_out(payment, known.id, resume=not fresh)
            outcomes.append(outcome)
        return payment, outcomes

    def known(self, payment: Payment, request: Request) -> list[Transaction]:
        """The transactions of a request that was made before.

        The same identity is the same operation while that is unfinished or young. One that the
        caller named itself stays the same for good once money has moved. Raises Conflict where
        the name was used for something else.
        """
        known = []
        for transaction in payment.transactions:
            operation = operation_of(transaction)
            if operation is None or operation.identity != request.identity:
                continue
            lasting = operation.explicit and transaction.state == "Success"
            if transaction.unfinished or lasting or self._young(transaction):
                if operation.action != request.action:
                    raise Conflict("This Idempotency-Key was used for another operation.")
                known.append(transaction)
        return known

    def _young(self, transaction: Transaction) -> bool:
        started = datetime.fromisoformat(transaction.timestamp or "1970-01-01T00:00:00Z")
        return self._clock.now() - started < self._repeat_window

    def abandoned(self, transaction: Transaction) -> bool:
        """Unfinished, and so old that no request can still be working on it."""
        return transaction.unfinished and not self._young(transaction)

    def charging(self, payment: Payment) -> Transaction | None:
        """The charge of a stored method that is written down, and that somebody may work on."""
        charge = unseen_charge(payment)
        if charge is None:
            return None
        claimed = datetime.fromisoformat(charge.timestamp or "1970-01-01T00:00:00Z")
        return charge if self._clock.now() - claimed < PATIENCE else None

    async def carry_out(
        self, payment: Payment, transaction_id: str, *, resume: bool
    ) -> tuple[Payment, Outcome]:
        """Bring one written-ahead transaction to its end.

        With `resume`, Stripe is looked at first: an earlier try may have had its effect. Raises
        BackendUnavailable where the outcome stays unknown; the transaction then stays as it is.
        """
        used_up = False
        for _ in range(TRIES):
            transaction = _by_id(payment, transaction_id)
            if resume and transaction.state == "Initial":
                payment = await self.look(payment, transaction)
                transaction = _by_id(payment, transaction_id)
            if transaction.state != "Initial":
                return payment, _outcome(payment, transaction)
            operation = _operation(transaction)
            if used_up or self._clock.now() - operation.attempted_at > KEY_LIFETIME:
                payment = await self._next_attempt(payment, transaction_id, operation.attempt)
                transaction = _by_id(payment, transaction_id)
            resume = True
            try:
                payment = await self._call(payment, transaction)
            except (PaymentRefused, NotFound) as refusal:
                payment = await self._refused(payment, transaction, refusal)
            except KEY_SPENT:
                used_up = True
                continue
            return payment, _outcome(payment, _by_id(payment, transaction_id))
        raise BackendUnavailable("Stripe cannot complete this now, try again.", retry_after=5)

    async def look(
        self, payment: Payment, transaction: Transaction, intent_id: str | None = None
    ) -> Payment:
        """Merge what Stripe shows where the effect of this transaction would be seen.

        `intent_id` is what Stripe has named, where the Payment may not know its intent yet.
        """
        if transaction.type == "Authorization":
            known = payment.interface_id or intent_id
            return await self._off_session.look(payment, transaction, known)
        intent_id = _intent_id(payment)
        if transaction.type == "Refund":
            return await self._recorder.refunds(payment, intent_id)
        return await self._recorder.intent(payment, intent_id)

    async def give_up(self, payment: Payment, transaction: Transaction) -> Payment:
        """Record an abandoned transaction that left no trace at Stripe as failed."""
        return await self.fail(payment, transaction.id, "abandoned", "It was never carried out.")

    async def withdraw(self, payment: Payment) -> tuple[Payment, Outcome]:
        """Cancel an intent that holds no money: nothing to write down, repeating is harmless.

        Where there is no intent yet, the Checkout Session that would make one is expired.
        """
        if payment.interface_id is None and payment.session_id is not None:
            return await self._expire_session(payment, payment.session_id)
        intent_id = _intent_id(payment)
        key = f"{payment.id}:withdraw:{int(self._clock.time() * 1000)}"
        try:
            intent = await self._stripe.cancel_intent(intent_id, key)
        except PaymentRefused as refusal:
            # The intent of a Checkout Session is not canceled by itself, only with its session.
            session = await self._stripe.session_of_intent(intent_id)
            if session is not None and session.status == "open":
                payment, _ = await self._expire_session(payment, session.id)
            payment = await self._recorder.intent(payment, intent_id)
            if payment.payment_status.interface_code == "canceled":
                return payment, Outcome("approved")
            return payment, Outcome("rejected", refusal.code, refusal.message)
        return await self._merge_intent(payment, intent), Outcome("approved")

    async def _expire_session(self, payment: Payment, session_id: str) -> tuple[Payment, Outcome]:
        try:
            session = await self._stripe.expire_session(session_id)
        except PaymentRefused as refusal:
            session = await self._stripe.session(session_id)
            if session.status != "expired":
                # Confirmed in this very moment: the caller repeats, and finds the intent.
                raise Conflict(refusal.message, code=refusal.code, retry_after=1) from refusal
        payment = await self._recorder.facts(payment, [ExpiredSessionFact(session.id)])
        return payment, Outcome("approved")

    async def _call(self, payment: Payment, transaction: Transaction) -> Payment:
        """One call to Stripe, built from nothing but the transaction."""
        operation = _operation(transaction)
        key = idempotency_key(transaction.id, operation.attempt)
        if transaction.type == "Authorization":
            asked, intent = await self._off_session.charge(payment, transaction, operation, key)
            cause = Interaction(operation.action, transaction.id, asked, intent)
            return await self._merge_intent(payment, intent, cause)
        intent_id = _intent_id(payment)
        if transaction.type == "Refund":
            params = {
                "payment_intent": intent_id,
                "amount": to_stripe(transaction.amount),
                "metadata": {
                    TRANSACTION_ID: transaction.id,
                    PAYMENT_ID: payment.id,
                    PROJECT_KEY: self._project_key,
                },
            }
            refund = await self._stripe.create_refund(params, key)
            cause = Interaction(operation.action, transaction.id, params, refund)
            return await self._recorder.facts(payment, [refund_fact(refund)], cause)
        if transaction.type == "Charge":
            capture = {
                "amount_to_capture": to_stripe(transaction.amount),
                "final_capture": operation.final,
            }
            if operation.final:
                del capture["final_capture"]  # Stripe's default, and refused by some methods
            intent = await self._stripe.capture_intent(intent_id, capture, key)
            cause = Interaction(operation.action, transaction.id, capture, intent)
        else:
            if payment.total("Charge", "Success") > 0:
                # A partly captured intent cannot be canceled; capturing nothing releases the rest.
                release = {"amount_to_capture": 0, "final_capture": True}
                intent = await self._stripe.capture_intent(intent_id, release, key)
            else:
                intent = await self._stripe.cancel_intent(intent_id, key)
            cause = Interaction(operation.action, transaction.id, None, intent)
        payment = await self._merge_intent(payment, intent, cause)
        return await self._pending(payment, transaction.id)

    async def _merge_intent(
        self, payment: Payment, intent: PaymentIntent, cause: Interaction | None = None
    ) -> Payment:
        fact = intent_fact(intent)
        if fact.settled:
            return await self._recorder.facts(payment, [fact], cause)
        return await self._recorder.intent(payment, intent.id, cause)

    async def _pending(self, payment: Payment, transaction_id: str) -> Payment:
        """Stripe has accepted it; where that shows no effect yet, it is still at work."""

        async def compute(current: Payment) -> Sequence[Action]:
            if _by_id(current, transaction_id).state != "Initial":
                return []
            return [ChangeTransactionState(transaction_id, "Pending")]

        return await self._recorder.update(payment, compute)

    async def _refused(
        self, payment: Payment, transaction: Transaction, refusal: PaymentRefused | NotFound
    ) -> Payment:
        """Stripe refused for good; what it shows now may still be what was asked for."""
        reversal = _operation(transaction).action == "reversePayment"
        if (
            reversal
            and transaction.type == "CancelAuthorization"
            and payment.total("Authorization", "Pending")
        ):
            # Still processing: the reversal is kept, and refunds the money once it arrives.
            return await self.look(await self._pending(payment, transaction.id), transaction)
        intent_id = refusal.intent_id if isinstance(refusal, StripeRefused) else None
        payment = await self.look(payment, transaction, intent_id)
        return await self.fail(payment, transaction.id, refusal.code, refusal.message)

    async def fail(self, payment: Payment, transaction_id: str, code: str, message: str) -> Payment:
        """Record that a written-ahead transaction failed, and why; a success stays one."""

        async def compute(current: Payment) -> Sequence[Action]:
            transaction = _by_id(current, transaction_id)
            operation = operation_of(transaction)
            if transaction.state == "Success" or (operation and operation.error is not None):
                return []
            reasons: list[Action] = [
                SetTransactionCustomField(transaction_id, ERROR, code),
                SetTransactionCustomField(transaction_id, ERROR_MESSAGE, message),
            ]
            if operation is None:
                reasons = []  # others wrote it, and it has no place for them
            if transaction.state == "Failure":
                return reasons
            return [ChangeTransactionState(transaction_id, "Failure"), *reasons]

        return await self._recorder.update(payment, compute)

    async def _next_attempt(self, payment: Payment, transaction_id: str, attempt: int) -> Payment:
        """A new idempotency key, written down before it is used."""

        async def compute(current: Payment) -> Sequence[Action]:
            transaction = _by_id(current, transaction_id)
            if transaction.state != "Initial" or _operation(transaction).attempt > attempt:
                return []
            now = timestamp(self._clock.now())
            return [
                SetTransactionCustomField(transaction_id, ATTEMPT, attempt + 1),
                SetTransactionCustomField(transaction_id, ATTEMPTED_AT, now),
            ]

        return await self._recorder.update(payment, compute)


def unseen_charge(payment: Payment) -> Transaction | None:
    """An Authorization that is written ahead, and that nobody has seen at Stripe yet."""
    for transaction in payment.of_type("Authorization"):
        if transaction.state == "Initial" and operation_of(transaction) is not None:
            return transaction
    return None


def _outcome(payment: Payment, transaction: Transaction) -> Outcome:
    match transaction.state:
        case "Success":
            return Outcome("approved")
        case "Failure":
            error = _operation(transaction).error
            released = transaction.type == "CancelAuthorization" and error is None
            if released and not payment.total("Authorization", "Success"):
                return Outcome("approved")  # canceled before anything was held
            return Outcome("rejected", error or "refused", _operation(transaction).error_message)
        case _:
            return Outcome("received")


def _by_id(payment: Payment, transaction_id: str) -> Transaction:
    return next(t for t in payment.transactions if t.id == transaction_id)


def _operation(transaction: Transaction) -> Operation:
    operation = operation_of(transaction)
    if operation is None:
        raise BackendUnavailable("The payment has lost what was written down for this operation.")
    return operation


def _intent_id(payment: Payment) -> str:
    if payment.interface_id is None:
        raise InvalidRequest("This payment was never started at Stripe.")
    return payment.interface_id
