"""The phases of a run: each lists one kind of object, in pages that a cursor resumes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Protocol

from msgspec import Struct

from stripe_connector.gateways.commercetools.history import PAGE
from stripe_connector.gateways.commercetools.orders import PayableCart
from stripe_connector.gateways.stripe.history import CreatedSpan, StripeHistory
from stripe_connector.ledger.facts import PROJECT_KEY
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.stripe_objects import Event, PaymentIntent
from stripe_connector.ops.reconcile.compared import Compared
from stripe_connector.ops.reconcile.examine import HOLDING, Examiner
from stripe_connector.ops.reconcile.span import Span
from stripe_connector.ops.reconcile.wiring import Parts
from stripe_connector.storefront.events import HANDLED, REPLAYED

Work = Callable[[], Awaitable[None]]

_TELLING = frozenset({"payment_intent", "charge", "checkout.session"})
"""Types of objects whose metadata show whether they are ours."""


class PhaseItem(Struct, frozen=True):
    """One object of a page; `work` is None where there is nothing to do."""

    id: str
    work: Work | None = None


class PhasePage(Struct, frozen=True):
    items: Sequence[PhaseItem]
    more: bool
    fraction: float = 1.0
    """How much of the phase is done after this page, from 0 to 1."""


class Phase(Protocol):
    """One direction."""

    name: str

    async def page(self, after: str | None) -> PhasePage:
        """The page after the item of this id, or the first page."""


class Payments:
    """Compares every Payment of the span with Stripe, except those of the listed intents."""

    name = "payments"

    def __init__(self, reading: Parts, examiner: Examiner, span: Span, compared: Compared) -> None:
        self._reading = reading
        self._commercetools = reading.commercetools
        self._examiner = examiner
        self._span = span
        self._compared = compared

    async def page(self, after: str | None) -> PhasePage:
        listed = await self._commercetools.list_payments_between(*self._span.bounds(), after)
        payments = [each for each in listed if self._commercetools.is_of_connector(each)]
        left = {each.id: each for each in payments if each.id not in self._compared}
        carts = await _carts_of(self._reading, left.values())
        items = [
            PhaseItem(
                payment.id,
                partial(self._examiner.payment, payment, cart=carts.get(payment.id))
                if payment.id in left
                else None,
            )
            for payment in payments
        ]
        more = len(listed) == PAGE
        if more and not self._commercetools.is_of_connector(listed[-1]):
            items.append(PhaseItem(listed[-1].id))  # the next page begins after it
        return PhasePage(items, more, _share(listed[-1].id) if more else 1.0)


async def _carts_of(reading: Parts, payments: Iterable[Payment]) -> Mapping[str, PayableCart]:
    """The carts of the Payments that have an intent, by the Payment's id: one call for a page."""
    started = [each.id for each in payments if each.interface_id is not None]
    return await reading.commercetools.list_carts_of(started)


class Unfinished:
    """Compares Payments from before the span with a transaction that was never finished."""

    name = "unfinished"

    def __init__(self, reading: Parts, examiner: Examiner, span: Span) -> None:
        self._commercetools = reading.commercetools
        self._examiner = examiner
        self._before = span.bounds()[0]

    async def page(self, after: str | None) -> PhasePage:
        listed = await self._commercetools.list_unfinished_payments(self._before, after)
        items = [
            PhaseItem(
                payment.id,
                partial(self._examiner.payment, payment)
                if self._commercetools.is_of_connector(payment)
                else None,
            )
            for payment in listed
        ]
        more = len(listed) == PAGE
        return PhasePage(items, more, _share(listed[-1].id) if more else 1.0)


class Sighting(Struct, frozen=True):
    """An object of a list at Stripe that may concern a Payment."""

    id: str
    created: int
    intent_id: str | None = None
    intent: PaymentIntent | None = None
    """The intent itself, where the list contains it."""
    event: Event | None = None
    """An event to replay instead of comparing the Payment."""


Look = Callable[[StripeHistory, CreatedSpan, str | None], Awaitable[tuple[list[Sighting], bool]]]
"""A page of a list, and whether there is more."""


class AtStripe:
    """Compares every object of a list at Stripe with the Payment of its intent.

    Skips Payments of the span, which other phases compare.
    """

    def __init__(
        self,
        name: str,
        look: Look,
        reading: Parts,
        examiner: Examiner,
        span: Span,
        *,
        older: timedelta | None = None,
        compared: Compared | None = None,
    ) -> None:
        """`older`: look for money without a Payment alone, for so long before the span.

        `compared`: the list has whole intents, so compare Payments of the span, too, which costs
        no call for each, and remember them here.
        """
        self.name = name
        self._look = look
        self._reading = reading
        self._examiner = examiner
        self._span = span
        self._older = older
        self._compared = compared

    async def page(self, after: str | None) -> PhasePage:
        created = self._span.at_stripe() if self._older is None else self._span.before(self._older)
        seen, more = await self._look(self._reading.stripe, created, after)
        first: dict[str, str] = {}
        """By intent, the first object of the page: one comparison per intent is enough."""
        for each in seen:
            if each.intent_id is not None:
                first.setdefault(each.intent_id, each.id)
        payments = await self._reading.commercetools.list_payments_of_intents(list(first))
        carts: Mapping[str, PayableCart] = {}
        if self._compared is not None:
            carts = await _carts_of(self._reading, payments.values())
        items = [self._item(each, first, payments, carts) for each in seen]
        if not more:
            return PhasePage(items, more)
        done = (created.until - seen[-1].created) / (created.until - created.since)
        return PhasePage(items, more, done)

    def _item(
        self,
        seen: Sighting,
        first: dict[str, str],
        payments: Mapping[str, Payment],
        carts: Mapping[str, PayableCart],
    ) -> PhaseItem:
        if seen.event is not None:
            return PhaseItem(seen.id, partial(self._examiner.replay, seen.event))
        if seen.intent_id is None or first[seen.intent_id] != seen.id:
            return PhaseItem(seen.id)
        payment = payments.get(seen.intent_id)
        if payment is not None:
            if self._compared is not None and seen.intent is not None:
                cart = carts.get(payment.id)
                work = partial(self._listed, self._compared, payment, seen.intent, cart)
                return PhaseItem(seen.id, work)
            if self._older is not None or self._span.covers(
                payment.created_at, payment.last_modified_at
            ):
                return PhaseItem(seen.id)
            return PhaseItem(seen.id, partial(self._examiner.payment, payment, seen.intent))
        if seen.intent is not None:
            return PhaseItem(seen.id, partial(self._examiner.unclaimed, seen.intent))
        return PhaseItem(seen.id, partial(self._examiner.unknown, seen.intent_id))

    async def _listed(
        self,
        compared: Compared,
        payment: Payment,
        intent: PaymentIntent,
        cart: PayableCart | None,
    ) -> None:
        await self._examiner.payment(payment, intent, cart=cart)
        compared.add(payment.id)


def phases(
    reading: Parts,
    examiner: Examiner,
    span: Span,
    project_key: str,
    *,
    events_only: bool,
    orphans: timedelta,
) -> list[Phase]:
    """All phases in their order, or only the replay of undelivered events.

    For `orphans` before the span, intents that hold money are looked up.
    """

    def at_stripe(
        name: str,
        look: Look,
        older: timedelta | None = None,
        compared: Compared | None = None,
    ) -> AtStripe:
        return AtStripe(name, look, reading, examiner, span, older=older, compared=compared)

    if events_only:
        return [at_stripe("undelivered events", _undelivered)]
    compared = Compared()
    return [
        at_stripe("intents", partial(_intents, project_key), compared=compared),
        Payments(reading, examiner, span, compared),
        at_stripe("refunds", _refunds),
        at_stripe("disputes", _disputes),
        at_stripe("events", partial(_events, project_key)),
        Unfinished(reading, examiner, span),
        at_stripe("older intents", partial(_money, project_key), orphans),
    ]


async def _intents(
    project_key: str, stripe: StripeHistory, created: CreatedSpan, after: str | None
) -> tuple[list[Sighting], bool]:
    page, more = await stripe.list_intents(created, after)
    seen = []
    for item in page:
        id_, when = item.named.id, item.named.created
        if item.whole is None and item.named.metadata.get(PROJECT_KEY) != project_key:
            seen.append(Sighting(id_, when))  # another integration's, which may have any form
        else:
            seen.append(Sighting(id_, when, id_, item.whole))
    return seen, more


async def _money(
    project_key: str, stripe: StripeHistory, created: CreatedSpan, after: str | None
) -> tuple[list[Sighting], bool]:
    """Intents of ours that hold money, or will."""
    page, more = await stripe.list_intents(created, after)
    seen = []
    for item in page:
        id_, when, intent = item.named.id, item.named.created, item.whole
        ours = item.named.metadata.get(PROJECT_KEY) == project_key
        if ours and (intent is None or intent.status in HOLDING or intent.amount_received):
            seen.append(Sighting(id_, when, id_, intent))
        else:
            seen.append(Sighting(id_, when))
    return seen, more


async def _refunds(
    stripe: StripeHistory, created: CreatedSpan, after: str | None
) -> tuple[list[Sighting], bool]:
    page, more = await stripe.list_refunds_created(created, after)
    return [Sighting(each.id, each.created, each.intent_id) for each in page], more


async def _disputes(
    stripe: StripeHistory, created: CreatedSpan, after: str | None
) -> tuple[list[Sighting], bool]:
    page, more = await stripe.list_disputes_created(created, after)
    return [Sighting(each.id, each.created, each.intent_id) for each in page], more


async def _events(
    project_key: str, stripe: StripeHistory, created: CreatedSpan, after: str | None
) -> tuple[list[Sighting], bool]:
    """Delivered or not: another endpoint may have received an event, or none existed."""
    page, more = await stripe.list_events(created, after)
    seen = []
    for item in page:
        id_, when = item.named.id, item.named.created
        event = item.whole.event() if item.whole is not None else None
        if event is None:
            seen.append(Sighting(id_, when))
        elif event.type in REPLAYED:
            seen.append(Sighting(id_, when, event=event))
        elif event.type in HANDLED and _perhaps_ours(event, project_key):
            seen.append(Sighting(id_, when, event.intent_id))
        else:
            seen.append(Sighting(id_, when))
    return seen, more


async def _undelivered(
    stripe: StripeHistory, created: CreatedSpan, after: str | None
) -> tuple[list[Sighting], bool]:
    page, more = await stripe.list_events(created, after, undelivered=True)
    seen = []
    for item in page:
        event = item.whole.event() if item.whole is not None else None
        known = event if event is not None and event.type in HANDLED else None
        seen.append(Sighting(item.named.id, item.named.created, event=known))
    return seen, more


def _perhaps_ours(event: Event, project_key: str) -> bool:
    """Saves a call for each intent of another integration."""
    if event.object.get("object") not in _TELLING or "metadata" not in event.object:
        return True
    return event.metadata.get(PROJECT_KEY) == project_key


def _share(id_: str) -> float:
    """The share of ids before this one: ids are random, and the list is ordered by id."""
    try:
        return int(id_[:8], 16) / 0xFFFFFFFF
    except ValueError:
        return 0.0
