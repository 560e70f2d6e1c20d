"""What shoppers may do with tokens of their own: the rights of commercetools' /me, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.commercetools_world import ADA, BERLIN, World, basic, refusal

Json = dict[str, Any]
EUROS = {"centAmount": 1000, "currencyCode": "EUR"}


@pytest.fixture
def world() -> World:
    return World()


async def signed_in(world: World, customer: str = "ada", password: str | None = None) -> str:
    """An access token of a seeded customer."""
    answer = await world.http.post(
        "/oauth/sandbox/customers/token",
        data={
            "grant_type": "password",
            "username": f"{customer}@example.com",
            "password": password or f"{customer}-password",
        },
        headers={"Authorization": basic("sandbox-app")},
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def anonymous(world: World, anonymous_id: str) -> str:
    answer = await world.http.post(
        "/oauth/sandbox/anonymous/token",
        data={"grant_type": "client_credentials", "anonymous_id": anonymous_id},
        headers={"Authorization": basic("sandbox-app")},
    )
    assert f"anonymous_id:{anonymous_id}" in answer.json()["scope"].split()
    return str(answer.json()["access_token"])


async def test_a_wrong_password_and_a_client_without_the_right_get_no_token(world: World) -> None:
    for form, client, expected in (
        ({"username": "ada@example.com", "password": "x"}, "sandbox-app", 400),
        ({"username": "nobody@example.com", "password": "x"}, "sandbox-app", 400),
    ):
        answer = await world.http.post(
            "/oauth/sandbox/customers/token",
            data={"grant_type": "password", **form},
            headers={"Authorization": basic(client)},
        )
        assert refusal(answer) == (expected, "invalid_customer_account_credentials")
    answer = await world.http.post(
        "/oauth/sandbox/anonymous/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": basic("sandbox-storefront")},
    )
    assert refusal(answer) == (403, "insufficient_scope")


async def test_a_token_of_no_shopper_opens_nothing_of_a_shoppers(world: World) -> None:
    assert refusal(await world.get("me/payments")) == (403, "insufficient_scope")


async def test_a_shopper_opens_nothing_but_their_own(world: World) -> None:
    ada, grace = await signed_in(world), await signed_in(world, "grace")
    guest, other = await anonymous(world, "a-1"), await anonymous(world, "a-2")
    hers = await world.payment(customer=ADA)
    the_guests = await world.cart("stoneware-mug-1", anonymousId="a-1")
    assert (await world.get(f"me/payments/{hers['id']}", token=ada)).status_code == 200
    assert (await world.get(f"me/carts/{the_guests['id']}", token=guest)).status_code == 200
    for path, token in (
        (f"me/payments/{hers['id']}", grace),
        (f"me/payments/{hers['id']}", guest),
        (f"me/carts/{the_guests['id']}", other),
        (f"me/carts/{the_guests['id']}", ada),
        ("me/active-cart", other),
        ("me", guest),
        ("me/customers", ada),
    ):
        assert refusal(await world.get(path, token=token)) == (404, "ResourceNotFound")
    assert (await world.get("me/payments", token=grace)).json()["results"] == []
    assert refusal(await world.get(f"payments/{hers['id']}", token=ada))[0] == 403


async def test_a_draft_cannot_make_what_is_somebody_elses(world: World) -> None:
    grace = await signed_in(world, "grace")
    draft = {"amountPlanned": EUROS, "customer": ADA, "key": "k1", "interfaceId": "pi_1"}
    made = (await world.post("me/payments", draft, token=grace)).json()
    stored = (await world.get(f"payments/{made['id']}")).json()
    assert stored["customer"]["id"] != ADA["id"]
    assert stored.keys().isdisjoint({"key", "interfaceId"})
    draft = {"currency": "EUR", "customerId": ADA["id"]}
    made = (await world.post("me/carts", draft, token=grace)).json()
    assert made["customerId"] == stored["customer"]["id"]


async def test_a_shopper_neither_sees_nor_sets_what_a_payment_keeps_for_others(
    world: World,
) -> None:
    ada = await signed_in(world)
    payment = await world.payment(
        customer=ADA, key="k1", interfaceId="pi_1", paymentStatus={"interfaceCode": "x"}
    )
    seen = (await world.get(f"me/payments/{payment['id']}", token=ada)).json()
    assert seen.keys().isdisjoint({"key", "interfaceId", "paymentStatus", "interfaceInteractions"})
    for action in (
        {"action": "setKey", "key": "mine"},
        {"action": "setInterfaceId", "interfaceId": "pi_2"},
        {"action": "setCustomer"},
        {"action": "addInterfaceInteraction", "type": {"typeId": "type", "key": "x"}},
        {"action": "changeTransactionState", "transactionId": "x", "state": "Success"},
        {"action": "setMethodInfoToken", "token": {"value": "pm_1"}},
    ):
        body = {"version": seen["version"], "actions": [action]}
        answer = await world.post(f"me/payments/{payment['id']}", body, token=ada)
        assert refusal(answer) == (400, "InvalidJsonInput")


async def test_a_shopper_changes_a_payment_until_it_has_a_transaction(world: World) -> None:
    ada = await signed_in(world)
    payment = await world.payment(
        customer=ADA,
        paymentMethodInfo={"paymentInterface": "stripe", "interfaceAccount": "acct_1:test"},
    )

    async def act(*actions: Json, version: int) -> Any:
        body = {"version": version, "actions": list(actions)}
        return await world.post(f"me/payments/{payment['id']}", body, token=ada)

    answer = await act(
        {"action": "changeAmountPlanned", "amount": {"centAmount": 1, "currencyCode": "EUR"}},
        {"action": "setMethodInfoInterfaceAccount"},
        {"action": "setMethodInfoMethod", "method": "card"},
        version=1,
    )
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert changed["amountPlanned"]["centAmount"] == 1
    assert "interfaceAccount" not in changed["paymentMethodInfo"]

    for refused in (
        {"type": "Charge", "amount": EUROS, "state": "Success"},
        {"type": "Authorization", "amount": EUROS, "state": "Pending"},
        {"type": "Refund", "amount": EUROS},
        {"type": "CancelAuthorization", "amount": EUROS},
    ):
        answer = await act(
            {"action": "addTransaction", "transaction": refused}, version=changed["version"]
        )
        assert refusal(answer) == (400, "InvalidField")
    asked = {"type": "Authorization", "amount": EUROS, "interfaceId": "ch_1"}
    answer = await act(
        {"action": "addTransaction", "transaction": asked}, version=changed["version"]
    )
    [added] = answer.json()["transactions"]
    assert (added["state"], added["interfaceId"]) == ("Initial", "ch_1")

    version = answer.json()["version"]
    answer = await act({"action": "setMethodInfoMethod", "method": "x"}, version=version)
    assert refusal(answer) == (400, "InvalidOperation")
    answer = await world.delete(f"me/payments/{payment['id']}", version=version, token=ada)
    assert refusal(answer) == (400, "InvalidOperation")


async def test_a_shopper_sets_what_a_cart_and_a_profile_hold_but_not_whose_they_are(
    world: World,
) -> None:
    ada = await signed_in(world)
    draft = {"currency": "EUR", "country": "DE", "shippingAddress": BERLIN}
    cart = (await world.post("me/carts", draft, token=ada)).json()
    line = {"action": "addLineItem", "sku": "stoneware-mug-1", "quantity": 1}
    body = {"version": cart["version"], "actions": [line]}
    cart = (await world.post(f"me/carts/{cart['id']}", body, token=ada)).json()
    for name in ("setCustomerId", "addCustomLineItem", "freezeCart", "setKey", "setAnonymousId"):
        body = {"version": cart["version"], "actions": [{"action": name}]}
        answer = await world.post(f"me/carts/{cart['id']}", body, token=ada)
        assert refusal(answer) == (400, "InvalidJsonInput")
    profile = (await world.get("me", token=ada)).json()
    assert profile["id"] == ADA["id"]
    body = {"version": profile["version"], "actions": [{"action": "setKey", "key": "k"}]}
    assert refusal(await world.post("me", body, token=ada)) == (400, "InvalidJsonInput")

    order = await world.post("me/orders", {"id": cart["id"], "version": cart["version"]}, token=ada)
    assert order.status_code == 201, order.text
    assert order.json()["customerId"] == ADA["id"]
    paid = {"action": "changePaymentState", "paymentState": "Paid"}
    body = {"version": 1, "actions": [paid]}
    answer = await world.post(f"me/orders/{order.json()['id']}", body, token=ada)
    assert refusal(answer) == (405, "InvalidOperation")
