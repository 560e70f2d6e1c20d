"""Several accounts and modes on one project: each processor moves and fulfils its own alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from stripe_connector.payments.own_account import CONTAINER, LIVE_OWNER
from tests.behaviour.accounts import Side
from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import operate, refunded, started, status_of
from tests.behaviour.test_bff_payments import PAID, Shopper
from tests.world import World

Json = dict[str, Any]
TRIAL = {"TEST_MODE_ON_LIVE_PROJECT": "true"}


def live_side(world: World) -> Side:
    return Side(world, "stripe-live", live=True, account="acct_sandbox")


def other_side(world: World, environment: Mapping[str, str] | None = None) -> Side:
    """Test keys of another account."""
    return Side(world, "stripe-other", account="acct_other", environment=environment)


async def order(world: World) -> Json:
    return await Shopper(world).order()


async def page(side: Side, order_id: str) -> Any:
    return await side.client.post("/api/v1/payments/sessions", json={"id": order_id})


async def states(world: World, order_id: str) -> tuple[str | None, str]:
    return await Shopper(world).states(order_id)


async def payments(world: World, order_id: str) -> list[Json]:
    return await Shopper(world).payments(order_id)


async def put_paid(side: Side, order_id: str) -> Any:
    body = {"version": 1, "actions": PAID}
    return await side.client.put(f"/api/v1/orders/{order_id}", json=body)


def proofs(payment: Json) -> list[Json]:
    """What the Payment's interactions say of account and mode."""
    return [
        interaction
        for interaction in payment["interfaceInteractions"]
        if interaction["fields"].get("stripeConnector_kind") == "account"
    ]


# What a Payment says of itself


async def test_an_interaction_proves_account_and_mode_and_the_interface_account_shows_them() -> (
    None
):
    world = World()
    shop = await started(world)
    payment = await world.payment(shop.payment_id)
    [proof] = proofs(payment)
    assert proof["fields"]["stripeConnector_account"] == "acct_sandbox"
    assert proof["fields"]["stripeConnector_live"] is False
    assert payment["paymentMethodInfo"]["interfaceAccount"] == "acct_sandbox:test"


async def test_a_payment_page_has_the_same_proof() -> None:
    world = World()
    placed = await order(world)
    await Shopper(world).session(placed["id"])
    [payment] = await payments(world, placed["id"])
    [proof] = proofs(payment)
    assert proof["fields"]["stripeConnector_account"] == "acct_sandbox"


async def test_the_interface_account_decides_nothing() -> None:
    """A shopper may change it, https://docs.commercetools.com/api/projects/me-payments."""
    world = World()
    shop = await started(world)
    payment = await world.payment(shop.payment_id)
    await world.commercetools(
        "POST",
        f"payments/{shop.payment_id}",
        {
            "version": payment["version"],
            "actions": [
                {"action": "setMethodInfoInterfaceAccount", "interfaceAccount": "acct_other"}
            ],
        },
    )
    await world.pay(shop.secret)
    await world.deliver_all()
    assert (await operate(world, shop.payment_id, "refundPayment", 1000)).json()["outcome"] == (
        "approved"
    )


async def test_a_payment_without_proof_is_ours_and_gets_one_with_the_next_write() -> None:
    """Older versions and the official connector write none."""
    world = World()
    shop = await started(world)
    stored = world.store.collection("payment").get(shop.payment_id)
    assert stored is not None
    world.store.replace("payment", {**stored, "interfaceInteractions": []})
    await world.pay(shop.secret)
    await world.deliver_all()
    [proof] = proofs(await world.payment(shop.payment_id))
    assert proof["fields"]["stripeConnector_account"] == "acct_sandbox"
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
    ]


async def test_the_account_is_read_once_and_a_key_that_may_not_read_it_keeps_the_mode() -> None:
    world = World()
    world.stripe.account_readable = False
    for _ in range(2):
        shop = await started(world)
    [proof] = proofs(await world.payment(shop.payment_id))
    assert "stripeConnector_account" not in proof["fields"]
    assert proof["fields"]["stripeConnector_live"] is False
    assert len([call for call in world.network.calls if call.path == "/v1/account"]) == 1


# (a) The other mode


async def test_test_money_pays_no_order_of_a_live_processor() -> None:
    world = World()
    placed = await order(world)
    trial = other_side(world)
    await trial.pay_page((await page(trial, placed["id"])).json())
    live = live_side(world)
    await put_paid(live, placed["id"])
    assert await states(world, placed["id"]) == (None, "Open")
    asked = await page(live, placed["id"])
    assert asked.status_code == 201
    [session] = live.stripe.sessions
    assert session["amount_total"] == 2500
    await live.pay_page(asked.json())
    await live.deliver_all()
    assert await states(world, placed["id"]) == ("Paid", "Confirmed")


async def test_an_event_of_the_other_mode_changes_nothing() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    for event in world.stripe.events:
        event["livemode"] = True
    for event in list(world.stripe.events):
        answer = await world.deliver(event)
        assert answer.status_code == 200
        assert answer.json()["effect"] in ("foreign", "ignored")
    assert await world.transactions(shop.payment_id) == []


async def test_an_object_of_the_other_mode_is_not_believed() -> None:
    world = World()
    shop = await started(world)
    world.stripe.intents[shop.intent_id]["livemode"] = True
    answer = await world.client.post("/payments", headers=shop.session)
    assert answer.status_code == 502


async def test_payments_of_the_other_mode_are_listed_and_left_alone() -> None:
    world = World()
    paid = await world.paid(1000)
    live = live_side(world)
    before = world.environment
    world.environment = dict(live.environment)
    result = await reconcile(world, apply=True)
    world.environment = before
    assert (result.code, set(result.remains)) == (1, {"other_mode"})
    assert {line["payment"] for line in result.lines} == {paid}


# (b) Another account


async def test_what_another_account_has_taken_is_not_asked_for_again() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    other = other_side(world)
    again = await other.client.post("/payments", headers=shop.session)
    assert (again.status_code, again.json()["message"]) == (
        400,
        "There is nothing left to pay on this cart.",
    )
    assert not list(other.stripe.intents)


@pytest.mark.parametrize("action", ["refundPayment", "cancelPayment", "reversePayment"])
async def test_a_payment_of_another_account_is_neither_moved_nor_hidden(action: str) -> None:
    world = World()
    paid = await world.paid(1000)
    other = other_side(world)
    cents = 1000 if action == "refundPayment" else None
    answer = await operate(world, paid, action, cents, processor=other.processor)
    assert answer.status_code == 409
    [error] = answer.json()["errors"]
    assert (error["code"], error["account"]) == ("OtherAccount", "acct_sandbox:test")
    assert refunded(world) == 0


async def test_a_payment_of_another_account_is_not_confirmed() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    world.stripe.account = "acct_other"
    second = world.start_processor()
    answer = await second.client.post(
        f"/confirmPayments/{shop.payment_id}",
        json={"paymentIntent": shop.intent_id},
        headers=shop.session,
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "OtherAccount")
    assert await world.transactions(shop.payment_id) == []


# Keys are exchanged


async def test_a_cart_that_was_started_with_other_keys_can_be_paid() -> None:
    world = World()
    shop = await started(world)
    other = other_side(world)
    for _ in range(2):
        answer = await other.client.post("/payments", headers=shop.session)
        assert answer.status_code == 200, answer.text
    [intent] = other.stripe.intents
    assert intent["metadata"]["ct_payment_id"] == answer.json()["paymentReference"]
    assert answer.json()["paymentReference"] != shop.payment_id
    await other.pay(answer.json()["clientSecret"])
    await other.deliver_all()
    assert await world.transactions(answer.json()["paymentReference"]) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
    ]


async def test_a_cart_whose_intent_was_deleted_with_the_test_data_can_be_paid() -> None:
    world = World()
    shop = await started(world)
    world.stripe.intents.clear()
    answer = await world.start(shop.session)
    assert answer["paymentReference"] != shop.payment_id
    assert await status_of(world, shop.payment_id) == "unknown_intent"
    assert len(list(world.stripe.intents)) == 1


@pytest.mark.parametrize("on_order", [True, False])
async def test_the_number_that_another_account_has_taken_is_passed_over(on_order: bool) -> None:
    world = World()
    placed = await order(world)
    await Shopper(world).session(placed["id"])
    if not on_order:
        [payment] = await payments(world, placed["id"])
        reference = {"typeId": "payment", "id": payment["id"]}
        now = await world.commercetools("GET", f"orders/{placed['id']}")
        action = {"action": "removePayment", "payment": reference}
        body = {"version": now["version"], "actions": [action]}
        await world.commercetools("POST", f"orders/{placed['id']}", body)
    other = other_side(world)
    first, second = await page(other, placed["id"]), await page(other, placed["id"])
    assert (first.status_code, first.json()["id"]) == (201, second.json()["id"])
    [session] = other.stripe.sessions
    assert session["amount_total"] == 2500


# Which mode owns a project


async def test_post_deploy_with_live_keys_says_so_in_the_project_once() -> None:
    world = World()
    live = live_side(world)
    await live.deploy()
    found = await world.commercetools("GET", f"custom-objects/{CONTAINER}/{LIVE_OWNER}")
    assert found["value"] == {"account": "acct_sandbox", "environment": "live"}
    await live.deploy()
    again = await world.commercetools("GET", f"custom-objects/{CONTAINER}/{LIVE_OWNER}")
    assert again["version"] == found["version"]


async def test_test_keys_sell_nothing_in_a_project_that_takes_real_payments() -> None:
    world = World()
    placed = await order(world)
    await live_side(world).deploy()
    trial = other_side(world)
    refused = await page(trial, placed["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "TestModeOnLiveProject")
    cart = await world.cart(1000)
    session = await world.session(cart["id"])
    answer = await trial.client.post("/payments", headers=session)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "TestModeOnLiveProject"
    assert not list(trial.stripe.intents)
    assert not list(trial.stripe.sessions)


async def test_what_was_paid_in_test_mode_before_marks_no_order_after() -> None:
    world = World()
    placed = await order(world)
    trial = other_side(world)
    opened = (await page(trial, placed["id"])).json()
    await live_side(world).deploy()
    trial.restart()
    await trial.pay_page(opened)
    await trial.deliver_all()
    await put_paid(trial, placed["id"])
    assert await states(world, placed["id"]) == (None, "Open")


async def test_a_setting_lets_test_keys_try_things_out_on_a_live_project() -> None:
    world = World()
    placed = await order(world)
    await live_side(world).deploy()
    trial = other_side(world, TRIAL)
    await trial.pay_page((await page(trial, placed["id"])).json())
    await trial.deliver_all()
    assert await states(world, placed["id"]) == ("Paid", "Confirmed")


async def test_test_keys_of_a_test_project_are_asked_nothing() -> None:
    world = World()
    placed = await order(world)
    shopper = Shopper(world)
    await shopper.pay((await shopper.session(placed["id"])).json())
    await world.deliver_all()
    assert await states(world, placed["id"]) == ("Paid", "Confirmed")
    reads = [call for call in world.network.calls if f"/{LIVE_OWNER}" in call.path]
    assert len(reads) == 1
