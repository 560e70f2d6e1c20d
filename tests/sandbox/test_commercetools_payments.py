"""Payments of the commercetools stand-in: versions, uniqueness, immutability, custom fields."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.commercetools_world import ADA, World, refusal

_CHARGE = {"type": "Charge", "amount": {"centAmount": 500, "currencyCode": "EUR"}}


@pytest.fixture
def world() -> World:
    return World()


async def test_a_payment_is_made_of_its_draft(world: World) -> None:
    payment = await world.payment(
        1500,
        "JPY",
        key="cart-1_1",
        customer=ADA,
        paymentMethodInfo={"paymentInterface": "stripe", "method": "card"},
        checkoutTransactionItemId="item-1",
    )
    assert (await world.get(f"payments/{payment['id']}")).json() == payment
    assert (await world.get("payments/key=cart-1_1")).json() == payment
    assert payment["version"] == 1
    assert payment["customer"] == ADA
    assert payment["checkoutTransactionItemId"] == "item-1"
    assert payment["transactions"] == []
    assert payment["amountPlanned"] == {
        "type": "centPrecision",
        "centAmount": 1500,
        "currencyCode": "JPY",
        "fractionDigits": 0,
    }


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        ({}, "RequiredField"),
        ({"amountPlanned": {"centAmount": "1", "currencyCode": "EUR"}}, "InvalidJsonInput"),
        ({"amountPlanned": {"centAmount": 1, "currencyCode": "EURO"}}, "InvalidField"),
        (
            {"amountPlanned": {"centAmount": 1, "currencyCode": "EUR"}, "key": "no spaces"},
            "InvalidField",
        ),
        (
            {
                "amountPlanned": {"centAmount": 1, "currencyCode": "EUR"},
                "customer": ADA,
                "anonymousId": "x",
            },
            "InvalidOperation",
        ),
        (
            {
                "amountPlanned": {"centAmount": 1, "currencyCode": "EUR"},
                "customer": {"typeId": "customer", "id": "none"},
            },
            "ReferencedResourceNotFound",
        ),
        ([], "InvalidJsonInput"),
    ],
)
async def test_a_bad_draft_is_refused(world: World, draft: object, code: str) -> None:
    assert refusal(await world.post("payments", draft)) == (400, code)
    assert world.store.summary()["payment"] == 0


async def test_a_stale_version_is_refused_with_the_current_one(world: World) -> None:
    payment = await world.payment()
    await world.change("payments", payment, {"action": "setKey", "key": "k1"})
    stale = await world.act("payments", payment, {"action": "setKey", "key": "k2"})
    assert refusal(stale) == (409, "ConcurrentModification")
    assert stale.json()["errors"][0]["currentVersion"] == 2
    assert stale.json()["message"] == (
        f"Object {payment['id']} has a different version than expected. Expected: 1 - Actual: 2."
    )


async def test_the_actions_of_an_update_are_all_done_or_none(world: World) -> None:
    payment = await world.payment()
    refused = await world.act(
        "payments",
        payment,
        {"action": "addTransaction", "transaction": _CHARGE},
        {"action": "changeTransactionState", "transactionId": "none", "state": "Success"},
    )
    assert refusal(refused) == (400, "InvalidOperation")
    assert (await world.get(f"payments/{payment['id']}")).json() == payment


async def test_an_update_that_changes_nothing_keeps_the_version(world: World) -> None:
    payment = await world.payment(key="k1")
    same = await world.change("payments", payment, {"action": "setKey", "key": "k1"})
    assert same == payment
    assert await world.change("payments", payment) == payment


@pytest.mark.parametrize(
    "action",
    [
        {"action": "changeTransactionAmount", "transactionId": "x", "amount": _CHARGE["amount"]},
        {"action": "transmogrify"},
    ],
)
async def test_unknown_actions_are_refused(world: World, action: dict[str, Any]) -> None:
    payment = await world.payment()
    assert refusal(await world.act("payments", payment, action)) == (400, "InvalidJsonInput")


async def test_a_key_is_unique(world: World) -> None:
    await world.payment(key="cart-1_1")
    amount = {"centAmount": 1, "currencyCode": "EUR"}
    refused = await world.post("payments", {"amountPlanned": amount, "key": "cart-1_1"})
    assert refusal(refused) == (400, "DuplicateField")
    error = refused.json()["errors"][0]
    assert (error["field"], error["duplicateValue"]) == ("key", "cart-1_1")


async def test_interface_id_is_unique_together_with_the_interface(world: World) -> None:
    info = {"paymentInterface": "stripe"}
    await world.payment(interfaceId="pi_1", paymentMethodInfo=info)
    await world.payment(interfaceId="pi_1", paymentMethodInfo={"paymentInterface": "other"})
    second = await world.payment(paymentMethodInfo=info)
    refused = await world.act(
        "payments", second, {"action": "setInterfaceId", "interfaceId": "pi_1"}
    )
    assert refusal(refused) == (400, "DuplicateField")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            {"action": "setInterfaceId", "interfaceId": "pi_1"},
            {"action": "setInterfaceId", "interfaceId": "pi_2"},
        ),
        (
            {"action": "setMethodInfoInterface", "interface": "stripe"},
            {"action": "setMethodInfoInterface", "interface": "other"},
        ),
        (
            {"action": "setMethodInfoInterface", "interface": "stripe"},
            {"action": "setMethodInfo", "method": "card"},
        ),
    ],
)
async def test_what_is_immutable_once_set_stays(
    world: World, first: dict[str, Any], second: dict[str, Any]
) -> None:
    payment = await world.change("payments", await world.payment(), first)
    assert refusal(await world.act("payments", payment, second)) == (400, "InvalidOperation")
    assert await world.change("payments", payment, first) == payment


async def test_a_transaction_changes_in_all_but_its_amount(world: World) -> None:
    payment = await world.change(
        "payments", await world.payment(), {"action": "addTransaction", "transaction": _CHARGE}
    )
    id_ = payment["transactions"][0]["id"]
    changed = await world.change(
        "payments",
        payment,
        {"action": "changeTransactionState", "transactionId": id_, "state": "Success"},
        {"action": "changeTransactionInteractionId", "transactionId": id_, "interactionId": "ch_1"},
        {
            "action": "changeTransactionTimestamp",
            "transactionId": id_,
            "timestamp": "2026-01-01T00:00:00Z",
        },
        {"action": "setTransactionInterfaceId", "transactionId": id_, "interfaceId": "re_1"},
    )
    assert changed["version"] == payment["version"] + 1
    assert changed["transactions"] == [
        {
            "id": id_,
            "type": "Charge",
            "amount": {
                "type": "centPrecision",
                "centAmount": 500,
                "currencyCode": "EUR",
                "fractionDigits": 2,
            },
            "state": "Success",
            "interactionId": "ch_1",
            "timestamp": "2026-01-01T00:00:00.000Z",
            "interfaceId": "re_1",
        }
    ]
    other = await world.payment()
    transaction = {**_CHARGE, "interfaceId": "re_1"}
    refused = await world.act(
        "payments", other, {"action": "addTransaction", "transaction": transaction}
    )
    assert refusal(refused) == (400, "DuplicateField")


async def test_method_status_customer_and_amount_can_be_set(world: World) -> None:
    payment = await world.change(
        "payments",
        await world.payment(),
        {"action": "setMethodInfoMethod", "method": "card"},
        {"action": "setMethodInfoToken", "token": {"value": "pm_1"}},
        {"action": "setMethodInfoName", "name": {"en": "Card"}},
        {"action": "setMethodInfoInterfaceAccount", "interfaceAccount": "acct_1"},
        {"action": "setStatusInterfaceCode", "interfaceCode": "succeeded"},
        {"action": "setStatusInterfaceText", "interfaceText": "Paid"},
        {"action": "changeAmountPlanned", "amount": {"centAmount": 7, "currencyCode": "KWD"}},
        {"action": "setCustomer", "customer": ADA},
    )
    assert payment["paymentMethodInfo"] == {
        "method": "card",
        "token": {"value": "pm_1"},
        "name": {"en": "Card"},
        "interfaceAccount": "acct_1",
    }
    assert payment["paymentStatus"] == {"interfaceCode": "succeeded", "interfaceText": "Paid"}
    assert payment["amountPlanned"]["fractionDigits"] == 3
    assert payment["customer"] == ADA
    both = await world.act("payments", payment, {"action": "setAnonymousId", "anonymousId": "x"})
    assert refusal(both) == (400, "InvalidOperation")


async def test_custom_fields_follow_their_type(world: World) -> None:
    await world.create(
        "types",
        {
            "key": "interaction",
            "name": {"en": "Interaction"},
            "resourceTypeIds": ["payment-interface-interaction", "transaction"],
            "fieldDefinitions": [
                {"name": "kind", "label": {}, "type": {"name": "String"}, "required": True},
                {"name": "size", "label": {}, "type": {"name": "Number"}, "required": False},
            ],
        },
    )
    payment = await world.payment()
    key = {"typeId": "type", "key": "interaction"}

    async def add(type_: dict[str, str], **fields: Any) -> tuple[int, str]:
        action = {"action": "addInterfaceInteraction", "type": type_, "fields": fields}
        return refusal(await world.act("payments", payment, action))

    assert await add({"typeId": "type", "key": "none"}) == (400, "ReferencedResourceNotFound")
    assert await add(key) == (400, "RequiredField")
    assert await add(key, kind="a", other=1) == (400, "InvalidField")
    assert await add(key, kind="a", size="large") == (400, "InvalidField")
    custom = {"action": "setCustomType", "type": key, "fields": {"kind": "a"}}
    assert refusal(await world.act("payments", payment, custom)) == (400, "InvalidOperation")
    field = {"action": "setCustomField", "name": "kind", "value": "a"}
    assert refusal(await world.act("payments", payment, field)) == (400, "InvalidOperation")

    transaction = {**_CHARGE, "custom": {"type": key, "fields": {"kind": "a"}}}
    payment = await world.change(
        "payments", payment, {"action": "addTransaction", "transaction": transaction}
    )
    set_field = {
        "action": "setTransactionCustomField",
        "transactionId": payment["transactions"][0]["id"],
        "name": "size",
        "value": 3,
    }
    payment = await world.change("payments", payment, set_field)
    assert payment["transactions"][0]["custom"]["fields"] == {"kind": "a", "size": 3}


async def test_payments_are_queried_by_interface_id_ids_and_time(world: World) -> None:
    stripe = {"paymentInterface": "stripe"}
    first = await world.payment(interfaceId="pi_1", paymentMethodInfo=stripe)
    other = {"paymentInterface": "other"}
    await world.payment(interfaceId="pi_1", paymentMethodInfo=other)
    world.clock.advance(10)
    last = await world.payment()

    async def found(where: str, **parameters: Any) -> list[dict[str, Any]]:
        page = (await world.get("payments", where=where, **parameters)).json()
        assert page["count"] == len(page["results"])
        results: list[dict[str, Any]] = page["results"]
        return results

    assert len(await found('interfaceId="pi_1"')) == 2
    both = 'interfaceId="pi_1" and paymentMethodInfo(paymentInterface="stripe")'
    assert await found(both) == [first]
    assert await found(f'id in ("{first["id"]}", "x")') == [first]
    assert await found(f'lastModifiedAt > "{first["lastModifiedAt"]}"') == [last]
    newest_first = await found("1 = 1", sort="createdAt desc", limit=1)
    assert newest_first == [last]
    assert len(await found("1 = 1", sort="id", offset=1, limit=500)) == 2
    total = (await world.get("payments", limit=1)).json()
    assert (total["count"], total["total"], total["limit"], total["offset"]) == (1, 3, 1, 0)
    assert refusal(await world.get("payments", limit=501)) == (400, "InvalidInput")
