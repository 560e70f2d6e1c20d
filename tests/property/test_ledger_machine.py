"""The ledger's promises under random operations, deliveries, faults, crashes and concurrency.

Everything is the real thing but the network: two instances of the processor, both stand-ins.
`LEDGER_EXAMPLES` sets the number of schedules; `make test-long` runs ten thousand.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Coroutine
from typing import Any, get_args

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec import Struct

from stripe_connector.ledger.operation import IDENTITY, identity
from tests.property import oracle
from tests.property.schedule import interleaved
from tests.wire import Call, Crash, Trouble
from tests.world import Json, World, money

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "120"))
STEPS = 30
WINDOW_S = 120

amounts = st.sampled_from([100, 300, 400, 1000])
troubles = st.sampled_from(get_args(Trouble))
methods = st.sampled_from(
    [
        "pm_card_visa",
        "pm_card_visa",
        "pm_card_visa_chargeDeclined",
        "pm_card_authenticationRequired",
        "pm_card_pendingRefund",
        "pm_card_refundFail",
        "pm_card_createDispute",
        "sepa_debit",
    ]
)


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

    @initialize(multiple_captures=st.booleans(), interactions=st.booleans())
    def open_shop(self, multiple_captures: bool, interactions: bool) -> None:
        self.world = World(
            {
                "STRIPE_PAYMENT_BEHAVIOR_RULES": '{"GB": {"captureMethod": "manual"}}',
                "STRIPE_ENABLE_MULTI_OPERATIONS": "true" if multiple_captures else "false",
            }
        )
        self.processors = [self.world.processor, self.world.start_processor()]
        for country in ("DE", "GB"):
            self.carts.append(self.run(self.world.cart(1000, country=country)))

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

    def _any_request(self, data: st.DataObject) -> Coroutine[Any, Any, Any]:
        """One request to one of the instances."""
        processor = data.draw(st.integers(0, 1), label="processor")
        cart = data.draw(st.integers(0, 1), label="cart")
        kinds = ["start"]
        if self.world.stripe.events:
            kinds += ["deliver", "deliver"]
        if cart in self.started:
            kinds += ["confirm", "modify", "modify"]
        if self.asked:
            kinds += ["repeat", "repeat"]
        match data.draw(st.sampled_from(kinds), label="request"):
            case "start":
                return self._start(cart, processor)
            case "confirm":
                return self._confirm(cart, processor)
            case "deliver":
                return self._deliver(
                    data.draw(st.sampled_from(self.world.stripe.events), label="event"), processor
                )
            case "modify":
                asked = self._new_operation(data, self.started[cart]["paymentReference"])
                return self._modify(asked, processor)
            case _:
                return self._modify(
                    data.draw(st.sampled_from(self.asked), label="operation"), processor
                )

    def _new_operation(self, data: st.DataObject, payment_id: str) -> Asked:
        name = data.draw(
            st.sampled_from(["capturePayment", "refundPayment", "cancelPayment", "reversePayment"]),
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
        self.run(self._any_request(data))

    @rule(data=st.data(), trouble=troubles, after=st.integers(0, 7))
    def one_request_in_trouble(self, data: st.DataObject, trouble: Trouble, after: int) -> None:
        self._in_trouble(trouble, after)
        self.run(self._any_request(data))
        self.world.network.trouble = lambda _: None

    @rule(
        data=st.data(),
        number=st.integers(2, 4),
        trouble=st.none() | troubles,
        after=st.integers(0, 12),
    )
    def requests_at_once(
        self, data: st.DataObject, number: int, trouble: Trouble | None, after: int
    ) -> None:
        if trouble is not None:
            self._in_trouble(trouble, after)
        requests = [self._any_request(data) for _ in range(number)]

        def choose(waiting: int) -> int:
            return data.draw(st.integers(0, waiting - 1), label="turn") if waiting > 1 else 0

        self.run(interleaved(self.world.network, requests, choose))
        self.world.network.trouble = lambda _: None

    def _in_trouble(self, trouble: Trouble, after: int) -> None:
        """The call after so many calls, and that one alone, meets trouble."""
        left = after

        def meet(_: Call) -> Trouble | None:
            nonlocal left
            left -= 1
            return trouble if left == -1 else None

        self.world.network.trouble = meet

    @precondition(lambda self: self.started)
    @rule(data=st.data(), method=methods)
    def shopper_pays(self, data: st.DataObject, method: str) -> None:
        secret = data.draw(st.sampled_from(sorted(self.secrets)), label="secret")
        self.run(self.world.pay(secret, method))

    @precondition(lambda self: self.started)
    @rule(data=st.data(), outcome=st.sampled_from(["succeed", "fail"]))
    def bank_or_shopper_decides(self, data: st.DataObject, outcome: str) -> None:
        open_intents = {
            i["id"]: "settle" if i["status"] == "processing" else "authenticate"
            for i in self.world.stripe.intents
            if i["status"] in ("processing", "requires_action")
        }
        if open_intents:
            intent = data.draw(st.sampled_from(sorted(open_intents)), label="intent")
            self.run(
                self.world.at_stripe(
                    f"payment_intents/{intent}/{open_intents[intent]}", outcome=outcome
                )
            )

    @rule(cart=st.integers(0, 1), cents=st.sampled_from([1000, 1200, 900]))
    def cart_changes(self, cart: int, cents: int) -> None:
        self.run(self.world.reprice(self.carts[cart]["id"], cents))

    @precondition(lambda self: self.started)
    @rule(data=st.data(), amount=amounts)
    def merchant_uses_the_dashboard(self, data: st.DataObject, amount: int) -> None:
        """Captures, cancels and refunds that the processor learns of by webhook alone."""
        for intent in list(self.world.stripe.intents):
            match intent["status"]:
                case "requires_capture":
                    act = data.draw(st.sampled_from(["capture", "cancel", "nothing"]))
                    rest = intent["amount_capturable"]
                    if act == "capture":
                        self.captured_elsewhere[intent["id"]] += min(amount, rest)
                        self._at_dashboard(
                            f"{intent['id']}/capture", amount_to_capture=min(amount, rest)
                        )
                    elif act == "cancel" and not intent["amount_received"]:
                        self._at_dashboard(f"{intent['id']}/cancel")
                case "succeeded" if data.draw(st.booleans(), label="refund"):
                    refunded = sum(
                        r["amount"]
                        for r in self.world.stripe.refunds
                        if r["payment_intent"] == intent["id"] and r["status"] != "failed"
                    )
                    if refunded + amount <= intent["amount_received"] and not _disputed(
                        self.world, intent
                    ):
                        self.run(
                            self.world.ask_stripe(
                                "POST", "/v1/refunds", payment_intent=intent["id"], amount=amount
                            )
                        )

    def _at_dashboard(self, path: str, **form: Any) -> None:
        self.run(self.world.ask_stripe("POST", f"/v1/payment_intents/{path}", **form))

    @precondition(lambda self: self.started)
    @rule(data=st.data(), status=st.sampled_from(["succeeded", "failed"]))
    def refund_moves_on(self, data: st.DataObject, status: str) -> None:
        """Pending ones settle, and even a succeeded one may fail."""
        movable = sorted(
            r["id"]
            for r in self.world.stripe.refunds
            if r["status"] == "pending" or (r["status"] == "succeeded" and status == "failed")
        )
        if movable:
            refund = data.draw(st.sampled_from(movable), label="refund")
            self.run(self.world.at_stripe(f"refunds/{refund}", status=status))

    @precondition(lambda self: self.started)
    @rule(data=st.data(), status=st.sampled_from(["under_review", "won", "lost"]))
    def dispute_moves_on(self, data: st.DataObject, status: str) -> None:
        disputes = sorted(d["id"] for d in self.world.stripe.disputes)
        if disputes:
            dispute = data.draw(st.sampled_from(disputes), label="dispute")
            try:
                self.run(self.world.at_stripe(f"disputes/{dispute}", status=status))
            except AssertionError:
                return  # not a step that Stripe allows from here

    @rule(seconds=st.sampled_from([1, 30, 130, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
        self.world.stripe.run_due()

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


def _disputed(world: World, intent: Json) -> bool:
    return any(d["payment_intent"] == intent["id"] for d in world.stripe.disputes)


LedgerMachine.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    report_multiple_bugs=False,
)
TestLedger: type[Any] = LedgerMachine.TestCase
