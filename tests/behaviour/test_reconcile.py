"""`reconcile`: each kind of difference is named, and repaired where that is possible."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.reconciling import reconcile, repaired_for_good, written
from tests.behaviour.steps import MANUAL, dashboard_refund, events, operate, started
from tests.property import oracle
from tests.world import World, money

Json = dict[str, Any]


@pytest.fixture
def world() -> World:
    return World()


async def paid_unheard(world: World, method: str = "pm_card_visa") -> str:
    """A payment of which no webhook arrived; the id of the Payment."""
    shop = await started(world)
    await world.pay(shop.secret, method)
    return shop.payment_id


async def an_endpoint_that_nobody_answers_at(world: World) -> None:
    """Stripe counts every event from now on as undelivered."""
    await world.ask_stripe(
        "POST", "/v1/webhook_endpoints", url="http://nowhere.test/", **{"enabled_events[]": "*"}
    )


async def test_a_record_that_agrees_is_left_alone(world: World) -> None:
    await world.paid()
    before = len(world.network.calls)
    result = await reconcile(world, apply=True)
    assert (result.code, result.lines) == (0, [])
    assert result.summary["looked_at"]["payments"] == 1
    assert result.summary["looked_at"]["intents"] == 1
    assert written(world, before) == []


async def test_a_dry_run_names_what_is_missing_and_writes_nothing(world: World) -> None:
    payment_id = await paid_unheard(world)
    before = len(world.network.calls)
    result = await reconcile(world)
    assert result.code == 1
    assert result.found == ["missing_transaction", "missing_transaction"]
    assert result.repaired == result.remains == []
    assert written(world, before) == []
    intent_id = (await world.payment(payment_id))["interfaceId"]
    charge = next(line for line in result.lines if line["type"] == "Charge")
    assert charge == {
        "outcome": "found",
        "kind": "missing_transaction",
        "remedy": "add the transaction",
        "needs_a_person": False,
        "payment": payment_id,
        "intent": intent_id,
        "subject": f"{world.stripe.intents[intent_id]['latest_charge']}:1000",
        "type": "Charge",
        "amount": 1000,
        "currency": "EUR",
        "stripe": "Success",
    }


async def test_lost_webhooks_are_made_up_for(world: World) -> None:
    payment_id = await paid_unheard(world)
    result = await repaired_for_good(world)
    assert result.repaired == ["missing_transaction", "missing_transaction"]
    assert await world.transactions(payment_id) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
    ]
    oracle.check(world)


async def test_what_is_found_first_is_what_the_repair_then_tells(world: World) -> None:
    await paid_unheard(world)
    result = await reconcile(world, apply=True)
    by_outcome = {
        outcome: [
            {name: value for name, value in line.items() if name != "outcome"}
            for line in result.lines
            if line["outcome"] == outcome
        ]
        for outcome in ("found", "repaired")
    }
    assert by_outcome["found"] == by_outcome["repaired"]
    assert (result.summary["repaired"], result.summary["remaining"]) == (2, 0)


async def test_a_state_that_is_behind_is_changed(world: World) -> None:
    shop = await started(world)
    await world.pay(shop.secret, "sepa_debit")
    await world.deliver_all()
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome="fail")
    result = await repaired_for_good(world)
    assert result.repaired == ["wrong_state"]
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Failure")]


async def test_refunds_made_elsewhere_are_recorded_failed_ones_too(world: World) -> None:
    payment_id = await world.paid()
    intent_id = (await world.payment(payment_id))["interfaceId"]
    await dashboard_refund(world, intent_id, 300)
    failed = await dashboard_refund(world, intent_id, 200)
    await world.at_stripe(f"refunds/{failed}", status="failed")
    result = await repaired_for_good(world)
    assert result.repaired == ["missing_transaction", "missing_transaction"]
    oracle.check(world)


async def test_a_dispute_is_recorded_and_follows_its_decision(world: World) -> None:
    payment_id = await world.paid(method="pm_card_createDispute")
    [dispute] = world.stripe.disputes
    await world.at_stripe(f"disputes/{dispute['id']}", status="lost")
    result = await repaired_for_good(world)
    assert result.repaired == ["wrong_state"]
    assert ("Chargeback", 1000, "Success") in await world.transactions(payment_id)


async def test_a_change_of_an_old_payment_is_found_at_stripe(world: World) -> None:
    payment_id = await world.paid()
    intent_id = (await world.payment(payment_id))["interfaceId"]
    world.clock.advance(10 * 86_400)
    await dashboard_refund(world, intent_id, 300)
    result = await repaired_for_good(world)
    assert result.repaired == ["missing_transaction"]
    assert result.summary["looked_at"]["payments"] == 0
    oracle.check(world)


async def test_a_late_failure_of_an_old_refund_is_found_among_the_events(world: World) -> None:
    payment_id = await world.paid()
    intent_id = (await world.payment(payment_id))["interfaceId"]
    refund = await dashboard_refund(world, intent_id, 300)
    await world.deliver_all()
    world.clock.advance(10 * 86_400)
    await world.at_stripe(f"refunds/{refund}", status="failed")
    result = await repaired_for_good(world)
    assert result.repaired == ["wrong_state"]
    oracle.check(world)


async def test_events_that_are_older_than_the_span_do_not_matter(world: World) -> None:
    await paid_unheard(world)
    world.clock.advance(10 * 86_400)
    assert (await reconcile(world)).code == 0
    assert (await reconcile(world, since="P11D")).code == 1


async def test_what_is_younger_than_the_span_does_not_matter(world: World) -> None:
    await paid_unheard(world)
    world.clock.advance(2 * 86_400)
    await paid_unheard(world)
    result = await reconcile(world, since="P4D", until="P1D", apply=True)
    assert result.summary["looked_at"]["payments"] == 1
    assert result.summary["looked_at"]["intents"] == 1
    assert len(result.repaired) == 2
    assert (await reconcile(world, since="P4D", until="P1D")).code == 0
    assert len((await reconcile(world)).found) == 2


async def test_an_intent_whose_payment_does_not_know_it_is_linked(world: World) -> None:
    shop = await started(world)
    payment = await world.payment(shop.payment_id)
    unlinked = {name: value for name, value in payment.items() if name != "interfaceId"}
    world.store.collection("payment").put(unlinked)
    await world.pay(shop.secret)
    result = await repaired_for_good(world)
    assert "unlinked_intent" in result.repaired
    assert (await world.payment(shop.payment_id))["interfaceId"] == shop.intent_id
    oracle.check(world)


async def test_money_without_a_payment_needs_a_person(world: World) -> None:
    shop = await started(world)
    await world.pay(shop.secret)
    world.store.collection("payment").remove(shop.payment_id)
    result = await reconcile(world, apply=True)
    assert result.code == 1
    assert result.remains == ["orphan_intent"]
    [line, _] = result.lines
    assert (line["intent"], line["amount"], line["currency"]) == (shop.intent_id, 1000, "EUR")


async def test_an_orphan_that_was_refunded_is_none(world: World) -> None:
    shop = await started(world)
    await world.pay(shop.secret)
    world.store.collection("payment").remove(shop.payment_id)
    await dashboard_refund(world, shop.intent_id, 1000)
    assert (await reconcile(world, apply=True)).code == 0


async def test_the_intents_of_others_are_none_of_ours(world: World) -> None:
    await world.ask_stripe(
        "POST",
        "/v1/payment_intents",
        amount=1000,
        currency="eur",
        confirm="true",
        payment_method="pm_card_visa",
        return_url="http://localhost:3000",
    )
    [intent] = world.stripe.intents
    await dashboard_refund(world, intent["id"], 300)
    assert (await reconcile(world, apply=True)).code == 0


async def test_money_on_no_cart_and_no_order_needs_a_person(world: World) -> None:
    payment_id = await world.paid()
    [cart] = world.store.collection("cart")
    world.store.collection("cart").remove(cart["id"])
    result = await reconcile(world, apply=True)
    assert (result.code, result.remains) == (1, ["payment_on_nothing"])
    assert result.lines[0]["payment"] == payment_id


async def test_an_intent_that_stripe_does_not_know_needs_a_person(world: World) -> None:
    shop = await started(world)
    world.stripe.intents.remove(shop.intent_id)
    result = await reconcile(world, apply=True)
    assert (result.code, result.remains) == (1, ["unknown_intent"])


async def test_transactions_that_stripe_does_not_know_are_never_taken_away(world: World) -> None:
    payment_id = await world.paid()
    payment = await world.payment(payment_id)
    await world.commercetools(
        "POST",
        f"payments/{payment_id}",
        {
            "version": payment["version"],
            "actions": [
                {"action": "addTransaction", "transaction": transaction}
                for transaction in (
                    {
                        "type": "Refund",
                        "state": "Success",
                        "amount": money(250),
                        "interactionId": "re_unknown",
                    },
                    {"type": "Charge", "state": "Success", "amount": money(70)},
                )
            ],
        },
    )
    result = await reconcile(world, apply=True)
    assert (result.code, result.remains) == (1, ["surplus_amount", "unknown_transaction"])
    amounts = {line["kind"]: line["amount"] for line in result.lines}
    assert amounts == {"surplus_amount": 70, "unknown_transaction": 250}
    assert len(await world.transactions(payment_id)) == 4


async def test_refunds_of_the_official_connector_are_not_added_again(world: World) -> None:
    """It wrote the intent's id on a refund, so nobody can tell which refund that is."""
    payment_id = await world.paid()
    payment = await world.payment(payment_id)
    intent_id = payment["interfaceId"]
    await dashboard_refund(world, intent_id, 300)
    refund = {
        "type": "Refund",
        "state": "Success",
        "amount": money(300),
        "interactionId": intent_id,
    }
    await world.commercetools(
        "POST",
        f"payments/{payment_id}",
        {
            "version": payment["version"],
            "actions": [{"action": "addTransaction", "transaction": refund}],
        },
    )
    result = await reconcile(world, apply=True)
    assert (result.code, result.remains) == (1, ["unknown_transaction"])
    refunds = [t for t in await world.transactions(payment_id) if t[0] == "Refund"]
    assert refunds == [("Refund", 300, "Success")]


async def test_an_amount_that_does_not_fit_is_listed_until_somebody_acts(world: World) -> None:
    shop = await started(world)
    payment = await world.payment(shop.payment_id)
    change = {"action": "changeAmountPlanned", "amount": money(1200)}
    await world.commercetools(
        "POST",
        f"payments/{shop.payment_id}",
        {"version": payment["version"], "actions": [change]},
    )
    await world.pay(shop.secret)
    first = await reconcile(world, apply=True)
    assert first.repaired == ["missing_transaction", "missing_transaction"]
    assert first.remains == ["amount_mismatch"]
    again = await reconcile(world, apply=True)
    assert (again.code, again.remains) == (1, ["amount_mismatch"])
    await dashboard_refund(world, shop.intent_id, 1000)
    await reconcile(world, apply=True)
    assert (await reconcile(world, apply=True)).code == 0


async def test_an_amount_that_commercetools_cannot_hold_stops_nobody_else(world: World) -> None:
    odd = await started(world, 1050)
    payment = await world.payment(odd.payment_id)
    whole_euros = {**payment["amountPlanned"], "centAmount": 10, "fractionDigits": 0}
    world.store.replace("payment", {**payment, "amountPlanned": whole_euros})
    await world.pay(odd.secret)
    await paid_unheard(world)
    result = await reconcile(world, apply=True)
    assert (result.code, result.remains) == (1, ["unreadable"])
    assert len(result.repaired) == 2


async def test_a_reversal_that_waits_for_the_money_is_left_to_people(world: World) -> None:
    """It would refund: a run moves no money."""
    shop = await started(world)
    await world.pay(shop.secret, "sepa_debit")
    await world.deliver_all()
    assert (await operate(world, shop.payment_id, "reversePayment")).status_code == 200
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome="succeed")
    result = await reconcile(world, apply=True)
    assert result.code == 1
    assert result.remains == ["waiting_reversal"]
    assert len(world.stripe.refunds) == 0
    assert (await operate(world, shop.payment_id, "reversePayment")).status_code == 200
    assert (await reconcile(world, apply=True)).code == 0
    oracle.check(world)


async def test_undelivered_events_are_replayed_alone(world: World) -> None:
    await an_endpoint_that_nobody_answers_at(world)
    payment_id = await paid_unheard(world)
    before = len(world.network.calls)
    dry = await reconcile(world, events_only=True)
    assert dry.code == 1
    assert set(dry.found) == {"undelivered_event"}
    assert written(world, before) == []
    result = await repaired_for_good(world, events_only=True)
    assert set(result.repaired) == {"undelivered_event"}
    assert len(await world.transactions(payment_id)) == 2
    assert {line["type"] for line in result.lines} <= {e["type"] for e in events(world)}
    oracle.check(world)


async def test_a_replayed_event_has_no_rules_acted_upon(world: World) -> None:
    """The processor would refund now, as it has promised."""
    await an_endpoint_that_nobody_answers_at(world)
    shop = await started(world)
    await world.pay(shop.secret, "sepa_debit")
    await world.deliver_all()
    await operate(world, shop.payment_id, "reversePayment")
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome="succeed")
    result = await repaired_for_good(world, events_only=True)
    assert "undelivered_event" in result.repaired
    assert ("Charge", 1000, "Success") in await world.transactions(shop.payment_id)
    assert "Refund" not in [type_ for type_, _, _ in await world.transactions(shop.payment_id)]
    assert len(world.stripe.refunds) == 0


async def test_no_run_ever_writes_to_stripe(world: World) -> None:
    manual = World(MANUAL)
    shop = await started(manual)
    await manual.pay(shop.secret)
    await manual.deliver_all()
    await operate(manual, shop.payment_id, "capturePayment", 400)
    before = len(manual.network.calls)
    await reconcile(manual, apply=True)
    assert not [name for name in written(manual, before) if name.startswith("stripe")]
