"""Two processors on one project, of two Stripe accounts or modes: each moves its own alone.

`ACCOUNTS_EXAMPLES` sets the number of schedules; `make test-long` runs ten thousand.
"""

from __future__ import annotations

import contextlib
import os
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from sandbox.stripe.state import StripeState
from stripe_connector.ledger.proof import ACCOUNT, KIND, LIVE
from stripe_connector.payments.own_account import CONTAINER, LIVE_OWNER
from tests.behaviour.accounts import Side
from tests.property import asked, oracle
from tests.property.machine import Machine, Request, bounded
from tests.property.outside import Move, amounts
from tests.world import Json, World, money

EXAMPLES = int(os.environ.get("ACCOUNTS_EXAMPLES", "15"))
STEPS = 30
METHODS = ["pm_card_visa", "pm_card_visa", "pm_card_visa_chargeDeclined"]
SALE = ("start", "start", "confirm")


class AccountsMachine(Machine):
    """One cart, and shoppers whose requests either processor answers, as while keys are exchanged.

    The first has test keys of an account, the second those of another one, or live keys.
    """

    def __init__(self) -> None:
        super().__init__()
        self.started: list[tuple[int, str, str]] = []
        """Processor, Payment and client secret."""
        self.asked = 0

    @initialize(live=st.booleans(), owned=st.booleans(), manual=st.booleans())
    def open_shop(self, live: bool, owned: bool, manual: bool) -> None:
        """`owned`: live keys have been deployed to the project, so that test keys sell nothing."""
        self.live, self.owned = live, live and owned
        self.world = World({"STRIPE_CAPTURE_METHOD": "manual" if manual else "automatic"})
        self.side = Side(self.world, "stripe-second", account="acct_second", live=live)
        self.stripes: list[StripeState] = [self.world.stripe, self.side.stripe]
        self.processors = [self.world.processor, self.side.processor]
        if self.owned:
            value = {"account": "acct_second", "environment": "live"}
            owner = {"container": CONTAINER, "key": LIVE_OWNER, "value": value}
            self.run(self.world.commercetools("POST", "custom-objects", owner))
        self.cart_id = self.run(self.world.cart(1000))["id"]
        for processor in range(2):
            self.run(self._start(processor))

    def _revive(self) -> None:
        """A process that starts anew has learned nothing of its account yet."""
        for number, processor in enumerate(self.processors):
            if processor.wire.dead:
                fresh = self.side.restart() if number else self.world.start_processor()
                self.processors[number] = fresh

    # What may be asked of the processors

    def draw_request(self, data: st.DataObject) -> Request:
        kinds = [*SALE, "deliver", "deliver", "astray", "modify", "modify"]
        kind = data.draw(st.sampled_from(kinds), label="request")
        if kind in ("deliver", "astray"):
            events = [(s, e) for s, stripe in enumerate(self.stripes) for e in stripe.events]
            if events:
                owner, event = data.draw(st.sampled_from(events), label="event")
                return partial(self._deliver, owner, event, kind == "astray")
        elif kind != "start" and self.started:
            started = data.draw(st.sampled_from(self.started), label="payment")
            if kind == "confirm":
                return partial(self._confirm, started)
            return partial(self._modify, started, self._draw_action(data))
        return self._start

    async def _start(self, processor: int) -> None:
        session = await self.world.session(self.cart_id)
        answer = await self.processors[processor].client.post("/payments", headers=session)
        assert answer.status_code in (200, 400, 409, 502, 503), answer.text
        if answer.status_code == 200:
            assert not (self.owned and processor == 0), "test keys sell in a live project"
            started = answer.json()
            self.started.append((processor, started["paymentReference"], started["clientSecret"]))

    async def _confirm(self, started: tuple[int, str, str], processor: int) -> None:
        owner, payment_id, secret = started
        answer = await self.processors[processor].client.post(
            f"/confirmPayments/{payment_id}",
            json={"paymentIntent": secret.partition("_secret_")[0]},
            headers=await self.world.session(self.cart_id),
        )
        assert answer.status_code in (200, 202, 400, 402, 404, 409, 502, 503), answer.text
        assert owner == processor or not answer.is_success, "another account's is confirmed"

    def _draw_action(self, data: st.DataObject) -> Json:
        names = ["capturePayment", "refundPayment", "refundPayment", "cancelPayment"]
        name = data.draw(st.sampled_from([*names, "reversePayment"]), label="action")
        self.asked += 1
        action: Json = {"action": name, "merchantReference": f"{self.asked}"}
        if name in ("capturePayment", "refundPayment"):
            action["amount"] = money(data.draw(amounts, label="amount"))
        return action

    async def _modify(self, started: tuple[int, str, str], action: Json, processor: int) -> None:
        owner, payment_id, _ = started
        answer = await self.processors[processor].client.post(
            f"/operations/payment-intents/{payment_id}",
            json={"actions": [action]},
            headers=await self.world.checkout(),
        )
        assert answer.status_code in (200, 400, 404, 409, 502, 503), answer.text
        assert owner == processor or not answer.is_success, "another account's is moved"

    async def _deliver(self, owner: int, event: Json, astray: bool, _: int) -> None:
        """To its own processor, or to the other one, whose endpoint has the wrong account."""
        target = 1 - owner if astray else owner
        send = self.side.deliver if target else self.world.deliver
        answer = await send(event, self.processors[target])
        assert answer.status_code in (200, 502, 503), answer.text
        if answer.status_code == 200 and not astray:
            self.acknowledged.add(event["id"])

    def everything_is_delivered(self) -> None:
        for _ in range(6):
            for owner, stripe in enumerate(self.stripes):
                for event in list(stripe.events):
                    if event["id"] not in self.acknowledged:
                        self.run(self._deliver(owner, event, False, 0))
        left = [e["id"] for s in self.stripes for e in s.events if e["id"] not in self.acknowledged]
        assert not left, f"never acknowledged: {left}"

    # What moves outside

    def moves(self) -> list[Move]:
        return [self._shopper_pays, self._shopper_pays, self._dashboard, self._cart_changes]

    async def _shopper_pays(self, data: st.DataObject) -> None:
        if self.started:
            owner, _, secret = data.draw(st.sampled_from(self.started), label="payment")
            if owner:
                await self.side.pay(secret)
            else:
                await self.world.pay(secret, data.draw(st.sampled_from(METHODS), label="method"))

    async def _dashboard(self, data: st.DataObject) -> None:
        if self.started:
            owner, _, secret = data.draw(st.sampled_from(self.started), label="payment")
            ask = self.side.ask_stripe if owner else self.world.ask_stripe
            amount = data.draw(amounts, label="amount")
            with contextlib.suppress(AssertionError):  # not paid yet, or too much
                intent_id = secret.partition("_secret_")[0]
                await ask("POST", "/v1/refunds", payment_intent=intent_id, amount=amount)

    async def _cart_changes(self, data: st.DataObject) -> None:
        await self.world.reprice(
            self.cart_id, data.draw(st.sampled_from([1000, 1200, 900]), label="price")
        )

    @rule(seconds=st.sampled_from([1, 130, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
        for stripe in self.stripes:
            stripe.run_due()

    # The end

    def check(self) -> None:
        self._agrees()
        for number in range(2):
            self.run(self._asked_is_what_is_due(number))
        self._agrees()

    def _agrees(self) -> None:
        self.everything_is_delivered()
        for stripe in self.stripes:
            oracle.check(self.world, stripe)
            self._every_payment_proves_its_account(stripe)

    def _every_payment_proves_its_account(self, stripe: StripeState) -> None:
        for payment in self.world.store.collection("payment"):
            if payment.get("interfaceId", "") in stripe.intents:
                proofs = [each["fields"] for each in payment["interfaceInteractions"]]
                [proof] = [each for each in proofs if each.get(KIND) == "account"]
                assert (proof[ACCOUNT], proof[LIVE]) == (stripe.account, stripe.live)

    async def _asked_is_what_is_due(self, number: int) -> None:
        """What an account of the same mode holds is not asked for again; test money is nothing."""
        client, stripe = self.processors[number].client, self.stripes[number]
        session = await self.world.session(self.cart_id)
        if self.owned and number == 0:
            answer = await client.post("/payments", headers=session)
            assert answer.status_code == 409, answer.text
            assert not list(stripe.intents)
            return
        other = self.stripes[1 - number]
        elsewhere = 0 if self.live else sum(oracle.held(other, i) for i in other.intents)
        await asked.check(self.world, client, self.cart_id, session, elsewhere, stripe)


AccountsMachine.TestCase.settings = bounded(EXAMPLES, STEPS)
TestAccounts: type[Any] = AccountsMachine.TestCase
