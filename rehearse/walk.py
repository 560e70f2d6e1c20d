"""The demo's walk, on one side: pay, capture, refund, cancel, a decline, and what is refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from rehearse.configuration import SIGNING_SECRET
from rehearse.sides import Reply, Side
from sandbox.demo.people import StepFailed, expect
from sandbox.stripe.webhooks import signed
from stripe_connector.gateways.stripe.api_version import API_VERSION

_GOOD, _DECLINED = "pm_card_visa", "pm_card_visa_chargeDeclined"
_RETURN = "http://localhost:3000/return"
_UNKNOWN = "00000000-0000-4000-8000-00000000dead"
_EVENTS = ("payment_intent.created", "charge.succeeded", "payment_intent.succeeded")
_PATIENCE_S = 60.0
_PAUSE_S = 1.0


class Started(Struct, frozen=True):
    """A payment that the walk has started."""

    session: dict[str, str]
    payment_id: str
    intent_id: str
    cents: int
    currency: str


class Walk:
    """Walks on one side. A step that goes wrong is told in `failed`, and the next begins."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._paid: Started | None = None
        self.failed: list[str] = []
        self.remarks: list[str] = []

    async def run(self) -> None:
        for title, step in self._steps():
            self._side.recorder.step = title
            try:
                await step()
            except StepFailed as error:
                self.failed.append(f"{title}: {error}")
            except LookupError as error:
                self.failed.append(f"{title}: an answer lacks {error}")
        self._side.recorder.step = None

    def _steps(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [
            ("A card is charged at once", self._pay),
            ("Stripe's events arrive", self._events),
            ("Money is held, captured in part and refunded", self._capture_and_refund),
            ("Money is held and released", self._cancel),
            ("A card is declined, another one pays", self._decline_then_pay),
            ("Stripe refuses", self._refused_by_stripe),
            ("commercetools refuses", self._refused_by_commercetools),
        ]

    async def _pay(self) -> None:
        started = await self._start("DE", "EUR", 2500)
        (await self._confirm(started, _GOOD)).need(200)
        path = f"/confirmPayments/{started.payment_id}"
        body = {"paymentIntent": started.intent_id}
        outcome = (await self._side.ask("POST", path, started.session, body)).need(200)["outcome"]
        expect(outcome == "approved", f"the payment was {outcome}")
        await self._recorded(started)
        self._paid = started

    async def _events(self) -> None:
        """What Stripe would deliver, fetched from its list and signed here."""
        started = self._needed()
        for kind in _EVENTS:
            event = await self._event(kind, started.intent_id)
            if event.get("api_version") != API_VERSION:
                self.remarks.append(
                    f"{kind} is written in another version than {API_VERSION}, the account's"
                    " default: its object was not compared."
                )
                event = {**event, "data": {"object": {"id": event["data"]["object"]["id"]}}}
            else:
                self._side.recorder.record("Stripe", "event", kind, 200, event)
            content, signature = signed(event, SIGNING_SECRET, int(time.time()))
            headers = {"Stripe-Signature": signature}
            answer = await self._side.ask("POST", "/stripe/webhooks", headers, content=content)
            answer.need(200)
        await self._recorded(started)

    async def _event(self, kind: str, intent_id: str) -> dict[str, Any]:
        recorder = self._side.recorder
        step, recorder.step = recorder.step, None  # how often it is asked for differs
        try:
            deadline = time.monotonic() + _PATIENCE_S
            while time.monotonic() < deadline:
                listed = await self._side.stripe("GET", "/v1/events", type=kind, limit=50)
                for event in listed.need(200)["data"]:
                    about = event["data"]["object"]
                    if intent_id in (about["id"], about.get("payment_intent")):
                        return dict(event)
                await asyncio.sleep(_PAUSE_S)
        finally:
            recorder.step = step
        raise StepFailed(f"Stripe made no event {kind} within {_PATIENCE_S:.0f} seconds")

    async def _capture_and_refund(self) -> None:
        started = await self._held()
        await self._modify(started, "capturePayment", started.cents - 700)
        await self._modify(started, "refundPayment", 500)
        for _ in range(2):
            await self._modify(started, "refundPayment", 200, key="rehearsal-refund")
        await self._recorded(started)

    async def _cancel(self) -> None:
        started = await self._held()
        await self._modify(started, "cancelPayment")
        await self._recorded(started)
        (await self._confirm(started, _GOOD)).need(400)

    async def _decline_then_pay(self) -> None:
        started = await self._start("DE", "EUR", 1900)
        (await self._confirm(started, _DECLINED)).need(402)
        (await self._confirm(started, _GOOD)).need(200)
        path = f"/confirmPayments/{started.payment_id}"
        body = {"paymentIntent": started.intent_id}
        (await self._side.ask("POST", path, started.session, body)).need(200)
        await self._recorded(started)

    async def _refused_by_stripe(self) -> None:
        stripe, intent, cents = self._side.stripe, self._needed().intent_id, self._needed().cents
        intents, there = "/v1/payment_intents", f"/v1/payment_intents/{self._needed().intent_id}"
        eur: dict[str, Any] = {"currency": "eur", "amount": 2000}
        key = f"rehearsal-{intent}"
        self._about("an unknown intent")
        await stripe("GET", f"{intents}/pi_0000unknown")
        self._about("a wrong key")
        await stripe("GET", there, secret="sk_test_wrong0000")
        self._about("less than the smallest amount")
        await stripe("POST", intents, currency="eur", amount=1)
        self._about("an intent without an amount")
        await stripe("POST", intents, currency="eur")
        self._about("an unknown parameter")
        await stripe("POST", intents, **eur, rehearsal="yes")
        self._about("an unknown currency")
        await stripe("POST", intents, currency="zzz", amount=2000)
        self._about("another body under the same key")
        (await stripe("POST", intents, key=key, **eur)).need(200)
        await stripe("POST", intents, key=key, currency="eur", amount=2100)
        self._about("to capture what is captured")
        await stripe("POST", f"{there}/capture")
        self._about("to cancel what is paid")
        await stripe("POST", f"{there}/cancel")
        self._about("to confirm what is paid")
        await stripe("POST", f"{there}/confirm", payment_method=_GOOD)
        self._about("to refund more than was paid")
        await stripe("POST", "/v1/refunds", payment_intent=intent, amount=cents + 1)
        self._about("to refund an unknown intent")
        await stripe("POST", "/v1/refunds", payment_intent="pi_0000unknown")

    async def _refused_by_commercetools(self) -> None:
        commercetools, there = self._side.commercetools, f"payments/{self._needed().payment_id}"
        payment = (await commercetools("GET", there)).need(200)
        planned = {"centAmount": 100, "currencyCode": "EUR"}
        self._about("an unknown Payment")
        await commercetools("GET", f"payments/{_UNKNOWN}")
        self._about("a wrong token")
        await commercetools("GET", there, token="wrong")
        self._about("an unknown session")
        await commercetools("GET", f"sessions/{_UNKNOWN}")
        self._about("an old version")
        await commercetools("POST", there, {"version": 1, "actions": []})
        self._about("an unknown action")
        change = {"version": payment["version"], "actions": [{"action": "rehearse"}]}
        await commercetools("POST", there, change)
        self._about("a malformed draft")
        await commercetools("POST", "payments", {"amountPlanned": "much"})
        self._about("a key that is taken")
        taken = {"amountPlanned": planned, "key": payment.get("key")}
        await commercetools("POST", "payments", taken)
        self._about("an unknown currency")
        await commercetools("POST", "carts", {"currency": "euro"})
        self._about("a session for an unknown cart")
        await commercetools("POST", "sessions", {"cart": {"cartRef": {"id": _UNKNOWN}}})

    def _about(self, what: str) -> None:
        """Name a refusal within a step, so that the report can."""
        step, _, _ = str(self._side.recorder.step).partition(":")
        self._side.recorder.step = f"{step}: {what}"

    # What the steps have in common

    def _needed(self) -> Started:
        if self._paid is None:
            raise StepFailed("the first payment did not succeed")
        return self._paid

    async def _start(self, country: str, currency: str, cents: int) -> Started:
        side = self._side
        line = {
            "name": {"en": "Rehearsal"},
            "slug": "rehearsal",
            "quantity": 1,
            "money": {"centAmount": cents, "currencyCode": currency},
        }
        draft = {
            "currency": currency,
            "country": country,
            "taxMode": "Disabled",
            "customLineItems": [line],
        }
        cart = (await side.commercetools("POST", "carts", draft)).need(201)
        application = side.walker.application_key
        metadata = {"applicationKey": application} if application else {"processorUrl": _RETURN}
        session = await side.commercetools(
            "POST", "sessions", {"cart": {"cartRef": {"id": cart["id"]}}, "metadata": metadata}
        )
        headers = {"x-session-id": str(session.need(200, 201)["id"])}
        (await side.ask("GET", "/operations/config", headers)).need(200)
        (await side.ask("GET", "/config-element/payment", headers)).need(200)
        answer = (await side.ask("POST", "/payments", headers)).need(200)
        intent_id = str(answer["clientSecret"]).partition("_secret_")[0]
        return Started(headers, str(answer["paymentReference"]), intent_id, cents, currency)

    async def _confirm(self, started: Started, method: str) -> Reply:
        """What the shopper's browser does, with the merchant's key."""
        path = f"/v1/payment_intents/{started.intent_id}/confirm"
        return await self._side.stripe("POST", path, payment_method=method, return_url=_RETURN)

    async def _held(self) -> Started:
        """A British payment, which a rule of the walk only authorizes."""
        started = await self._start("GB", "GBP", 3000)
        (await self._confirm(started, _GOOD)).need(200)
        path = f"/confirmPayments/{started.payment_id}"
        body = {"paymentIntent": started.intent_id}
        (await self._side.ask("POST", path, started.session, body)).need(200)
        return started

    async def _modify(
        self, started: Started, action: str, cents: int | None = None, key: str | None = None
    ) -> None:
        """What Checkout's backend asks."""
        headers = {"Authorization": f"Bearer {await self._side.token()}"}
        if key is not None:
            headers["Idempotency-Key"] = f"{key}-{started.payment_id}"
        amount = {"centAmount": cents, "currencyCode": started.currency}
        change = {"action": action, **({} if cents is None else {"amount": amount})}
        path = f"/operations/payment-intents/{started.payment_id}"
        answer = await self._side.ask("POST", path, headers, {"actions": [change]})
        outcome = answer.need(200)["outcome"]
        expect(outcome == "approved", f"{action} was {outcome}")

    async def _recorded(self, started: Started) -> None:
        """Both sides of the payment, as they are now."""
        path = f"payments/{started.payment_id}"
        (await self._side.commercetools("GET", path)).need(200)
        intent = f"/v1/payment_intents/{started.intent_id}"
        (await self._side.stripe("GET", intent, **{"expand[]": "latest_charge"})).need(200)
        refunds = await self._side.stripe("GET", "/v1/refunds", payment_intent=started.intent_id)
        refunds.need(200)
