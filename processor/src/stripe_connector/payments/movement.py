"""Moves money exactly once: records the intention, calls Stripe, records the outcome.

The transaction is in the Payment before Stripe is called, so that any repetition, after a crash at
any point, finds it and resumes it instead of starting a second one. Stripe's idempotency key
contains the transaction's id, so that even two instances at once move the money once.
`payments.attempts` defines what a failure means that Stripe stored under the key.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from stripe_connector.clock import Clock
from stripe_connector.errors import (
    BackendUnavailable,
    Conflict,
    NotFound,
    PaymentRefused,
)
from stripe_connector.gateways.stripe.errors import KEY_SPENT, StripeRefused
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger import proof
from stripe_connector.ledger.actions import Action, AddTransaction, ChangeTransactionState
from stripe_connector.ledger.facts import (
    OPERATION,
    PAYMENT_ID,
    PROJECT_KEY,
    TRANSACTION_ID,
    ExpiredSessionFact,
    intent_fact,
    refund_fact,
)
from stripe_connector.ledger.operation import (
    KEY_LIFETIME,
    Operation,
    idempotency_key,
    operations,
)
from stripe_connector.ledger.payment import Payment, Transaction
from stripe_connector.ledger.stripe_objects import PaymentIntent
from stripe_connector.money import to_stripe
from stripe_connector.payments.attempts import ATTEMPTS, RepeatEffect
from stripe_connector.payments.interactions import Interaction
from stripe_connector.payments.movement_records import (
    accepted,
    by_id,
    effect_of,
    failed,
    is_open,
    next_attempt,
    outcome_of,
    recorded_operation,
    require_intent_id,
    unseen_charge,
    waiting,
)
from stripe_connector.payments.parts import Outcome, Plan, Request, write_ahead
from stripe_connector.payments.record import Recorder
from stripe_connector.payments.stored.off_session import OffSession

if TYPE_CHECKING:
    from stripe_connector.gateways.stripe.params import (
        CaptureParams,
        RefundCreateParams,
    )

CLAIM_LIFETIME = timedelta(minutes=10)
"""No request takes that long: one that claimed a charge before has ended without an outcome."""
_LAPSES_SOON = timedelta(hours=24)
UNKNOWN_AT_STRIPE = "resource_missing"

logger = logging.getLogger(__name__)


class Mover:
    """Carries out movements of money on Payments."""

    def __init__(
        self,
        stripe: Stripe,
        recorder: Recorder,
        off_session: OffSession,
        clock: Clock,
        *,
        project_key: str,
        repeat_window_s: int,
        observe_waiting: Callable[[str, bool], None] = lambda _type, _lapses: None,
    ) -> None:
        """`observe_waiting` gets the type of a transaction whose outcome only Stripe can show, and
        whether its authorization expires within a day."""
        self._observe_waiting = observe_waiting
        self._stripe = stripe
        self._off_session = off_session
        self._recorder = recorder
        self._clock = clock
        self._project_key = project_key
        self._repeat_window = timedelta(seconds=repeat_window_s)

    async def move(
        self, payment: Payment, request: Request, plan: Plan, *, replaces: str | None = None
    ) -> tuple[Payment, list[Outcome]]:
        """Write ahead and carry out, or find and resume; returns one outcome per movement.

        The plan is called only if the request is not recorded already. `replaces` names an
        unfinished transaction that is closed as failed in the write that adds the new ones.
        """
        fresh = False

        async def compute(current: Payment) -> Sequence[Action]:
            nonlocal fresh
            fresh = False
            known = self.find_existing(current, request)
            if known and not (request.completing and self._is_over(current, known)):
                return []
            if replaces is not None and not by_id(current, replaces).unfinished:
                return []
            now = self._clock.now()
            actions: list[Action] = []
            for part in await plan(current):
                written = write_ahead(part, request, now, current)
                actions += [
                    AddTransaction(written.transaction),
                    proof.add_interaction(written.interaction),
                ]
            if replaces is not None:
                actions.append(ChangeTransactionState(replaces, "Failure"))
            fresh = not known
            return actions

        payment = await self._recorder.update(payment, compute)
        outcomes = []
        # Releases go first: where one fails, nothing was refunded yet.
        for known in sorted(self.find_existing(payment, request), key=lambda t: t.type):
            payment, outcome = await self.carry_out(payment, known.id, resume=not fresh)
            outcomes.append(outcome)
        return payment, outcomes

    def find_existing(self, payment: Payment, request: Request) -> list[Transaction]:
        """The transactions of an earlier equal request.

        The same identity is the same operation until Stripe's answer is recorded, and for as long
        as it is young. One with a caller's key stays the same permanently once Stripe has accepted
        it. Raises Conflict where the key was used for another operation.
        """
        known = []
        for transaction_id, operation in operations(payment).items():
            if operation.identity != request.identity:
                continue
            transaction = by_id(payment, transaction_id)
            lasting = operation.explicit and transaction.state in ("Pending", "Success")
            if is_open(transaction, operation) or lasting or self._young(transaction):
                if operation.action != request.action:
                    raise Conflict("This Idempotency-Key was used for another operation.")
                known.append(transaction)
        return known

    def _is_over(self, payment: Payment, known: Sequence[Transaction]) -> bool:
        """Whether no part of a request is running or was refused just now."""
        ours = operations(payment)
        return not any(
            is_open(each, ours[each.id]) or (each.state == "Failure" and self._young(each))
            for each in known
        )

    def _young(self, transaction: Transaction) -> bool:
        started = datetime.fromisoformat(transaction.timestamp or "1970-01-01T00:00:00Z")
        return self._clock.now() - started < self._repeat_window

    def is_abandoned(self, transaction: Transaction) -> bool:
        """Whether it is unfinished, and too old for a running request."""
        return transaction.unfinished and not self._young(transaction)

    def find_running_charge(self, payment: Payment) -> Transaction | None:
        """The charge of a stored method that is written down, and may be in progress."""
        charge = unseen_charge(payment)
        if charge is None:
            return None
        claimed = datetime.fromisoformat(charge.timestamp or "1970-01-01T00:00:00Z")
        return charge if self._clock.now() - claimed < CLAIM_LIFETIME else None

    async def carry_out(
        self, payment: Payment, transaction_id: str, *, resume: bool
    ) -> tuple[Payment, Outcome]:
        """Carry out one written-ahead transaction.

        With `resume`, read Stripe first: an earlier try may have succeeded. The outcome is also
        `received` where only Stripe can show it. Raises BackendUnavailable where it stays unknown
        but the same call may be repeated; the transaction then stays as it is.
        """
        spent = False
        for _ in range(ATTEMPTS):
            transaction = by_id(payment, transaction_id)
            if resume and transaction.state == "Initial":
                payment = await self._looked(payment, transaction)
                transaction = by_id(payment, transaction_id)
            if transaction.state != "Initial":
                return payment, outcome_of(payment, transaction)
            operation = recorded_operation(payment, transaction)
            if spent or operation.unknown_since is not None:
                if not await self._may_use_new_key(payment, transaction, operation):
                    payment = await self._wait(payment, transaction_id)
                    return payment, outcome_of(payment, by_id(payment, transaction_id))
                new_key = next_attempt(transaction_id, operation.attempt, self._clock)
                payment = await self._recorder.update(payment, new_key)
            elif self._clock.now() - operation.attempted_at > KEY_LIFETIME:
                new_key = next_attempt(transaction_id, operation.attempt, self._clock)
                payment = await self._recorder.update(payment, new_key)
            transaction = by_id(payment, transaction_id)
            resume, spent = True, False
            try:
                payment = await self._call(payment, transaction)
            except (PaymentRefused, NotFound) as refusal:
                payment = await self._refused(payment, transaction, refusal)
            except KEY_SPENT:
                spent = True
                continue
            return payment, outcome_of(payment, by_id(payment, transaction_id))
        raise BackendUnavailable("Stripe cannot complete this now, try again.", retry_after=5)

    async def _looked(self, payment: Payment, transaction: Transaction) -> Payment:
        """Bring the Payment up to date from Stripe; what does not exist there has failed."""
        try:
            return await self.sync_outcome(payment, transaction)
        except NotFound as missing:
            return await self.fail(payment, transaction.id, UNKNOWN_AT_STRIPE, missing.message)

    async def _may_use_new_key(
        self, payment: Payment, transaction: Transaction, operation: Operation
    ) -> bool:
        """Whether a call may be sent again although the first may still take effect."""
        if effect_of(transaction, operation) is RepeatEffect.TWICE or payment.interface_id is None:
            return False
        intent = await self._stripe.get_intent(payment.interface_id)
        if transaction.type == "Authorization":
            asked = to_stripe(transaction.amount)
            return (intent.status, intent.amount) == ("requires_confirmation", asked)
        held = payment.total("Authorization", "Success")
        position = payment.transactions.index(transaction)
        captured = replace(payment, transactions=payment.transactions[:position]).total(
            "Charge", "Success"
        )
        return (intent.status, intent.amount, intent.amount_received) == (
            "requires_capture",
            to_stripe(payment.unit.with_amount(held)),
            to_stripe(payment.unit.with_amount(captured)),
        )

    async def _wait(self, payment: Payment, transaction_id: str) -> Payment:
        """Record that only Stripe can show the outcome from now on."""

        payment = await self._recorder.update(payment, waiting(transaction_id, self._clock))
        transaction = by_id(payment, transaction_id)
        if transaction.state == "Initial":
            lapses = await self._lapses_soon(payment, transaction)
            logger.log(
                logging.ERROR if lapses else logging.WARNING,
                "Stripe repeats a stored failure: only Stripe can show the outcome",
                extra={
                    "fields": {
                        "payment": payment.id,
                        "transaction": transaction_id,
                        "type": transaction.type,
                        "endsWithinADay": lapses,
                    }
                },
            )
            self._observe_waiting(transaction.type, lapses)
        return payment

    async def _lapses_soon(self, payment: Payment, transaction: Transaction) -> bool:
        """Whether what is to be captured or released can be captured for less than a day."""
        if transaction.type not in ("Charge", "CancelAuthorization"):
            return False
        charge = (await self._stripe.get_intent(require_intent_id(payment))).charge
        details = charge.payment_method_details if charge else None
        before = details.card.capture_before if details and details.card else None
        if before is None:
            return False
        return datetime.fromtimestamp(before, UTC) - self._clock.now() < _LAPSES_SOON

    async def sync_outcome(
        self, payment: Payment, transaction: Transaction, intent_id: str | None = None
    ) -> Payment:
        """Read and merge the objects at Stripe that would show this transaction's effect.

        `intent_id` is the intent that Stripe named, which the Payment may not have yet.
        """
        if transaction.type == "Authorization":
            known = payment.interface_id or intent_id
            return await self._off_session.look(payment, transaction, known)
        intent_id = require_intent_id(payment)
        if transaction.type == "Refund":
            return await self._recorder.sync_refunds(payment, intent_id)
        return await self._recorder.sync_intent(payment, intent_id)

    async def give_up(self, payment: Payment, transaction: Transaction) -> Payment:
        """Record an abandoned transaction that does not exist at Stripe as failed."""
        return await self.fail(payment, transaction.id, "abandoned", "It was never carried out.")

    async def cancel_open(self, payment: Payment) -> tuple[Payment, Outcome]:
        """Cancel an intent that holds no money; nothing is written ahead, as repeating is harmless.

        Where there is no intent yet, its Checkout Session is expired.
        """
        if payment.interface_id is None and payment.session_id is not None:
            return await self._expire_session(payment, payment.session_id)
        intent_id = require_intent_id(payment)
        key = f"{payment.id}:withdraw:{int(self._clock.time() * 1000)}"
        try:
            intent = await self._stripe.cancel_intent(intent_id, key)
        except PaymentRefused as refusal:
            # The intent of a Checkout Session is not canceled by itself, only with its session.
            session = await self._stripe.find_checkout_session_of_intent(intent_id)
            if session is not None and session.status == "open":
                payment, _ = await self._expire_session(payment, session.id)
            payment = await self._recorder.sync_intent(payment, intent_id)
            if payment.payment_status.interface_code == "canceled":
                return payment, Outcome("approved")
            return payment, Outcome("rejected", refusal.code, refusal.message)
        return await self._merge_intent(payment, intent), Outcome("approved")

    async def _expire_session(self, payment: Payment, session_id: str) -> tuple[Payment, Outcome]:
        try:
            session = await self._stripe.expire_checkout_session(session_id)
        except PaymentRefused as refusal:
            session = await self._stripe.get_checkout_session(session_id)
            if session.status != "expired":
                # Confirmed just now: the caller repeats, and finds the intent.
                raise Conflict(refusal.message, code=refusal.code, retry_after=1) from refusal
        payment = await self._recorder.record_facts(payment, [ExpiredSessionFact(session.id)])
        return payment, Outcome("approved")

    async def _call(self, payment: Payment, transaction: Transaction) -> Payment:
        """One call to Stripe, built only from the transaction."""
        operation = recorded_operation(payment, transaction)
        key = idempotency_key(transaction.id, operation.attempt)
        if transaction.type == "Authorization":
            payment, charged = await self._off_session.charge(payment, transaction, operation, key)
            cause = Interaction(operation.action, transaction.id, charged.asked, charged.intent)
            return await self._merge_intent(payment, charged.intent, cause)
        intent_id = require_intent_id(payment)
        if transaction.type == "Refund":
            metadata = {
                TRANSACTION_ID: transaction.id,
                PAYMENT_ID: payment.id,
                PROJECT_KEY: self._project_key,
            }
            if operation.added is not None:
                metadata[OPERATION] = operation.identity
            params: RefundCreateParams = {
                "payment_intent": intent_id,
                "amount": to_stripe(transaction.amount),
                "metadata": metadata,
            }
            refund = await self._stripe.create_refund(params, key)
            cause = Interaction(operation.action, transaction.id, params, refund)
            return await self._recorder.record_facts(payment, [refund_fact(refund)], cause)
        if transaction.type == "Charge":
            capture: CaptureParams = {
                "amount_to_capture": to_stripe(transaction.amount),
                "final_capture": operation.final,
            }
            if operation.final:
                del capture["final_capture"]  # Stripe's default, which some methods refuse
            intent = await self._stripe.capture_intent(intent_id, capture, key)
            cause = Interaction(operation.action, transaction.id, capture, intent)
        else:
            if payment.total("Charge", "Success") > 0:
                # A partly captured intent cannot be canceled; capturing 0 releases the rest.
                release: CaptureParams = {"amount_to_capture": 0, "final_capture": True}
                intent = await self._stripe.capture_intent(intent_id, release, key)
            else:
                intent = await self._stripe.cancel_intent(intent_id, key)
            cause = Interaction(operation.action, transaction.id, None, intent)
        payment = await self._merge_intent(payment, intent, cause)
        return await self._recorder.update(payment, accepted(transaction.id))

    async def _merge_intent(
        self, payment: Payment, intent: PaymentIntent, cause: Interaction | None = None
    ) -> Payment:
        fact = intent_fact(intent)
        if fact.settled:
            return await self._recorder.record_facts(payment, [fact], cause)
        return await self._recorder.sync_intent(payment, intent.id, cause)

    async def _refused(
        self, payment: Payment, transaction: Transaction, refusal: PaymentRefused | NotFound
    ) -> Payment:
        """Record that Stripe refused permanently, unless its objects show the requested effect."""
        reversal = recorded_operation(payment, transaction).action == "reversePayment"
        if (
            reversal
            and transaction.type == "CancelAuthorization"
            and payment.total("Authorization", "Pending")
        ):
            # Still processing: the reversal is kept, and refunds the money once it arrives.
            payment = await self._recorder.update(payment, accepted(transaction.id))
            return await self.sync_outcome(payment, transaction)
        intent_id = refusal.intent_id if isinstance(refusal, StripeRefused) else None
        if isinstance(refusal, PaymentRefused):
            payment = await self.sync_outcome(payment, transaction, intent_id)
        code = UNKNOWN_AT_STRIPE if isinstance(refusal, NotFound) else refusal.code
        return await self.fail(payment, transaction.id, code, refusal.message)

    async def fail(self, payment: Payment, transaction_id: str, code: str, message: str) -> Payment:
        """Record that a written-ahead transaction failed, and why; never overwrite a success."""

        return await self._recorder.update(payment, failed(transaction_id, code, message))
