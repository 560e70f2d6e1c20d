"""Recurring orders from the first payment to later ones, as Checkout and its clock drive them."""

from __future__ import annotations

import pytest

from sandbox.commercetools.errors import ApiError
from sandbox.commercetools.renewals import Renewals
from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import Json, Shop
from tests.behaviour.stored import ENABLED, PATH, Regular, records, regular
from tests.behaviour.test_stored_methods import RECURRING, _Refusing
from tests.world import World

TOKEN = "t" * 40
MONTH = 31 * 86_400
ITEM = "3f1c7a52-9a3e-4a7e-8f0e-5f0f8f5b1c05"


class Seller:
    """A world in which Lin has ordered something that comes again."""

    def __init__(self, lin: Regular, shop: Shop) -> None:
        self.world = lin.world
        self.lin = lin
        self.shop = shop
        self.requests: list[Json] = []
        self.renewals = Renewals(self.world.store, self._collect)

    async def _collect(self, request: Json) -> tuple[int, Json]:
        self.requests.append(request)
        answer = await self.world.client.post(
            "/operations/transactions", json=request, headers=await self.world.checkout()
        )
        return answer.status_code, answer.json()

    @property
    def order(self) -> Json:
        [order] = self.world.store.collection("recurring-order")
        return order

    @property
    def job(self) -> Json:
        [job] = self.world.store.collection("recurring-payment-job")
        return job

    @property
    def cart(self) -> Json:
        return self.world.store.resolve("cart", self.order["cart"])

    def later_orders(self) -> list[Json]:
        first = self.order["originOrder"]["id"]
        return [each for each in self.world.store.collection("order") if each["id"] != first]

    def due(self) -> None:
        self.world.clock.advance(MONTH)

    async def remove(self, method_id: str) -> tuple[int, Json]:
        answer = await self.world.client.delete(
            f"{PATH}/{method_id}", headers=await self.lin.session()
        )
        return answer.status_code, answer.json() if answer.content else {}


async def seller(card: str = "pm_card_visa", world: World | None = None, **refused: int) -> Seller:
    """Lin has paid with a card and ordered; nobody has let time pass."""
    lin = await regular(world or World(ENABLED))
    cart = await lin.world.cart(customerId=lin.id, **RECURRING)
    session = await lin.world.session(cart["id"], checkoutTransactionItemId=ITEM)
    begun = await lin.world.start(session)
    await lin.world.pay(begun["clientSecret"], card)
    if refused:
        transports = lin.world.network.transports
        inner = transports["commercetools.test"]
        transports["commercetools.test"] = _Refusing(inner, refused["status"])  # type: ignore[assignment]
        await lin.world.deliver_all()
        transports["commercetools.test"] = inner
    else:
        await lin.world.deliver_all()
    version = (await lin.world.commercetools("GET", f"carts/{cart['id']}"))["version"]
    draft = {"id": cart["id"], "version": version}
    await lin.world.commercetools("POST", "orders", draft)
    shop = Shop(cart["id"], session, begun["paymentReference"], begun["clientSecret"])
    return Seller(lin, shop)


async def record_of(seller: Seller) -> str:
    return str(seller.job["paymentMethod"]["id"])


async def test_a_job_sets_the_method_on_the_recurring_cart_once_the_order_exists() -> None:
    it = await seller()
    assert it.job["status"] == {"state": "Initial"}
    for _ in range(2):
        await it.renewals.run()
    assert it.job["status"] == {"state": "Completed", "attempts": 1}
    [payment] = it.world.store.collection("recurring-payment")
    assert it.job["recurringPayments"] == [{"typeId": "recurring-payment", "id": payment["id"]}]
    configuration = it.cart["recurringPaymentConfiguration"]
    [allocation] = configuration["paymentAllocations"]
    assert configuration["paymentStrategy"] == "Checkout"
    assert allocation["paymentMethod"]["id"] == await record_of(it)


async def test_each_month_is_charged_and_ordered_once() -> None:
    it = await seller()
    await it.renewals.run()
    for month in (1, 2, 3):
        it.due()
        for _ in range(2):
            await it.renewals.run()
        await it.world.deliver_all()
        placed = it.later_orders()
        assert len(placed) == len(it.requests) == month
        assert {each["paymentState"] for each in placed} == {"Paid"}
    total = it.cart["totalPrice"]["centAmount"]
    for order in it.later_orders():
        [payment] = order["paymentInfo"]["payments"]
        assert await it.world.transactions(payment["id"]) == [
            ("Authorization", total, "Success"),
            ("Charge", total, "Success"),
        ]
    assert len(it.world.store.collection("recurring-payment-job")) == 1


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ("pm_card_authenticationRequired", "authenticat"),
        ("pm_card_chargeCustomerFail", "declined"),
    ],
)
async def test_a_renewal_that_the_bank_refuses_places_no_order_and_leaves_nothing_payable(
    card: str, words: str
) -> None:
    it = await seller()
    await it.renewals.run()
    other = await it.lin.on_file(card)
    allocate(it, other)
    it.due()
    for _ in range(2):
        await it.renewals.run()
    await it.world.deliver_all()
    assert it.later_orders() == []
    assert it.order["recurringOrderState"] == "Failed"
    assert words in it.world.store.renewal_errors[it.order["id"]]["message"].lower()
    assert len(it.requests) == 1
    statuses = [intent["status"] for intent in it.world.stripe.intents]
    assert sorted(statuses) == ["canceled", "succeeded"]
    [failed] = [
        payment
        for payment in it.world.store.collection("payment")
        if payment["id"] != it.shop.payment_id
    ]
    assert [t["state"] for t in failed["transactions"]] == ["Failure"]


def allocate(it: Seller, method_id: str) -> None:
    """The merchant sets another method to pay the orders to come."""
    cart = it.cart
    configuration = cart["recurringPaymentConfiguration"]
    [allocation] = configuration["paymentAllocations"]
    method = {"typeId": "payment-method", "id": method_id}
    changed = {**configuration, "paymentAllocations": [{**allocation, "paymentMethod": method}]}
    it.world.store.replace("cart", {**cart, "recurringPaymentConfiguration": changed})


async def test_a_failed_order_is_charged_again_once_it_is_active_with_another_method() -> None:
    it = await seller()
    await it.renewals.run()
    good = await record_of(it)
    allocate(it, await it.lin.on_file("pm_card_chargeCustomerFail"))
    it.due()
    await it.renewals.run()
    assert it.later_orders() == []
    allocate(it, good)
    order = it.order
    active = {"action": "setRecurringOrderState", "recurringOrderState": {"type": "active"}}
    await it.world.commercetools(
        "POST",
        f"recurring-orders/{order['id']}",
        {"version": order["version"], "actions": [active]},
    )
    await it.renewals.run()
    [placed] = it.later_orders()
    assert placed["paymentState"] == "Paid"
    assert it.world.store.renewal_errors == {}


async def test_an_answer_that_is_lost_is_asked_for_again_and_charged_once() -> None:
    it = await seller()
    await it.renewals.run()
    it.due()
    real = it.renewals._collect

    async def lost(request: Json) -> tuple[int, Json]:
        await real(request)
        return 0, {}

    it.renewals._collect = lost
    await it.renewals.run()
    assert it.later_orders() == []
    it.renewals._collect = real
    await it.renewals.run()
    [placed] = it.later_orders()
    assert placed["paymentState"] == "Paid"
    assert it.requests[0] == it.requests[1]
    assert len(list(it.world.stripe.charges)) == 2


async def test_a_job_whose_method_is_gone_fails_after_three_attempts_and_says_why() -> None:
    it = await seller()
    record = it.world.store.collection("payment-method").get(await record_of(it))
    it.world.store.replace("payment-method", {**record, "paymentMethodStatus": "Inactive"})  # type: ignore[dict-item]
    states = []
    for _ in range(4):
        await it.renewals.run()
        states.append((it.job["status"]["state"], it.job["status"]["attempts"]))
    assert states == [("Pending", 1), ("Pending", 2), ("Failed", 3), ("Failed", 3)]
    [error] = it.job["status"]["errors"]
    assert error["code"] == "InvalidInput"
    found = await it.world.commercetools("GET", "recurring-payment-jobs?status.state=eq:Failed")
    assert [each["id"] for each in found["results"]] == [it.job["id"]]
    it.due()
    await it.renewals.run()
    [unpaid] = it.later_orders()
    assert "paymentState" not in unpaid


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_whatever_a_job_is_refused_with_is_counted_listed_and_costs_no_money(
    status: int,
) -> None:
    it = await seller(world=World({**ENABLED, "METRICS_TOKEN": TOKEN}), status=status)
    assert len(it.world.store.collection("recurring-payment-job")) == 0
    total = it.cart["totalPrice"]["centAmount"]
    assert await it.world.transactions(it.shop.payment_id) == [
        ("Authorization", total, "Success"),
        ("Charge", total, "Success"),
    ]
    metrics = await it.world.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert "stripe_connector_recurring_payment_jobs_refused_total 1.0" in metrics.text
    for _ in range(2):
        assert (await reconcile(it.world)).found == ["recurring_refused"]
    [record] = await records(it.world)
    job = {
        "key": it.shop.payment_id,
        "originPayment": {"typeId": "payment", "id": it.shop.payment_id},
        "paymentMethod": {"typeId": "payment-method", "id": record["id"]},
    }
    await it.world.commercetools("POST", "recurring-payment-jobs", job)
    assert (await reconcile(it.world)).found == []


async def test_the_method_that_checkout_charges_is_kept_and_the_first_one_may_go() -> None:
    it = await seller()
    await it.renewals.run()
    first, other = await record_of(it), await it.lin.on_file("pm_card_mastercard")
    allocate(it, other)
    status, told = await it.remove(other)
    assert status == 409
    assert told["errors"][0]["recurringOrders"] == [it.order["id"]]
    assert (await it.remove(first))[0] == 200
    it.due()
    await it.renewals.run()
    [placed] = it.later_orders()
    assert placed["paymentState"] == "Paid"


async def test_an_older_token_of_a_card_goes_once_checkout_says_that_another_is_charged() -> None:
    it = await seller()
    await it.renewals.run()
    charged = await record_of(it)
    it.world.clock.advance(10)
    old = await it.lin.on_file("pm_card_mastercard")
    it.world.clock.advance(10)
    newest = await it.lin.saves("pm_card_mastercard")
    await it.lin.shown()
    states = {each["id"]: each["paymentMethodStatus"] for each in await records(it.world)}
    assert (states[charged], states[old]) == ("Active", "Inactive")
    tokens = {each["token"]["value"] for each in await records(it.world) if each["id"] != old}
    assert newest in tokens


async def test_a_reset_during_a_renewal_is_refused_once_and_then_forgotten() -> None:
    """The sandbox goes on: `sandbox.runner` takes that refusal."""
    it = await seller()
    await it.renewals.run()
    it.due()

    async def reset(_: Json) -> tuple[int, Json]:
        it.world.store.reset()
        return 201, {"transactionStatus": {"state": "Completed"}}

    it.renewals._collect = reset
    with pytest.raises(ApiError):
        await it.renewals.run()
    await it.renewals.run()
    assert list(it.world.store.collection("order")) == []


async def test_another_record_of_the_token_that_is_charged_cannot_be_removed() -> None:
    """An older connector or another program may have recorded the same token once more."""
    lin = await seller()
    await lin.renewals.run()
    [charged] = await records(lin.world)
    draft = {name: charged[name] for name in ("paymentInterface", "method", "token")}
    draft["customer"] = {"typeId": "customer", "id": charged["customer"]["id"]}
    draft["interfaceAccount"] = charged.get("interfaceAccount")
    draft["paymentMethodStatus"] = "Active"
    twin = await lin.world.commercetools("POST", "payment-methods", draft)
    status, answer = await lin.remove(twin["id"])
    assert status == 409, answer
    lin.due()
    await lin.renewals.run()
    assert lin.world.store.renewal_errors == {}
