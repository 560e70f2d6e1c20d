"""Steps that many behaviours share: payments in a given state, operations, and what must agree."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import httpx
from msgspec import Struct

from tests.property import oracle
from tests.wire import Call, Crash, Trouble
from tests.world import Processor, World, money

Json = dict[str, Any]

MANUAL: Mapping[str, str] = {"STRIPE_CAPTURE_METHOD": "manual"}
CONFIGURATION = "/v1/payment_method_configurations"
MULTICAPTURE: Mapping[str, str] = {**MANUAL, "STRIPE_ENABLE_MULTI_OPERATIONS": "true"}


class Once:
    """Trouble at the n-th call of all, or of those to one backend; counted from zero."""

    def __init__(self, index: int, trouble: Trouble, backend: str | None = None) -> None:
        self._left = index
        self._trouble = trouble
        self._backend = backend
        self.happened = False

    def __call__(self, call: Call) -> Trouble | None:
        if self._backend not in (None, call.backend):
            return None
        self._left -= 1
        if self._left == -1:
            self.happened = True
            return self._trouble
        return None


class Always:
    """Trouble at every call to one backend, writes alone where `writes` says so."""

    def __init__(self, trouble: Trouble, backend: str, *, writes: bool = False) -> None:
        self._trouble = trouble
        self._backend = backend
        self._writes = writes

    def __call__(self, call: Call) -> Trouble | None:
        if call.backend != self._backend or "/oauth/" in call.path:
            return None
        return None if self._writes and call.method == "GET" else self._trouble


def no_trouble(_: Call) -> Trouble | None:
    return None


class Shop(Struct):
    """A cart whose payment was started."""

    cart_id: str
    session: Mapping[str, str]
    payment_id: str
    secret: str

    @property
    def intent_id(self) -> str:
        return self.secret.partition("_secret_")[0]


async def started(world: World, cents: int = 1000, currency: str = "EUR", **cart: Any) -> Shop:
    """A cart and its session; the shopper has not paid yet."""
    made = await world.cart(cents, currency, **cart)
    session = await world.session(made["id"])
    answer = await world.start(session)
    return Shop(made["id"], session, answer["paymentReference"], answer["clientSecret"])


def with_total(world: World, cart_id: str, total: Json) -> None:
    """Give a cart of one custom line another price, or currency, without writing to it."""
    stored = world.store.collection("cart").get(cart_id)
    assert stored is not None
    priced = {**stored["totalPrice"], **total}
    [line] = stored["customLineItems"]
    lines = [{**line, "money": priced, "totalPrice": priced}]
    world.store.replace("cart", {**stored, "totalPrice": priced, "customLineItems": lines})


async def merchants_order(world: World, cart_id: str) -> Json:
    """An order that the merchant's own server places from a cart, without the storefront routes."""
    cart = await world.commercetools("GET", f"carts/{cart_id}")
    draft = {"cart": {"typeId": "cart", "id": cart_id}, "version": cart["version"]}
    return await world.commercetools("POST", "orders", draft)


async def intent_of(world: World, payment_id: str) -> Json:
    """Stripe's intent of a Payment, as it is now."""
    payment = await world.payment(payment_id)
    return world.stripe.intents[payment["interfaceId"]]


async def status_of(world: World, payment_id: str) -> str | None:
    """The status code of a Payment."""
    payment = await world.payment(payment_id)
    code: str | None = payment.get("paymentStatus", {}).get("interfaceCode")
    return code


async def confirm(world: World, shop: Shop, intent_id: str | None = None) -> httpx.Response:
    """POST /confirmPayments as the browser does."""
    return await world.client.post(
        f"/confirmPayments/{shop.payment_id}",
        json={"paymentIntent": intent_id or shop.intent_id},
        headers=shop.session,
    )


async def operate(
    world: World,
    payment_id: str,
    action: str,
    cents: int | None = None,
    *,
    key: str | None = None,
    processor: Processor | None = None,
    currency: str = "EUR",
    **fields: Any,
) -> httpx.Response:
    """POST /operations/payment-intents/{id}, whatever the answer."""
    headers = {**await world.checkout(), **({"Idempotency-Key": key} if key else {})}
    body: Json = {"action": action, **fields}
    if cents is not None:
        body["amount"] = money(cents, currency)
    return await (processor or world.processor).client.post(
        f"/operations/payment-intents/{payment_id}", json={"actions": [body]}, headers=headers
    )


async def attempt(
    world: World, payment_id: str, action: str, cents: int | None = None, **options: Any
) -> httpx.Response | None:
    """The same; None where the processor died over it, and another one takes its place."""
    try:
        return await operate(world, payment_id, action, cents, **options)
    except Crash:
        world.processor = world.start_processor()
        return None


def events(world: World, *types: str) -> list[Json]:
    """Stripe's events of the given types, oldest first; all without a type."""
    return [event for event in world.stripe.events if not types or event["type"] in types]


def event(world: World, type_: str) -> Json:
    """The one event of a type."""
    [found] = events(world, type_)
    return found


async def effect(world: World, delivered: Json, processor: Processor | None = None) -> str:
    """Deliver an event that must be acknowledged; what became of it."""
    answer = await world.deliver(delivered, processor)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["effect"])


async def assert_agreement(world: World) -> None:
    """After everything has been delivered, the record is what Stripe's objects say."""
    await world.deliver_all()
    oracle.check(world)


async def dashboard_refund(world: World, intent_id: str, cents: int) -> str:
    """A refund that somebody makes in Stripe's Dashboard; its id."""
    refund = await world.ask_stripe("POST", "/v1/refunds", payment_intent=intent_id, amount=cents)
    return str(refund["id"])


def refunded(world: World) -> int:
    """What all refunds that have not failed give back."""
    return sum(
        refund["amount"]
        for refund in world.stripe.refunds
        if refund["status"] not in ("failed", "canceled")
    )


def shuffled(world: World, seed: int) -> None:
    """Let calls of requests at once overtake each other, differently for every seed."""
    dice = random.Random(seed)

    async def turn(_call: Call) -> None:
        for _ in range(dice.randrange(12)):
            await asyncio.sleep(0)

    world.network.turn = turn


async def merchants_type(world: World) -> Json:
    """A custom type of the merchant's own, as custom fields of a customer."""
    await world.commercetools(
        "POST",
        "types",
        {
            "key": "loyalty",
            "name": {"en": "Loyalty"},
            "resourceTypeIds": ["customer"],
            "fieldDefinitions": [
                {
                    "name": "points",
                    "type": {"name": "Number"},
                    "label": {"en": "Points"},
                    "required": False,
                }
            ],
        },
    )
    return {"type": {"typeId": "type", "key": "loyalty"}, "fields": {"points": 7}}


async def switch(world: World, key: str = "pmc_sandbox", **types: str) -> None:
    """Change a configuration of the account, as in Stripe's Dashboard."""
    wanted = {f"{type_}[display_preference][preference]": value for type_, value in types.items()}
    await world.ask_stripe("POST", f"{CONFIGURATION}/{key}", **wanted)
