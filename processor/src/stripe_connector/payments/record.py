"""Writes facts into a Payment: read, merge, write, and again after a version conflict."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import UNSET
from msgspec.structs import replace

from stripe_connector.clock import Clock
from stripe_connector.concurrency import Tries
from stripe_connector.errors import (
    BackendUnavailable,
    DuplicateField,
    InvalidRequest,
    VersionConflict,
)
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import PaymentDraft
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger import operation, proof
from stripe_connector.ledger.actions import (
    Action,
    AddTransaction,
    SetStatusInterfaceCode,
    SetStatusInterfaceText,
    SetTransactionCustomField,
    SetTransactionCustomType,
    SetTransactionInterfaceId,
)
from stripe_connector.ledger.facts import (
    ExpiredSessionFact,
    Fact,
    RefundFact,
    ReleaseFact,
    dispute_fact,
    intent_fact,
    refund_facts,
)
from stripe_connector.ledger.merge import AMOUNT_MISMATCH, ORDER_FAILED, SUPERSEDED, merge
from stripe_connector.ledger.operation import timestamp
from stripe_connector.ledger.payment import Payment, PaymentStatus
from stripe_connector.ledger.proof import account_of
from stripe_connector.money import Money
from stripe_connector.payments import interactions
from stripe_connector.payments.interactions import Interaction
from stripe_connector.payments.own_account import OwnAccount

logger = logging.getLogger(__name__)

Compute = Callable[[Payment], Awaitable[Sequence[Action]]]
"""Computes the actions that a Payment at one version needs; called again after each conflict."""


class Recorder:
    """Brings Payments up to date; every write is computed from the version to which it is applied.

    So what `compute` reads from Stripe is never older than what the Payment already says: the
    request that wrote that version had read Stripe before.
    """

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        account: OwnAccount,
        clock: Clock,
        *,
        keep_interactions: bool = False,
        observe_mismatch: Callable[[], None] = lambda: None,
    ) -> None:
        self._commercetools = commercetools
        self._keep_interactions = keep_interactions
        self._observe_mismatch = observe_mismatch
        self._stripe = stripe
        self._account = account
        self._clock = clock

    def now(self) -> str:
        """The time as a transaction's timestamp."""
        return timestamp(self._clock.now())

    def older_than(self, age: timedelta, payment: Payment) -> bool:
        """Whether a Payment was created longer ago than `age`."""
        created = payment.created_at
        return created is not None and self._clock.now() - datetime.fromisoformat(created) > age

    async def create_payment(self, draft: PaymentDraft) -> Payment:
        """Create the Payment, or find it by the draft's key; creates a missing custom type."""
        try:
            return await self._commercetools.create_payment(draft)
        except InvalidRequest as error:
            if error.code != "ReferencedResourceNotFound":
                raise
            await self._create_types()
            return await self._commercetools.create_payment(draft)

    async def update(
        self, payment: Payment, compute: Compute, cause: Interaction | None = None
    ) -> Payment:
        """Apply the actions of `compute`; raises BackendUnavailable when they cannot be stored.

        A failed write may nevertheless have happened: the Payment is read again, and merging again
        then changes nothing. `cause` is stored with the Payment where that is switched on.
        """
        tries, failed = Tries("The payment", self._clock), False
        types_created = bare = False
        while True:
            actions = list(await compute(payment))
            if bare:
                actions = _without_shown(actions)
            if not actions:
                return payment
            if account_of(payment) is None:
                # Of an older version, or of the official connector: add the proof that it is ours.
                actions = [
                    *actions,
                    proof.add_interaction((await self._account.ours()).proof.interaction()),
                ]
            if cause is not None and self._keep_interactions:
                actions = [*actions, cause.action(self.now())]
            try:
                stored = await self._commercetools.update_payment(payment, actions)
            except (InvalidRequest, DuplicateField) as error:
                if error.code == "ReferencedResourceNotFound" and not types_created:
                    await self._create_types()
                    types_created = True
                elif not bare and _without_shown(actions) != actions:
                    bare = True  # fields that are only shown must not block money
                else:
                    raise
                continue
            except VersionConflict:
                pass
            except BackendUnavailable:
                if failed:
                    raise
                failed = True
            else:
                if _mismatched(stored) and not _mismatched(payment):
                    self._observe_mismatch()
                return stored
            await tries.again()
            payment = await self._commercetools.get_payment(payment.id)

    async def _create_types(self) -> None:
        """Create the custom types that our transactions and interactions need.

        They are missing where post-deploy did not run; money is recorded nevertheless.
        """
        for draft in (
            operation.operation_type_draft(),
            proof.proof_type_draft(),
            interactions.interaction_type_draft(),
        ):
            try:
                await self._commercetools.create_type(draft)
            except DuplicateField:
                continue  # this type exists

    async def record_facts(
        self, payment: Payment, facts: Iterable[Fact], cause: Interaction | None = None
    ) -> Payment:
        """Merge facts that are true whenever they are read."""
        facts = list(facts)
        _tell(facts)

        async def compute(current: Payment) -> Sequence[Action]:
            return merge(current, facts, self.now())

        return await self.update(payment, compute, cause)

    async def sync_intent(
        self,
        payment: Payment,
        intent_id: str,
        cause: Interaction | None = None,
        *,
        planned: Money | None = None,
    ) -> Payment:
        """Read the intent at Stripe and merge it."""

        async def compute(current: Payment) -> Sequence[Action]:
            fact = intent_fact(await self._stripe.get_intent(intent_id))
            _tell([fact])
            return merge(current, [fact], self.now(), planned=planned)

        return await self.update(payment, compute, cause)

    async def sync_checkout_session(self, payment: Payment, session_id: str) -> Payment:
        """Read a Checkout Session at Stripe and merge it, with its intent if it has one."""
        session = await self._stripe.get_checkout_session(session_id)
        if session.intent_id is not None:
            return await self.sync_intent(payment, session.intent_id)
        if session.status == "expired":
            return await self.record_facts(payment, [ExpiredSessionFact(session_id)])
        return payment

    async def mark_superseded(self, payment: Payment) -> Payment:
        """Mark a Payment whose page is about to be replaced, unless money has come."""

        async def compute(current: Payment) -> Sequence[Action]:
            taken = current.total("Authorization", "Pending", "Success")
            if taken or current.payment_status.interface_code == SUPERSEDED:
                return []
            return [
                SetStatusInterfaceCode(SUPERSEDED),
                SetStatusInterfaceText("The payment page was replaced by another."),
            ]

        return await self.update(payment, compute)

    async def mark_order_failed(self, payment: Payment, reason: str) -> Payment:
        """Mark a Payment that holds money while its cart's order cannot be placed."""

        async def compute(current: Payment) -> Sequence[Action]:
            status = current.payment_status
            if (status.interface_code, status.interface_text) == (ORDER_FAILED, reason):
                return []
            return [SetStatusInterfaceCode(ORDER_FAILED), SetStatusInterfaceText(reason)]

        return await self.update(payment, compute)

    async def clear_order_failed(self, payment: Payment) -> Payment:
        """Replace that mark by the intent's status at Stripe."""

        async def compute(current: Payment) -> Sequence[Action]:
            if current.payment_status.interface_code != ORDER_FAILED or not current.interface_id:
                return []
            intent = await self._stripe.get_intent(current.interface_id)
            unmarked = replace(current, payment_status=PaymentStatus())
            return merge(unmarked, [intent_fact(intent)], self.now())

        return await self.update(payment, compute)

    async def sync_dispute(
        self, payment: Payment, dispute_id: str, cause: Interaction | None = None
    ) -> Payment:
        """Read the dispute at Stripe and merge it."""

        async def compute(current: Payment) -> Sequence[Action]:
            fact = dispute_fact(await self._stripe.get_dispute(dispute_id))
            facts = [fact] if fact else []
            _tell(facts)
            return merge(current, facts, self.now())

        return await self.update(payment, compute, cause)

    async def sync_refunds(
        self, payment: Payment, intent_id: str, cause: Interaction | None = None
    ) -> Payment:
        """Read all refunds of an intent and merge them."""
        charge, refunds = await self._stripe.get_charge_and_refunds(intent_id)
        return await self.record_facts(payment, refund_facts(refunds, charge), cause)


def _without_shown(actions: Sequence[Action]) -> list[Action]:
    """The actions without fields that only people and other programs read.

    A type may lack a field, and another program may have used an `interfaceId`.
    """
    bare: list[Action] = []
    for action in actions:
        if isinstance(action, AddTransaction):
            action = AddTransaction(replace(action.transaction, interface_id=UNSET))
        if not isinstance(
            action, SetTransactionCustomField | SetTransactionCustomType | SetTransactionInterfaceId
        ):
            bare.append(action)
    return bare


def _tell(facts: Iterable[Fact]) -> None:
    """Log what a person must know: values that Stripe has added, and failed refunds."""
    for fact in facts:
        if isinstance(fact, RefundFact) and fact.state == "Failure" and fact.failure is not None:
            logger.warning(
                "A refund has failed",
                extra={"fields": {"refund": fact.refund_id, "reason": fact.failure}},
            )
        if not isinstance(fact, ExpiredSessionFact | ReleaseFact) and fact.unknown is not None:
            logger.warning(
                "Stripe sent a value that the connector does not know",
                extra={"fields": {"word": fact.unknown, "of": type(fact).__name__}},
            )


def _mismatched(payment: Payment) -> bool:
    return payment.payment_status.interface_code == AMOUNT_MISMATCH
