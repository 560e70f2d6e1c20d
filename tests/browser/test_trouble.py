"""What goes wrong while paying: whether money moved and what to do now, in each language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from sandbox.shop.languages import Texts
from sandbox.shop.markets import MARKETS
from sandbox.shop.payment import SAID
from sandbox.stripe.form_texts import FORM_TEXTS
from tests.browser.accessibility import assert_accessible
from tests.browser.payer import Payer, assert_nothing_paid, assert_paid_once
from tests.browser.shopper import DECLINED, GOOD, IN_GERMANY, SECURE, Shop, Shopper

MUG = 1_980
NOTHING = {
    "de": "Es wurde nichts abgebucht.",
    "fr": "a été débité.",
    "es": "No se ha cobrado nada.",
    "it": "Non è stato addebitato nulla.",
    "nl": "Er is niets afgeschreven.",
}
"""How the enabler says in each language that nothing was charged."""
AGAIN = (
    "No answer has arrived, so you may have paid. Press the button again: you will not pay twice."
)


COUNTS = (
    "If you have just paid, the payment counts: try again to see your order, and do not pay anew."
)
NO_CHARGE = "Nothing was charged by this step. Please try again in a moment."


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
    page = context.new_page()
    page.goto("/products/stoneware-mug-1")
    page.locator(".add button").click()
    expect(page).to_have_url(re.compile("/basket"))
    page.goto("/checkout")
    for field, value in IN_GERMANY.items():
        page.locator(f"#{field}").fill(value)
    page.locator("form.address .primary").click()
    expect(page).to_have_url(re.compile("/checkout/review"))
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
    page.locator(".cards summary").click()
    assert_accessible(page)
    context.close()


# The shop's own pages


@pytest.mark.parametrize("language", ["de", "fr", "es", "it", "nl"])
def test_the_shop_speaks_the_language_that_is_chosen_to_the_end(
    payer: Payer, language: str
) -> None:
    page, say = payer.page, Texts(language)
    market = MARKETS["eu"].spoken(language)
    payer.puts_into_basket("stoneware-mug-1")
    payer.enters(IN_GERMANY)
    page.locator(".menu summary").click()
    page.locator(f'.menu button[value="{language}"]').click()
    expect(page.locator("html")).to_have_attribute("lang", market.style.locale)
    payer.sees(say("Everything right?"))
    page.get_by_role("link", name=say("Pay here")).click()
    expect(payer.button).to_have_text(say("Pay {}", market.money(MUG)))
    expect(payer.button).to_be_enabled()
    expect(payer.form.locator("html")).to_have_attribute("lang", language)
    assert "€19.80" not in page.locator("body").inner_text()
    payer.form.locator("#number").fill(DECLINED)
    payer.form.locator("#expiry").fill("12 / 34")
    payer.form.locator("#cvc").fill("123")
    payer.button.click()
    expect(payer.message).to_contain_text(NOTHING[language])
    page.route("**/checkout/placed", lambda route: route.abort())
    payer.form.locator("#number").fill(GOOD)
    payer.button.click()
    expect(page.locator("#trouble")).to_contain_text(
        f"{say('You have paid.')} {say(SAID['unplaced'])}"
    )
    expect(payer.button).to_have_text(say("Paid"))
    page.unroute("**/checkout/placed")
    page.locator("#trouble button").click()
    payer.is_done(say("Thank you. Your order is paid."))
    assert market.money(MUG) in page.locator("#content").inner_text()
    for width in (1_280, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_offline_before_the_payment_the_ways_to_pay_say_so(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    payer.page.context.set_offline(True)
    payer.pays_here_with(GOOD)
    expect(payer.message).to_have_text("No connection. Nothing was charged. Please try again.")
    expect(payer.button).to_have_text("Pay €19.80")
    assert_nothing_paid(payer.shop, cart_id)
    payer.page.context.set_offline(False)
    payer.button.click()
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_who_closes_the_challenge_in_the_shop_has_paid_nothing(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    payer.pays_here_with(SECURE)
    bank = payer.page.get_by_role("dialog").frame_locator("iframe")
    expect(bank.get_by_role("button", name="Confirm payment")).to_be_visible()
    payer.page.keyboard.press("Escape")
    expect(payer.message).to_contain_text("Nothing was charged.")
    expect(payer.button).to_have_text("Pay €19.80")
    assert_nothing_paid(payer.shop, cart_id)
    payer.pays_here_with(GOOD)
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_a_slow_shop_says_that_it_takes_long(payer: Payer) -> None:
    payer.page.clock.install()
    cart_id = payer.reaches_the_element()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    payer.page.route(f"{payer.shop.processor_address}/payments", hold)
    with payer.page.expect_request("**/payments"):
        payer.pays_here_with(GOOD)
    expect(payer.button).to_have_text("Checking with your bank")
    payer.page.clock.fast_forward(10_000)
    expect(payer.page.locator("#progress")).to_have_text(
        "This takes longer than usual. Please leave this page open: you will not pay twice."
    )
    held[0].continue_()
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


@pytest.mark.parametrize("acted", [True, False])
def test_while_stripe_is_down_nothing_is_paid_twice(payer: Payer, acted: bool) -> None:
    cart_id = payer.reaches_the_element()
    path = "/v1/payment_intents/*/confirm"
    kind = "fail_after" if acted else "fail_before"
    with fault(payer.shop, backend="stripe", kind=kind, path=path, status=503):
        payer.pays_here_with(GOOD)
        if acted:
            payer.is_done()
        else:
            expect(payer.message).to_have_text(
                "You may have paid. Please try again: you will not pay twice."
            )
    if not acted:
        payer.button.click()
        payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "nl"])
def test_while_the_processor_is_down_the_shop_says_that_a_payment_counts(
    shop: Shop, browser: Browser, language: str
) -> None:
    context = browser.new_context(base_url=shop.address, locale=language)
    page, say = context.new_page(), Texts(language)
    with fault(shop, backend="commercetools", kind="fail_before", status=503):
        page.goto("/order/success?orderId=00000000-0000-0000-0000-000000000000")
        expect(page.get_by_role("heading", level=1)).to_have_text(say("Back in a moment"))
        expect(page.get_by_role("status")).to_contain_text(say(COUNTS))
        page.goto("/products/stoneware-mug-1")
        expect(page.get_by_role("status")).to_contain_text(say(NO_CHARGE))
        assert_accessible(page)
    context.close()
