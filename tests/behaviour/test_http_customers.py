"""GET /customer/session: one Stripe customer for each customer, and nothing of theirs destroyed."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from sandbox.stripe import intent_routes
from sandbox.stripe.errors import refused
from sandbox.stripe.state import InternalError
from tests.behaviour.steps import merchants_type
from tests.wire import Call, Crash, Trouble
from tests.world import Processor, World

Json = dict[str, Any]

FIELD = "stripeConnector_stripeCustomerId"
ADDRESS = {
    "firstName": "Lin",
    "lastName": "Chen",
    "streetName": "Main Street",
    "city": "Berlin",
    "country": "DE",
    "phone": "+49 30 1",
}


async def new_customer(world: World, **fields: Any) -> Json:
    created = await world.commercetools("POST", "customers", {"email": "lin@example.com", **fields})
    return dict(created["customer"])


async def session_of(world: World, customer: Json, **cart: Any) -> Mapping[str, str]:
    made = await world.cart(customerId=customer["id"], **cart)
    return await world.session(made["id"])


async def ask(processor: Processor, session: Mapping[str, str]) -> httpx.Response:
    return await processor.client.get("/customer/session", headers=session)


async def stripe_id(world: World, session: Mapping[str, str]) -> str:
    answer = await ask(world.processor, session)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["stripeCustomerId"])


def living(world: World) -> list[Json]:
    return [each for each in world.stripe.customers.newest({}) if not each.get("deleted")]


async def reread(world: World, customer: Json) -> Json:
    return await world.commercetools("GET", f"customers/{customer['id']}")


# Who has none


async def test_a_guest_has_no_customer_session() -> None:
    world = World()
    cart = await world.cart(anonymousId="anon-1")
    answer = await ask(world.processor, await world.session(cart["id"]))
    assert (answer.status_code, answer.content) == (204, b"")
    assert living(world) == []


async def test_a_customer_that_is_gone_is_a_guest() -> None:
    world = World()
    customer = await new_customer(world)
    session = await session_of(world, customer)
    world.store.collection("customer").remove(customer["id"])
    assert (await ask(world.processor, session)).status_code == 204
    assert living(world) == []


@pytest.mark.parametrize("trouble", ["refused", "lost", "error before", "busy"])
async def test_a_customer_that_cannot_be_read_is_no_guest(trouble: Trouble) -> None:
    world = World()
    session = await session_of(world, await new_customer(world))
    world.network.trouble = lambda call: trouble if "/customers/" in call.path else None
    answer = await ask(world.processor, session)
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["code"] == "BackendUnavailable"
    assert (await world.client.post("/payments", headers=session)).status_code == 503


async def test_missing_permission_to_read_customers_is_no_guest() -> None:
    world = World()
    session = await session_of(world, await new_customer(world))
    world.store.tokens.register(
        "sandbox-processor",
        "sandbox-processor-secret",
        ["view_sessions", "manage_orders", "manage_payments"],
    )
    assert (await ask(world.processor, session)).status_code == 502


# The first time


async def test_the_first_session_makes_a_stripe_customer_and_remembers_it() -> None:
    world = World()
    customer = await new_customer(world, firstName="Lin", lastName="Chen", addresses=[ADDRESS])
    answer = await ask(world.processor, await session_of(world, customer))
    body = answer.json()
    [stripe] = living(world)
    assert body["stripeCustomerId"] == stripe["id"]
    assert body["ephemeralKey"].startswith("ek_")
    assert body["sessionId"].startswith("cuss_secret_")
    assert set(body) == {"stripeCustomerId", "ephemeralKey", "sessionId"}
    assert (stripe["name"], stripe["email"]) == ("Lin Chen", "lin@example.com")
    assert stripe["phone"] == "+49 30 1"
    assert stripe["address"]["line1"] == "Main Street"
    assert stripe["metadata"]["ct_customer_id"] == customer["id"]
    assert (await reread(world, customer))["custom"]["fields"] == {FIELD: stripe["id"]}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({}, None),
        ({"firstName": "Lin"}, "Lin"),
        ({"lastName": "Chen"}, "Chen"),
        ({"addresses": [ADDRESS]}, "Lin Chen"),
        ({"addresses": [{"country": "DE"}]}, None),
    ],
    ids=str,
)
async def test_missing_names_are_left_out(names: Json, expected: str | None) -> None:
    world = World()
    await stripe_id(world, await session_of(world, await new_customer(world, **names)))
    [stripe] = living(world)
    assert stripe["name"] == expected
    assert "undefined" not in json.dumps(stripe)
    assert "None" not in json.dumps(stripe)


async def test_the_carts_email_wins() -> None:
    world = World()
    session = await session_of(world, await new_customer(world), customerEmail="other@example.com")
    await stripe_id(world, session)
    assert living(world)[0]["email"] == "other@example.com"


async def test_a_customer_that_stripe_has_already_is_found_rather_than_made() -> None:
    world = World()
    customer = await new_customer(world)
    existing = await world.ask_stripe(
        "POST", "/v1/customers", **{"metadata[ct_customer_id]": customer["id"]}
    )
    assert await stripe_id(world, await session_of(world, customer)) == existing["id"]
    assert len(living(world)) == 1


# Every other time


async def test_the_same_customer_gets_the_same_stripe_customer_on_every_cart() -> None:
    world = World()
    customer = await new_customer(world)
    ids = {await stripe_id(world, await session_of(world, customer)) for _ in range(3)}
    assert ids == {living(world)[0]["id"]}
    assert len(living(world)) == 1


async def test_two_customers_never_share_one() -> None:
    world = World()
    one = await new_customer(world)
    other = await new_customer(world, email="ada2@example.com")
    assert await stripe_id(world, await session_of(world, one)) != await stripe_id(
        world, await session_of(world, other)
    )


@pytest.mark.parametrize("own_type", [False, True], ids=["free", "merchant's type"])
async def test_a_stripe_customer_that_was_deleted_is_replaced(own_type: bool) -> None:
    world = World()
    custom = {"custom": await merchants_type(world)} if own_type else {}
    customer = await new_customer(world, **custom)
    session = await session_of(world, customer)
    first = await stripe_id(world, session)
    await world.ask_stripe("DELETE", f"/v1/customers/{first}")
    second = await stripe_id(world, session)
    assert second != first
    assert [each["id"] for each in living(world)] == [second]
    assert await stripe_id(world, session) == second


async def test_somebody_elses_stripe_customer_is_never_used() -> None:
    """The field can be written by whoever may write customers: the metadata must agree."""
    world = World()
    victim = await new_customer(world, email="victim@example.com")
    theirs = await stripe_id(world, await session_of(world, victim))
    attacker = await new_customer(world)
    session = await session_of(world, attacker)
    await stripe_id(world, session)
    current = await reread(world, attacker)
    await world.commercetools(
        "POST",
        f"customers/{attacker['id']}",
        {
            "version": current["version"],
            "actions": [{"action": "setCustomField", "name": FIELD, "value": theirs}],
        },
    )
    answer = await ask(world.processor, session)
    assert answer.json()["stripeCustomerId"] != theirs


# What belongs to the merchant


async def test_the_merchants_own_custom_type_stays_and_the_id_is_kept_beside_it() -> None:
    world = World()
    customer = await new_customer(world, custom=await merchants_type(world))
    session = await session_of(world, customer)
    first = await stripe_id(world, session)
    kept = await reread(world, customer)
    assert kept == customer
    beside = await world.commercetools(
        "GET", f"custom-objects/stripe-connector-customers/{customer['id']}"
    )
    assert beside["value"] == first
    assert await stripe_id(world, session) == first
    assert len(living(world)) == 1


async def test_a_payment_of_that_customer_uses_the_id_beside_it() -> None:
    world = World()
    session = await session_of(world, await new_customer(world, custom=await merchants_type(world)))
    known = await stripe_id(world, session)
    await world.start(session)
    [intent] = world.stripe.intents.newest({})
    assert intent["customer"] == known


async def test_other_fields_of_our_type_are_kept() -> None:
    world = World()
    customer = await new_customer(world)
    await stripe_id(world, await session_of(world, customer))
    await world.ask_stripe("DELETE", f"/v1/customers/{living(world)[0]['id']}")
    types = await world.commercetools("GET", "types?limit=10")
    before = (await reread(world, customer))["custom"]["type"]
    await stripe_id(world, await session_of(world, customer))
    assert (await reread(world, customer))["custom"]["type"] == before
    assert (await world.commercetools("GET", "types?limit=10")) == types


# Features


async def session_features(world: World, session: Mapping[str, str]) -> dict[str, str]:
    """What Stripe was asked to enable, as form fields."""
    world.network.calls.clear()
    await stripe_id(world, session)
    [call] = [each for each in world.network.calls if each.path == "/v1/customer_sessions"]
    form = httpx.QueryParams(call.body.decode())
    prefix = "components[payment_element]"
    return {name.removeprefix(prefix): value for name, value in form.items() if prefix in name}


async def test_the_element_gets_the_configured_features() -> None:
    world = World(
        {
            "STRIPE_SAVED_PAYMENT_METHODS_CONFIG": json.dumps(
                {"payment_method_redisplay": "enabled", "payment_method_remove": "disabled"}
            )
        }
    )
    session = await session_of(world, await new_customer(world))
    assert await session_features(world, session) == {
        "[enabled]": "true",
        "[features][payment_method_redisplay]": "enabled",
        "[features][payment_method_remove]": "disabled",
    }


async def test_a_recurring_cart_always_saves_the_method() -> None:
    world = World({"STRIPE_SAVED_PAYMENT_METHODS_CONFIG": '{"payment_method_save":"disabled"}'})
    line = {
        "sku": "task-lamp-1",
        "recurrenceInfo": {"recurrencePolicy": {"typeId": "recurrence-policy", "key": "monthly"}},
    }
    session = await session_of(
        world, await new_customer(world), customLineItems=[], lineItems=[line]
    )
    features = await session_features(world, session)
    assert features["[features][payment_method_save]"] == "enabled"
    assert features["[features][payment_method_save_usage]"] == "off_session"


@pytest.mark.parametrize("version", [None, "2025-12-15.clover"])
async def test_only_the_ephemeral_key_may_speak_another_api_version(version: str | None) -> None:
    world = World({"STRIPE_API_VERSION": version} if version else {})
    session = await session_of(world, await new_customer(world))
    await stripe_id(world, session)
    versions = {
        call.path: call.headers["stripe-version"]
        for call in world.network.calls
        if call.backend == "stripe"
    }
    key_version = versions.pop("/v1/ephemeral_keys")
    assert len(set(versions.values())) == 1
    assert key_version == (version or versions["/v1/customer_sessions"])


# Faults


@pytest.mark.parametrize("own_type", [False, True], ids=["free", "merchant's type"])
@pytest.mark.parametrize("trouble", ["crash before", "crash after", "lost", "error after"])
async def test_whatever_fails_there_is_one_stripe_customer_in_the_end(
    trouble: Trouble, own_type: bool
) -> None:
    for index in itertools.count():
        world = World()
        custom = {"custom": await merchants_type(world)} if own_type else {}
        session = await session_of(world, await new_customer(world, **custom))
        happened = False
        left = index

        def on_the_way(_call: Call) -> Trouble | None:
            nonlocal left, happened
            left -= 1
            happened = happened or left == -1
            return trouble if left == -1 else None

        world.network.trouble = on_the_way
        try:
            assert (await ask(world.processor, session)).status_code in (200, 503)
        except Crash:
            world.processor = world.start_processor()
        world.network.trouble = lambda _: None
        first = await stripe_id(world, session)
        assert await stripe_id(world, session) == first
        assert [each["id"] for each in living(world)] == [first], index
        if not happened:
            break
    assert index > 8


@pytest.mark.parametrize("own_type", [False, True], ids=["free", "merchant's type"])
@pytest.mark.parametrize("search_lag", [0.0, 60.0])
async def test_two_at_once_get_the_same_stripe_customer(own_type: bool, search_lag: float) -> None:
    for seed in range(15):
        world = World()
        world.stripe.search_seconds = search_lag
        custom = {"custom": await merchants_type(world)} if own_type else {}
        session = await session_of(world, await new_customer(world, **custom))
        dice = random.Random(seed)

        async def turn(_call: Call, dice: random.Random = dice) -> None:
            for _ in range(dice.randrange(12)):
                await asyncio.sleep(0)

        world.network.turn = turn
        processors = [world.start_processor() for _ in range(3)]
        answers = await asyncio.gather(*(ask(each, session) for each in processors))
        assert [answer.status_code for answer in answers] == [200, 200, 200], seed
        ids = {answer.json()["stripeCustomerId"] for answer in answers}
        assert ids == {each["id"] for each in living(world)}, seed
        assert len(ids) == 1


async def test_an_error_that_stripe_stored_for_the_key_does_not_block_the_customer() -> None:
    world = World()
    session = await session_of(world, await new_customer(world))
    world.stripe.internal_errors.append(InternalError("err_1", "/v1/customers", "before"))
    await ask(world.processor, session)
    first = await stripe_id(world, session)
    assert [each["id"] for each in living(world)] == [first]


async def test_a_stripe_that_takes_no_customer_after_the_creation_costs_an_intent_and_no_sale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stripe documents the parameter, not that it may be set late: either answer must do."""
    world = World()
    customer = await new_customer(world)
    known = await stripe_id(world, await session_of(world, customer))
    update = intent_routes._check_updatable

    def refuse_customers(intent: Json, params: Json) -> None:
        if params.get("customer") not in (None, intent["customer"]):
            raise refused("The customer cannot be set any more.", param="customer")
        update(intent, params)

    monkeypatch.setattr(intent_routes, "_check_updatable", refuse_customers)
    fresh = world.start_processor()
    session = await session_of(world, customer)
    answer = await fresh.client.post("/payments", headers=session)
    assert answer.status_code == 200, answer.text
    [payable] = [each for each in world.stripe.intents if each["status"] != "canceled"]
    assert payable["customer"] == known
    assert answer.json()["clientSecret"] == payable["client_secret"]
