"""Who an operation is survives what other programs and shoppers write on our transactions."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from stripe_connector.ledger import operation, proof
from stripe_connector.ledger.operation import TYPE_KEY
from tests.behaviour.steps import (
    MULTICAPTURE,
    Once,
    assert_agreement,
    attempt,
    intent_of,
    no_trouble,
    operate,
    refunded,
    started,
)
from tests.behaviour.test_bff_payments import Shopper
from tests.behaviour.test_operations_in_trouble import (
    Case,
    assert_moved,
    every_operation,
    prepared,
)
from tests.wire import Trouble
from tests.world import World, money

APPROVED = {"outcome": "approved"}
Json = dict[str, Any]


async def erp_type(world: World) -> None:
    """Another program's type for transactions."""
    document = {"name": "document", "type": {"name": "String"}, "label": {"en": "Document"}}
    await world.commercetools(
        "POST",
        "types",
        {
            "key": "erp-transaction",
            "name": {"en": "ERP"},
            "resourceTypeIds": ["transaction"],
            "fieldDefinitions": [{**document, "required": False}],
        },
    )


async def tag_transactions(world: World, payment_id: str) -> None:
    """The other program notes its document number on every transaction, in place of our type."""
    payment = await world.payment(payment_id)
    actions = [
        {
            "action": "setTransactionCustomType",
            "transactionId": transaction["id"],
            "type": {"typeId": "type", "key": "erp-transaction"},
            "fields": {"document": "40001"},
        }
        for transaction in payment["transactions"]
    ]
    await world.commercetools(
        "POST", f"payments/{payment_id}", {"version": payment["version"], "actions": actions}
    )


@pytest.mark.parametrize("key", ["rma-4711", None])
async def test_a_repetition_is_recognised_after_another_program_has_replaced_the_custom_type(
    key: str | None,
) -> None:
    world = World()
    payment_id = await world.paid(1000)
    await erp_type(world)
    for _ in range(2):
        answer = await operate(world, payment_id, "refundPayment", 300, key=key)
        assert answer.json() == APPROVED
        await tag_transactions(world, payment_id)
    assert refunded(world) == 300


@every_operation
@pytest.mark.parametrize("trouble", ["crash before", "crash after"])
async def test_a_crash_at_any_call_is_overcome_although_the_custom_type_was_replaced(
    case: Case, trouble: Trouble
) -> None:
    for index in itertools.count():
        world, payment_id = await prepared(case)
        await erp_type(world)
        world.network.trouble = crash = Once(index, trouble)
        await attempt(world, payment_id, case.action, case.cents, key="once")
        world.network.trouble = no_trouble
        await tag_transactions(world, payment_id)
        answer = await operate(world, payment_id, case.action, case.cents, key="once")
        assert answer.json() == APPROVED
        await assert_moved(world, payment_id, case)
        if not crash.happened:
            break
    assert index >= 3


async def test_a_refusal_is_recorded_although_the_custom_type_was_replaced() -> None:
    world = World()
    payment_id = await world.paid(1000)
    await erp_type(world)
    world.network.trouble = lambda call: (
        "crash before" if call.path == "/v1/refunds" and call.method == "POST" else None
    )
    await attempt(world, payment_id, "refundPayment", 300, key="once")
    world.network.trouble = no_trouble
    await tag_transactions(world, payment_id)
    charge = (await intent_of(world, payment_id))["latest_charge"]
    await world.at_stripe(f"charges/{charge}/dispute", amount=100)
    for _ in range(2):
        answer = await operate(world, payment_id, "refundPayment", 300, key="once")
        assert answer.json()["error"]["code"] == "charge_disputed"
    assert (await world.transactions(payment_id))[-1] == ("Refund", 300, "Failure")


async def test_the_identity_is_written_in_the_same_update_as_the_transaction() -> None:
    world = World()
    payment_id = await world.paid(1000)
    before = await world.payment(payment_id)
    world.network.trouble = lambda call: (
        "crash before" if call.path == "/v1/refunds" and call.method == "POST" else None
    )
    await attempt(world, payment_id, "refundPayment", 300, key="rma-4711")
    after = await world.payment(payment_id)
    assert after["version"] == before["version"] + 1
    written = after["interfaceInteractions"][-1]["fields"]
    assert written[proof.IDENTITY].startswith("key:")
    assert "rma-4711" not in str(after)


async def test_the_types_are_created_on_the_fly() -> None:
    world = World()
    payment_id = await world.paid(1000)
    assert (await operate(world, payment_id, "refundPayment", 300)).json() == APPROVED
    keys = {each["key"] for each in (await world.commercetools("GET", "types"))["results"]}
    assert {proof.TYPE_KEY, TYPE_KEY} <= keys


async def test_stripes_ids_stand_in_the_transactions_interface_ids() -> None:
    world = World(MULTICAPTURE)
    shop = await started(world, 1000)
    await world.pay(shop.secret)
    await world.deliver_all()
    for cents in (300, 400):
        await world.modify(shop.payment_id, action="capturePayment", amount=money(cents))
    await world.modify(shop.payment_id, action="refundPayment", amount=money(200))
    await world.deliver_all()
    charge = (await intent_of(world, shop.payment_id))["latest_charge"]
    [refund] = world.stripe.refunds
    payment = await world.payment(shop.payment_id)
    assert [(t["type"], t.get("interfaceId")) for t in payment["transactions"]] == [
        ("Authorization", shop.intent_id),
        ("Charge", charge),
        ("Charge", None),
        ("Refund", refund["id"]),
    ]


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_an_interface_id_that_somebody_has_taken_blocks_no_record(elsewhere: bool) -> None:
    """A shopper may add an Initial transaction with an interfaceId of their choice."""
    world = World()
    shop = await started(world, 1000)
    transaction = {"type": "Authorization", "amount": money(1), "interfaceId": shop.intent_id}
    if elsewhere:
        await world.commercetools(
            "POST", "payments", {"amountPlanned": money(1), "transactions": [transaction]}
        )
    else:
        payment = await world.payment(shop.payment_id)
        await world.commercetools(
            "POST",
            f"payments/{shop.payment_id}",
            {
                "version": payment["version"],
                "actions": [{"action": "addTransaction", "transaction": transaction}],
            },
        )
    await world.pay(shop.secret)
    await world.deliver_all()
    transactions = await world.transactions(shop.payment_id)
    assert transactions[-2:] == [("Authorization", 1000, "Success"), ("Charge", 1000, "Success")]
    assert (await operate(world, shop.payment_id, "refundPayment", 300)).json() == APPROVED
    assert refunded(world) == 300


@pytest.mark.parametrize("identity", ["amount_mismatch", "reversePayment:0:late"])
async def test_what_a_shopper_has_written_ahead_moves_no_money(identity: str) -> None:
    """With our own type's fields, as version 0.1.0 wrote them; the type's key is no secret."""
    world = World(MULTICAPTURE)
    await world.commercetools("POST", "types", operation.operation_type_draft())
    shop = await started(world, 1000)
    forged = [
        {
            "type": type_,
            "amount": money(1000),
            "interactionId": name,
            "custom": {
                "type": {"typeId": "type", "key": TYPE_KEY},
                "fields": {
                    "stripeConnector_operation": identity,
                    "stripeConnector_action": "reversePayment",
                    "stripeConnector_attempt": 1,
                    "stripeConnector_attemptedAt": "2026-09-21T14:13:20.000Z",
                },
            },
        }
        for type_, name in (
            ("Authorization", shop.intent_id),
            ("Refund", "theirs-1"),
            ("Charge", "theirs-2"),
            ("CancelAuthorization", "theirs-3"),
        )
    ]
    payment = await world.payment(shop.payment_id)
    await world.commercetools(
        "POST",
        f"payments/{shop.payment_id}",
        {
            "version": payment["version"],
            "actions": [{"action": "addTransaction", "transaction": each} for each in forged],
        },
    )
    await world.pay(shop.secret)
    await world.deliver_all()
    await world.deliver_all()
    assert refunded(world) == 0
    assert (await intent_of(world, shop.payment_id))["status"] == "requires_capture"
    answer = await operate(world, shop.payment_id, "capturePayment", 1000, key="order-1")
    assert answer.json() == APPROVED
    assert (await intent_of(world, shop.payment_id))["amount_received"] == 1000
    answer = await operate(world, shop.payment_id, "refundPayment", 1000, key="order-1-back")
    assert answer.json() == APPROVED
    assert refunded(world) == 1000


async def test_a_payment_whose_key_the_merchant_has_changed_is_still_moved() -> None:
    world = World()
    payment_id = await world.paid(1000)
    payment = await world.payment(payment_id)
    await world.commercetools(
        "POST",
        f"payments/{payment_id}",
        {
            "version": payment["version"],
            "actions": [{"action": "setKey", "key": "ERP-2026-000123"}],
        },
    )
    for _ in range(2):
        answer = await operate(world, payment_id, "refundPayment", 300, key="once")
        assert answer.json() == APPROVED
    assert refunded(world) == 300
    await assert_agreement(world)


async def test_a_second_tab_gets_the_same_payment_although_the_merchant_has_renamed_it() -> None:
    world = World()
    shop = await started(world)
    payment = await world.payment(shop.payment_id)
    renamed = {"action": "setKey", "key": "ERP-2026-000123"}
    await world.commercetools(
        "POST",
        f"payments/{shop.payment_id}",
        {"version": payment["version"], "actions": [renamed]},
    )
    assert (await world.start(shop.session))["clientSecret"] == shop.secret
    assert len(world.stripe.intents) == 1
    await world.pay(shop.secret)
    await world.deliver_all()
    again = await world.client.post("/payments", headers=shop.session)
    assert again.status_code == 400
    assert len(world.stripe.intents) == 1


async def test_a_page_that_somebody_paid_pays_no_other_cart() -> None:
    """A shopper may add an Initial transaction that names any page, such as one paid before."""
    world = World()
    shopper = Shopper(world)
    order = await shopper.order()
    page = (await shopper.session(order["id"])).json()
    await shopper.pay(page)
    shop = await started(world, 1000)
    payment = await world.payment(shop.payment_id)
    forged = {"type": "Authorization", "amount": money(1000), "interactionId": page["id"]}
    await world.commercetools(
        "POST",
        f"payments/{shop.payment_id}",
        {
            "version": payment["version"],
            "actions": [{"action": "addTransaction", "transaction": forged}],
        },
    )
    await world.client.post("/payments", headers=shop.session)
    assert not [t for t in await world.transactions(shop.payment_id) if t[2] == "Success"]
