"""The ledger's promises under random operations, deliveries, faults, crashes and concurrency.

Everything is the real thing but the network: two instances of the processor, both stand-ins.
`LEDGER_EXAMPLES` sets the number of schedules; `make test-long` runs ten thousand.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, get_args

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from msgspec import Struct

from stripe_connector.ledger.operation import IDENTITY, identity
from tests.property import oracle
from tests.property.schedule import interleaved
from tests.wire import Call, Crash, Trouble
from tests.world import Json, World, money

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "120"))
STEPS = 40
WINDOW_S = 120

amounts = st.sampled_from([100, 300, 400, 1000])
troubles = st.sampled_from(get_args(Trouble))
paying = st.sampled_from(
    ["pm_card_visa", "pm_card_visa", "pm_card_pendingRefund", "pm_card_refundFail", "sepa_debit"]
)
methods = st.sampled_from(
    [
        "pm_card_visa",
        "pm_card_visa",
        "pm_card_visa_chargeDeclined",
        "pm_card_authenticationRequired",
        "pm_card_pendingRefund",
        "pm_card_refundFail",
        "sepa_debit",
    ]
)


Send = Callable[[], Coroutine[Any, Any, None]]


class Asked(Struct):
    """An operation that a merchant asked for, perhaps several times."""

    payment_id: str
    action: Json
    key: str | None
    generations: list[float] = []
    """When it may have been started anew: a finished one is forgotten after the window."""

    @property
    def identity(self) -> str:
        return identity(
            self.key,
            self.action["action"],
            self.action.get("amount", {}).get("centAmount"),
            merchant_reference=self.action.get("merchantReference"),
        )


class LedgerMachine(RuleBasedStateMachine):
    """One shop with two carts, one of which is captured by hand."""

    def __init__(self) -> None:
        super().__init__()
        logging.disable(logging.CRITICAL)
        self.runner = asyncio.Runner()
        self.carts: list[Json] = []
        self.started: dict[int, Json] = {}
        self.secrets: set[str] = set()
        self.asked: list[Asked] = []
        self.acknowledged: set[str] = set()
        self.captured_elsewhere: Counter[str] = Counter()

    @initialize(multiple_captures=st.booleans(), paid_with=st.tuples(paying, paying))
    def open_shop(self, multiple_captures: bool, paid_with: tuple[str, str]) -> None:
        """Two carts, for which the shoppers have paid; the processors know nothing of that yet."""
        self.world = World(
            {
                "STRIPE_PAYMENT_BEHAVIOR_RULES": '{"GB": {"captureMethod": "manual"}}',
                "STRIPE_ENABLE_MULTI_OPERATIONS": "true" if multiple_captures else "false",
            }
        )
        self.processors = [self.world.processor, self.world.start_processor()]
        for country in ("DE", "GB"):
            self.carts.append(self.run(self.world.cart(1000, country=country)))
        for cart, method in enumerate(paid_with):
            self.run(self._start(cart, 0))
            self.run(self.world.pay(self.started[cart]["clientSecret"], method))

    def run(self, request: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self.runner.run(request)
        except Crash:
            return None
        finally:
            self._revive()

    def _revive(self) -> None:
        """A crashed instance is replaced, as a platform would do."""
        for number, processor in enumerate(getattr(self, "processors", [])):
            if processor.wire.dead:
                self.processors[number] = self.world.start_processor()

    # What may be asked of the processors

    async def _start(self, cart: int, processor: int) -> None:
        session = await self.world.session(self.carts[cart]["id"])
        answer = await self.processors[processor].client.post("/payments", headers=session)
        assert answer.status_code in (200, 400, 409, 502, 503), answer.text
        if answer.status_code == 200:
            self.started[cart] = answer.json()
            self.secrets.add(answer.json()["clientSecret"])

    async def _confirm(self, cart: int, processor: int) -> None:
        started = self.started[cart]
        session = await self.world.session(self.carts[cart]["id"])
        answer = await self.processors[processor].client.post(
            f"/confirmPayments/{started['paymentReference']}",
            json={"paymentIntent": started["clientSecret"].partition("_secret_")[0]},
            headers=session,
        )
        assert answer.status_code in (200, 202, 400, 402, 409, 502, 503), answer.text

    async def _modify(self, asked: Asked, processor: int) -> None:
        headers = dict(await self.world.checkout())
        if asked.key is not None:
            headers["Idempotency-Key"] = asked.key
        now = self.world.clock.time()
        if not asked.generations or now - asked.generations[-1] >= WINDOW_S:
            asked.generations.append(now)
        answer = await self.processors[processor].client.post(
            f"/operations/payment-intents/{asked.payment_id}",
            json={"actions": [asked.action]},
            headers=headers,
        )
        assert answer.status_code in (200, 400, 409, 502, 503), answer.text

    async def _deliver(self, event: Json, processor: int) -> None:
        answer: httpx.Response = await self.world.deliver(event, self.processors[processor])
        assert answer.status_code in (200, 502, 503), answer.text
        if answer.status_code == 200:
            self.acknowledged.add(event["id"])

    def _any_request(self, data: st.DataObject) -> Send:
        """One request to one of the instances, not sent yet."""
        return partial(self._draw_request(data), data.draw(st.integers(0, 1), label="processor"))

    def _draw_request(self, data: st.DataObject) -> Callable[[int], Coroutine[Any, Any, None]]:
        """A request to the instance of a number."""
        cart = data.draw(st.integers(0, 1), label="cart")
        kinds = ["start", "confirm", "deliver", "deliver", "modify", "modify"]
        if self.asked:
            kinds += ["repeat", "repeat"]
        match data.draw(st.sampled_from(kinds), label="request"):
            case "start":
                return partial(self._start, cart)
            case "confirm":
                return partial(self._confirm, cart)
            case "deliver":
                event = data.draw(st.sampled_from(self.world.stripe.events), label="event")
                return partial(self._deliver, event)
            case "modify":
                payment_id = self.started[cart]["paymentReference"]
                return partial(self._modify, self._new_operation(data, payment_id))
            case _:
                asked = data.draw(st.sampled_from(self.asked), label="operation")
                return partial(self._modify, asked)

    def _new_operation(self, data: st.DataObject, payment_id: str) -> Asked:
        name = data.draw(
            st.sampled_from(
                [
                    "refundPayment",
                    "refundPayment",
                    "capturePayment",
                    "capturePayment",
                    "cancelPayment",
                    "reversePayment",
                ]
            ),
            label="action",
        )
        action: Json = {"action": name, "merchantReference": f"order-{len(self.asked)}"}
        if name in ("capturePayment", "refundPayment"):
            action["amount"] = money(data.draw(amounts, label="amount"))
        key = f"key-{len(self.asked)}" if data.draw(st.booleans(), label="with key") else None
        asked = Asked(payment_id, action, key)
        self.asked.append(asked)
        return asked

    # Rules

    @rule(data=st.data())
    def one_request(self, data: st.DataObject) -> None:
        self.run(self._any_request(data)())

    @rule(data=st.data(), trouble=troubles, after=st.integers(0, 7), calls=st.integers(1, 6))
    def one_request_in_trouble(
        self, data: st.DataObject, trouble: Trouble, after: int, calls: int
    ) -> None:
        self._in_trouble(trouble, after, calls)
        self.run(self._any_request(data)())
        self.world.network.trouble = lambda _: None

    @rule(
        data=st.data(),
        number=st.integers(2, 4),
        same=st.booleans(),
        trouble=st.none() | troubles,
        after=st.integers(0, 12),
    )
    def requests_at_once(
        self,
        data: st.DataObject,
        number: int,
        same: bool,
        trouble: Trouble | None,
        after: int,
    ) -> None:
        """Different ones, or one that is sent several times at once."""
        if same:
            request = self._draw_request(data)
            requests: list[Send] = [partial(request, processor % 2) for processor in range(number)]
        else:
            requests = [self._any_request(data) for _ in range(number)]
        if trouble is not None:
            self._in_trouble(trouble, after, 1)

        async def choose(waiting: int) -> int:
            if data.draw(st.integers(0, 7), label="outside") == 7:
                await self._outside(data)
            return data.draw(st.integers(0, waiting - 1), label="turn") if waiting > 1 else 0

        self.run(interleaved(self.world.network, [send() for send in requests], choose))
        self.world.network.trouble = lambda _: None

    def _in_trouble(self, trouble: Trouble, after: int, calls: int) -> None:
        """The calls after so many calls, and those alone, meet trouble."""
        made = 0

        def meet(_: Call) -> Trouble | None:
            nonlocal made
            made += 1
            return trouble if after < made <= after + calls else None

        self.world.network.trouble = meet

    @rule(data=st.data())
    def outside_world_moves(self, data: st.DataObject) -> None:
        self.run(self._outside(data))

    @rule(seconds=st.sampled_from([1, 30, 130, 130, 90_000, 700_000]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
        self.world.stripe.run_due()

    async def _outside(self, data: st.DataObject) -> None:
        moves = [
            self._shopper_pays,
            self._bank_or_shopper_decides,
            self._cart_changes,
            self._merchant_uses_the_dashboard,
            self._merchant_uses_the_dashboard,
            self._refund_moves_on,
            self._dispute_moves_on,
        ]
        await data.draw(st.sampled_from(moves), label="move")(data)

    async def _shopper_pays(self, data: st.DataObject) -> None:
        secret = data.draw(st.sampled_from(sorted(self.secrets)), label="secret")
        await self.world.pay(secret, data.draw(methods, label="method"))

    async def _bank_or_shopper_decides(self, data: st.DataObject) -> None:
        undecided = {
            i["id"]: "settle" if i["status"] == "processing" else "authenticate"
            for i in self.world.stripe.intents
            if i["status"] in ("processing", "requires_action")
        }
        if undecided:
            intent = data.draw(st.sampled_from(sorted(undecided)), label="intent")
            outcome = data.draw(st.sampled_from(["succeed", "fail"]), label="outcome")
            path = f"payment_intents/{intent}/{undecided[intent]}"
            await self.world.at_stripe(path, outcome=outcome)

    async def _cart_changes(self, data: st.DataObject) -> None:
        cart = data.draw(st.integers(0, 1), label="cart")
        cents = data.draw(st.sampled_from([1000, 1200, 900]), label="price")
        await self.world.reprice(self.carts[cart]["id"], cents)

    async def _merchant_uses_the_dashboard(self, data: st.DataObject) -> None:
        """Captures, cancels and refunds that the processor learns of by webhook alone."""
        intent = data.draw(st.sampled_from(list(self.world.stripe.intents)), label="intent")
        amount = data.draw(amounts, label="amount")
        path = f"/v1/payment_intents/{intent['id']}"
        if intent["status"] == "requires_capture":
            if data.draw(st.booleans(), label="capture"):
                amount = min(amount, intent["amount_capturable"])
                self.captured_elsewhere[intent["id"]] += amount
                await self.world.ask_stripe("POST", f"{path}/capture", amount_to_capture=amount)
            elif not intent["amount_received"]:
                await self.world.ask_stripe("POST", f"{path}/cancel")
        elif intent["status"] == "succeeded" and self._refundable(intent) >= amount:
            await self.world.ask_stripe(
                "POST", "/v1/refunds", payment_intent=intent["id"], amount=amount
            )

    def _refundable(self, intent: Json) -> int:
        if any(d["payment_intent"] == intent["id"] for d in self.world.stripe.disputes):
            return 0
        refunded = sum(
            r["amount"]
            for r in self.world.stripe.refunds
            if r["payment_intent"] == intent["id"] and r["status"] not in ("failed", "canceled")
        )
        return int(intent["amount_received"] - refunded)

    async def _refund_moves_on(self, data: st.DataObject) -> None:
        """Pending ones settle, and even a succeeded one may fail."""
        movable = {
            r["id"]: ["succeeded", "failed"] if r["status"] == "pending" else ["failed"]
            for r in self.world.stripe.refunds
            if r["status"] in ("pending", "succeeded")
        }
        if movable:
            refund = data.draw(st.sampled_from(sorted(movable)), label="refund")
            status = data.draw(st.sampled_from(movable[refund]), label="status")
            await self.world.at_stripe(f"refunds/{refund}", status=status)

    async def _dispute_moves_on(self, data: st.DataObject) -> None:
        """A shopper disputes a payment; the dispute is decided, or reopened by an appeal."""
        disputes = sorted(d["id"] for d in self.world.stripe.disputes)
        charges = sorted(c["id"] for c in self.world.stripe.charges if c["captured"])
        path = ""
        body: Json = {}
        if disputes:
            path = f"disputes/{data.draw(st.sampled_from(disputes), label='dispute')}"
            states = ["under_review", "won", "lost", "needs_response"]
            body = {"status": data.draw(st.sampled_from(states), label="status")}
        elif charges and data.draw(st.integers(0, 3), label="open one") == 3:
            path = f"charges/{data.draw(st.sampled_from(charges), label='charge')}/dispute"
        if path:
            with contextlib.suppress(AssertionError):  # not a step that Stripe allows from here
                await self.world.at_stripe(path, **body)

    # The end

    def teardown(self) -> None:
        try:
            if self.carts:
                self._everything_is_delivered()
                oracle.check(self.world)
                self._every_operation_moved_money_once()
        finally:
            self.runner.close()
            logging.disable(logging.NOTSET)

    def _everything_is_delivered(self) -> None:
        """Stripe repeats what was not acknowledged, and only that; the network is sound again."""
        for _ in range(6):
            for event in list(self.world.stripe.events):
                if event["id"] not in self.acknowledged:
                    self.run(self._deliver(event, 0))
        left = [e["id"] for e in self.world.stripe.events if e["id"] not in self.acknowledged]
        assert not left, f"never acknowledged: {left}"

    def _every_operation_moved_money_once(self) -> None:
        asked = {(a.payment_id, a.identity): a for a in self.asked}
        moved: Counter[tuple[str, str, str]] = Counter()
        by_operations: Counter[str] = Counter()
        for payment in self.world.store.collection("payment"):
            for transaction in payment["transactions"]:
                operation = transaction.get("custom", {}).get("fields", {}).get(IDENTITY)
                if operation and transaction["state"] in ("Success", "Pending"):
                    moved[payment["id"], operation, transaction["type"]] += 1
                    if transaction["type"] == "Charge":
                        by_operations[payment["interfaceId"]] += transaction["amount"]["centAmount"]
        for (payment_id, operation, type_), count in moved.items():
            request = asked.get((payment_id, operation.removesuffix(":late")))
            assert request is not None, f"nobody asked for {operation}"
            allowed = 1 if request.key else len(request.generations)
            assert count <= allowed, f"{type_} of {request} happened {count} times"
        for intent in self.world.stripe.intents:
            if intent["capture_method"] == "manual":
                known = by_operations[intent["id"]] + self.captured_elsewhere[intent["id"]]
                assert intent["amount_received"] <= known, f"captured twice: {intent['id']}"


LedgerMachine.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    report_multiple_bugs=False,
)
TestLedger: type[Any] = LedgerMachine.TestCase
