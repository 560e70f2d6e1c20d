"""Paying an order on Stripe's page: the order is paid when, and only when, Stripe says so."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import httpx
import pytest

from tests.wire import Crash
from tests.world import Json, World, money

CARD = {"method": "card", "expiry": "12 / 34", "cvc": "123", "name": "Ada Lovelace"}
PAID = [
    {"action": "changePaymentState", "paymentState": "Paid"},
    {"action": "changeOrderState", "orderState": "Confirmed"},
]


class Shopper:
    """Somebody with a cart, who orders and pays on the hosted page."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def order(self, cents: int = 2500) -> Json:
        cart = await self.world.cart(
            cents, shippingAddress={"country": "DE"}, customerEmail="ada@example.com"
        )
        answer = await self.world.client.post(f"/api/v1/carts/{cart['id']}/order")
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def session(self, order_id: str) -> httpx.Response:
        return await self.world.client.post("/api/v1/payments/sessions", json={"id": order_id})

    async def confirm(self, order_id: str, version: int = 1) -> httpx.Response:
        return await self.world.client.put(
            f"/api/v1/orders/{order_id}", json={"version": version, "actions": PAID}
        )

    async def pay(self, session: Json, number: str = "4242424242424242", **form: str) -> None:
        """Fill in the hosted page."""
        transport = self.world.network.transports["stripe.test"]
        async with httpx.AsyncClient(transport=transport, base_url="http://stripe.test") as browser:
            await browser.post(
                f"/c/pay/{session['id']}",
                data={**CARD, "email": "ada@example.com", "number": number, **form},
            )

    async def states(self, order_id: str) -> tuple[str | None, str]:
        order = await self.world.commercetools("GET", f"orders/{order_id}")
        return order.get("paymentState"), order["orderState"]

    async def payments(self, order_id: str) -> list[Json]:
        order = await self.world.commercetools("GET", f"orders/{order_id}")
        ids = [p["id"] for p in order.get("paymentInfo", {}).get("payments", [])]
        return [await self.world.payment(id_) for id_ in ids]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def shopper(world: World) -> Shopper:
    return Shopper(world)


async def test_an_order_is_paid_by_the_webhook_alone(world: World, shopper: Shopper) -> None:
    order = await shopper.order()
    session = (await shopper.session(order["id"])).json()
    assert session["url"].endswith(session["id"])
    await shopper.pay(session)
    assert await shopper.states(order["id"]) == (None, "Open")
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")
    (payment,) = await shopper.payments(order["id"])
    assert await world.transactions(payment["id"]) == [
        ("Authorization", 2500, "Success"),
        ("Charge", 2500, "Success"),
    ]


async def test_the_landing_page_confirms_without_any_webhook(shopper: Shopper) -> None:
    order = await shopper.order()
    await shopper.pay((await shopper.session(order["id"])).json())
    answer = await shopper.confirm(order["id"], version=99)
    assert answer.status_code == 200
    assert answer.json()["orderState"] == "Confirmed"
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


@pytest.mark.parametrize("version", [0, 1, 2, 99])
async def test_nobody_marks_an_unpaid_order_as_paid(shopper: Shopper, version: int) -> None:
    order = await shopper.order()
    await shopper.session(order["id"])
    answer = await shopper.confirm(order["id"], version)
    assert answer.status_code == 409
    assert answer.json()["code"] == "NotPaid"
    assert await shopper.states(order["id"]) == (None, "Open")


async def test_nobody_pays_with_the_payment_of_another_order(
    world: World, shopper: Shopper
) -> None:
    order, other = await shopper.order(), await shopper.order()
    await shopper.session(order["id"])
    await shopper.pay((await shopper.session(other["id"])).json())
    await world.deliver_all()
    assert (await shopper.confirm(order["id"])).status_code == 409
    assert await shopper.states(order["id"]) == (None, "Open")
    assert await shopper.states(other["id"]) == ("Paid", "Confirmed")


async def test_an_amount_of_another_currency_pays_nothing(world: World, shopper: Shopper) -> None:
    order = await shopper.order()
    session = (await shopper.session(order["id"])).json()
    await _reprice(world, order["id"], 2500, "USD")
    await shopper.pay(session)
    await world.deliver_all()
    assert (await shopper.confirm(order["id"])).status_code == 409
    assert await shopper.states(order["id"]) == (None, "Open")


async def test_the_same_order_has_the_same_session(world: World, shopper: Shopper) -> None:
    order = await shopper.order()
    answers = await asyncio.gather(*(shopper.session(order["id"]) for _ in range(4)))
    again = await shopper.session(order["id"])
    ids = {a.json()["id"] for a in [*answers, again] if a.status_code == 201}
    assert len(ids) == 1
    assert len(await shopper.payments(order["id"])) == 1
    assert len([s for s in world.stripe.sessions if s["status"] == "open"]) == 1


async def test_a_changed_order_gets_a_new_session(world: World, shopper: Shopper) -> None:
    order = await shopper.order()
    first = (await shopper.session(order["id"])).json()
    await _reprice(world, order["id"], 2700)
    second = (await shopper.session(order["id"])).json()
    assert second["id"] != first["id"]
    assert world.stripe.sessions[first["id"]]["status"] == "expired"
    assert world.stripe.sessions[second["id"]]["amount_total"] == 2700


async def test_an_order_is_not_fulfilled_at_an_old_amount(world: World, shopper: Shopper) -> None:
    order = await shopper.order()
    session = (await shopper.session(order["id"])).json()
    await _reprice(world, order["id"], 2700)
    await shopper.pay(session)
    await world.deliver_all()
    assert (await shopper.confirm(order["id"])).status_code == 409
    assert await shopper.states(order["id"]) == (None, "Open")
    (payment,) = await shopper.payments(order["id"])
    assert payment["paymentStatus"]["interfaceCode"] == "amount_mismatch"
    assert await world.transactions(payment["id"]) == [
        ("Authorization", 2500, "Success"),
        ("Charge", 2500, "Success"),
    ]


async def test_money_taken_at_an_old_amount_goes_back_and_the_order_can_be_paid() -> None:
    world = World({"STRIPE_MISMATCH_ACTION": "reverse"})
    shopper = Shopper(world)
    order = await shopper.order()
    session = (await shopper.session(order["id"])).json()
    await _reprice(world, order["id"], 2700)
    await shopper.pay(session)
    await world.deliver_all()
    (payment,) = await shopper.payments(order["id"])
    assert ("Refund", 2500, "Success") in await world.transactions(payment["id"])
    await shopper.pay((await shopper.session(order["id"])).json())
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_what_was_taken_decides_and_not_what_a_shopper_says_was_planned(
    world: World, shopper: Shopper
) -> None:
    order = await shopper.order()
    session = (await shopper.session(order["id"])).json()
    (payment,) = await shopper.payments(order["id"])
    await world.commercetools(
        "POST",
        f"payments/{payment['id']}",
        {
            "version": payment["version"],
            "actions": [{"action": "changeAmountPlanned", "amount": money(1)}],
        },
    )
    await shopper.pay(session)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_an_order_changes_its_state_once_whatever_repeats(
    world: World, shopper: Shopper
) -> None:
    order = await shopper.order()
    await shopper.pay((await shopper.session(order["id"])).json())
    before = (await world.commercetools("GET", f"orders/{order['id']}"))["version"]
    other = world.start_processor()
    await asyncio.gather(
        shopper.confirm(order["id"]),
        shopper.confirm(order["id"]),
        *(world.deliver(event, other) for event in world.stripe.events),
    )
    for event in [*world.stripe.events] * 5:
        assert (await world.deliver(event)).status_code == 200
    after = (await world.commercetools("GET", f"orders/{order['id']}"))["version"]
    assert after == before + 1
    assert len(list(world.stripe.charges)) == 1


async def test_a_deleted_order_keeps_no_webhook_from_being_acknowledged(
    world: World, shopper: Shopper
) -> None:
    order = await shopper.order()
    await shopper.pay((await shopper.session(order["id"])).json())
    (payment,) = await shopper.payments(order["id"])
    world.store.collection("order").remove(order["id"])
    await world.deliver_all()
    assert await world.transactions(payment["id"]) == [
        ("Authorization", 2500, "Success"),
        ("Charge", 2500, "Success"),
    ]


async def test_an_expired_page_of_a_deleted_order_is_acknowledged(
    world: World, shopper: Shopper
) -> None:
    order = await shopper.order()
    await shopper.session(order["id"])
    world.store.collection("order").remove(order["id"])
    world.clock.advance(90_000)
    world.stripe.run_due()
    await world.deliver_all()
    (payment,) = list(world.store.collection("payment"))
    assert payment["paymentStatus"]["interfaceCode"] == "expired"


async def test_a_declined_card_leaves_the_session_open(world: World, shopper: Shopper) -> None:
    order = await shopper.order()
    session = (await shopper.session(order["id"])).json()
    await shopper.pay(session, "4000000000000002")
    await world.deliver_all()
    assert (await shopper.session(order["id"])).json()["id"] == session["id"]
    await shopper.pay(session)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")
    (payment,) = await shopper.payments(order["id"])
    assert [t["state"] for t in payment["transactions"]] == ["Success", "Success"]


async def test_events_in_any_order_pay_an_order_once(world: World, shopper: Shopper) -> None:
    order = await shopper.order()
    await shopper.pay((await shopper.session(order["id"])).json())
    for event in [*reversed(world.stripe.events), *world.stripe.events] * 2:
        answer = await world.deliver(event)
        assert answer.status_code == 200, answer.text
    await shopper.confirm(order["id"])
    (payment,) = await shopper.payments(order["id"])
    assert await world.transactions(payment["id"]) == [
        ("Authorization", 2500, "Success"),
        ("Charge", 2500, "Success"),
    ]
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_delayed_payment_is_processing_and_then_paid(
    world: World, shopper: Shopper
) -> None:
    order = await shopper.order()
    session = (await shopper.session(order["id"])).json()
    await shopper.pay(session, method="sepa_debit", iban="DE89370400440532013000", holder="Ada")
    await world.deliver_all()
    assert (await shopper.confirm(order["id"])).status_code == 202
    again = await shopper.session(order["id"])
    assert again.status_code == 409
    (intent,) = list(world.stripe.intents)
    await world.at_stripe(f"payment_intents/{intent['id']}/settle", outcome="succeed")
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


@pytest.mark.parametrize(("cancel", "state"), [("false", "Open"), ("true", "Cancelled")])
async def test_a_delayed_payment_that_fails_fails_the_order(cancel: str, state: str) -> None:
    world = World({"CHECKOUT_CANCEL_UNPAID_ORDERS": cancel})
    shopper = Shopper(world)
    order = await shopper.order()
    session = (await shopper.session(order["id"])).json()
    await shopper.pay(session, method="sepa_debit", iban="DE89370400440532013000", holder="Ada")
    (intent,) = list(world.stripe.intents)
    await world.at_stripe(f"payment_intents/{intent['id']}/settle", outcome="fail")
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Failed", state)


async def test_an_expired_session_fails_its_order_and_another_can_be_paid(
    world: World, shopper: Shopper
) -> None:
    order = await shopper.order()
    first = (await shopper.session(order["id"])).json()
    world.clock.advance(90_000)
    world.stripe.run_due()
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Failed", "Open")
    second = (await shopper.session(order["id"])).json()
    assert second["id"] != first["id"]
    await shopper.pay(second)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_an_old_session_that_expires_leaves_a_paid_order_alone(
    world: World, shopper: Shopper
) -> None:
    order = await shopper.order()
    await shopper.session(order["id"])
    await _reprice(world, order["id"], 2700)
    await shopper.pay((await shopper.session(order["id"])).json())
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_paid_order_gets_no_session(world: World, shopper: Shopper) -> None:
    order = await shopper.order()
    await shopper.pay((await shopper.session(order["id"])).json())
    unrecorded = await shopper.session(order["id"])
    assert unrecorded.status_code == 409
    await world.deliver_all()
    answer = await shopper.session(order["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "AlreadyPaid")


async def test_a_paid_order_is_refunded_like_any_payment(world: World, shopper: Shopper) -> None:
    order = await shopper.order()
    await shopper.pay((await shopper.session(order["id"])).json())
    await world.deliver_all()
    (payment,) = await shopper.payments(order["id"])
    amount = {"centAmount": 500, "currencyCode": "EUR"}
    outcome = await world.modify(payment["id"], action="refundPayment", amount=amount)
    assert outcome == {"outcome": "approved"}


@pytest.mark.parametrize("action", ["cancelPayment", "reversePayment"])
async def test_cancelling_before_the_shopper_confirms_expires_the_session(
    world: World, shopper: Shopper, action: str
) -> None:
    order = await shopper.order()
    session = (await shopper.session(order["id"])).json()
    (payment,) = await shopper.payments(order["id"])
    assert await world.modify(payment["id"], action=action) == {"outcome": "approved"}
    assert world.stripe.sessions[session["id"]]["status"] == "expired"


@pytest.mark.parametrize("mode", ["embedded_page", "elements"])
async def test_an_order_is_paid_within_the_shops_own_page(
    world: World, shopper: Shopper, mode: str
) -> None:
    order = await shopper.order()
    answer = await world.client.post(
        "/api/v1/payments/sessions", json={"id": order["id"], "uiMode": mode}
    )
    session = answer.json()
    assert session["clientSecret"].startswith(f"{session['id']}_secret_")
    assert "url" not in session
    await world.at_stripe(f"checkout/sessions/{session['id']}/pay")
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_known_customer_pays_as_such_and_a_deleted_one_as_a_guest(world: World) -> None:
    shopper = Shopper(world)
    created = await world.commercetools("POST", "customers", {"email": "lin@example.com"})
    customer_id = created["customer"]["id"]
    fields: Json = {"customerId": customer_id, "shippingAddress": {"country": "DE"}}
    first = await world.cart(2500, **fields)
    await world.client.get("/customer/session", headers=await world.session(first["id"]))
    (stripe_customer,) = list(world.stripe.customers)
    for expected in (stripe_customer["id"], None):
        cart = await world.cart(2500, **fields)
        order = (await world.client.post(f"/api/v1/carts/{cart['id']}/order")).json()
        session = (await shopper.session(order["id"])).json()
        assert world.stripe.sessions[session["id"]]["customer"] == expected
        if expected:
            await world.ask_stripe("DELETE", f"/v1/customers/{expected}")


async def test_the_page_speaks_the_orders_language_and_ends_in_time() -> None:
    world = World({"CHECKOUT_SESSION_MINUTES": "45"})
    shopper = Shopper(world)
    cart = await world.cart(2500, shippingAddress={"country": "DE"}, locale="de-AT")
    order = (await world.client.post(f"/api/v1/carts/{cart['id']}/order")).json()
    session = (await shopper.session(order["id"])).json()
    made = world.stripe.sessions[session["id"]]
    assert made["locale"] == "de"
    assert 45 * 60 <= made["expires_at"] - made["created"] <= 46 * 60


async def test_an_order_that_costs_nothing_needs_no_session(shopper: Shopper) -> None:
    order = await shopper.order(0)
    session = (await shopper.session(order["id"])).json()
    assert session["id"] == f"free_{order['id']}"
    assert (await shopper.confirm(order["id"])).status_code == 200
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


@pytest.mark.parametrize(
    "actions",
    [
        [{"action": "changePaymentState", "paymentState": "Pending"}],
        [{"action": "changeOrderState", "orderState": "Cancelled"}],
        [{"action": "setOrderNumber", "orderNumber": "1"}],
        [],
    ],
)
async def test_a_storefront_can_ask_for_nothing_else(
    shopper: Shopper, actions: list[dict[str, Any]]
) -> None:
    order = await shopper.order()
    answer = await shopper.world.client.put(
        f"/api/v1/orders/{order['id']}", json={"version": 1, "actions": actions}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("trouble", ["crash before", "crash after", "lost", "error after"])
async def test_opening_a_session_survives_trouble_at_every_call(trouble: Any) -> None:
    for index in range(8):
        world = World()
        shopper = Shopper(world)
        order = await shopper.order()
        left = index

        def meet(_: object) -> Any:
            nonlocal left
            left -= 1
            return trouble if left == -1 else None

        world.network.trouble = meet
        with contextlib.suppress(Crash):
            await shopper.session(order["id"])
        world.network.trouble = lambda _: None
        world.processor = world.start_processor()
        session = (await shopper.session(order["id"])).json()
        assert [s["id"] for s in world.stripe.sessions if s["status"] == "open"] == [session["id"]]
        await shopper.pay(session)
        await world.deliver_all()
        assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def _reprice(world: World, order_id: str, cents: int, currency: str = "EUR") -> None:
    """The merchant edits the order, as an order edit does."""
    order = world.store.collection("order").get(order_id)
    assert order is not None
    total = {**order["totalPrice"], "centAmount": cents, "currencyCode": currency}
    line = {**order["customLineItems"][0], "totalPrice": total}
    world.store.replace("order", {**order, "totalPrice": total, "customLineItems": [line]})
