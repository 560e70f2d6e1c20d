"""Confirming: what became of a payment is asked of Stripe, and checked against the cart."""

from __future__ import annotations

import pytest

from tests.behaviour.steps import (
    MANUAL,
    Always,
    Json,
    Once,
    Shop,
    assert_agreement,
    confirm,
    no_trouble,
    started,
    status_of,
)
from tests.wire import Crash, Trouble
from tests.world import World, money

PAID = [("Authorization", 1000, "Success"), ("Charge", 1000, "Success")]


def code(body: Json) -> str:
    [error] = body["errors"]
    return str(error["code"])


async def test_a_paid_payment_is_approved_and_recorded_before_any_webhook() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    answer = await confirm(world, shop)
    assert (answer.status_code, answer.json()) == (200, {"outcome": "approved"})
    assert await world.transactions(shop.payment_id) == PAID
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == PAID


async def test_an_authorized_payment_is_approved() -> None:
    world = World(MANUAL)
    shop = await started(world)
    await world.pay(shop.secret)
    assert (await confirm(world, shop)).json() == {"outcome": "approved"}
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Success")]


async def test_a_payment_that_the_webhook_has_recorded_is_approved_without_a_change() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    before = await world.payment(shop.payment_id)
    for _ in range(3):
        assert (await confirm(world, shop)).status_code == 200
    assert await world.payment(shop.payment_id) == before


async def test_a_delayed_payment_is_pending_and_approved_once_it_is_paid() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret, "sepa_debit")
    answer = await confirm(world, shop)
    assert (answer.status_code, answer.json()) == (202, {"outcome": "pending"})
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Pending")]
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome="succeed")
    assert (await confirm(world, shop)).status_code == 200
    assert await world.transactions(shop.payment_id) == PAID


@pytest.mark.parametrize(
    ("method", "decline"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
async def test_a_declined_payment_is_a_402_with_the_networks_reason(
    method: str, decline: str
) -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret, method)
    answer = await confirm(world, shop)
    assert answer.status_code == 402
    body = answer.json()
    assert body["outcome"] == "rejected"
    [error] = body["errors"]
    assert (error["code"], error["declineCode"]) == ("card_declined", decline)
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Failure")]


async def test_a_decline_without_a_reason_of_the_network_has_none() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret, "pm_card_chargeDeclinedExpiredCard")
    answer = await confirm(world, shop)
    assert answer.status_code == 402
    [error] = answer.json()["errors"]
    assert error["code"] == "expired_card"
    assert "declineCode" not in error


async def test_after_a_decline_another_card_is_approved() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret, "pm_card_visa_chargeDeclined")
    assert (await confirm(world, shop)).status_code == 402
    await world.pay(shop.secret)
    assert (await confirm(world, shop)).status_code == 200
    await assert_agreement(world)


@pytest.mark.parametrize("tried", [False, True])
async def test_a_payment_that_the_shopper_has_not_finished_is_a_409(tried: bool) -> None:
    world = World()
    shop = await started(world)
    if tried:
        await world.pay(shop.secret, "pm_card_authenticationRequired")
    answer = await confirm(world, shop)
    assert answer.status_code == 409
    assert code(answer.json()) == "PaymentNotConfirmed"
    status = "requires_action" if tried else "requires_payment_method"
    assert answer.json()["errors"][0]["status"] == status
    assert await world.transactions(shop.payment_id) == []


async def test_a_canceled_payment_is_a_409_and_recorded() -> None:
    world = World()
    shop = await started(world)
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}/cancel")
    answer = await confirm(world, shop)
    assert answer.status_code == 409
    assert code(answer.json()) == "PaymentCanceled"
    assert await status_of(world, shop.payment_id) == "canceled"


async def test_a_payment_whose_money_went_back_is_a_409() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await world.modify(shop.payment_id, action="refundPayment", amount=money(300))
    assert (await confirm(world, shop)).status_code == 200
    await world.modify(shop.payment_id, action="reversePayment")
    answer = await confirm(world, shop)
    assert answer.status_code == 409
    assert code(answer.json()) == "PaymentReversed"


# What does not belong together


async def assert_mismatch(world: World, shop: Shop, intent_id: str | None = None) -> None:
    answer = await confirm(world, shop, intent_id)
    assert answer.status_code == 400, answer.text
    assert answer.json()["outcome"] == "rejected"
    assert code(answer.json()) == "PaymentMismatch"


async def two_paid(world: World) -> tuple[Shop, Shop]:
    one, other = await started(world), await started(world)
    for shop in (one, other):
        await world.pay(shop.secret)
    return one, other


async def test_the_payment_of_another_cart_is_refused() -> None:
    world = World()
    mine, theirs = await two_paid(world)
    stolen = Shop(mine.cart_id, mine.session, theirs.payment_id, theirs.secret)
    await assert_mismatch(world, stolen)
    await assert_mismatch(world, stolen, mine.intent_id)
    assert await world.transactions(theirs.payment_id) == []


async def test_somebody_elses_intent_does_not_pay_for_this_cart() -> None:
    world = World()
    mine, theirs = await two_paid(world)
    await assert_mismatch(world, mine, theirs.intent_id)
    assert await world.transactions(mine.payment_id) == []


async def test_an_unknown_intent_is_a_mismatch() -> None:
    world = World()
    shop = await started(world)
    await assert_mismatch(world, shop, "pi_unknown")


@pytest.mark.parametrize("field", ["ct_payment_id", "ct_project_key"])
@pytest.mark.parametrize("value", ["", "something-else"])
async def test_metadata_that_were_tampered_with_are_a_mismatch(field: str, value: str) -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await world.ask_stripe(
        "POST", f"/v1/payment_intents/{shop.intent_id}", **{f"metadata[{field}]": value}
    )
    await assert_mismatch(world, shop)
    assert await world.transactions(shop.payment_id) == []


async def test_the_intent_of_another_customer_is_a_mismatch() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await world.ask_stripe(
        "POST",
        f"/v1/payment_intents/{shop.intent_id}",
        **{"metadata[ct_customer_id]": "somebody-else"},
    )
    await assert_mismatch(world, shop)


async def test_a_customers_own_payment_is_approved() -> None:
    world = World()
    customer = await world.commercetools(
        "POST", "customers", {"email": "lin@example.com", "firstName": "Lin"}
    )
    shop = await started(world, customerId=customer["customer"]["id"])
    await world.pay(shop.secret)
    assert (await confirm(world, shop)).status_code == 200


# Backends that fail


@pytest.mark.parametrize("backend", ["stripe", "commercetools"])
@pytest.mark.parametrize("trouble", ["refused", "error before", "busy"])
async def test_while_a_backend_is_down_it_is_a_503_and_no_rejection(
    backend: str, trouble: Trouble
) -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    world.network.trouble = Always(trouble, backend)
    answer = await confirm(world, shop)
    assert answer.status_code == 503
    assert "outcome" not in answer.json()
    assert answer.headers["X-Correlation-ID"]
    world.network.trouble = no_trouble
    assert (await confirm(world, shop)).json() == {"outcome": "approved"}
    await assert_agreement(world)


async def test_while_commercetools_cannot_store_it_nothing_is_approved() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    world.network.trouble = Always("error before", "commercetools", writes=True)
    assert (await confirm(world, shop)).status_code == 503
    world.network.trouble = no_trouble
    assert await world.transactions(shop.payment_id) == []
    assert (await confirm(world, shop)).status_code == 200


async def test_a_key_that_stripe_does_not_accept_is_not_the_shoppers_problem() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    world.stripe.secret_keys = frozenset()
    answer = await confirm(world, shop)
    assert answer.status_code == 502
    assert "API" not in answer.text
    assert "sk_test" not in answer.text
    assert "outcome" not in answer.json()


@pytest.mark.parametrize("trouble", ["crash before", "crash after", "lost", "error after"])
async def test_whatever_happens_at_any_call_a_repetition_is_approved(trouble: Trouble) -> None:
    index = 0
    while True:
        world = World()
        shop = await started(world)
        await world.pay(shop.secret)
        world.network.trouble = fault = Once(index, trouble)
        try:
            answer = await confirm(world, shop)
            assert answer.status_code in (200, 503)
        except Crash:
            world.processor = world.start_processor()
        world.network.trouble = no_trouble
        assert (await confirm(world, shop)).status_code == 200
        await assert_agreement(world)
        assert await world.transactions(shop.payment_id) == PAID
        if not fault.happened:
            break
        index += 1
    assert index >= 3
