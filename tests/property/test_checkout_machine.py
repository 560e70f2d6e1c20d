"""Orders, carts and stored methods under random payment pages, charges, faults and concurrency.

`CHECKOUT_EXAMPLES` sets the number of schedules; `make test-long` runs ten thousand.
"""

from __future__ import annotations

import contextlib
import os
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from stripe_connector.http.bff.visitor import NAME as COOKIE
from stripe_connector.ops.reconcile.difference import FOR_A_PERSON
from tests.behaviour import buy_now, stored
from tests.behaviour.reconciling import Result, reconcile, written
from tests.behaviour.test_bff_payments import PAID, _reprice
from tests.property import asked, oracle, recurring, sales
from tests.property.machine import Machine, Request, bounded
from tests.property.outside import Move, amounts
from tests.world import Json, money

EXAMPLES = int(os.environ.get("CHECKOUT_EXAMPLES", "45"))
STEPS = 30
DAY = 86_400

ENVIRONMENT = {
    **buy_now.ENABLED,
    **stored.ENABLED,
    "BFF_REQUESTS_PER_MINUTE": "0",
    "BFF_PAYMENT_PAGES_PER_MINUTE": "0",
    "BUY_NOW_SESSIONS_PER_MINUTE": "0",
    "CHECKOUT_PAGES_PER_ORDER_PER_HOUR": "1000",
}
UI_MODES = ["hosted_page", "hosted_page", "hosted_page", "embedded_page", "elements"]
PAYING = ["pm_card_visa", "pm_card_visa", "pm_card_pendingRefund", "sepa_debit", "multibanco"]
REFUSED = ["pm_card_visa_chargeDeclined", "pm_card_authenticationRequired"]
"""The second asks for 3-D Secure, in the middle of which the shopper may leave."""
SAVED = ["pm_card_visa", "pm_card_visa", "pm_card_chargeCustomerFail", "sepa_debit"]
LEFT_OVER = frozenset({"abandoned_operation", "unlinked_intent"})
"""What webhooks alone do not repair: an operation that nobody repeats, and an attempt to pay that
has come to nothing yet, of which Stripe tells nobody."""

LATER = frozenset({"unfulfilled_order", "unplaced_order"})
"""What one run may leave to the next: the page is still open, or another payment of the sale was
repaired after this one."""


class CheckoutMachine(Machine):
    """One sale: an order paid on a page, a product bought at a click, a charge on file, or what
    comes again every month."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: set[str] = set()
        """Sessions that shoppers were led to."""
        self.paid: set[str] = set()
        """Orders that were seen to be Paid."""
        self.cookie = ""
        self.asked = 0
        self.most_due = 0

    @initialize(
        kind=st.sampled_from(["order", "order", "product", "charge", "recurring"]),
        manual=st.booleans(),
        reverse=st.booleans(),
        cancel=st.booleans(),
        silent=st.booleans(),
        saved=st.tuples(st.sampled_from(SAVED), st.sampled_from(SAVED)),
        opened=st.booleans(),
    )
    def open_shop(
        self,
        kind: str,
        manual: bool,
        reverse: bool,
        cancel: bool,
        silent: bool,
        saved: tuple[str, str],
        opened: bool,
    ) -> None:
        """`silent`: webhooks that were not delivered never will be; a run of reconcile repairs.

        `opened`: the order is there, and its shopper on the page.
        """
        self.kind, self.silent = kind, silent
        self.open_world(
            {
                **ENVIRONMENT,
                "STRIPE_CAPTURE_METHOD": "manual" if manual else "automatic",
                "STRIPE_MISMATCH_ACTION": "reverse" if reverse else "hold",
                "CHECKOUT_CANCEL_UNPAID_ORDERS": "true" if cancel else "false",
            }
        )
        match kind:
            case "order":
                fields: Json = {"shippingAddress": {"country": "DE"}}
                cart = self.run(self.world.cart(customerEmail="ada@example.com", **fields))
                self.cart_id = cart["id"]
                if opened:
                    self.run(self._place(0))
                    self.run(self._page(self.orders()[0]["id"], "hosted_page", 0))
            case "product":
                self.run(self._buy(0))
            case "recurring":
                self.subscription = self.run(recurring.subscription(self.world))
                self.cart_id = self.subscription.cart_id
                self.nulls = False  # customer and method of an intent say what was saved
            case _:
                self.run(self._customer(saved))
        self.most_due = 1000

    async def _customer(self, saved: tuple[str, str]) -> None:
        lin = await stored.regular(self.world)
        self.methods = []
        for method in saved:
            token = method
            if method == "sepa_debit":
                made = await self.world.ask_stripe("POST", "/v1/payment_methods", **stored.DEBIT)
                token = made["id"]
            self.methods.append(await lin.on_file(token))
        fields: Json = {"shippingAddress": {"country": "DE"}, "customerId": lin.id}
        self.cart_id = (await self.world.cart(**fields))["id"]

    # What may be asked of the processors

    def draw_request(self, data: st.DataObject) -> Request:
        kinds = {
            "order": ["page"] * 4 + ["place", "look", "look"],
            "product": ["buy", "buy", "buy", "outcome", "outcome"],
            "charge": ["charge", "charge", "charge", "charge"],
            "recurring": ["start", "start", "confirm", "renew", "renew"],
        }[self.kind]
        if self.orders() and self.kind not in ("order", "recurring"):
            kinds = [*kinds, "look"]
        if list(self.world.stripe.events):
            kinds = [*kinds, "deliver", "deliver", "deliver"]
        if self._our_payments():
            kinds = [*kinds, "modify", "modify"]
        match data.draw(st.sampled_from(kinds), label="request"):
            case "page" if self.orders():
                mode = data.draw(st.sampled_from(UI_MODES), label="page")
                return partial(self._page, self.orders()[0]["id"], mode)
            case "place" | "page":
                return self._place
            case "look":
                return self._look
            case "buy":
                return self._buy
            case "outcome":
                pages = sorted(self.shown)
                if not pages:
                    return self._buy
                return partial(self._outcome, data.draw(st.sampled_from(pages), label="page"))
            case "charge":
                return self._draw_charge(data)
            case "confirm" if self.subscription.secrets:
                secrets = st.sampled_from(sorted(self.subscription.secrets))
                return partial(self._confirm, data.draw(secrets, label="secret"))
            case "start" | "confirm":
                return self._start
            case "renew":
                return self._renew
            case "deliver":
                return self.draw_delivery(data)
            case _:
                return self._draw_operation(data)

    def orders(self) -> list[Json]:
        return list(self.world.store.collection("order"))

    def _our_payments(self) -> list[Json]:
        return [p for p in self.world.store.collection("payment") if not sales.is_others(p)]

    async def _place(self, processor: int) -> None:
        client = self.processors[processor].client
        answer = await client.post(f"/api/v1/carts/{self.cart_id}/order")
        assert answer.status_code in (200, 201, 409, 502, 503), answer.text

    async def _page(self, order_id: str, mode: str, processor: int) -> None:
        """The shopper is led to the page; where the answer is an error, there is nothing to see."""
        answer = await self.processors[processor].client.post(
            "/api/v1/payments/sessions", json={"id": order_id, "uiMode": mode}
        )
        assert answer.status_code in (201, 400, 409, 502, 503), answer.text
        if answer.status_code == 201:
            self.shown.add(answer.json()["id"])

    async def _look(self, processor: int) -> None:
        """The landing page asks for the order to be Paid."""
        for order in self.orders():
            answer = await self.processors[processor].client.put(
                f"/api/v1/orders/{order['id']}", json={"version": 1, "actions": PAID}
            )
            assert answer.status_code in (200, 202, 409, 502, 503), answer.text

    async def _buy(self, processor: int) -> None:
        client = self.processors[processor].client
        client.cookies.clear()
        answer = await client.get("/create-checkout-session/", headers={"Cookie": self.cookie})
        assert answer.status_code in (200, 409, 502, 503), answer.text
        if answer.status_code == 200:
            self.shown.add(answer.json()["id"])
            self.cookie = f"{COOKIE}={answer.cookies[COOKIE]}"

    async def _outcome(self, session_id: str, processor: int) -> None:
        answer = await self.processors[processor].client.get(f"/success?session_id={session_id}")
        assert answer.status_code in (200, 502, 503), answer.text

    def _draw_charge(self, data: st.DataObject) -> Request:
        """One of two methods under one of three names; a part of what is due, or all of it."""
        number = data.draw(st.integers(0, 2), label="name")
        cents = [None, None, 400][number]
        method_id = data.draw(st.sampled_from(self.methods), label="method")
        return partial(self._charge, f"renewal-{number}", cents, method_id)

    async def _charge(self, name: str, cents: int | None, method_id: str, processor: int) -> None:
        answer = await stored.charge(
            self.world,
            self.cart_id,
            method_id,
            processor=self.processors[processor],
            cents=cents,
            idempotencyKey=name,
        )
        assert answer.status_code in (201, 400, 409, 502, 503), answer.text

    async def _start(self, processor: int) -> None:
        await self.subscription.start(self.processors[processor])

    async def _confirm(self, secret: str, processor: int) -> None:
        await self.subscription.confirm(secret, self.processors[processor])

    async def _renew(self, processor: int) -> None:
        await self.subscription.renew(self.processors[processor])

    def _draw_operation(self, data: st.DataObject) -> Request:
        payments = sorted(each["id"] for each in self._our_payments())
        payment_id = data.draw(st.sampled_from(payments), label="payment")
        names = ["capturePayment", "capturePayment", "refundPayment", "cancelPayment"]
        name = data.draw(st.sampled_from([*names, "reversePayment"]), label="action")
        self.asked += 1
        action: Json = {"action": name, "merchantReference": f"{self.asked}"}
        if name in ("capturePayment", "refundPayment"):
            action["amount"] = money(data.draw(amounts, label="amount"))
        return partial(self._modify, payment_id, action)

    async def _modify(self, payment_id: str, action: Json, processor: int) -> None:
        answer = await self.processors[processor].client.post(
            f"/operations/payment-intents/{payment_id}",
            json={"actions": [action]},
            headers=await self.world.checkout(),
        )
        assert answer.status_code in (200, 400, 409, 502, 503), answer.text

    # What moves outside

    def moves(self) -> list[Move]:
        pays = [self._shopper_pays] * 3
        if self.kind == "recurring":
            pays = [self.subscription.shopper_pays] * 3 + [self.subscription.order_is_placed] * 2
        return [
            *pays,
            self.bank_or_shopper_decides,
            self._the_sale_changes,
            self._others_bring_a_part,
            self.merchant_uses_the_dashboard,
            self.refund_moves_on,
            self.dispute_moves_on,
        ]

    async def _shopper_pays(self, data: st.DataObject) -> None:
        """On any page that somebody was led to, however old."""
        if self.shown:
            page = data.draw(st.sampled_from(sorted(self.shown)), label="page")
            methods = [*PAYING, *PAYING, *REFUSED, *REFUSED]
            await self._pay(page, data.draw(st.sampled_from(methods), label="method"))

    async def _pay(self, page: str, method: str) -> None:
        drafts = {"sepa_debit": stored.DEBIT, "multibanco": {"type": "multibanco"}}
        if method in drafts:
            made = await self.world.ask_stripe("POST", "/v1/payment_methods", **drafts[method])
            method = made["id"]
        with contextlib.suppress(AssertionError):  # declined, or the page is closed
            await self.world.at_stripe(
                f"checkout/sessions/{page}/pay", payment_method=method, email="ada@example.com"
            )

    async def _the_sale_changes(self, data: st.DataObject) -> None:
        """Merchants edit orders that are not paid; shoppers change carts."""
        if self.kind == "order" and self.orders():
            [order] = self.orders()
            cents = data.draw(st.sampled_from([1000, 1200, 900, 0]), label="price")
            if order.get("paymentState") != "Paid":
                await _reprice(self.world, order["id"], cents)
            return
        for cart in list(self.world.store.collection("cart")):
            if cart["cartState"] != "Active":
                continue
            if self.kind == "product":
                quantity = data.draw(st.integers(1, 2), label="quantity")
                line = cart["lineItems"][0]["id"]
                change = {"action": "changeLineItemQuantity", "lineItemId": line}
                await self.world.change_cart(cart["id"], {**change, "quantity": quantity})
            elif self.kind == "charge" and cart["id"] == self.cart_id:
                cents = data.draw(st.sampled_from([1000, 1200, 900]), label="price")
                self.most_due = max(self.most_due, cents)
                await self.world.reprice(cart["id"], cents)

    async def _others_bring_a_part(self, data: st.DataObject) -> None:
        """Of an order that is not paid yet: a gift card, or the first of several instalments."""
        for order in self.orders() if self.kind == "order" else []:
            if order.get("paymentState") != "Paid":
                await self.others_pay(f"orders/{order['id']}", data)

    # Rules of its own

    @rule(seconds=st.sampled_from([1, 1, 130, 130, 700, 7_200, 90_000, 32 * DAY]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
        self.world.stripe.run_due()

    @rule()
    def a_run_repairs(self) -> None:
        result: Result = self.run(reconcile(self.world, apply=True, since="P60D"))
        assert result.code in (0, 1), result
        assert set(result.remains) <= {*FOR_A_PERSON, *LATER}, result

    @precondition(lambda self: self.kind == "product")
    @rule()
    def another_visitor_comes(self) -> None:
        self.cookie = ""

    # What holds at any time

    @invariant()
    def no_unpaid_order_says_that_it_is_paid(self) -> None:
        if not self.processors:
            return
        for order in self.orders():
            if order.get("paymentState") == "Paid" and order["id"] not in self.paid:
                captured = sum(each.captured for each in sales.held(self.world, order))
                captured += sales.brought(self.world, order, "Charge")
                assert captured >= sales.total(order), f"{order['id']} is Paid with {captured}"
                self.paid.add(order["id"])

    @invariant()
    def a_sale_can_be_paid_on_one_page_alone(self) -> None:
        if not self.processors:
            return
        sold = [*self.orders(), *self.world.store.collection("cart")]
        for sale in sold:
            pages = sales.open_pages(self.world, sale["id"], self.shown)
            assert len(pages) <= 1, f"{sale['id']} can be paid twice: {pages}"

    # The end

    def check(self) -> None:
        if self.silent:
            self._a_run_repairs_all()
        else:
            self.everything_is_delivered()
        self._all_is_well()
        self.everything_is_delivered()
        self._all_is_well()
        if self.kind == "recurring":
            self._what_is_due_is_collected()
            return
        for order in self.orders():
            self._a_page_that_is_left_goes_on(order)

    def _what_is_due_is_collected(self) -> None:
        for _ in range(3):
            self.run(self._renew(0))
        self.everything_is_delivered()
        oracle.check(self.world)
        told: Result = self.run(reconcile(self.world, since="P60D"))
        refused = [each for each in told.lines if each["kind"] == "recurring_refused"]
        self.subscription.check({each["payment"] for each in refused})

    def _a_page_that_is_left_goes_on(self, order: Json) -> None:
        """The bank asks for 3-D Secure, and the shopper goes away and comes back."""
        client = self.processors[0].client
        page = self.run(asked.check_page(self.world, client, order))
        if page is None:
            return
        self.run(self._pay(page, "pm_card_authenticationRequired"))
        self.everything_is_delivered()
        [now] = [each for each in self.orders() if each["id"] == order["id"]]
        assert self.run(asked.check_page(self.world, client, now)) == page

    def _a_run_repairs_all(self) -> None:
        """Nobody repeats anything any more; a second run finds nothing that it could repair."""
        self.world.clock.advance(2 * DAY)
        self.world.stripe.run_due()
        self.a_run_repairs()
        before = len(self.world.network.calls)
        again: Result = self.run(reconcile(self.world, apply=True, since="P60D"))
        assert set(again.found) <= set(FOR_A_PERSON), again
        assert written(self.world, before) == []

    def _all_is_well(self) -> None:
        oracle.check(self.world)
        told: Result = self.run(reconcile(self.world, since="P60D"))
        assert set(told.found) <= {*FOR_A_PERSON, *LEFT_OVER}, told
        listed: set[str] = {
            line[name]
            for line in told.lines
            if line["kind"] in FOR_A_PERSON
            for name in ("payment", "subject")
            if name in line
        }
        for order in self.orders() if self.kind != "recurring" else []:
            sales.check_order(self.world, order, self.shown, listed)
        for cart in self.world.store.collection("cart"):
            if self.kind == "product":
                sales.check_cart(self.world, cart, listed)
        sales.check_each_name_was_charged_once(self.world)
        if self.kind == "charge":
            [cart] = [
                each for each in self.world.store.collection("cart") if each["id"] == self.cart_id
            ]
            kept = sum(each.kept for each in sales.held(self.world, cart))
            allowed = self.most_due + sales.returned_to_merchant(self.world)
            assert kept <= allowed, f"the cart was charged {kept}"


CheckoutMachine.TestCase.settings = bounded(EXAMPLES, STEPS)
TestCheckout: type[Any] = CheckoutMachine.TestCase
