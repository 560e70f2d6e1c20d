"""Payment intents from creation to their end, and what each step announces."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.stripe_account import RETURN_URL, Account


@pytest.fixture
def account() -> Account:
    return Account()


async def test_a_new_intent_waits_for_a_payment_method(account: Account) -> None:
    intent = await account.intent(currency="EUR", **{"metadata[order]": "7"})

    assert intent["status"] == "requires_payment_method"
    assert intent["currency"] == "eur"
    assert intent["capture_method"] == "automatic_async"
    assert intent["client_secret"].startswith(f"{intent['id']}_secret_")
    assert intent["payment_method_types"] == ["card", "ideal", "sepa_debit", "multibanco"]
    assert intent["metadata"] == {"order": "7"}
    assert account.types() == ["payment_intent.created"]


@pytest.mark.parametrize(
    ("capture_method", "announced"),
    [
        ("automatic", ["charge.succeeded", "payment_intent.succeeded"]),
        ("automatic_async", ["charge.succeeded", "payment_intent.succeeded", "charge.updated"]),
        ("manual", ["charge.succeeded", "payment_intent.amount_capturable_updated"]),
    ],
)
async def test_a_card_pays_at_once_or_is_authorized(
    account: Account, capture_method: str, announced: list[str]
) -> None:
    intent = await account.paid(capture_method=capture_method)
    charge = await account.charge_of(intent)
    captured = capture_method != "manual"

    assert intent["status"] == ("succeeded" if captured else "requires_capture")
    assert intent["amount_received"] == charge["amount_captured"] == (1000 if captured else 0)
    assert intent["amount_capturable"] == (0 if captured else 1000)
    assert (charge["captured"], charge["paid"], charge["status"]) == (captured, True, "succeeded")
    assert account.types() == ["payment_intent.created", *announced]


async def test_the_money_of_an_asynchronous_capture_is_booked_after_it_was_announced(
    account: Account,
) -> None:
    await account.paid()

    updated = account.last("charge.updated")
    assert account.last("charge.succeeded")["data"]["object"]["balance_transaction"] is None
    assert updated["data"]["object"]["balance_transaction"].startswith("txn_")
    assert updated["data"]["previous_attributes"] == {"balance_transaction": None}


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "eur", "amount_too_small"),
        (50, "eur", None),
        (29, "gbp", "amount_too_small"),
        (50, "jpy", None),
        (49, "jpy", "amount_too_small"),
        (0, "eur", "parameter_invalid_integer"),
        (-5, "eur", "parameter_invalid_integer"),
        (10_000, "isk", None),
        (10_050, "isk", "parameter_invalid_integer"),
        (10_050, "ugx", "parameter_invalid_integer"),
        (12_340, "kwd", None),
        (12_345, "kwd", "parameter_invalid_integer"),
        (999_999_999_999, "eur", None),
        (1_000_000_000_000, "eur", "amount_too_large"),
    ],
)
async def test_amounts_must_be_chargeable_in_their_currency(
    account: Account, amount: int, currency: str, code: str | None
) -> None:
    data = {"amount": amount, "currency": currency}
    if code is None:
        assert (await account.post("/v1/payment_intents", **data))["amount"] == amount
    else:
        assert (await account.refused("/v1/payment_intents", data))["code"] == code


async def test_american_express_takes_nine_digits(account: Account) -> None:
    data = {"currency": "eur", "payment_method": "pm_card_amex"}
    error = await account.refused("/v1/payment_intents", {**data, "amount": 1_000_000_000})
    assert error["code"] == "amount_too_large"
    assert len(account.state.intents) == 0


async def test_an_intent_is_changed_until_it_is_paid(account: Account) -> None:
    intent = await account.intent()
    path = f"/v1/payment_intents/{intent['id']}"

    changed = await account.post(path, amount=2500, currency="usd", description="Order 7")
    await account.post(f"{path}/confirm", payment_method="pm_card_visa", return_url=RETURN_URL)
    error = await account.refused(path, {"amount": 1500})
    noted = await account.post(path, **{"metadata[late]": "yes"})

    assert (changed["amount"], changed["currency"]) == (2500, "usd")
    assert changed["payment_method_types"] == ["card", "us_bank_account"]
    assert error["code"] == "payment_intent_unexpected_state"
    assert error["payment_intent"]["status"] == "succeeded"
    assert noted["metadata"] == {"late": "yes"}


async def test_a_charge_copies_the_metadata_once(account: Account) -> None:
    intent = await account.paid(**{"metadata[order]": "7"})
    await account.post(f"/v1/payment_intents/{intent['id']}", **{"metadata[order]": "8"})

    assert (await account.charge_of(intent))["metadata"] == {"order": "7"}


async def test_another_amount_must_be_authenticated_again(account: Account) -> None:
    intent = await account.paid("pm_card_authenticationRequired")
    path = f"/v1/payment_intents/{intent['id']}"

    changed = await account.post(path, amount=1200)

    assert intent["status"] == "requires_action"
    assert changed["status"] == "requires_confirmation"
    assert changed["next_action"] is None


@pytest.mark.parametrize(
    ("method", "status"),
    [(None, "requires_payment_method"), ("pm_card_visa", "requires_confirmation")],
)
async def test_what_is_not_paid_can_be_canceled(
    account: Account, method: str | None, status: str
) -> None:
    data: dict[str, Any] = {} if method is None else {"payment_method": method}
    intent = await account.intent(**data)
    canceled = await account.post(
        f"/v1/payment_intents/{intent['id']}/cancel", cancellation_reason="abandoned"
    )

    assert intent["status"] == status
    assert canceled["status"] == "canceled"
    assert canceled["cancellation_reason"] == "abandoned"
    assert canceled["canceled_at"] == account.state.now()
    assert account.types()[-1] == "payment_intent.canceled"


@pytest.mark.parametrize("action", ["cancel", "confirm", "capture"])
async def test_what_has_succeeded_cannot_be_canceled_confirmed_or_captured(
    account: Account, action: str
) -> None:
    intent = await account.paid()
    error = await account.refused(f"/v1/payment_intents/{intent['id']}/{action}")
    assert error["code"] == "payment_intent_unexpected_state"
    assert error["payment_intent"]["id"] == intent["id"]


@pytest.mark.parametrize("kind", ["sepa_debit", "us_bank_account"])
@pytest.mark.parametrize("outcome", ["succeed", "fail"])
async def test_bank_debits_are_processing_until_the_bank_decides(
    account: Account, kind: str, outcome: str
) -> None:
    details = {
        "sepa_debit": {"payment_method_data[sepa_debit][iban]": "DE89370400440532013000"},
        "us_bank_account": {"payment_method_data[us_bank_account][account_number]": "000123456789"},
    }[kind]
    intent = await account.intent(
        currency="eur" if kind == "sepa_debit" else "usd",
        confirm="true",
        return_url=RETURN_URL,
        **{"payment_method_data[type]": kind, **details},
    )
    pending = await account.charge_of(intent)
    error = await account.refused(f"/v1/payment_intents/{intent['id']}/cancel")
    announced = account.types()
    settled = await account.admin(f"stripe/payment_intents/{intent['id']}/settle", outcome=outcome)
    charge = await account.charge_of(intent)

    assert (intent["status"], intent["amount_received"]) == ("processing", 0)
    assert (pending["status"], pending["paid"]) == ("pending", False)
    assert error["code"] == "payment_intent_unexpected_state"
    assert announced[1:] == ["payment_intent.processing", "charge.pending"]
    if outcome == "succeed":
        assert (settled["status"], settled["amount_received"]) == ("succeeded", 1000)
        assert (charge["status"], charge["paid"]) == ("succeeded", True)
        assert account.types()[3:] == ["charge.succeeded", "payment_intent.succeeded"]
    else:
        assert (settled["status"], settled["amount_received"]) == ("requires_payment_method", 0)
        assert settled["last_payment_error"]["code"] == "payment_method_provider_decline"
        assert (charge["status"], charge["amount_captured"]) == ("failed", 0)
        assert account.types()[3:] == ["charge.failed", "payment_intent.payment_failed"]


@pytest.mark.parametrize("route", ["authenticate", "settle"])
@pytest.mark.parametrize("outcome", ["succeed", "fail"])
async def test_a_redirect_is_finished_on_the_banks_page(
    account: Account, route: str, outcome: str
) -> None:
    intent = await account.intent(
        confirm="true", return_url=RETURN_URL, **{"payment_method_data[type]": "ideal"}
    )
    finished = await account.admin(
        f"stripe/payment_intents/{intent['id']}/{route}", outcome=outcome
    )

    assert intent["status"] == "requires_action"
    assert intent["next_action"]["type"] == "redirect_to_url"
    assert intent["next_action"]["redirect_to_url"]["return_url"] == RETURN_URL
    if outcome == "succeed":
        assert (finished["status"], finished["amount_received"]) == ("succeeded", 1000)
    else:
        assert finished["status"] == "requires_payment_method"
        error = finished["last_payment_error"]
        assert error["code"] == "payment_intent_authentication_failure"


async def test_only_what_waits_can_be_finished(account: Account) -> None:
    intent = await account.paid()
    for route in ("authenticate", "settle"):
        path = f"/_sandbox/stripe/payment_intents/{intent['id']}/{route}"
        response = await account.client.post(path, json={"outcome": "succeed"})
        assert response.status_code == 400


@pytest.mark.parametrize(
    ("data", "kinds"),
    [
        ({"capture_method": "manual"}, ["card"]),
        ({"currency": "sek"}, ["card"]),
        ({"allowed_payment_method_types[]": "ideal"}, ["ideal"]),
        ({"excluded_payment_method_types[]": "ideal"}, ["card", "sepa_debit", "multibanco"]),
    ],
)
async def test_offered_methods_follow_currency_capture_and_choice(
    account: Account, data: dict[str, str], kinds: list[str]
) -> None:
    assert (await account.intent(**data))["payment_method_types"] == kinds


async def test_a_method_that_is_not_offered_is_refused_and_creates_no_intent(
    account: Account,
) -> None:
    error = await account.refused(
        "/v1/payment_intents",
        {"amount": 1000, "currency": "usd", "payment_method_data[type]": "ideal"},
    )
    assert error["code"] == "payment_intent_incompatible_payment_method"
    assert account.types() == []


async def test_a_tax_calculation_is_kept_with_the_intent(account: Account) -> None:
    intent = await account.intent(**{"hooks[inputs][tax][calculation]": "taxcalc_1"})
    assert intent["hooks"] == {"inputs": {"tax": {"calculation": "taxcalc_1"}}}


async def test_shipping_is_shown_with_all_fields(account: Account) -> None:
    intent = await account.intent(
        **{"shipping[name]": "Ada", "shipping[address][country]": "DE", "shipping[phone]": ""}
    )
    assert intent["shipping"]["name"] == "Ada"
    assert intent["shipping"]["phone"] is None
    assert intent["shipping"]["address"]["country"] == "DE"
    assert intent["shipping"]["address"]["city"] is None


async def test_a_confirmation_token_confirms_one_intent_once(account: Account) -> None:
    browser = {"authorization": "Bearer pk_test_sandbox"}
    card = {
        "payment_method_data[type]": "card",
        "payment_method_data[card][number]": "4242424242424242",
        "payment_method_data[card][exp_month]": 12,
        "payment_method_data[card][exp_year]": 2034,
        "return_url": RETURN_URL,
    }
    made = await account.call("POST", "/v1/confirmation_tokens", card, headers=browser)
    token = made.json()
    first, second = await account.intent(), await account.intent()

    paid = await account.post(
        f"/v1/payment_intents/{first['id']}/confirm", confirmation_token=token["id"]
    )
    error = await account.refused(
        f"/v1/payment_intents/{second['id']}/confirm", {"confirmation_token": token["id"]}
    )
    used = await account.get(f"/v1/confirmation_tokens/{token['id']}")

    assert token["payment_method_preview"]["card"]["last4"] == "4242"
    assert paid["status"] == "succeeded"
    assert error["param"] == "confirmation_token"
    assert used["payment_intent"] == first["id"]


@pytest.mark.parametrize(
    ("route", "data"),
    [
        ("/confirm", {"payment_method": "pm_card_visa", "setup_future_usage": "off_session"}),
        ("/confirm", {"receipt_email": "ada@example.com"}),
        ("/confirm", {"confirmation_token": "ctoken_none", "return_url": RETURN_URL}),
        ("", {"description": "new", "currency": "usd", "payment_method_data[type]": "ideal"}),
    ],
)
async def test_what_is_refused_half_way_leaves_the_intent_as_it_was(
    account: Account, route: str, data: dict[str, str]
) -> None:
    intent = await account.intent()
    path = f"/v1/payment_intents/{intent['id']}"
    await account.refused(f"{path}{route}", data)
    assert await account.get(path) == intent


async def test_a_chosen_method_and_its_later_use_can_be_taken_back(account: Account) -> None:
    customer = await account.customer(payment_method="pm_card_visa")
    method = (await account.get("/v1/payment_methods"))["data"][0]
    intent = await account.intent(
        customer=customer["id"], payment_method=method["id"], setup_future_usage="on_session"
    )
    assert intent["status"] == "requires_confirmation"

    path = f"/v1/payment_intents/{intent['id']}"
    left = await account.post(path, payment_method="", setup_future_usage="")
    assert left["status"] == "requires_payment_method"
    assert left["payment_method"] is left["setup_future_usage"] is None
