"""The ledger's promises under random operations, deliveries, faults, crashes and concurrency.

Everything is the real thing but the network: two instances of the processor, both stand-ins.
`LEDGER_EXAMPLES` sets the number of schedules; `make test-long` runs ten thousand.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from msgspec import Struct

from stripe_connector.ledger.operation import identity
from stripe_connector.ledger.proof import IDENTITY
from tests.property import asked, oracle
from tests.property.machine import Machine, Request, bounded
from tests.property.outside import Move, amounts
from tests.world import Json, create_today, money

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "95"))
STEPS = 40
WINDOW_S = 120

PAYING = [
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_pendingRefund",
    "pm_card_refundFail",
    "sepa_debit",
]
CHALLENGED = "pm_card_authenticationRequired"
"""The bank asks for 3-D Secure, in the middle of which a shopper may leave."""
OUTSIDE = ["multibanco", "customer_balance"]
"""A voucher, and a bank transfer that may come in parts."""
COMPONENTS = [None, None, None, "card", "sepa_debit"]
"""The one type that the shopper's component offers; None for the Element, which offers all."""


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


class LedgerMachine(Machine):
    """One shop with two carts, one of which is captured by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.carts: list[Json] = []
        self.started: dict[int, Json] = {}
        self.secrets: set[str] = set()
        self.asked: list[Asked] = []
        self.captured_elsewhere: Counter[str] = Counter()
        self.brought: Counter[str] = Counter()
        """By cart, what other connectors have brought."""
        self.merged: set[str] = set()
        """Carts that became a part of another one."""

    @initialize(
        multiple_captures=st.booleans(),
        paid_with=st.data(),
        older_account=st.booleans(),
        flexible=st.booleans(),
        customer=st.booleans(),
        gift=st.sampled_from([0, 0, 400]),
        approved=st.sampled_from([None, None, None, 700]),
    )
    def open_shop(
        self,
        multiple_captures: bool,
        paid_with: st.DataObject,
        older_account: bool,
        flexible: bool,
        customer: bool,
        gift: int,
        approved: int | None,
    ) -> None:
        """Two carts, for which the shoppers have paid; the processors know nothing of that yet.

        `customer`: the first cart is a known customer's, who may pay by bank transfer. `gift`: what
        a gift card is to bring to it by agreement, as Checkout's session says. `approved`: the
        most that a bank approves of what a card is asked for.
        """
        self.open_world(
            {
                "STRIPE_PAYMENT_BEHAVIOR_RULES": '{"GB": {"captureMethod": "manual"}}',
                "STRIPE_ENABLE_MULTI_OPERATIONS": "true" if multiple_captures else "false",
            }
        )
        self.gift = gift
        for country in ("DE", "GB"):
            self.carts.append(self.run(self.world.cart(1000, country=country)))
        self.world.stripe.behaviour.releases_make_refunds = older_account and self.unkind
        self.world.stripe.behaviour.approves_at_most = approved if self.unkind else None
        if customer and self.unkind:
            self.run(self._customer_comes())
        for cart in range(2):
            method = paid_with.draw(
                st.sampled_from(self._methods([*PAYING, CHALLENGED])), label="paid with"
            )
            self.run(self._start(cart, 0))
            if flexible:
                self.allow_increments_and_overcaptures(self.started[cart]["clientSecret"])
            self.run(self.world.pay(self.started[cart]["clientSecret"], method))

    async def _customer_comes(self) -> None:
        """A bank transfer goes to an account that Stripe keeps for its customer."""
        draft = {"email": "lin@example.com", "password": "secret"}
        made = await self.world.commercetools("POST", "customers", draft)
        change = {"action": "setCustomerId", "customerId": made["customer"]["id"]}
        await self.world.change_cart(self.carts[0]["id"], change)
        session = await self._session(0)
        answer = await self.world.client.get("/customer/session", headers=session)
        assert answer.status_code == 200, answer.text

    def _methods(self, chosen: list[str]) -> list[str]:
        return [*chosen, *OUTSIDE, *OUTSIDE] if self.unkind else chosen

    def _is_merged(self, cart: int, processor: int) -> bool:
        """Whether a cart is no more; version 0.1.0 takes no notice of that."""
        today = self.processors[processor].create is create_today
        return today and self.carts[cart]["id"] in self.merged

    async def _session(self, cart: int) -> Mapping[str, str]:
        metadata = {"giftCardPlannedAmount": money(self.gift)} if self.gift and cart == 0 else {}
        return await self.world.session(self.carts[cart]["id"], **metadata)

    # What may be asked of the processors

    async def _start(self, cart: int, processor: int, component: str | None = None) -> None:
        session, merged = await self._session(cart), self._is_merged(cart, processor)
        body = {} if component is None else {"paymentMethodType": component}
        answer = await self.processors[processor].client.post(
            "/payments", headers=session, json=body
        )
        assert answer.status_code in (200, 400, 409, 502, 503), answer.text
        assert not (merged and answer.is_success), "a merged cart can be paid"
        if answer.status_code == 200:
            self.started[cart] = answer.json()
            self.secrets.add(answer.json()["clientSecret"])

    async def _confirm(self, cart: int, processor: int) -> None:
        started = self.started[cart]
        session, merged = await self._session(cart), self._is_merged(cart, processor)
        answer = await self.processors[processor].client.post(
            f"/confirmPayments/{started['paymentReference']}",
            json={"paymentIntent": started["clientSecret"].partition("_secret_")[0]},
            headers=session,
        )
        assert answer.status_code in (200, 202, 400, 402, 409, 502, 503), answer.text
        assert not (merged and answer.is_success), "a merged cart is confirmed"

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

    def draw_request(self, data: st.DataObject) -> Request:
        """A request to the instance of a number."""
        cart = data.draw(st.integers(0, 1), label="cart")
        kinds = ["start", "confirm", "deliver", "deliver", "modify", "modify"]
        if self.asked:
            kinds += ["repeat", "repeat"]
        match data.draw(st.sampled_from(kinds), label="request"):
            case "start":
                component = data.draw(st.sampled_from(COMPONENTS), label="component")
                return partial(self._start, cart, component=component)
            case "confirm":
                return partial(self._confirm, cart)
            case "deliver":
                return self.draw_delivery(data)
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

    @rule(seconds=st.sampled_from([1, 30, 130, 130, 90_000, 700_000]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
        self.world.stripe.run_due()

    def moves(self) -> list[Move]:
        words = [self.a_new_word_comes] if self.unkind else []
        return [
            *words,
            self._shopper_pays,
            self.bank_or_shopper_decides,
            self.a_part_is_transferred,
            self._cart_changes,
            self._cart_is_covered_or_merged,
            self.merchant_uses_the_dashboard,
            self.merchant_uses_the_dashboard,
            self.refund_moves_on,
            self.dispute_moves_on,
        ]

    async def _shopper_pays(self, data: st.DataObject) -> None:
        secret = data.draw(st.sampled_from(sorted(self.secrets)), label="secret")
        method = st.sampled_from(
            self._methods([*PAYING, "pm_card_visa_chargeDeclined", CHALLENGED])
        )
        await self.world.pay(secret, data.draw(method, label="method"))

    async def _cart_changes(self, data: st.DataObject) -> None:
        cart = data.draw(st.integers(0, 1), label="cart")
        cents = data.draw(st.sampled_from([1000, 1200, 900]), label="price")
        await self.world.reprice(self.carts[cart]["id"], cents)

    async def _cart_is_covered_or_merged(self, data: st.DataObject) -> None:
        """Others bring a part of a cart, or, more seldom, it becomes a part of another one."""
        number = data.draw(st.integers(0, 1), label="cart")
        cart = self.carts[number]
        if data.draw(st.integers(0, 3), label="merge") == 3:
            self._merge(number)
        elif cart["id"] not in self.merged:
            self.brought[cart["id"]] += await self.others_pay(f"carts/{cart['id']}", data)

    def _merge(self, cart: int) -> None:
        self.carts_are_merged(self.carts[cart])
        self.merged.add(self.carts[cart]["id"])

    def was_captured_elsewhere(self, intent_id: str, amount: int) -> None:
        self.captured_elsewhere[intent_id] += amount

    # The end

    def check(self) -> None:
        self.agrees()
        for cart in range(2):
            if self.carts[cart]["id"] not in self.merged:
                self.run(self._asked_is_what_is_due(cart, self.told()))
            self._merge(cart)
            self.run(self._is_no_more(cart))
        self.agrees()
        self._every_operation_moved_money_once()

    def agrees(self) -> None:
        """All is delivered, and every Payment says what Stripe says."""
        self.everything_is_delivered()
        oracle.check(self.world)

    def told(self) -> set[str]:
        """Payments of which a run of reconcile tells people what a start may leave unsaid."""
        return set()

    async def _asked_is_what_is_due(self, cart: int, told: set[str]) -> None:
        cart_id = self.carts[cart]["id"]
        elsewhere = self.brought[cart_id] + (self.gift if cart == 0 else 0)
        session, client = await self._session(cart), self.processors[0].client
        await asked.check(self.world, client, cart_id, session, elsewhere, told=told)

    async def _is_no_more(self, cart: int) -> None:
        """A cart that was merged into another one: it is neither started nor confirmed."""
        before = len(list(self.world.stripe.intents))
        await self._start(cart, 0)
        await self._confirm(cart, 0)
        assert len(list(self.world.stripe.intents)) == before

    def _every_operation_moved_money_once(self) -> None:
        requests = {(a.payment_id, a.identity): a for a in self.asked}
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
            request = requests.get((payment_id, operation.removesuffix(":late")))
            assert request is not None, f"nobody asked for {operation}"
            if request.action["action"] == "reversePayment":
                continue  # a repetition asks for what is missing: Stripe gives no more than it took
            allowed = 1 if request.key else len(request.generations)
            assert count <= allowed, f"{type_} of {request} happened {count} times"
        for intent in self.world.stripe.intents:
            if intent["capture_method"] == "manual":
                known = by_operations[intent["id"]] + self.captured_elsewhere[intent["id"]]
                assert intent["amount_received"] <= known, f"captured twice: {intent['id']}"


LedgerMachine.TestCase.settings = bounded(EXAMPLES, STEPS)
TestLedger: type[Any] = LedgerMachine.TestCase
