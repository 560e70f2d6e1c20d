"""Checkout sessions through the API: their sums, their life and the events of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.stripe_account import START, Account, Json
from tests.sandbox.stripe_checkout import (
    DAY,
    HALF_AN_HOUR,
    SESSIONS,
    current,
    expired,
    hosted,
    line,
    opened,
    shipping,
)


@pytest.fixture
def account() -> Account:
    return Account()


async def paid(account: Account, session: Json, method: str = "pm_card_visa") -> Json:
    return await account.admin(
        f"stripe/checkout/sessions/{session['id']}/pay", payment_method=method
    )


async def debited(account: Account, session: Json) -> Json:
    data = {"type": "sepa_debit", "sepa_debit[iban]": "DE89370400440532013000"}
    method = await account.post("/v1/payment_methods", **data)
    return await paid(account, session, method["id"])


async def test_a_new_session_is_open_unpaid_and_has_no_intent(account: Account) -> None:
    session = await opened(account, client_reference_id="order-1", **{"metadata[order]": "1"})

    assert session["id"].startswith("cs_test_")
    assert (session["status"], session["payment_status"]) == ("open", "unpaid")
    assert session["payment_intent"] is None
    assert session["url"] == f"{account.state.public_url}/c/pay/{session['id']}"
    assert session["client_secret"] is None
    assert session["expires_at"] == START + DAY
    assert (session["client_reference_id"], session["metadata"]) == ("order-1", {"order": "1"})
    assert account.types() == []


async def test_sums_are_lines_less_discount_plus_shipping(account: Account) -> None:
    await account.post("/v1/coupons", id="c", amount_off=1001, currency="eur")
    lines = [line(333, 3), line(1000, 1, 1), line(0, 2, 2)]
    session = await opened(account, *lines, shipping(490), **{"discounts[0][coupon]": "c"})
    items = (await account.get(f"{SESSIONS}/{session['id']}/line_items"))["data"]

    assert (session["amount_subtotal"], session["amount_total"]) == (1999, 1488)
    assert session["total_details"] == {
        "amount_discount": 1001,
        "amount_shipping": 490,
        "amount_tax": 0,
    }
    assert [each["amount_subtotal"] for each in items] == [999, 1000, 0]
    assert sum(each["amount_discount"] for each in items) == 1001
    assert sum(each["amount_total"] for each in items) == 998


async def test_a_percentage_is_rounded_once_over_all_lines(account: Account) -> None:
    await account.post("/v1/coupons", id="c", percent_off="12.5")
    session = await opened(account, line(333), line(333, 1, 1), **{"discounts[0][coupon]": "c"})

    assert session["total_details"]["amount_discount"] == 83
    assert session["amount_total"] == 583


async def test_a_coupon_can_be_used_up(account: Account) -> None:
    await account.post("/v1/coupons", id="c", percent_off="50", max_redemptions=1)
    session = await opened(account, **{"discounts[0][coupon]": "c"})
    await paid(account, session)
    error = await account.refused(SESSIONS, hosted(**{"discounts[0][coupon]": "c"}))

    assert error["code"] == "coupon_expired"
    assert (await account.get("/v1/coupons/c"))["valid"] is False


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"success_url": ""}, "success_url"),
        ({"success_url": "/success"}, "success_url"),
        ({"return_url": "https://shop.example"}, "return_url"),
        ({"ui_mode": "hosted"}, "ui_mode"),
        ({"ui_mode": "embedded_page"}, "return_url"),
        ({"mode": "subscription"}, "mode"),
        ({"payment_method_types[]": "card"}, "payment_method_types"),
        ({"line_items[0][name]": "Mug"}, "line_items[0][name]"),
        ({"line_items[0][quantity]": "0"}, "line_items[0][quantity]"),
        ({"line_items[0][price_data][unit_amount]": "-1"}, None),
        ({"line_items[0][price_data][currency]": "xxx"}, "currency"),
        ({"currency": "usd"}, "currency"),
        ({"expires_at": START + HALF_AN_HOUR - 1}, "expires_at"),
        ({"expires_at": START + DAY + 1}, "expires_at"),
        ({"discounts[0][coupon]": "none"}, "discounts[0][coupon]"),
        ({"customer": "cus_none"}, "customer"),
        ({"automatic_tax[enabled]": "true"}, "automatic_tax[enabled]"),
        (line(500, 1, 1, "usd"), "line_items"),
        (shipping(490, 0, "usd"), "shipping_options[0]"),
        ({"line_items[0][price_data][unit_amount]": "49"}, "amount"),
    ],
)
async def test_what_stripe_does_not_take_is_refused(
    account: Account, changes: Json, param: str | None
) -> None:
    error = await account.refused(SESSIONS, {**hosted(), **changes})

    assert error["type"] == "invalid_request_error"
    if param is not None:
        assert error["param"] == param
    assert (await account.get(SESSIONS))["data"] == []


async def test_payment_method_types_are_no_longer_taken(account: Account) -> None:
    error = await account.refused(SESSIONS, hosted(**{"payment_method_types[]": "card"}))
    filtered = await opened(account, **{"allowed_payment_method_types[]": "card"})

    assert error["code"] == "payment_method_types_no_longer_supported"
    assert filtered["payment_method_types"] == ["card"]


async def test_a_session_takes_a_hundred_lines_and_five_rates(account: Account) -> None:
    lines = [line(100, 1, index) for index in range(101)]
    rates = [shipping(100, index) for index in range(6)]
    most = await opened(account, *lines[:100], *rates[:5])
    too_many_lines = await account.refused(SESSIONS, hosted(*lines))
    too_many_rates = await account.refused(SESSIONS, hosted(line(100), *rates))
    first = await account.get(f"{SESSIONS}/{most['id']}/line_items", limit=1)
    shown = await current(account, most, "line_items")

    assert most["amount_total"] == 10_100
    assert too_many_lines["param"] == "line_items"
    assert too_many_rates["param"] == "shipping_options"
    assert first["data"][0]["description"] == "Mug 0"
    assert len(shown["line_items"]["data"]) == 10
    assert shown["line_items"]["has_more"]


async def test_the_same_key_gives_the_same_session(account: Account) -> None:
    first = await account.call("POST", SESSIONS, hosted(), key="k")
    second = await account.call("POST", SESSIONS, hosted(), key="k")

    assert first.json() == second.json()
    assert len((await account.get(SESSIONS))["data"]) == 1


async def test_paying_makes_the_intent_with_its_own_metadata(account: Account) -> None:
    data = {
        "payment_intent_data[metadata][order]": "1",
        "payment_intent_data[description]": "Order 1",
        "metadata[session]": "only",
    }
    session = await opened(account, **data)
    done = await paid(account, session)
    expanded = await current(account, session, "payment_intent.latest_charge")
    intent = expanded["payment_intent"]

    assert (done["status"], done["payment_status"], done["url"]) == ("complete", "paid", None)
    assert (intent["amount"], intent["status"]) == (1000, "succeeded")
    assert intent["metadata"] == {"order": "1"}
    assert intent["latest_charge"]["metadata"] == {"order": "1"}
    assert intent["latest_charge"]["description"] == "Order 1"


async def test_the_session_is_completed_after_its_charge(account: Account) -> None:
    session = await opened(account)
    await paid(account, session)
    snapshot = account.last("checkout.session.completed")["data"]["object"]

    assert account.types() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
        "checkout.session.completed",
    ]
    assert (snapshot["id"], snapshot["payment_status"]) == (session["id"], "paid")
    assert "line_items" not in snapshot


async def test_an_authorization_completes_unpaid_and_its_capture_pays(account: Account) -> None:
    session = await opened(account, **{"payment_intent_data[capture_method]": "manual"})
    authorized = await paid(account, session)
    await account.post(f"/v1/payment_intents/{authorized['payment_intent']}/capture")
    captured = await current(account, session)

    assert (authorized["status"], authorized["payment_status"]) == ("complete", "unpaid")
    assert captured["payment_status"] == "paid"
    assert account.types().count("checkout.session.completed") == 1
    assert "checkout.session.async_payment_succeeded" not in account.types()


@pytest.mark.parametrize(
    ("outcome", "status", "event"),
    [
        ("succeed", "paid", "checkout.session.async_payment_succeeded"),
        ("fail", "unpaid", "checkout.session.async_payment_failed"),
    ],
)
async def test_a_debit_completes_unpaid_and_is_settled_later(
    account: Account, outcome: str, status: str, event: str
) -> None:
    session = await debited(account, await opened(account))
    completed = account.last("checkout.session.completed")["data"]["object"]
    settle = f"stripe/payment_intents/{session['payment_intent']}/settle"
    await account.admin(settle, outcome=outcome)
    settled = await current(account, session)

    assert completed["payment_status"] == "unpaid"
    assert (settled["status"], settled["payment_status"]) == ("complete", status)
    assert account.types()[-1] == event
    assert account.last(event)["data"]["object"]["payment_status"] == status


async def test_a_decline_leaves_the_session_open_and_its_intent_for_another_card(
    account: Account,
) -> None:
    session = await opened(account)
    path = f"/_sandbox/stripe/checkout/sessions/{session['id']}/pay"
    declined = await account.client.post(
        path, json={"payment_method": "pm_card_visa_chargeDeclined"}
    )
    tried = await current(account, session)
    done = await paid(account, session)

    assert declined.status_code == 402
    assert (tried["status"], tried["payment_status"]) == ("open", "unpaid")
    assert tried["payment_intent"] == done["payment_intent"]
    assert done["payment_status"] == "paid"


async def test_a_challenged_card_completes_the_session_when_it_is_passed(
    account: Account,
) -> None:
    session = await paid(account, await opened(account), "pm_card_authenticationRequired")
    waiting = await current(account, session)
    path = f"stripe/payment_intents/{session['payment_intent']}/authenticate"
    await account.admin(path, outcome="succeed")

    assert waiting["status"] == "open"
    assert (await current(account, session))["payment_status"] == "paid"


async def test_a_session_without_a_sum_needs_no_payment(account: Account) -> None:
    await account.post("/v1/coupons", id="all", percent_off="100")
    session = await opened(account, **{"discounts[0][coupon]": "all"})
    done = await paid(account, session)

    assert session["payment_status"] == "no_payment_required"
    assert (done["status"], done["payment_status"]) == ("complete", "no_payment_required")
    assert done["payment_intent"] is None


async def test_a_session_expires_when_its_time_comes(account: Account) -> None:
    session = await opened(account, expires_at=START + HALF_AN_HOUR)
    await account.admin("clock", advance=HALF_AN_HOUR - 1)
    before = await current(account, session)
    await account.admin("clock", advance=1)
    after = await current(account, session)

    assert (before["status"], after["status"], after["url"]) == ("open", "expired", None)
    assert account.types() == ["checkout.session.expired"]


async def test_only_an_open_session_can_be_expired(account: Account) -> None:
    done = await paid(account, await opened(account))
    gone = await expired(account, await opened(account))

    assert gone["status"] == "expired"
    for session in (done, gone):
        error = await account.refused(f"{SESSIONS}/{session['id']}/expire")
        assert session["status"] in error["message"]
    assert account.types().count("checkout.session.expired") == 1


async def test_what_was_paid_does_not_expire(account: Account) -> None:
    done = await paid(account, await opened(account))
    await account.admin("clock", advance=2 * DAY)

    assert (await current(account, done))["status"] == "complete"
    assert "checkout.session.expired" not in account.types()


async def test_expiry_gives_up_the_intent_that_was_begun(account: Account) -> None:
    session = await paid(account, await opened(account), "pm_card_authenticationRequired")
    intent = f"/v1/payment_intents/{session['payment_intent']}"
    refused = await account.refused(f"{intent}/cancel")
    await expired(account, session)

    assert session["id"] in refused["message"]
    assert (await account.get(intent))["status"] == "canceled"
    assert account.types()[-2:] == ["payment_intent.canceled", "checkout.session.expired"]


async def test_an_expired_session_cannot_be_paid(account: Account) -> None:
    session = await expired(account, await opened(account))
    path = f"/_sandbox/stripe/checkout/sessions/{session['id']}/pay"

    assert (await account.client.post(path, json={})).status_code == 400
    assert account.types() == ["checkout.session.expired"]


async def test_sessions_are_found_by_intent_status_customer_and_time(account: Account) -> None:
    customer = await account.customer(email="ada@example.com")
    first = await opened(account, customer=customer["id"])
    account.clock.advance(10)
    second = await paid(account, await opened(account))

    async def found(**query: Any) -> list[str]:
        return [each["id"] for each in (await account.get(SESSIONS, **query))["data"]]

    assert await found() == [second["id"], first["id"]]
    assert await found(status="complete") == [second["id"]]
    assert await found(payment_intent=second["payment_intent"]) == [second["id"]]
    assert await found(customer=customer["id"]) == [first["id"]]
    assert await found(**{"created[lt]": START + 10}) == [first["id"]]


async def test_saving_the_card_makes_a_customer(account: Account) -> None:
    guest = await paid(account, await opened(account))
    keeper = await paid(
        account, await opened(account, **{"payment_intent_data[setup_future_usage]": "off_session"})
    )
    saved = await account.get("/v1/payment_methods", customer=keeper["customer"])

    assert guest["customer"] is None
    assert (await account.get(f"/v1/customers/{keeper['customer']}"))["email"] == (
        "shopper@example.com"
    )
    assert len(saved["data"]) == 1


@pytest.mark.parametrize("ui_mode", ["embedded_page", "elements"])
async def test_a_session_in_the_shops_own_page_has_a_secret_and_can_change(
    account: Account, ui_mode: str
) -> None:
    own_page = {"mode": "payment", "ui_mode": ui_mode, "return_url": "https://shop.example/r"}
    session = await account.post(SESSIONS, **own_page, **line(1000))
    (item,) = (await account.get(f"{SESSIONS}/{session['id']}/line_items"))["data"]
    change = {"line_items[0][id]": item["id"], "line_items[0][quantity]": 3}
    changed = await account.post(f"{SESSIONS}/{session['id']}", **change, **shipping(490))
    done = await paid(account, session)

    assert session["url"] is None
    assert session["client_secret"].startswith(f"{session['id']}_secret_")
    assert changed["amount_total"] == 3490
    assert (await account.get(f"/v1/payment_intents/{done['payment_intent']}"))["amount"] == 3490


async def test_of_a_hosted_session_only_the_metadata_change(account: Account) -> None:
    session = await opened(account)
    path = f"{SESSIONS}/{session['id']}"
    changed = await account.post(path, **{"metadata[order]": "2"})
    await account.refused(path, shipping(490))

    assert changed["metadata"] == {"order": "2"}
    assert (await current(account, session))["amount_total"] == 1000


async def test_a_refused_change_leaves_the_session_as_it_was(account: Account) -> None:
    own_page = {"mode": "payment", "ui_mode": "elements", "return_url": "https://shop.example/r"}
    session = await account.post(SESSIONS, **own_page, **line(1000))
    await account.refused(f"{SESSIONS}/{session['id']}", {**line(10), **shipping(1)})

    assert await current(account, session) == session
