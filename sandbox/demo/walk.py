"""The main job, step by step: pay, capture, refund, cancel, and look at both sides each time."""

from __future__ import annotations

import time
import uuid

from msgspec import Struct

from sandbox.demo.compare import Comparison
from sandbox.demo.output import Printer
from sandbox.demo.people import People, expect

_GOOD, _DECLINED = "pm_card_visa", "pm_card_visa_chargeDeclined"


class Started(Struct, frozen=True):
    """A payment that a shopper may confirm."""

    session: str
    payment_id: str
    client_secret: str
    cents: int
    currency: str

    @property
    def intent_id(self) -> str:
        return self.client_secret.partition("_secret_")[0]

    def money(self, cents: int) -> dict[str, object]:
        return {"centAmount": cents, "currencyCode": self.currency}


class Walk:
    """One walk through the main job; a step that goes wrong raises StepFailed.

    `patience_s` is how long webhooks may take until both sides must agree.
    """

    def __init__(self, people: People, printer: Printer, patience_s: float) -> None:
        self._people = people
        self._print = printer
        self._patience_s = patience_s

    def run(self) -> Started:
        """All steps; the first payment, of which a part can still be refunded."""
        first = self._pay_at_once()
        self._capture_a_part_and_refund()
        self._cancel()
        self._decline_then_pay()
        self._status()
        return first

    def _pay_at_once(self) -> Started:
        people = self._people
        self._print.step("A storefront gets an OAuth2 token and fills a cart")
        people.token("sandbox-storefront")
        cart = people.cart("DE", "EUR", stoneware_mug_1=2, brass_pen_1=1)
        cents = cart["totalPrice"]["centAmount"]
        self._print.tell(f"cart {cart['id']}: {cents / 100:.2f} EUR")

        self._print.step("It opens a Checkout session for the cart and configures the element")
        session = people.session(cart)
        headers = {"x-session-id": session}
        config = people.ask("GET", "/operations/config", headers)
        self._print.tell(f"environment {config['environment']}, key {config['publishableKey']}")
        element = people.ask("GET", "/config-element/payment", headers)
        expect(
            element["cartInfo"] == {"amount": cents, "currency": "EUR"},
            f"The element shows {element['cartInfo']}.",
        )

        self._print.step("The shopper submits: the processor starts the payment")
        started = self._start(session, cents, "EUR")
        self._settled(started, [])

        self._print.step("The test card is confirmed at Stripe, and the storefront reports it")
        people.pay(started.client_secret, _GOOD)
        body = {"paymentIntent": started.intent_id}
        path = f"/confirmPayments/{started.payment_id}"
        outcome = people.ask("POST", path, headers, body)["outcome"]
        expect(outcome == "approved", f"The payment was {outcome}.")
        paid = [("Authorization", cents, "Success"), ("Charge", cents, "Success")]
        self._settled(started, paid)

        self._print.step("Stripe's signed webhooks arrive and change nothing twice")
        self._delivered(started)
        self._settled(started, paid)
        return started

    def _capture_a_part_and_refund(self) -> None:
        self._print.step("Manual capture: a British cart, which a behaviour rule only authorizes")
        started, held = self._authorized()

        self._print.step("Checkout captures a part; the rest is released")
        part = started.cents - 1_500
        self._modify(started, "capturePayment", part)
        captured = [
            held,
            ("Charge", part, "Success"),
            ("CancelAuthorization", started.cents - part, "Success"),
        ]
        self._settled(started, captured)

        self._print.step("Checkout refunds a part of that")
        self._modify(started, "refundPayment", 1_000)
        refunded = [*captured, ("Refund", 1_000, "Success")]
        self._settled(started, refunded)

        self._print.step("A refund repeated with the same Idempotency-Key moves money once")
        key = str(uuid.uuid4())
        self._modify(started, "refundPayment", 250, key)
        self._modify(started, "refundPayment", 250, key)
        self._settled(started, [*refunded, ("Refund", 250, "Success")])
        self._delivered(started)

    def _cancel(self) -> None:
        self._print.step("Another British cart is authorized and cancelled")
        started, held = self._authorized()
        self._modify(started, "cancelPayment")
        self._settled(started, [held, ("CancelAuthorization", started.cents, "Success")])

    def _decline_then_pay(self) -> None:
        self._print.step("A card is declined")
        cart = self._people.cart("DE", "EUR", field_notebook_1=3)
        cents = cart["totalPrice"]["centAmount"]
        started = self._start(self._people.session(cart), cents, "EUR")
        self._people.pay(started.client_secret, _DECLINED)
        self._settled(started, [("Authorization", cents, "Failure")])

        self._print.step("The shopper takes another card: the same payment succeeds")
        self._people.pay(started.client_secret, _GOOD)
        self._settled(started, [("Authorization", cents, "Success"), ("Charge", cents, "Success")])
        self._delivered(started)

    def _status(self) -> None:
        self._print.step("The Merchant Center asks for the status with a JWT")
        headers = {"Authorization": f"Bearer {self._people.merchant_center_token()}"}
        report = self._people.ask("GET", "/operations/status", headers)
        for check in report["checks"]:
            self._print.tell(f"{check['name']}: {check['status']}")
        expect(report["status"] == "OK", f"The status is {report['status']}.")

    def _start(self, session: str, cents: int, currency: str) -> Started:
        answer = self._people.ask("POST", "/payments", {"x-session-id": session})
        payment_id, secret = answer["paymentReference"], answer["clientSecret"]
        return Started(session, payment_id, secret, cents, currency)

    def _authorized(self) -> tuple[Started, tuple[str, int, str]]:
        """A manual-capture payment of which the processor learns by webhook alone."""
        cart = self._people.cart("GB", "GBP", linen_apron_1=1, field_notebook_2=1)
        cents = cart["totalPrice"]["centAmount"]
        started = self._start(self._people.session(cart), cents, "GBP")
        self._people.pay(started.client_secret, _GOOD)
        held = ("Authorization", cents, "Success")
        self._settled(started, [held])
        return started, held

    def _modify(
        self, started: Started, action: str, cents: int | None = None, key: str | None = None
    ) -> None:
        amount = {} if cents is None else {"amount": started.money(cents)}
        outcome = self._people.modify(started.payment_id, key, action=action, **amount)
        expect(outcome == "approved", f"{action} was {outcome}.")

    def _settled(self, started: Started, expected: list[tuple[str, int, str]]) -> None:
        """Both sides agree on these transactions, if need be once the webhooks have arrived."""
        found = self._wait_for(started, expected)
        self._print.comparison(found)
        expect(found.agrees, "commercetools and Stripe differ.")
        expect(
            sorted(found.recorded) == sorted(expected),
            f"The payment's transactions should be {expected}, but are {found.recorded}.",
        )

    def _wait_for(self, started: Started, expected: list[tuple[str, int, str]]) -> Comparison:
        deadline = time.monotonic() + self._patience_s
        while True:
            found = self._people.compare(started.payment_id)
            settled = found.agrees and sorted(found.recorded) == sorted(expected)
            if settled or time.monotonic() > deadline:
                return found
            time.sleep(0.05)

    def _delivered(self, started: Started) -> None:
        """Every event about the intent has been acknowledged."""
        deadline = time.monotonic() + self._patience_s
        while True:
            events = self._people.deliveries(started.intent_id)
            missing = [kind for kind, states in events if set(states) != {"delivered"}]
            if not missing or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        self._print.tell("acknowledged: " + ", ".join(kind for kind, _ in events))
        expect(bool(events), "Stripe made no event.")
        expect(not missing, f"Not acknowledged: {', '.join(missing)}.")
