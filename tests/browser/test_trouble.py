"""What can go wrong on Stripe's page: each message says whether money moved and what to do now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from sandbox.stripe.form_texts import FORM_TEXTS
from tests.browser.accessibility import assert_accessible
from tests.browser.payer import Payer
from tests.browser.shopper import DECLINED, GOOD, IN_GERMANY, SECURE, Shop, Shopper

MUG = 1_980
AGAIN = (
    "No answer has arrived, so you may have paid. Press the button again: you will not pay twice."
)


@contextmanager
def fault(shop: Shop, **rule: Any) -> Iterator[None]:
    """A rule of the fault desk, in force until it is taken away."""
    made = shop.sandbox("POST", "/_sandbox/faults", {"times": None, **rule})
    yield
    shop.sandbox("DELETE", f"/_sandbox/faults/{made['id']}")


def paid_once(shopper: Shopper, order_id: str) -> None:
    shopper.sees_paid()
    shopper.shop.order_when_paid(order_id)
    assert shopper.shop.charged(order_id) == [("Charge", MUG, "Success")]


def test_offline_before_the_payment_nothing_is_sent(shopper: Shopper) -> None:
    order_id = shopper.checks_out()
    shopper.page.context.set_offline(True)
    shopper.pays_with(GOOD)
    expect(shopper.page.get_by_role("alert")).to_have_text(
        "You are offline. Nothing was charged. Pay again once you are connected."
    )
    shopper.page.context.set_offline(False)
    assert [each["payment_intent"] for each in shopper.shop.sessions(order_id)] == [None]
    shopper.click("Pay €19.80")
    paid_once(shopper, order_id)


@pytest.mark.parametrize("paid", [True, False])
def test_a_connection_that_breaks_leaves_nobody_in_doubt(shopper: Shopper, paid: bool) -> None:
    order_id = shopper.checks_out()

    def breaks(route: Route) -> None:
        if paid:
            route.fetch()
        route.abort()

    shopper.page.route("**/c/pay/*", breaks, times=1)
    shopper.pays_with(GOOD)
    expect(shopper.page.get_by_role("alert")).to_have_text(AGAIN)
    expect(shopper.page.get_by_role("button", name="Pay €19.80")).to_be_enabled()
    shopper.click("Pay €19.80")
    paid_once(shopper, order_id)


@pytest.mark.parametrize("kind", ["fail_before", "fail_after", "drop_after"])
def test_while_stripe_is_down_the_form_stays_and_the_next_try_pays_once(
    shopper: Shopper, kind: str
) -> None:
    order_id = shopper.checks_out()
    path = "/c/pay/*"
    with fault(shopper.shop, backend="stripe", kind=kind, method="POST", path=path, status=503):
        shopper.pays_with(GOOD)
        expect(shopper.page.get_by_role("alert")).to_have_text(AGAIN)
        assert_accessible(shopper.page)
    expect(shopper.page.get_by_label("Card number")).to_have_value(GOOD)
    shopper.click("Pay €19.80")
    paid_once(shopper, order_id)


def test_a_page_that_stripe_cannot_serve_says_what_to_do(shopper: Shopper) -> None:
    order_id = shopper.checks_out()
    with fault(shopper.shop, backend="stripe", kind="fail_before", path="/c/pay/*", status=503):
        shopper.page.reload()
        shopper.sees("The payment page cannot be reached")
        expect(shopper.page.get_by_text("you will not pay twice")).to_be_visible()
    shopper.click("Load again", role="link")
    shopper.is_at_payment()
    shopper.pays_with(GOOD)
    paid_once(shopper, order_id)


def test_a_slow_bank_is_asked_once_and_the_button_says_so(shopper: Shopper) -> None:
    shopper.page.clock.install()
    order_id = shopper.checks_out()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    shopper.page.route("**/c/pay/*", hold)
    with shopper.page.expect_request("**/c/pay/*"):
        shopper.pays_with(GOOD)
    button = shopper.page.locator("button[type=submit]")
    expect(button).to_have_text("Checking with your bank")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_be_focused()
    expect(shopper.page.get_by_role("status")).to_be_hidden()
    shopper.page.clock.fast_forward(10_000)
    expect(shopper.page.get_by_role("status")).to_have_text(
        "This takes longer than usual. Please leave this page open: you will not pay twice."
    )
    button.click(force=True)
    assert len(held) == 1
    held[0].continue_()
    paid_once(shopper, order_id)


def test_a_page_that_expires_while_it_is_filled_in_takes_no_money(shopper: Shopper) -> None:
    order_id = shopper.checks_out()
    (session,) = shopper.shop.sessions(order_id)
    shopper.shop.stripe("POST", f"/v1/checkout/sessions/{session['id']}/expire")
    shopper.pays_with(GOOD)
    shopper.sees("This payment page has expired")
    expect(shopper.page.get_by_text("You were not charged.")).to_be_visible()
    assert shopper.shop.charged(order_id) == []


def test_who_leaves_the_challenge_comes_back_to_it(shopper: Shopper) -> None:
    order_id = shopper.checks_out()
    address = shopper.page.url
    shopper.pays_with(SECURE)
    shopper.sees("Confirm your payment of €19.80")
    shopper.page.goto("/basket")
    assert shopper.shop.charged(order_id) == []
    shopper.page.goto(address)
    shopper.sees("Confirm your payment of €19.80")
    shopper.click("Reject payment")
    expect(shopper.page.get_by_role("alert")).to_have_text(
        "You did not confirm the payment, or your bank rejected it."
        " Nothing was charged. Try another card or another way to pay."
    )
    assert shopper.shop.charged(order_id) == []
    shopper.pays_with(GOOD)
    paid_once(shopper, order_id)


@pytest.mark.parametrize("language", ["de", "fr", "es", "it", "nl"])
def test_the_page_and_its_trouble_speak_the_shoppers_language(
    shop: Shop, browser: Browser, language: str
) -> None:
    texts = FORM_TEXTS[language]
    context = browser.new_context(base_url=shop.address, locale=language)
    shopper = Payer(shop, context.new_page())
    page = shopper.page
    shopper.puts_into_basket("stoneware-mug-1")
    shopper.enters(IN_GERMANY)
    cart_id = shopper.cart_id
    cart = shop.commercetools("GET", f"carts/{cart_id}")
    action = {"action": "setLocale", "locale": language}
    shop.commercetools(
        "POST", f"carts/{cart_id}", {"version": cart["version"], "actions": [action]}
    )
    page.locator('form[action="/checkout/pay"] button').click()
    for name, value in (("number", DECLINED), ("expiry", "12 / 34"), ("cvc", "123")):
        page.get_by_label(texts[name], exact=True).fill(value)
    page.get_by_label(texts["name"]).fill("Ada Byron")
    button = page.locator("button[type=submit]")
    alert = page.get_by_role("alert")
    button.click()
    expect(alert).to_have_text(texts["refused"].format(reason=texts["card_declined"]))
    context.set_offline(True)
    page.get_by_label(texts["number"]).fill(GOOD)
    page.get_by_label(texts["expiry"]).fill("12 / 34")
    page.get_by_label(texts["cvc"]).fill("123")
    button.click()
    expect(page.locator("[data-trouble]")).to_have_text(texts["offline"])
    context.set_offline(False)
    with fault(shop, backend="stripe", kind="fail_before", method="POST", path="/c/pay/*"):
        button.click()
        expect(page.locator("[data-trouble]")).to_have_text(texts["unknown"])
    for width in (1_280, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    assert_accessible(page)
    context.close()
