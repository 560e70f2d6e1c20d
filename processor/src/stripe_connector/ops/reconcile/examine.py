"""Compares one payment, intent or event at a time, and repairs it where requested."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from stripe_connector.clock import Clock
from stripe_connector.errors import BackendError, ConnectorError, NotFound
from stripe_connector.gateways.commercetools.models import is_id
from stripe_connector.gateways.commercetools.orders import PayableCart
from stripe_connector.gateways.paced import WriteRefused
from stripe_connector.gateways.stripe.decoding import Unreadable
from stripe_connector.ledger.actions import Action
from stripe_connector.ledger.facts import PAYMENT_ID, PROJECT_KEY, TRANSACTION_ID, RefundFact
from stripe_connector.ledger.merge import merge
from stripe_connector.ledger.ours import Standing
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.proof import account_of
from stripe_connector.ledger.stripe_objects import Event, PaymentIntent
from stripe_connector.money import from_stripe, iso_digits
from stripe_connector.ops.reconcile.compare import abandoned, after, beyond_stripe, compare
from stripe_connector.ops.reconcile.difference import Difference, DifferenceKind
from stripe_connector.ops.reconcile.findings import Findings
from stripe_connector.ops.reconcile.fulfilment import repair_fulfilment, unfulfilled
from stripe_connector.ops.reconcile.outage import through_outage
from stripe_connector.ops.reconcile.truth import Truth, completed, truth_of, truth_of_intent
from stripe_connector.ops.reconcile.wiring import Parts
from stripe_connector.payments.limits import kept_amount
from stripe_connector.payments.payment_events import EventEffect
from stripe_connector.storefront.events import CASH_BALANCE

T = TypeVar("T")

_HELD = frozenset({"succeeded", "requires_capture"})


class _Case(Struct, frozen=True):
    """A Payment at one version, and Stripe's objects, read after that version."""

    payment: Payment
    truth: Truth


HOLDING = ("requires_capture", "processing")
"""Statuses of an intent that holds money, or will, although none was received."""


class Examiner:
    """Compares through `reading`, which cannot write; repairs through `writing` if given."""

    def __init__(
        self,
        reading: Parts,
        writing: Parts | None,
        findings: Findings,
        clock: Clock,
        *,
        project_key: str,
        abandoned_after: timedelta,
    ) -> None:
        self._reading = reading
        self._writing = writing
        self._findings = findings
        self._clock = clock
        self._project_key = project_key
        self._abandoned_after = abandoned_after
        self._cash_of: set[tuple[object, str]] = set()
        """Customers and currencies whose cash balance was checked."""

    async def payment(
        self,
        payment: Payment,
        intent: PaymentIntent | None = None,
        *,
        cart: PayableCart | None = None,
    ) -> None:
        """Compare a Payment; with its intent and the cart that it is on, where they were read."""
        standing = (await self._reading.account.ours()).standing(payment)
        if standing is Standing.NOTHING and kept_amount(payment) > 0:
            await self._tell(
                Difference(
                    DifferenceKind.OTHER_MODE,
                    payment.id,
                    payment.interface_id,
                    amount=kept_amount(payment),
                    currency=payment.currency,
                )
            )
        if account_of(payment) is not None and standing is not Standing.OURS:
            return  # its own processor compares it with its own account
        try:
            case = await self._through_outage(lambda: self._case(payment, intent))
        except NotFound:
            await self._tell(
                Difference(DifferenceKind.UNKNOWN_INTENT, payment.id, payment.interface_id)
            )
            return
        except Unreadable as error:
            unreadable = Difference(DifferenceKind.UNREADABLE, payment.id, payment.interface_id)
            await self._tell(replace(unreadable, stripe=error.detail))
            return
        if case is None:
            return
        if self._compare(case):
            # The Payment may have changed since its page, and the intent, were read.
            first = case
            case = await self._through_outage(lambda: self._again(first))
            if case is None:
                return
        found = self._compare(case)
        if not any(difference.kind is DifferenceKind.UNREADABLE for difference in found):
            found += await self._follow_up(case, cart)
        await self._settle(case, found)

    async def unclaimed(self, intent: PaymentIntent) -> None:
        """Examine an intent that no Payment names: foreign, half linked, or an orphan."""
        if intent.metadata.get(PROJECT_KEY) != self._project_key:
            return
        payment = await self._through_outage(lambda: self._named(intent))
        if payment is not None and payment.interface_id in (None, intent.id):
            await self.payment(payment, intent)
            return
        truth = await self._through_outage(lambda: completed(self._reading.stripe, intent))
        returned = sum(
            fact.amount
            for fact in truth.refund_facts()
            if isinstance(fact, RefundFact) and fact.state != "Failure"
        )
        held = intent.amount_received - returned
        if held > 0 or intent.status in HOLDING:
            currency = intent.currency.upper()
            try:
                money = from_stripe(held or intent.amount, currency, iso_digits(currency))
            except BackendError as error:
                unreadable = Difference(DifferenceKind.UNREADABLE, intent=intent.id)
                await self._tell(replace(unreadable, stripe=error.message))
                return
            orphan = Difference(
                DifferenceKind.ORPHAN_INTENT,
                payment=intent.metadata.get(PAYMENT_ID),
                intent=intent.id,
                amount=money.cent_amount,
                currency=currency,
            )
            await self._tell(replace(orphan, stripe=intent.status))

    async def unknown(self, intent_id: str) -> None:
        """Examine an intent of which only the id is known and that no Payment names."""
        try:
            item = await self._through_outage(
                lambda: self._reading.stripe.get_foreign_intent(intent_id)
            )
        except NotFound:
            return  # of another account
        if item.whole is not None:
            await self.unclaimed(item.whole)
        elif item.named.metadata.get(PROJECT_KEY) == self._project_key:
            await self._tell(Difference(DifferenceKind.UNREADABLE, intent=intent_id))

    async def replay(self, event: Event) -> None:
        """Handle an event as if it were delivered now; report it only if it changes something."""
        if event.type == CASH_BALANCE:
            await self._cash(event)
            return
        missed = Difference(
            DifferenceKind.UNDELIVERED_EVENT,
            event.metadata.get(PAYMENT_ID),
            event.intent_id,
            subject=event.id,
            type=event.type,
        )
        try:
            await self._through_outage(lambda: self._reading.events.handle(event))
        except (WriteRefused, BackendError):
            [missed] = await self._ordered([missed])
            if self._findings.found(missed) and self._writing is not None:
                self._findings.settled(missed, repaired=await self._replayed(self._writing, event))

    async def _cash(self, event: Event) -> None:
        """Report what is left in a customer's cash balance, as the newest event has it."""
        customer, currency = event.object.get("customer"), str(event.object.get("currency")).upper()
        newest = (customer, currency) not in self._cash_of
        self._cash_of.add((customer, currency))
        told = (
            await self._through_outage(lambda: self._reading.events.handle(event))
            if newest
            else None
        )
        if told is EventEffect.TOLD:
            left = from_stripe(event.object["ending_balance"], currency, iso_digits(currency))
            found = Difference(DifferenceKind.CASH_BALANCE, subject=customer, currency=currency)
            await self._tell(replace(found, amount=left.cent_amount))

    async def _replayed(self, writing: Parts, event: Event) -> bool:
        try:
            await self._through_outage(lambda: writing.events.handle(event))
        except ConnectorError:
            return False  # reported as remaining; the next run tries again
        return True

    async def _case(self, payment: Payment, intent: PaymentIntent | None) -> _Case | None:
        if intent is not None:
            truth: Truth | None = await completed(self._reading.stripe, intent)
        else:
            truth = await truth_of(self._reading.stripe, payment)
        return None if truth is None else self._of(payment, truth)

    async def _again(self, case: _Case) -> _Case | None:
        try:
            payment = await self._reading.commercetools.get_payment(case.payment.id)
        except NotFound:
            return None  # deleted meanwhile
        return await self._fresh(payment, case.truth.intent)

    async def _fresh(self, payment: Payment, intent: PaymentIntent | None) -> _Case | None:
        if intent is not None:
            truth: Truth | None = await truth_of_intent(self._reading.stripe, intent.id)
        else:
            truth = await truth_of(self._reading.stripe, payment)
        return None if truth is None else self._of(payment, truth)

    def _of(self, payment: Payment, truth: Truth) -> _Case:
        """Leaves out refunds that the official connector may have recorded under the intent's id:
        they cannot be matched."""
        names = {t.interaction_id for t in payment.of_type("Refund")}
        if payment.interface_id in names:
            ids = {t.id for t in payment.transactions}
            refunds = [
                r for r in truth.refunds if r.id in names or r.metadata.get(TRANSACTION_ID) in ids
            ]
            truth = replace(truth, refunds=refunds)
        return _Case(payment, truth)

    def _compare(self, case: _Case) -> list[Difference]:
        payment = case.payment
        try:
            return compare(payment, case.truth, self._clock.now(), self._abandoned_after)
        except BackendError as error:  # an amount that commercetools cannot hold
            unreadable = Difference(DifferenceKind.UNREADABLE, payment.id, payment.interface_id)
            return [replace(unreadable, stripe=error.message)]

    async def _follow_up(self, case: _Case, cart: PayableCart | None) -> list[Difference]:
        """Compare the order or cart with the money."""
        payment, intent = case.payment, case.truth.intent
        if intent is None or intent.status not in _HELD:
            return []
        merged = after(payment, merge(payment, case.truth.facts(), self._now()))
        beyond = beyond_stripe(merged, intent)
        found = [
            await self._through_outage(lambda: self._unstored(payment, intent)),
            await self._through_outage(lambda: self._without_job(payment)),
            await self._through_outage(
                lambda: unfulfilled(self._reading, intent.metadata, merged, beyond, cart)
            ),
        ]
        if cart is None and kept_amount(merged) > 0:
            found.append(await self._through_outage(lambda: self._on_nothing(merged, intent.id)))
        return [difference for difference in found if difference is not None]

    async def _on_nothing(self, merged: Payment, intent_id: str) -> Difference | None:
        commercetools = self._reading.commercetools
        if await commercetools.list_carts_of([merged.id]):
            return None
        if await commercetools.find_order_of_payment(merged.id):
            return None
        return Difference(
            DifferenceKind.PAYMENT_ON_NOTHING,
            merged.id,
            intent_id,
            amount=kept_amount(merged),
            currency=merged.currency,
        )

    async def _unstored(self, payment: Payment, intent: PaymentIntent) -> Difference | None:
        if intent.setup_future_usage is None:
            return None
        try:
            await self._reading.stored_methods.remember(payment, intent)
        except WriteRefused:
            return Difference(
                DifferenceKind.UNSTORED_METHOD, payment.id, intent.id, subject=intent.payment_method
            )
        return None

    async def _without_job(self, payment: Payment) -> Difference | None:
        if not await self._reading.stored_methods.lacks_job(payment):
            return None
        return Difference(DifferenceKind.RECURRING_REFUSED, payment.id, payment.interface_id)

    async def _named(self, intent: PaymentIntent) -> Payment | None:
        """The Payment that an intent's metadata name."""
        payment_id = intent.metadata.get(PAYMENT_ID, "")
        if not is_id(payment_id):
            return None
        try:
            return await self._reading.commercetools.get_payment(payment_id)
        except NotFound:
            return None

    async def _settle(self, case: _Case, found: Sequence[Difference]) -> None:
        found = await self._ordered(found)
        new = [difference for difference in found if self._findings.found(difference)]
        writing = self._writing
        if writing is None or not found:
            return
        left: set[DifferenceKind] = set()
        if any(not difference.needs_a_person for difference in found):
            left = await self._through_outage(lambda: self._repair(writing, case, found))
        for difference in new:
            repaired = not difference.needs_a_person and difference.kind not in left
            self._findings.settled(difference, repaired=repaired)

    async def _repair(
        self, writing: Parts, case: _Case, found: Sequence[Difference]
    ) -> set[DifferenceKind]:
        """Write what is missing, as a webhook would; returns the kinds that could not be repaired.

        May be repeated: it finds what was written.
        """
        truth: Truth = case.truth
        usable = True

        async def compute(current: Payment) -> Sequence[Action]:
            nonlocal truth, usable
            if not usable or current.version != case.payment.version:
                fresh = await self._fresh(current, case.truth.intent)
                truth = fresh.truth if fresh is not None else Truth()
            usable = False  # whatever is written later must have been read later
            return merge(current, truth.facts(), self._now())

        payment = await writing.recorder.update(case.payment, compute)
        for operation in abandoned(payment, self._clock.now() - self._abandoned_after):
            payment = await writing.mover.give_up(payment, operation)
        kinds = {difference.kind for difference in found}
        if DifferenceKind.UNSTORED_METHOD in kinds and case.truth.intent is not None:
            await writing.stored_methods.remember(payment, case.truth.intent)
        left = {difference.kind for difference in self._compare(_Case(payment, truth))}
        for difference in found:
            if difference.kind in (
                DifferenceKind.UNFULFILLED_ORDER,
                DifferenceKind.UNPLACED_ORDER,
            ) and not (await repair_fulfilment(writing, difference)):
                left.add(difference.kind)
        return left

    async def _tell(self, difference: Difference) -> None:
        """A difference that only a person can repair."""
        [named] = await self._ordered([difference])
        if self._findings.found(named) and self._writing is not None:
            self._findings.settled(named, repaired=False)

    async def _ordered(self, found: Sequence[Difference]) -> list[Difference]:
        """Differences of one Payment with the order that it is on."""
        payment_id = found[0].payment if found else None
        if payment_id is None or not is_id(payment_id):
            return [*found]
        order = await self._through_outage(
            lambda: self._reading.commercetools.find_order_of_payment(payment_id)
        )
        if order is None:
            return [*found]
        return [replace(each, order=order.order_number or order.id) for each in found]

    def _now(self) -> str:
        return self._reading.recorder.now()

    async def _through_outage(self, work: Callable[[], Awaitable[T]]) -> T:
        return await through_outage(self._clock, work)
