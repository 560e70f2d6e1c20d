"""Test cards: brands, declines and authentication."""

from __future__ import annotations

import pytest

from tests.sandbox.stripe_account import RETURN_URL, Account


@pytest.fixture
def account() -> Account:
    return Account()


def _card(number: str, **more: object) -> dict[str, object]:
    return {
        "payment_method_data[type]": "card",
        "payment_method_data[card][number]": number,
        "payment_method_data[card][exp_month]": more.get("exp_month", 12),
        "payment_method_data[card][exp_year]": more.get("exp_year", 2034),
        "payment_method_data[card][cvc]": more.get("cvc", "123"),
        "return_url": RETURN_URL,
    }


@pytest.mark.parametrize(
    ("number", "brand", "funding"),
    [
        ("4242424242424242", "visa", "credit"),
        ("4000056655665556", "visa", "debit"),
        ("5555555555554444", "mastercard", "credit"),
        ("2223003122003222", "mastercard", "credit"),
        ("5200828282828210", "mastercard", "debit"),
        ("5105105105105100", "mastercard", "prepaid"),
        ("378282246310005", "amex", "credit"),
        ("371449635398431", "amex", "credit"),
        ("6011111111111117", "discover", "credit"),
        ("6011000990139424", "discover", "credit"),
        ("3056930009020004", "diners", "credit"),
        ("36227206271667", "diners", "credit"),
        ("3566002020360505", "jcb", "credit"),
        ("6200000000000005", "unionpay", "credit"),
    ],
)
async def test_every_card_of_the_table_pays(
    account: Account, number: str, brand: str, funding: str
) -> None:
    cvc = "1234" if brand == "amex" else "123"
    intent = await account.intent(confirm="true", **_card(number, cvc=cvc))
    card = (await account.charge_of(intent))["payment_method_details"]["card"]

    assert intent["status"] == "succeeded"
    assert (card["brand"], card["funding"], card["last4"]) == (brand, funding, number[-4:])


@pytest.mark.parametrize(
    ("number", "code", "decline_code"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000009987", "card_declined", "lost_card"),
        ("4000000000009979", "card_declined", "stolen_card"),
        ("4000000000000069", "expired_card", None),
        ("4000000000000127", "incorrect_cvc", None),
        ("4000000000000119", "processing_error", None),
        ("4111111111111111", "card_declined", "test_mode_live_card"),
    ],
)
async def test_a_declined_card_leaves_the_intent_open_for_another(
    account: Account, number: str, code: str, decline_code: str | None
) -> None:
    intent = await account.intent()
    path = f"/v1/payment_intents/{intent['id']}"
    error = await account.refused(f"{path}/confirm", _card(number), status=402)
    failed = await account.get(path)
    charge = await account.charge_of(failed)
    announced = account.types()[1:]
    paid = await account.post(f"{path}/confirm", **_card("4242424242424242"))

    assert (error["type"], error["code"]) == ("card_error", code)
    assert error["decline_code"] == decline_code
    assert error["charge"] == charge["id"]
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert failed["last_payment_error"]["code"] == code
    assert failed["payment_method"] is None
    assert (charge["status"], charge["paid"], charge["failure_code"]) == ("failed", False, code)
    assert announced == ["charge.failed", "payment_intent.payment_failed"]
    assert (paid["status"], paid["last_payment_error"]) == ("succeeded", None)
    assert paid["latest_charge"] != charge["id"]


@pytest.mark.parametrize(
    ("number", "more", "code"),
    [
        ("4242424242424241", {}, "incorrect_number"),
        ("4242424242424242", {"exp_month": 13}, "invalid_expiry_month"),
        ("4242424242424242", {"exp_year": 2020}, "invalid_expiry_year"),
        ("4242424242424242", {"cvc": "12"}, "invalid_cvc"),
        ("378282246310005", {"cvc": "123"}, "invalid_cvc"),
    ],
)
async def test_mistyped_card_data_are_refused(
    account: Account, number: str, more: dict[str, object], code: str
) -> None:
    intent = await account.intent()
    path = f"/v1/payment_intents/{intent['id']}/confirm"
    error = await account.refused(path, _card(number, **more), status=402)

    assert error["code"] == code
    assert account.types() == ["payment_intent.created"]


@pytest.mark.parametrize(
    ("card", "authenticated"),
    [
        ("pm_card_authenticationRequired", "succeeded"),
        ("pm_card_authenticationRequiredOnSetup", "succeeded"),
        (
            "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
            "requires_payment_method",
        ),
    ],
)
@pytest.mark.parametrize("outcome", ["succeed", "fail"])
async def test_three_d_secure_decides_before_the_bank_does(
    account: Account, card: str, authenticated: str, outcome: str
) -> None:
    intent = await account.paid(card)
    announced = account.types()
    finished = await account.admin(
        f"stripe/payment_intents/{intent['id']}/authenticate", outcome=outcome
    )

    assert intent["status"] == "requires_action"
    assert intent["next_action"]["redirect_to_url"]["return_url"] == RETURN_URL
    assert intent["latest_charge"] is None
    assert announced == ["payment_intent.created", "payment_intent.requires_action"]
    if outcome == "fail":
        assert finished["status"] == "requires_payment_method"
        error = finished["last_payment_error"]
        assert error["code"] == "payment_intent_authentication_failure"
        assert finished["latest_charge"] is None
        assert account.types()[2:] == ["payment_intent.payment_failed"]
    else:
        assert finished["status"] == authenticated
        paid = authenticated == "succeeded"
        assert finished["amount_received"] == (1000 if paid else 0)


async def test_the_card_that_is_declined_after_authentication(account: Account) -> None:
    intent = await account.intent(confirm="true", **_card("4000008400001629"))
    finished = await account.admin(
        f"stripe/payment_intents/{intent['id']}/authenticate", outcome="succeed"
    )
    assert finished["status"] == "requires_payment_method"
    assert finished["last_payment_error"]["decline_code"] == "generic_decline"


async def test_stripe_js_handles_the_challenge_itself(account: Account) -> None:
    intent = await account.intent()
    response = await account.call(
        "POST",
        f"/v1/payment_intents/{intent['id']}/confirm",
        {
            "client_secret": intent["client_secret"],
            "payment_method": "pm_card_authenticationRequired",
        },
        headers={"authorization": "Bearer pk_test_sandbox"},
    )
    assert response.json()["next_action"]["type"] == "use_stripe_sdk"


async def test_a_challenge_cannot_be_met_off_session(account: Account) -> None:
    customer = await account.customer()
    data = {
        "amount": 1000,
        "currency": "eur",
        "customer": customer["id"],
        "payment_method": "pm_card_authenticationRequired",
        "confirm": "true",
        "off_session": "true",
        "return_url": RETURN_URL,
    }
    error = await account.refused("/v1/payment_intents", data, status=402)

    assert error["code"] == "authentication_required"
    assert error["payment_intent"]["status"] == "requires_payment_method"


@pytest.mark.parametrize("on_setup", [True, False])
async def test_a_card_set_up_for_use_off_session_is_not_challenged_again(
    account: Account, on_setup: bool
) -> None:
    card = "pm_card_authenticationRequiredOnSetup" if on_setup else "pm_card_authenticationRequired"
    customer = await account.customer()
    first = await account.paid(card, customer=customer["id"], setup_future_usage="off_session")
    await account.admin(f"stripe/payment_intents/{first['id']}/authenticate", outcome="succeed")
    again = await account.call(
        "POST",
        "/v1/payment_intents",
        {
            "amount": 500,
            "currency": "eur",
            "customer": customer["id"],
            "payment_method": first["payment_method"],
            "confirm": "true",
            "off_session": "true",
            "return_url": RETURN_URL,
        },
    )
    if on_setup:
        assert again.json()["status"] == "succeeded"
    else:
        assert again.json()["error"]["code"] == "authentication_required"


async def test_authentication_can_be_demanded_of_any_card(account: Account) -> None:
    intent = await account.paid(
        **{"payment_method_options[card][request_three_d_secure]": "challenge"}
    )
    assert intent["status"] == "requires_action"
