"""Payment methods that a shopper saves while paying: kept once, and charged again only if asked."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping

import httpx
import pytest

from tests.behaviour.steps import (
    Always,
    Json,
    Once,
    Shop,
    effect,
    event,
    no_trouble,
    shuffled,
    started,
)
from tests.behaviour.stored import ITEM
from tests.wire import Call, Crash, Trouble
from tests.world import World

SAVING: Mapping[str, str] = {"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "off_session"}
RECURRING: Json = {
    "country": "DE",
    "shippingAddress": {"country": "DE"},
    "taxMode": "Platform",
    "customLineItems": [],
    "lineItems": [
        {
            "sku": "task-lamp-1",
            "recurrenceInfo": {
                "recurrencePolicy": {"typeId": "recurrence-policy", "key": "monthly"},
                "priceSelectionMode": "Fixed",
            },
        }
    ],
}


async def customer(world: World) -> str:
    """A customer who has a Stripe customer already."""
    created = await world.commercetools("POST", "customers", {"email": "lin@example.com"})
    customer_id = str(created["customer"]["id"])
    cart = await world.cart(customerId=customer_id)
    answer = await world.client.get("/customer/session", headers=await world.session(cart["id"]))
    assert answer.status_code == 200
    return customer_id


async def paid(world: World, *, recurring: bool = False, by_checkout: bool = True) -> Shop:
    """A customer's cart that is paid; nobody has told the processor."""
    fields = RECURRING if recurring else {}
    cart = await world.cart(customerId=await customer(world), **fields)
    managed = {"checkoutTransactionItemId": ITEM} if by_checkout else {}
    session = await world.session(cart["id"], **managed)
    begun = await world.start(session)
    await world.pay(begun["clientSecret"])
    return Shop(cart["id"], session, begun["paymentReference"], begun["clientSecret"])


async def stored(world: World) -> list[Json]:
    return list((await world.commercetools("GET", "payment-methods?limit=50"))["results"])


async def jobs(world: World) -> list[Json]:
    return list(world.store.collection("recurring-payment-job"))


async def token_of(world: World, shop: Shop) -> str | None:
    token = (await world.payment(shop.payment_id))["paymentMethodInfo"].get("token")
    return token and str(token["value"])


def told(world: World) -> Json:
    return event(world, "payment_intent.succeeded")


async def test_a_saved_method_is_kept_with_the_customer_and_named_on_the_payment() -> None:
    world = World(SAVING)
    shop = await paid(world)
    await effect(world, told(world))
    [method] = await stored(world)
    [intent] = world.stripe.intents
    assert method["token"]["value"] == intent["payment_method"]
    assert method["customer"]["id"] == intent["metadata"]["ct_customer_id"]
    assert (method["paymentInterface"], method["method"]) == ("checkout-stripe", "card")
    assert await token_of(world, shop) == intent["payment_method"]


@pytest.mark.parametrize("environment", [SAVING, {**SAVING, "STRIPE_CAPTURE_METHOD": "manual"}])
async def test_however_often_it_is_told_it_is_kept_once(environment: Mapping[str, str]) -> None:
    world = World(environment)
    await paid(world)
    for _ in range(3):
        await world.deliver_all()
    assert len(await stored(world)) == 1


async def test_told_to_several_at_once_it_is_kept_once() -> None:
    for seed in range(8):
        world = World(SAVING)
        await paid(world)
        shuffled(world, seed)
        answers = await asyncio.gather(
            *(world.deliver(told(world), world.start_processor()) for _ in range(3))
        )
        assert {answer.status_code for answer in answers} <= {200, 503}
        world.network.turn = None
        await world.deliver_all()
        assert len(await stored(world)) == 1


async def test_a_method_that_is_not_saved_is_not_kept() -> None:
    world = World()
    shop = await paid(world)
    await world.deliver_all()
    assert await stored(world) == []
    assert await token_of(world, shop) is None


async def test_a_guests_method_is_not_kept() -> None:
    world = World(SAVING)
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    assert await stored(world) == []


@pytest.mark.parametrize("backend", ["stripe", "commercetools"])
async def test_what_cannot_be_kept_is_not_acknowledged_but_kept_when_it_is_told_again(
    backend: str,
) -> None:
    world = World(SAVING)
    shop = await paid(world)
    await effect(world, event(world, "charge.succeeded"))
    failing = Always("error before", backend)
    world.network.trouble = lambda call: (
        failing(call) if "payment-methods" in call.path or "payment_methods" in call.path else None
    )
    answer = await world.deliver(told(world))
    assert answer.status_code == 503
    assert ("Charge", 1000, "Success") in await world.transactions(shop.payment_id)
    world.network.trouble = no_trouble
    await effect(world, told(world))
    assert len(await stored(world)) == 1
    assert await token_of(world, shop)


# Recurring carts


async def test_a_recurring_cart_gets_one_job() -> None:
    world = World()
    shop = await paid(world, recurring=True)
    for _ in range(3):
        await world.deliver_all()
    [job] = await jobs(world)
    [method] = await stored(world)
    assert job["originPayment"]["id"] == shop.payment_id
    assert job["paymentMethod"]["id"] == method["id"]
    assert job["key"] == shop.payment_id
    body = next(
        call.body for call in world.network.calls if call.path.endswith("/recurring-payment-jobs")
    )
    assert b"status" not in body
    assert len(world.store.collection("key-value-document")) == 0


async def test_a_payment_that_checkout_does_not_manage_gets_none() -> None:
    """The service is for Payments that Checkout manages alone."""
    world = World()
    shop = await paid(world, recurring=True, by_checkout=False)
    await world.deliver_all()
    assert await jobs(world) == []
    assert await token_of(world, shop) is not None


async def test_a_job_of_another_method_under_the_key_is_told() -> None:
    world = World()
    shop = await paid(world, recurring=True)
    [customer_] = [
        each for each in world.store.collection("customer") if each["email"][:3] == "lin"
    ]
    other = await world.commercetools(
        "POST",
        "payment-methods",
        {"customer": {"typeId": "customer", "id": customer_["id"]}, "token": {"value": "pm_other"}},
    )
    await world.commercetools(
        "POST",
        "recurring-payment-jobs",
        {
            "key": shop.payment_id,
            "originPayment": {"typeId": "payment", "id": shop.payment_id},
            "paymentMethod": {"typeId": "payment-method", "id": other["id"]},
        },
    )
    await world.deliver_all()
    kinds = [
        each["fields"].get("type")
        for each in (await world.payment(shop.payment_id))["interfaceInteractions"]
    ]
    assert kinds.count("recurring_payment_job.refused") == 1
    assert len(await jobs(world)) == 1


async def test_a_cart_that_does_not_recur_gets_none() -> None:
    world = World(SAVING)
    await paid(world)
    await world.deliver_all()
    assert await jobs(world) == []


@pytest.mark.parametrize(
    "trouble", ["refused", "lost", "error before", "error after", "crash before", "crash after"]
)
async def test_a_job_that_could_not_be_made_is_made_when_it_is_told_again(
    trouble: Trouble,
) -> None:
    world = World()
    shop = await paid(world, recurring=True)

    def no_jobs(call: Call) -> Trouble | None:
        return trouble if call.path.endswith("/recurring-payment-jobs") else None

    world.network.trouble = no_jobs
    try:
        assert (await world.deliver(told(world))).status_code == 503
    except Crash:
        world.processor = world.start_processor()
    assert await token_of(world, shop) is None
    world.network.trouble = no_trouble
    await world.deliver_all()
    assert len(await jobs(world)) == 1


class _Refusing(httpx.AsyncBaseTransport):
    """commercetools, whose Checkout refuses every recurring payment job."""

    def __init__(self, inner: httpx.AsyncBaseTransport, status: int) -> None:
        self._inner = inner
        self._status = status

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/recurring-payment-jobs"):
            error = {"code": "InvalidInput", "message": "No such transaction item."}
            body = {"statusCode": self._status, "message": error["message"], "errors": [error]}
            return httpx.Response(self._status, json=body, request=request)
        return await self._inner.handle_async_request(request)


@pytest.mark.parametrize("status", [400, 403, 404, 409])
async def test_a_job_that_is_refused_holds_up_neither_money_nor_method(status: int) -> None:
    world = World()
    shop = await paid(world, recurring=True)
    transports = world.network.transports
    transports["commercetools.test"] = _Refusing(transports["commercetools.test"], status)  # type: ignore[assignment]
    await world.deliver_all()
    recorded = [(type_, state) for type_, _, state in await world.transactions(shop.payment_id)]
    assert recorded == [("Authorization", "Success"), ("Charge", "Success")]
    assert await token_of(world, shop) is not None
    kinds = [
        interaction["fields"].get("type")
        for interaction in (await world.payment(shop.payment_id))["interfaceInteractions"]
    ]
    assert kinds.count("recurring_payment_job.refused") == 1


async def test_a_crash_at_any_call_leaves_one_method_and_one_job() -> None:
    for index in itertools.count():
        world = World()
        shop = await paid(world, recurring=True)
        world.network.trouble = crash = Once(index, "crash before")
        try:
            await world.deliver(told(world))
        except Crash:
            world.processor = world.start_processor()
        world.network.trouble = no_trouble
        await world.deliver_all()
        assert len(await stored(world)) == 1
        assert len(await jobs(world)) == 1
        assert await token_of(world, shop)
        if not crash.happened:
            break
    assert index > 6


@pytest.mark.parametrize("after_a_crash", [False, True])
async def test_told_to_several_at_once_there_is_one_job(after_a_crash: bool) -> None:
    for seed in range(8):
        world = World()
        await paid(world, recurring=True)
        if after_a_crash:
            world.network.trouble = lambda call: (
                "crash before" if call.path.endswith("/recurring-payment-jobs") else None
            )
            with pytest.raises(Crash):
                await world.deliver(told(world))
            world.network.trouble = no_trouble
        shuffled(world, seed)
        await asyncio.gather(
            *(world.deliver(told(world), world.start_processor()) for _ in range(3))
        )
        world.network.turn = None
        world.processor = world.start_processor()
        await world.deliver_all()
        assert len(await jobs(world)) == 1
