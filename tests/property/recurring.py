"""Orders that come again: Checkout manages their first Payment, and has later ones collected."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping

import httpx
from hypothesis import strategies as st

from sandbox.commercetools.errors import ApiError
from sandbox.commercetools.renewals import Renewals
from sandbox.stripe.state import StripeState
from tests.behaviour import stored
from tests.behaviour.test_stored_methods import RECURRING
from tests.property import sales
from tests.wire import Crash
from tests.world import Json, Processor, World

METHODS = [
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_chargeCustomerFail",
    "pm_card_visa_chargeDeclined",
    "pm_card_authenticationRequired",
]
"""The third is refused at each renewal; the last asks for 3-D Secure, now and later."""


class Subscription:
    """A customer's cart with recurring lines, from its start to the orders of later months."""

    def __init__(self, world: World, cart_id: str) -> None:
        self.world = world
        self.cart_id = cart_id
        self.secrets: dict[str, str] = {}
        """By client secret, the Payment."""
        self._via: Processor | None = None
        self._renewals = Renewals(world.store, self._collect)

    # What is asked of a processor

    async def start(self, processor: Processor) -> None:
        answer = await processor.client.post("/payments", headers=await self._session())
        assert answer.status_code in (200, 400, 409, 502, 503), answer.text
        if answer.status_code == 200:
            begun = answer.json()
            self.secrets[begun["clientSecret"]] = begun["paymentReference"]

    async def confirm(self, secret: str, processor: Processor) -> None:
        answer = await processor.client.post(
            f"/confirmPayments/{self.secrets[secret]}",
            json={"paymentIntent": secret.partition("_secret_")[0]},
            headers=await self._session(),
        )
        assert answer.status_code in (200, 202, 400, 402, 409, 502, 503), answer.text

    async def renew(self, processor: Processor) -> None:
        """commercetools works on jobs and due orders, in one place at a time."""
        if self._via is not None:
            return
        self._via = processor
        try:
            with contextlib.suppress(ApiError):
                await self._renewals.run()
        finally:
            self._via = None

    async def _collect(self, request: Json) -> tuple[int, Json]:
        assert self._via is not None
        try:
            answer = await self._via.client.post(
                "/operations/transactions", json=request, headers=await self.world.checkout()
            )
        except (Crash, httpx.TransportError):
            return 0, {}
        assert answer.status_code in (201, 400, 409, 502, 503), answer.text
        return answer.status_code, answer.json()

    async def _session(self) -> Mapping[str, str]:
        return await self.world.session(self.cart_id, checkoutTransactionItemId=stored.ITEM)

    # What moves outside

    async def shopper_pays(self, data: st.DataObject) -> None:
        if self.secrets:
            secret = data.draw(st.sampled_from(sorted(self.secrets)), label="secret")
            await self.world.pay(secret, data.draw(st.sampled_from(METHODS), label="method"))

    async def order_is_placed(self, _: st.DataObject) -> None:
        """Checkout orders the cart once its payment is authorized."""
        cart = self.world.store.collection("cart").get(self.cart_id) or {}
        if cart["cartState"] == "Active" and sales.held(self.world, cart):
            draft = {"id": cart["id"], "version": cart["version"]}
            await self.world.commercetools("POST", "orders", draft)

    # The end

    def check(self, told: Collection[str]) -> None:
        """By Stripe's objects alone: one job for each saved method, one charge for each order.

        `told` are Payments whose job Checkout has refused, as a run of reconcile tells people.
        """
        stripe = self.world.stripe
        jobs = {each["key"]: each for each in self.world.store.collection("recurring-payment-job")}
        assert len(jobs) == len(self.world.store.collection("recurring-payment-job"))
        saved = {each["metadata"]["ct_payment_id"]: each for each in self._saving(stripe)}
        assert jobs.keys() <= saved.keys(), "a job for a method that was not saved"
        assert saved.keys() - jobs.keys() == set(told), "a saved method lacks its job"
        records = self.world.store.collection("payment-method")
        for payment_id, job in jobs.items():
            record = records.get(job["paymentMethod"]["id"]) or {}
            assert job["originPayment"]["id"] == payment_id
            assert record["token"]["value"] == saved[payment_id]["payment_method"], job
        self._check_later_orders()

    def _saving(self, stripe: StripeState) -> list[Json]:
        """Intents of the shopper's that saved a method when they were authorized."""
        authorized = {c["payment_intent"] for c in stripe.charges if c["status"] == "succeeded"}
        return [
            each
            for each in stripe.intents
            if each["id"] in authorized
            and each["setup_future_usage"] == "off_session"
            and "ct_transaction_id" not in each["metadata"]
        ]

    def _check_later_orders(self) -> None:
        """Each is charged once, what it costs; what is charged is ordered."""
        charged = sorted(
            (each["metadata"]["ct_payment_id"], each["amount_received"])
            for each in self.world.stripe.intents
            if "ct_transaction_id" in each["metadata"] and each["status"] in sales.HOLDING
        )
        ordered = sorted(
            (payment["id"], sales.total(order))
            for order in self.world.store.collection("order")
            if order["cart"]["id"] != self.cart_id and order.get("paymentState") == "Paid"
            for payment in order["paymentInfo"]["payments"]
        )
        assert charged == ordered, "what is charged is not what is ordered"


async def subscription(world: World) -> Subscription:
    """Lin has put something into a cart that is to come every month."""
    lin = await stored.regular(world)
    cart = await world.cart(customerId=lin.id, **RECURRING)
    return Subscription(world, cart["id"])
