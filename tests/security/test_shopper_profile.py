"""A shopper who writes into their own commercetools profile what it was never meant to hold.

With a token of their own, shoppers set custom type and fields of their Customer, where the id of
their customer at Stripe is kept. So somebody else's id there opens nothing of theirs, whatever asks
for it: what counts is the metadata at Stripe, which only the secret key writes.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.commercetools.seed import identifier
from stripe_connector.payments.stored.customers import CONTAINER, FIELD
from tests.behaviour.steps import Once, no_trouble
from tests.behaviour.stored import PATH, Regular, records
from tests.behaviour.test_start_with_stored import TROUBLES
from tests.wire import Crash, Trouble
from tests.world import World

Json = dict[str, Any]

STORED: Mapping[str, str] = {"STORED_PAYMENT_METHODS_ENABLED": "true"}
ADA, GRACE = identifier("customer", "ada"), identifier("customer", "grace")

NO_STRIPE_CUSTOMERS = [
    "",
    " ",
    "cus_",
    "cus_unknown",
    "cus_1\n",
    "cus_1/../cus_2",
    "cus_1?expand[]=sources",
    "pi_1",
    "acct_1",
    "\u202ecus_1",
    "cus_" + "x" * 5000,
]
"""What a shopper may write beside somebody else's id."""


async def session_of(world: World, customer_id: str, **cart: Any) -> Mapping[str, str]:
    made = await world.cart(customerId=customer_id, **cart)
    return await world.session(made["id"])


async def known_to_stripe(world: World, customer_id: str) -> Regular:
    """A customer who has been here before."""
    answer = await world.client.get(
        "/customer/session", headers=await session_of(world, customer_id)
    )
    assert answer.status_code == 200, answer.text
    return Regular(world, customer_id, str(answer.json()["stripeCustomerId"]))


async def grace_claims(world: World, stripe_id: str) -> None:
    """Grace writes an id into her profile, by the means that commercetools gives her."""
    set_type = {
        "action": "setCustomType",
        "type": {"typeId": "type", "key": world_type(world)},
        "fields": {FIELD: stripe_id},
    }
    answer = await world.change_mine("me", set_type, customer="grace")
    assert answer.status_code == 200, answer.text
    assert answer.json()["custom"]["fields"] == {FIELD: stripe_id}


def world_type(world: World) -> str:
    [type_] = [
        each for each in world.store.collection("type") if "customer" in each["resourceTypeIds"]
    ]
    return str(type_["key"])


async def two(world: World) -> tuple[Regular, str]:
    """Ada with a card on file, whose id Grace has written into her own profile."""
    ada = await known_to_stripe(world, ADA)
    card = await ada.on_file()
    await grace_claims(world, ada.stripe_id)
    return ada, card


async def test_a_payment_is_never_made_in_another_customers_name() -> None:
    world = World()
    ada = await known_to_stripe(world, ADA)
    await grace_claims(world, ada.stripe_id)
    await world.start(await session_of(world, GRACE))
    [intent] = world.stripe.intents.newest({})
    assert intent["customer"] is None


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("body", [{}, {"storePaymentMethod": True}], ids=["once", "stored"])
async def test_whatever_fails_on_the_way_nothing_of_another_customer_is_used_or_answered(
    body: Json, trouble: Trouble
) -> None:
    """On an instance that has met nobody yet: nothing is told to Stripe before the proof is in."""
    for index in itertools.count():
        world = World(STORED)
        ada, card = await two(world)
        session = await session_of(world, GRACE)
        world.processor = world.start_processor()
        before = len(world.network.calls)
        world.network.trouble = fault = Once(index, trouble)
        answers = []
        for _ in range(2):
            with contextlib.suppress(Crash):
                answers.append(await world.client.post("/payments", headers=session, json=body))
            if fault.happened:
                world.network.trouble = no_trouble
                world.processor = world.start_processor()
        if not fault.happened:
            break
        assert answers[-1].status_code == 200, answers[-1].text
        for call in world.network.calls[before:]:
            if call.method == "POST":
                assert ada.stripe_id not in call.body.decode(), call.name
                assert ada.stripe_id not in call.path, call.name
        told = [ada.stripe_id, card]
        assert not any(secret in answer.text for answer in answers for secret in told)
        owners = {intent["customer"] for intent in world.stripe.intents.newest({})}
        assert ada.stripe_id not in owners
    assert index >= 8


async def test_a_payment_page_never_shows_another_customers_methods() -> None:
    world = World()
    ada = await known_to_stripe(world, ADA)
    await grace_claims(world, ada.stripe_id)
    cart = await world.cart(
        customerId=GRACE, shippingAddress={"country": "DE"}, customerEmail="grace@example.com"
    )
    order = await world.commercetools("POST", "orders", {"id": cart["id"], "version": 1})
    answer = await world.client.post("/api/v1/payments/sessions", json={"id": order["id"]})
    assert answer.status_code in (200, 201), answer.text
    [page] = world.stripe.sessions.newest({})
    assert page["customer"] is None


async def test_another_customers_stored_methods_are_neither_shown_nor_taken_over() -> None:
    world = World(STORED)
    ada, _ = await two(world)
    answer = await world.client.get(PATH, headers=await session_of(world, GRACE))
    assert (answer.status_code, answer.json()["storedPaymentMethods"]) == (200, [])
    assert {each["customer"]["id"] for each in await records(world)} == {ADA}
    assert len(await ada.shown()) == 1


async def test_another_customers_stored_method_is_neither_charged_nor_removed() -> None:
    world = World(STORED)
    ada, card = await two(world)
    session = await session_of(world, GRACE)
    body = {"storedPaymentMethodId": card}
    answer = await world.client.post("/payments", headers=session, json=body)
    assert answer.status_code == 400, answer.text
    assert list(world.stripe.intents.newest({})) == []
    assert (await world.client.delete(f"{PATH}/{card}", headers=session)).status_code == 404
    assert len(await ada.shown()) == 1


async def test_a_session_is_opened_for_the_shoppers_own_customer_alone() -> None:
    world = World()
    ada = await known_to_stripe(world, ADA)
    await grace_claims(world, ada.stripe_id)
    grace = await known_to_stripe(world, GRACE)
    assert grace.stripe_id != ada.stripe_id
    kept = await world.commercetools("GET", f"customers/{GRACE}")
    assert kept["custom"]["fields"] == {FIELD: grace.stripe_id}


async def test_a_claim_made_while_the_own_customer_is_being_written_down_is_not_believed() -> None:
    """A version conflict lets the connector read again: what it finds then is no better proven."""
    world = World()
    ada = await known_to_stripe(world, ADA)

    def claim_before_the_write(call: Any) -> None:
        if call.method == "POST" and call.path.endswith(f"/customers/{GRACE}"):
            world.network.trouble = lambda _: None
            profile = world.store.collection("customer").get(GRACE)
            assert profile is not None
            [type_] = [each for each in world.store.collection("type") if each["key"]]
            custom = {
                "type": {"typeId": "type", "id": type_["id"]},
                "fields": {FIELD: ada.stripe_id},
            }
            world.store.replace("customer", {**profile, "custom": custom})

    world.network.trouble = claim_before_the_write
    grace = await known_to_stripe(world, GRACE)
    assert grace.stripe_id != ada.stripe_id


async def test_a_profile_that_lost_its_field_finds_the_same_customer_again() -> None:
    world = World()
    grace = await known_to_stripe(world, GRACE)
    answer = await world.change_mine("me", {"action": "setCustomType"}, customer="grace")
    assert "custom" not in answer.json()
    assert (await known_to_stripe(world, GRACE)).stripe_id == grace.stripe_id


@pytest.mark.parametrize("written", NO_STRIPE_CUSTOMERS, ids=lambda each: repr(each[:20]))
async def test_what_is_no_customer_of_ours_is_as_if_it_were_not_there(written: str) -> None:
    world = World(STORED)
    await known_to_stripe(world, ADA)
    await grace_claims(world, written)
    session = await session_of(world, GRACE)
    await world.start(session)
    [intent] = world.stripe.intents.newest({})
    assert intent["customer"] is None
    shown = await world.client.get(PATH, headers=session)
    assert (shown.status_code, shown.json()["storedPaymentMethods"]) == (200, [])
    grace = await known_to_stripe(world, GRACE)
    assert grace.stripe_id != written


async def test_an_id_that_was_believed_once_is_not_believed_of_another_customer() -> None:
    """What is remembered as proven is the pair, not the id."""
    world = World()
    ada = await known_to_stripe(world, ADA)
    await world.start(await session_of(world, ADA))
    await grace_claims(world, ada.stripe_id)
    await world.start(await session_of(world, GRACE))
    graces, adas = world.stripe.intents.newest({})
    assert (adas["customer"], graces["customer"]) == (ada.stripe_id, None)


async def test_shoppers_cannot_write_where_ids_are_kept_beside_a_profile() -> None:
    world = World()
    body = {"container": CONTAINER, "key": GRACE, "value": "cus_1"}
    for path in ("custom-objects", f"me/custom-objects/{CONTAINER}/{GRACE}"):
        answer = await world.me("POST", path, body, customer="grace")
        assert answer.status_code in (403, 404)
    assert len(world.store.collection("key-value-document")) == 0
