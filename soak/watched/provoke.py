"""For each alert, what makes it fire. A provocation lasts until it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias

from soak.calls import Json
from soak.watched.place import Place

Provocation: TypeAlias = Callable[[Place], Awaitable[None]]

_INTENTS = {"backend": "stripe", "method": "POST", "path": "/v1/payment_intents"}
_SLOW_S = 6.0
_HOUR = 3_600
_SHOPPERS = 4
_CALLERS = 60
_LOOK_S = 0.5


async def _repeatedly(work: Callable[[], Awaitable[object]], at_once: int = 1) -> None:
    async def again() -> None:
        while True:
            await work()
            await asyncio.sleep(_LOOK_S)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(again())


async def stripe_down(place: Place) -> None:
    async with place.rule(**_INTENTS, kind="fail_before", status=503):
        await _repeatedly(place.buy, _SHOPPERS)


async def key_refused(place: Place) -> None:
    async with place.rule(**_INTENTS, kind="fail_before", status=403):
        await _repeatedly(place.buy, _SHOPPERS)


async def stripe_slow(place: Place) -> None:
    async with place.rule(**_INTENTS, kind="delay", seconds=_SLOW_S):
        await _repeatedly(place.buy, _SHOPPERS)


async def too_many(place: Place) -> None:
    """More callers at once than the first processor accepts."""
    headers = await place.session_headers()

    async def ask() -> None:
        await place.calls.ask("burst", "GET", "/operations/config", headers)

    slow = {"backend": "commercetools", "kind": "delay", "method": "GET", "path": "*/sessions/*"}
    async with place.rule(**slow, seconds=2.0):
        await _repeatedly(ask, _CALLERS)


async def conflicts(place: Place) -> None:
    writes = {"backend": "commercetools", "method": "POST", "path": "*/payments/*"}
    async with place.rule(**writes, kind="fail_before", status=409):
        await _repeatedly(place.buy, _SHOPPERS)


async def webhooks_fail(place: Place) -> None:
    """An event is delivered while Payments cannot be read."""
    event = await _paid_event(place)
    reads = {"backend": "commercetools", "path": "*/payments*"}
    async with place.rule(**reads, kind="fail_before", status=503):
        await _repeatedly(lambda: place.deliver(event), _SHOPPERS)


async def webhooks_late(place: Place) -> None:
    async def late() -> None:
        await place.deliver(await _paid_event(place), aged_s=600)

    await _repeatedly(late)


async def signatures(place: Place) -> None:
    event = await _paid_event(place)
    await _repeatedly(lambda: place.deliver(event, secret="whsec_" + "0" * 24), _SHOPPERS)


async def _paid_event(place: Place) -> Json:
    """An event that Stripe could not deliver, about a payment that is not recorded as paid."""
    async with place.silence():
        begun = await place.started()
        if begun is None:
            raise RuntimeError("no payment could be started")
        intent = await place.calls.browser(begun[1]["clientSecret"], payment_method="pm_card_visa")
        return await place.event(intent["id"], "payment_intent.succeeded")


async def orphan(place: Place) -> None:
    async with place.silence():
        intent = await place.calls.stripe(
            "POST",
            "/v1/payment_intents",
            amount="1000",
            currency="eur",
            confirm="true",
            payment_method="pm_card_visa",
            return_url="http://localhost:3000/return",
            **{
                "automatic_payment_methods[enabled]": "true",
                "metadata[ct_project_key]": "sandbox",
                "metadata[ct_payment_id]": "00000000-0000-4000-8000-00000000dead",
            },
        )
        event = await place.event(intent["id"], "payment_intent.succeeded")
        await place.deliver(event, aged_s=2 * _HOUR)
    await asyncio.Event().wait()


async def mismatch(place: Place) -> None:
    """A shopper adds to the cart after paying."""
    async with place.silence():
        begun = await place.started()
        if begun is None:
            raise RuntimeError("no payment could be started")
        session, payment = begun
        await place.calls.browser(payment["clientSecret"], payment_method="pm_card_visa")
        await _add_line(place, session["cart"])
        await place.confirm(session, payment)
    await asyncio.Event().wait()


async def _add_line(place: Place, cart_id: str) -> None:
    cart = await place.calls.commercetools("GET", f"carts/{cart_id}")
    action = {"action": "addLineItem", "sku": "brass-pen-1", "quantity": 2}
    body = {"version": cart["version"], "actions": [action]}
    await place.calls.commercetools("POST", f"carts/{cart_id}", body)


async def unorderable(place: Place) -> None:
    """A buy-now cart costs more than was paid for it."""
    answer = await place.calls.ask("buy now", "GET", "/create-checkout-session/", {})
    if answer is None:
        raise RuntimeError("no buy-now session could be opened")
    carts = await place.calls.commercetools("GET", "carts?sort=createdAt%20desc&limit=1")
    await _add_line(place, carts["results"][0]["id"])
    path = f"stripe/checkout/sessions/{answer.json()['id']}/pay"
    await place.calls.sandbox("POST", path, {"payment_method": "pm_card_visa"})
    await asyncio.Event().wait()


async def job_refused(place: Place) -> None:
    """A customer pays for a recurring order, and Checkout refuses its job."""
    customer = await place.calls.commercetools("POST", "customers", {"email": "lin@example.com"})
    recurrence = {
        "recurrencePolicy": {"typeId": "recurrence-policy", "key": "monthly"},
        "priceSelectionMode": "Fixed",
    }
    cart = await place.calls.commercetools(
        "POST",
        "carts",
        {
            "currency": "EUR",
            "country": "DE",
            "customerId": customer["customer"]["id"],
            "shippingAddress": {"country": "DE"},
            "lineItems": [{"sku": "task-lamp-1", "recurrenceInfo": recurrence}],
        },
    )
    item = "3f1c7a52-9a3e-4a7e-8f0e-5f0f8f5b1c05"
    draft = {
        "cart": {"cartRef": {"id": cart["id"]}},
        "metadata": {"checkoutTransactionItemId": item},
    }
    session = await place.calls.commercetools("POST", "sessions", draft)
    jobs = {"backend": "commercetools", "method": "POST", "path": "*/recurring-payment-jobs"}
    headers = {"x-session-id": session["id"]}
    async with place.rule(**jobs, kind="fail_before", status=400):
        await place.calls.ask("customer", "GET", "/customer/session", headers)
        answer = await place.calls.ask("POST /payments", "POST", "/payments", headers)
        if answer is None or answer.status_code != 200:
            raise RuntimeError("the recurring payment could not be started")
        await place.calls.browser(answer.json()["clientSecret"], payment_method="pm_card_visa")
        await asyncio.Event().wait()


async def unknown_capture(place: Place) -> None:
    """Stripe stores a failure for a capture, half a day before the authorization ends."""
    behaviour = {"authorization_seconds": 12 * _HOUR}
    await place.calls.sandbox("POST", "stripe/behaviour", behaviour)
    try:
        payment = await place.buy("GB", "GBP")
    finally:
        await place.calls.sandbox("POST", "stripe/behaviour", {})
    await _unknown(place, payment, "capturePayment", "GBP", "/v1/payment_intents/*/capture")


async def unknown_refund(place: Place) -> None:
    await _unknown(place, await place.buy(), "refundPayment", "EUR", "/v1/refunds")


async def _unknown(
    place: Place, payment: str | None, action: str, currency: str, path: str
) -> None:
    if payment is None:
        raise RuntimeError("no payment could be started")
    async with place.rule("stripe/errors", path=path, when="before"):
        await place.modify(payment, action, {"centAmount": 100, "currencyCode": currency})
        await asyncio.Event().wait()


async def one_gone(place: Place) -> None:
    await place.instances[1].stop()
    try:
        await asyncio.Event().wait()
    finally:
        await place.instances[1].start()


async def restarts(place: Place) -> None:
    async def restart() -> None:
        await place.instances[1].kill()
        await place.instances[1].start()

    await _repeatedly(restart)


async def all_gone(place: Place) -> None:
    await place.metrics_gone()
    try:
        await asyncio.Event().wait()
    finally:
        await place.metrics_back()


async def memory(place: Place) -> None:
    async with place.instead("soak.watched.ballast"):
        await asyncio.Event().wait()


async def differences(place: Place) -> None:
    """The daily run finds the orphan that an earlier provocation has left."""
    await place.daily()
    await asyncio.Event().wait()


async def unsound(place: Place) -> None:
    """The signing secret is not the processor's."""
    await place.examine(STRIPE_WEBHOOK_SIGNING_SECRET="whsec_" + "0" * 24)
    await asyncio.Event().wait()


async def cut_off(place: Place) -> None:
    """The daily run ends because commercetools stays down."""
    async with place.rule(backend="commercetools", kind="fail_before", status=503):
        await place.daily()
    await asyncio.Event().wait()


async def silence(place: Place) -> None:
    """Stripe sends nothing more, and neither reconcile nor doctor is started."""
    async with place.silence():
        await _repeatedly(place.buy)


@asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[asyncio.Task[None]]:
    """A task that is cancelled at the end, and has cleaned up then."""

    async def go() -> None:
        await work

    task = asyncio.create_task(go())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


PROVOCATIONS: Mapping[Provocation, frozenset[str]] = {
    provocation: frozenset(alerts.split())
    for provocation, alerts in (
        (stripe_down, "PaymentsFail RequestsFail BackendFails"),
        (key_refused, "BackendRefusesAccess"),
        (stripe_slow, "PaymentsStartSlowly"),
        (too_many, "RequestsTurnedAway"),
        (conflicts, "VersionConflictsPileUp"),
        (webhooks_fail, "WebhooksFail"),
        (webhooks_late, "WebhooksLag"),
        (signatures, "WebhookSignaturesRefused"),
        (orphan, "EventsWithoutPayment"),
        (mismatch, "AmountMismatch"),
        (unorderable, "OrderFailed"),
        (job_refused, "RecurringPaymentsRefused"),
        (unknown_refund, "OutcomeUnknown"),
        (unknown_capture, "OutcomeUnknownNearTheEnd"),
        (differences, "ReconcileRemains"),
        (cut_off, "ReconcileFails"),
        (unsound, "DoctorFails"),
        (one_gone, "InstanceGone"),
        (restarts, "InstanceRestarts"),
        (memory, "MemoryNearItsLimit"),
        (all_gone, "ConnectorNotSeen"),
        (silence, "WebhooksStayAway ReconcileMissing DoctorMissing"),
    )
}
