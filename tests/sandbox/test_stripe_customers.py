"""Customers, their saved payment methods, and the short-lived secrets made for browsers."""

from __future__ import annotations

import pytest

from tests.sandbox.stripe_account import RETURN_URL, Account


@pytest.fixture
def account() -> Account:
    return Account()


async def test_customers_are_created_changed_and_found(account: Account) -> None:
    made = await account.customer(
        email="ada@example.com", name="Ada", **{"metadata[ct_customer_id]": "7"}
    )
    changed = await account.post(f"/v1/customers/{made['id']}", phone="+49", name="")
    found = await account.get("/v1/customers/search", query="metadata['ct_customer_id']:'7'")
    listed = await account.get("/v1/customers", email="ada@example.com")

    assert (changed["phone"], changed["name"], changed["email"]) == (
        "+49",
        None,
        "ada@example.com",
    )
    assert found["data"] == listed["data"] == [changed]
    assert account.types() == ["customer.created", "customer.updated"]
    assert account.last("customer.updated")["data"]["previous_attributes"] == {
        "phone": None,
        "name": "Ada",
    }


async def test_a_deleted_customer_is_remembered_as_deleted(account: Account) -> None:
    customer = await account.customer(payment_method="pm_card_visa")
    path = f"/v1/customers/{customer['id']}"
    deleted = await account.call("DELETE", path)
    again = await account.call("DELETE", path)
    found = await account.get("/v1/customers/search", query="email:null")
    error = await account.refused(
        "/v1/payment_intents", {"amount": 100, "currency": "eur", "customer": customer["id"]}
    )

    assert deleted.json() == await account.get(path)
    assert deleted.json()["deleted"] is True
    assert again.status_code == 404
    assert found["data"] == []
    assert error["code"] == "resource_missing"
    assert account.types()[-2:] == ["payment_method.detached", "customer.deleted"]


async def test_a_method_is_saved_when_that_was_asked_for(account: Account) -> None:
    customer = await account.customer()
    intent = await account.paid(customer=customer["id"], setup_future_usage="off_session")
    saved = await account.get("/v1/payment_methods", customer=customer["id"], type="card", limit=3)
    own = await account.get(f"/v1/customers/{customer['id']}/payment_methods")

    assert [each["id"] for each in saved["data"]] == [intent["payment_method"]]
    assert own["data"] == saved["data"]
    assert "payment_method.attached" in account.types()


async def test_a_method_is_not_saved_unasked_and_cannot_be_used_twice(account: Account) -> None:
    intent = await account.paid()
    saved = await account.get("/v1/payment_methods", limit=3)
    error = await account.refused(
        "/v1/payment_intents",
        {"amount": 100, "currency": "eur", "payment_method": intent["payment_method"]},
    )
    assert saved["data"] == []
    assert error["param"] == "payment_method"


async def test_a_saved_method_pays_again_for_its_customer_only(account: Account) -> None:
    customer, other = await account.customer(), await account.customer()
    first = await account.paid(customer=customer["id"], setup_future_usage="off_session")
    method = first["payment_method"]

    again = await account.paid(method, customer=customer["id"], off_session="true")
    error = await account.refused(
        "/v1/payment_intents",
        {"amount": 100, "currency": "eur", "payment_method": method, "customer": other["id"]},
    )
    assert again["status"] == "succeeded"
    assert error["param"] == "payment_method"


async def test_a_method_is_attached_and_detached_for_good(account: Account) -> None:
    customer, other = await account.customer(), await account.customer()
    made = await account.post("/v1/payment_methods", type="card", **{"card[token]": "tok_visa"})
    path = f"/v1/payment_methods/{made['id']}"

    attached = await account.post(f"{path}/attach", customer=customer["id"])
    elsewhere = await account.call("POST", f"{path}/attach", {"customer": other["id"]})
    detached = await account.post(f"{path}/detach")
    twice = await account.call("POST", f"{path}/detach")
    again = await account.call("POST", f"{path}/attach", {"customer": customer["id"]})

    assert (attached["customer"], detached["customer"]) == (customer["id"], None)
    assert [each.status_code for each in (elsewhere, twice, again)] == [400, 400, 400]
    assert account.types()[-2:] == ["payment_method.attached", "payment_method.detached"]
    assert account.last("payment_method.detached")["data"]["previous_attributes"] == {
        "customer": customer["id"]
    }


@pytest.mark.parametrize(
    ("alias", "status"),
    [
        ("pm_card_visa", 200),
        ("pm_card_chargeCustomerFail", 200),
        ("pm_card_visa_chargeDeclined", 402),
    ],
)
async def test_test_cards_are_attached_by_their_ids(
    account: Account, alias: str, status: int
) -> None:
    customer = await account.customer()
    response = await account.call(
        "POST", f"/v1/payment_methods/{alias}/attach", {"customer": customer["id"]}
    )
    assert response.status_code == status


async def test_a_card_that_can_be_saved_may_still_be_declined(account: Account) -> None:
    customer = await account.customer()
    method = await account.post(
        "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=customer["id"]
    )
    error = await account.refused(
        "/v1/payment_intents",
        {
            "amount": 100,
            "currency": "eur",
            "customer": customer["id"],
            "payment_method": method["id"],
            "confirm": "true",
            "return_url": RETURN_URL,
        },
        status=402,
    )
    assert error["code"] == "card_declined"


async def test_a_customer_session_enables_what_was_asked_for(account: Account) -> None:
    customer = await account.customer()
    session = await account.post(
        "/v1/customer_sessions",
        customer=customer["id"],
        **{
            "components[payment_element][enabled]": "true",
            "components[payment_element][features][payment_method_save]": "enabled",
            "components[payment_element][features][payment_method_save_usage]": "off_session",
        },
    )
    element = session["components"]["payment_element"]

    assert session["client_secret"].startswith("cuss_secret_")
    assert session["customer"] == customer["id"]
    assert session["expires_at"] > session["created"]
    assert element["enabled"] is True
    assert element["features"]["payment_method_save"] == "enabled"
    assert element["features"]["payment_method_remove"] == "disabled"
    assert session["components"]["buy_button"] == {"enabled": False}


async def test_an_ephemeral_key_needs_the_version_of_the_browsers_sdk(account: Account) -> None:
    customer = await account.customer()
    without = await account.call("POST", "/v1/ephemeral_keys", {"customer": customer["id"]})
    made = await account.call(
        "POST",
        "/v1/ephemeral_keys",
        {"customer": customer["id"]},
        headers={"stripe-version": "2026-10-28.endive"},
    )
    assert without.status_code == 400
    assert made.json()["secret"].startswith("ek_test_")


async def test_a_method_and_a_charge_can_be_annotated(account: Account) -> None:
    customer = await account.customer()
    intent = await account.paid(customer=customer["id"], setup_future_usage="on_session")
    method = await account.post(
        f"/v1/payment_methods/{intent['payment_method']}",
        allow_redisplay="always",
        **{"metadata[a]": "b"},
    )
    charge = await account.post(
        f"/v1/charges/{intent['latest_charge']}", description="Order 7", **{"metadata[c]": "d"}
    )
    shown = await account.get("/v1/payment_methods", allow_redisplay="always")
    charges = await account.get("/v1/charges", payment_intent=intent["id"])

    assert (method["allow_redisplay"], method["metadata"]) == ("always", {"a": "b"})
    assert (charge["description"], charge["metadata"]) == ("Order 7", {"c": "d"})
    assert shown["data"] == [method]
    assert charges["data"] == [charge]
    assert account.types()[-2:] == ["payment_method.updated", "charge.updated"]


async def test_a_customers_method_is_found_under_that_customer_only(account: Account) -> None:
    customer = await account.customer(payment_method="pm_card_visa")
    other = await account.customer()
    method = (await account.get("/v1/payment_methods"))["data"][0]

    own = await account.get(f"/v1/customers/{customer['id']}/payment_methods/{method['id']}")
    foreign = await account.call(
        "GET", f"/v1/customers/{other['id']}/payment_methods/{method['id']}"
    )
    assert own == method
    assert foreign.status_code == 404


@pytest.mark.parametrize(
    "data",
    [
        {"type": "barter"},
        {"type": "card"},
        {"type": "card", "card[token]": "tok_none"},
        {"type": "sepa_debit"},
    ],
)
async def test_a_method_without_its_data_is_refused(account: Account, data: dict[str, str]) -> None:
    await account.refused("/v1/payment_methods", data)
    assert len(account.state.methods) == 0


async def test_a_confirmation_token_expires(account: Account) -> None:
    token = await account.post(
        "/v1/test_helpers/confirmation_tokens",
        payment_method="pm_card_visa",
        return_url=RETURN_URL,
    )
    intent = await account.intent()
    account.clock.advance(12 * 3600)
    error = await account.refused(
        f"/v1/payment_intents/{intent['id']}/confirm", {"confirmation_token": token["id"]}
    )
    assert error["param"] == "confirmation_token"
    assert (await account.get(f"/v1/payment_intents/{intent['id']}")) == intent
