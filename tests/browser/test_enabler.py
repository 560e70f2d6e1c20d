"""Paying in the shop's own page: every flow of the enabler, against the stand-ins' own books."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Route, expect

from sandbox.shop.elements import BUNDLE, ENABLER
from sandbox.shown_cards import SHOWN_CARDS
from tests.browser.accessibility import assert_accessible
from tests.browser.payer import (
    Payer,
    assert_nothing_paid,
    assert_paid_once,
    intents,
    orders,
    transactions,
)
from tests.browser.shopper import DECLINED, GOOD, IN_GERMANY, SECURE, Shop, Shopper

MUG = 1_980
_MOST_TABS = 60


@pytest.fixture
def customer(payer: Payer) -> Iterator[Payer]:
    """The shop's customer, without stored cards before and after."""
    payer.signs_in()
    yield payer
    account = payer.shop.commercetools("GET", "customers/key=ada")["id"]
    payer.page.goto("/")
    for method in payer.shop.commercetools("GET", "payment-methods?limit=500")["results"]:
        if method["customer"]["id"] == account and method["paymentMethodStatus"] == "Active":
            payer.shop.stripe("POST", f"/v1/payment_methods/{method['token']['value']}/detach")


# Cards


def test_a_card_is_paid_with_and_the_order_placed(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    payer.pays_here_with(GOOD)
    order_id = payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)
    assert payer.shop.order(order_id)["paymentState"] == "Paid"
    payer.page.goto("/basket")
    expect(payer.page.get_by_text("Your basket is empty")).to_be_visible()


def test_a_decline_is_explained_and_another_card_pays_the_same_payment(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    payer.pays_here_with(DECLINED)
    expect(payer.message).to_contain_text("declined")
    expect(payer.message).to_contain_text("Nothing was charged. Please try another way.")
    expect(payer.message).to_be_focused()
    (refused,) = intents(payer.shop, cart_id)
    assert_nothing_paid(payer.shop, cart_id)
    payer.pays_here_with(GOOD)
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)
    (paid,) = intents(payer.shop, cart_id)
    assert paid["id"] == refused["id"]


def test_what_is_missing_is_shown_where_it_is_missing_and_nothing_is_started(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    payer.button.click()
    expect(payer.form.get_by_text("Your card number is incomplete.")).to_be_visible()
    assert intents(payer.shop, cart_id) == []


@pytest.mark.parametrize("accepted", [True, False])
def test_a_challenge_is_accepted_or_rejected(payer: Payer, accepted: bool) -> None:
    cart_id = payer.reaches_the_element()
    payer.pays_here_with(SECURE)
    bank = payer.page.get_by_role("dialog").frame_locator("iframe")
    bank.get_by_role("button", name="Confirm payment" if accepted else "Reject payment").click()
    if not accepted:
        expect(payer.message).not_to_be_empty()
        assert_nothing_paid(payer.shop, cart_id)
        payer.pays_here_with(GOOD)
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_what_is_only_reserved_is_told_as_such(payer: Payer) -> None:
    payer.page.goto("/")
    payer.page.locator("summary", has_text="currency").click()
    payer.click("United Kingdom")
    payer.puts_into_basket("stoneware-mug-1")
    payer.enters({**IN_GERMANY, "postalCode": "N1 9GU", "city": "London"})
    payer.click("Pay here", role="link")
    payer.sees_the_element()
    cart_id = payer.cart_id
    payer.fills_in(GOOD)
    payer.form.get_by_label("Postcode").fill("N1 9GU")
    payer.button.click()
    payer.is_done("Thank you. Your order is placed.")
    assert transactions(payer.shop, cart_id) == [("Authorization", 1_740, "Success")]
    assert len(intents(payer.shop, cart_id)) == 1


def test_an_intent_that_comes_first_is_the_one_that_is_paid(payer: Payer) -> None:
    payer.puts_into_basket("stoneware-mug-1")
    payer.page.goto("/checkout")
    payer.page.get_by_label("Country", exact=True).select_option("NL")
    for field, value in {**IN_GERMANY, "postalCode": "1012 AB", "city": "Amsterdam"}.items():
        payer.page.locator(f"#{field}").fill(value)
    payer.click("Continue to review")
    payer.click("Pay here", role="link")
    payer.sees_the_element()
    cart_id = payer.cart_id
    assert len(intents(payer.shop, cart_id)) == 1
    payer.pays_here_with(GOOD)
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


# Methods that take their time, or lead elsewhere


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_debit_is_ordered_while_the_bank_works_on_it(payer: Payer, succeeds: bool) -> None:
    cart_id = payer.reaches_the_element()
    payer.form.get_by_label("SEPA Direct Debit").check()
    payer.form.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    payer.form.get_by_label("Account holder").fill("Ada Byron")
    payer.form.get_by_label("Email").fill("ada@example.com")
    payer.button.click()
    order_id = payer.is_done("Your payment is on its way.")
    assert transactions(payer.shop, cart_id) == [("Authorization", MUG, "Pending")]
    (intent,) = intents(payer.shop, cart_id)
    payer.shop.settles(intent["id"], succeed=succeeds)
    if succeeds:
        payer.sees("Thank you. Your order is paid.")
        assert_paid_once(payer.shop, cart_id, MUG)
    else:
        payer.sees("Your order is not paid yet.")
        assert "paymentState" not in payer.shop.order(order_id)


def test_a_bank_of_its_own_leads_back_to_the_order(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    payer.form.get_by_label("iDEAL").check()
    payer.button.click()
    payer.click("Confirm payment")
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)
    payer.page.go_back()
    payer.page.goto("/checkout/payment")
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_a_refusal_at_the_bank_is_explained_on_return_and_leaves_the_way_open(
    payer: Payer,
) -> None:
    cart_id = payer.reaches_the_element()
    payer.form.get_by_label("iDEAL").check()
    payer.button.click()
    payer.click("Reject payment")
    expect(payer.page).to_have_url(re.compile("/return"))
    payer.sees_the_element()
    expect(payer.message).not_to_be_empty()
    assert "payment_intent" not in payer.page.url
    assert_nothing_paid(payer.shop, cart_id)
    payer.pays_here_with(GOOD)
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


PAID = {"confirm": "true", "payment_method": "pm_card_visa", "return_url": "https://evil.example"}
STRANGERS = {
    "paid": PAID,
    "authorized": {**PAID, "capture_method": "manual"},
    "unfinished": {**PAID, "payment_method": "pm_card_authenticationRequired"},
    "open": {},
}
"""Intents that somebody has made at the same Stripe account, for whatever."""


def test_a_crafted_link_reports_nothing_of_a_strangers_payment(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    for name, fields in STRANGERS.items():
        intent = payer.shop.stripe(
            "POST", "/v1/payment_intents", amount=MUG, currency="eur", **fields
        )
        crafted = urlencode(
            {
                "payment_intent": intent["id"],
                "payment_intent_client_secret": intent["client_secret"],
                "redirect_status": "succeeded",
                "paymentReference": str(uuid4()),
            }
        )
        payer.page.goto(f"/checkout/payment?{crafted}")
        payer.sees_the_element()
        expect(payer.message, name).to_be_empty()
        assert "payment_intent" not in payer.page.url
        payer.page.reload()
        payer.sees_the_element()
        expect(payer.message, name).to_be_empty()
    assert_nothing_paid(payer.shop, cart_id)
    payer.pays_here_with(GOOD)
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


# The wallet


def test_the_wallet_brings_address_and_delivery(payer: Payer) -> None:
    payer.puts_into_basket("stoneware-mug-1")
    cart_id = payer.cart_id
    button = payer.page.frame_locator("#express iframe").get_by_role("button")
    expect(button).to_be_visible()
    payer.page.evaluate(
        """() => {
          // As a shop that knows where it delivers only when it is asked.
          document.getElementById("express").dataset.countries = "DE GB";
          document.dispatchEvent(new Event("shop:swapped"));
        }"""
    )
    button.click()
    sheet = payer.page.get_by_role("dialog", name="Demo Pay").frame_locator("iframe")
    sheet.get_by_label("Ship to").select_option(label=_option(sheet, "London"))
    expect(sheet.get_by_role("alert")).not_to_be_empty()
    sheet.get_by_label("Ship to").select_option(label=_option(sheet, "Berlin"))
    expect(sheet.get_by_role("button", name="19.80")).to_be_enabled()
    sheet.get_by_label(re.compile("Express")).check()
    pay = sheet.get_by_role("button", name="27.80")
    expect(pay).to_be_enabled()
    pay.click()
    order_id = payer.is_done()
    assert_paid_once(payer.shop, cart_id, 2_780)
    order = payer.shop.order(order_id)
    assert order["shippingAddress"]["city"] == "Berlin"
    assert order["shippingInfo"]["shippingMethodName"] == "Express"
    assert order["customerEmail"]


def test_a_closed_wallet_leaves_the_basket_as_it_was_and_may_be_opened_again(
    payer: Payer,
) -> None:
    payer.puts_into_basket("stoneware-mug-1")
    cart_id = payer.cart_id
    button = payer.page.frame_locator("#express iframe").get_by_role("button")
    button.click()
    dialog = payer.page.get_by_role("dialog", name="Demo Pay")
    expect(dialog.frame_locator("iframe").get_by_role("button", name="19.80")).to_be_enabled()
    payer.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert_nothing_paid(payer.shop, cart_id)
    button.click()
    pay = dialog.frame_locator("iframe").get_by_role("button", name="19.80")
    expect(pay).to_be_enabled()
    pay.click()
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, 1_980)


def _option(sheet: Any, city: str) -> str:
    found = sheet.get_by_label("Ship to").locator("option", has_text=city)
    return str(found.first.inner_text())


# Stored cards


MASTERCARD = "5555 5555 5555 4444"
SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) {
      if (!each.hadRecentInput) window.shifts.push(each.sources.map(({ node }) => node?.id));
    }
  }).observe({ type: "layout-shift", buffered: true });
"""


def keeps(customer: Payer, number: str) -> None:
    """Pays an order with a card that is kept for the next."""
    customer.reaches_the_list()
    customer.page.locator("#way-another").evaluate("each => each.click()")
    customer.sees_the_element()
    customer.page.get_by_label("Keep this card").check()
    customer.pays_here_with(number)
    customer.is_done()


def test_a_card_is_kept_paid_with_and_removed(customer: Payer) -> None:
    first = customer.reaches_the_element()
    customer.page.get_by_label("Keep this card").check()
    customer.pays_here_with(GOOD)
    customer.is_done()
    assert_paid_once(customer.shop, first, MUG)

    second = customer.reaches_the_list("brass-pen-1")
    stored = customer.page.get_by_label("Visa •••• 4242 expires 12/2034")
    expect(stored).to_be_checked()
    customer.button.click()
    customer.is_done()
    assert_paid_once(customer.shop, second, 4_489)
    assert intents(customer.shop, second)[0]["customer"] is not None

    customer.reaches_the_list()
    customer.click("Remove Visa •••• 4242")
    expect(stored).to_have_count(0)
    expect(customer.page.get_by_role("status")).to_have_text("The card was removed.")
    expect(customer.page.get_by_role("group", name="Ways to pay")).to_be_focused()
    customer.sees_the_element()
    customer.page.reload()
    customer.sees_the_element()
    expect(customer.page.get_by_role("radio")).to_have_count(0)


def test_stored_cards_and_new_ways_are_one_list_with_one_button(customer: Payer) -> None:
    keeps(customer, GOOD)
    keeps(customer, MASTERCARD)
    cart_id = customer.reaches_the_list()
    page = customer.page
    mastercard, visa, another = (
        page.get_by_role("radio", name=name)
        for name in ("Mastercard •••• 4444", "Visa •••• 4242", "A new card")
    )
    assert page.get_by_role("group", name="Ways to pay").get_by_role("radio").count() == 3
    assert page.get_by_role("button", name="Pay €19.80").count() == 1
    expect(mastercard).to_be_checked()
    mastercard.focus()
    for key, chosen in (("ArrowDown", visa), ("ArrowDown", another), ("ArrowUp", visa)):
        page.keyboard.press(key)
        expect(chosen).to_be_focused()
        expect(chosen).to_be_checked()
        assert page.get_by_role("button", name="Pay €19.80").count() == 1
    expect(page.locator("#element")).to_be_hidden()
    another.check()
    customer.sees_the_element()
    customer.pays_here_with(DECLINED)
    expect(customer.message).to_contain_text("Nothing was charged.")
    visa.check()
    expect(page.get_by_text("Nothing was charged.")).to_be_hidden()
    expect(customer.button).to_be_enabled()
    page.keyboard.press("Tab")
    customer.button.focus()
    page.keyboard.press("Enter")
    customer.is_done()
    assert_paid_once(customer.shop, cart_id, MUG)


def test_a_stored_card_asks_again_where_the_amount_has_changed(customer: Payer) -> None:
    keeps(customer, GOOD)
    cart_id = customer.reaches_the_list()
    other = customer.another_tab()
    other.puts_into_basket("field-notebook-1")
    other.page.close()
    customer.button.click()
    expect(customer.message).to_contain_text("The total is now €31.75. Nothing was charged.")
    expect(customer.button).to_have_text("Pay €31.75")
    assert_nothing_paid(customer.shop, cart_id)
    customer.page.get_by_label("A new card").check()
    customer.sees_the_element()
    customer.pays_here_with(GOOD)
    customer.is_done()
    assert_paid_once(customer.shop, cart_id, 3_175)


@pytest.mark.parametrize("width", [1_280, 390, 320])
def test_nothing_moves_while_the_ways_to_pay_are_loaded(payer: Payer, width: int) -> None:
    page = payer.page
    page.set_viewport_size({"width": width, "height": 800})
    page.add_init_script(SHIFTS)
    payer.reaches_the_element()
    assert page.evaluate("window.shifts") == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_moves_where_stored_cards_are_loaded(customer: Payer) -> None:
    keeps(customer, GOOD)
    customer.page.add_init_script(SHIFTS)
    customer.reaches_the_list()
    assert customer.page.evaluate("window.shifts") == []
    assert customer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_only_a_card_is_asked_to_be_kept(customer: Payer) -> None:
    customer.reaches_the_element()
    keep = customer.page.get_by_label("Keep this card")
    keep.check()
    height = customer.page.evaluate("document.documentElement.scrollHeight")
    at = customer.page.locator("#element").bounding_box()
    customer.form.get_by_label("iDEAL").check()
    expect(keep).to_be_hidden()
    assert customer.page.locator("#element").bounding_box()["y"] == at["y"]  # type: ignore[index]
    customer.form.get_by_label("Card", exact=True).check()
    expect(keep).to_be_checked()
    assert customer.page.evaluate("document.documentElement.scrollHeight") == height


def test_the_element_begins_with_the_country_and_postcode_of_the_cart(payer: Payer) -> None:
    payer.puts_into_basket("stoneware-mug-1")
    payer.page.locator("summary", has_text="currency").click()
    payer.click("United States")
    there = {"streetName": "Broadway", "postalCode": "10013", "city": "New York", "region": "NY"}
    payer.enters({**IN_GERMANY, **there})
    payer.click("Pay here", role="link")
    payer.sees_the_element()
    expect(payer.form.get_by_label("Country")).to_have_value("US")
    expect(payer.form.locator("#postcode")).to_have_value("10013")


def test_the_element_begins_with_the_name_and_email_of_the_cart(payer: Payer) -> None:
    payer.reaches_the_element()
    payer.form.get_by_label("SEPA Direct Debit").check()
    expect(payer.form.get_by_label("Account holder")).to_have_value("Ada Byron")
    expect(payer.form.get_by_label("Email")).to_have_value("ada@example.com")


def test_the_element_is_dark_where_the_page_is(payer: Payer) -> None:
    payer.page.emulate_media(color_scheme="dark")
    payer.reaches_the_element()
    expect(payer.form.locator("html")).to_have_attribute("data-theme", "night")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert payer.page.evaluate(ground) != "rgb(255, 255, 255)"


def test_without_consent_a_card_is_not_kept(customer: Payer) -> None:
    customer.reaches_the_element()
    customer.pays_here_with(GOOD)
    customer.is_done()
    customer.reaches_the_element()
    expect(customer.page.get_by_label("Keep this card")).to_be_visible()
    expect(customer.page.get_by_role("radio")).to_have_count(0)


# Trouble


def test_a_processor_that_is_out_of_reach_is_told_and_tried_again(payer: Payer) -> None:
    def unreachable(route: Route) -> None:
        route.abort()

    pattern = f"{payer.shop.processor_address}/**"
    payer.puts_into_basket("stoneware-mug-1")
    payer.enters(IN_GERMANY)
    payer.page.route(pattern, unreachable)
    payer.click("Pay here", role="link")
    again = payer.page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    payer.page.unroute(pattern)
    again.click()
    payer.sees_the_element()
    cart_id = payer.cart_id
    payer.page.route(f"{pattern}payments", unreachable)
    payer.pays_here_with(GOOD)
    expect(payer.message).to_have_text("No connection. Nothing was charged. Please try again.")
    assert_nothing_paid(payer.shop, cart_id)
    payer.page.unroute(f"{pattern}payments")
    payer.button.click()
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_a_slow_network_shows_that_something_happens(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    payer.page.route(f"{payer.shop.processor_address}/payments", hold)
    with payer.page.expect_request("**/payments"):
        payer.pays_here_with(GOOD)
    group = payer.page.get_by_role("group", name="Ways to pay")
    expect(group).to_have_attribute("aria-busy", "true")
    expect(payer.button).to_have_attribute("aria-disabled", "true")
    expect(payer.button).to_have_text("Checking with your bank")
    payer.button.click(force=True)
    for route in held:
        route.continue_()
    payer.is_done()
    assert len(held) == 1
    assert_paid_once(payer.shop, cart_id, MUG)


def test_offline_during_the_confirmation_is_told_and_the_next_try_pays_once(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    confirming = re.compile(r"/v1/payment_intents/[^/]+/confirm")

    def goes_offline(route: Route) -> None:
        route.fetch()
        payer.page.context.set_offline(True)
        route.abort()

    payer.page.route(confirming, goes_offline, times=1)
    payer.pays_here_with(GOOD)
    expect(payer.message).to_have_text(
        "You may have paid. Please try again: you will not pay twice."
    )
    payer.page.context.set_offline(False)
    payer.button.click()
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_offline_after_the_payment_says_that_it_is_paid_and_places_the_order_later(
    payer: Payer,
) -> None:
    cart_id = payer.reaches_the_element()
    payer.page.route("**/checkout/placed", lambda route: route.abort())
    payer.pays_here_with(GOOD)
    trouble = payer.page.locator("#trouble")
    expect(trouble).to_contain_text("You have paid. The order is not placed yet")
    expect(payer.button).to_have_text("Paid")
    payer.page.unroute("**/checkout/placed")
    trouble.get_by_role("button", name="Try again").click()
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_a_double_click_pays_once(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    payer.fills_in(GOOD)
    payer.button.dblclick()
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_a_reload_while_stripe_works_is_picked_up(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    confirming = re.compile(r"/v1/payment_intents/[^/]+/confirm")

    def acts_in_vain(route: Route) -> None:
        route.fetch()
        with payer.page.expect_navigation(wait_until="commit"):
            payer.page.evaluate("() => setTimeout(() => location.reload())")

    payer.page.route(confirming, acts_in_vain, times=1)
    payer.fills_in(GOOD)
    payer.button.click()
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_the_lost_answer_of_a_start_starts_nothing_twice(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    with payer.losing_answers("/payments", 2):
        payer.pays_here_with(GOOD)
        payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_the_lost_answer_of_a_confirmation_changes_nothing(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    with payer.losing_answers("/confirmPayments/*", 2):
        payer.pays_here_with(GOOD)
        payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_a_confirmation_that_never_gets_through_is_made_good_by_the_next_try(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    with payer.losing_answers("/confirmPayments/*", 3):
        payer.pays_here_with(GOOD)
        expect(payer.message).to_have_text(
            "You have paid. Please try again: you will not pay twice."
        )
    payer.button.click()
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_a_cart_that_changed_in_another_tab_is_asked_about_before_it_is_paid(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    payer.fills_in(GOOD)
    other = payer.another_tab()
    other.puts_into_basket("field-notebook-1")
    other.page.close()
    payer.button.click()
    expect(payer.message).to_contain_text("31.75")
    expect(payer.page.locator("#total")).to_have_text("€31.75")
    assert_nothing_paid(payer.shop, cart_id)
    expect(payer.button).to_contain_text("31.75")
    payer.button.click()
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, 3_175)


def test_two_tabs_pay_the_same_cart_once(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    other = Payer(payer.shop, payer.page.context.new_page())
    other.page.goto("/checkout/payment")
    other.sees_the_element()
    other.fills_in(GOOD)
    payer.pays_here_with(GOOD)
    payer.is_done()
    other.button.click()
    expect(other.message).not_to_be_empty()
    other.page.goto("/checkout/payment")
    other.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_who_pays_on_stripes_page_after_all_pays_once(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    payer.pays_here_with(DECLINED)
    expect(payer.message).not_to_be_empty()
    other = Payer(payer.shop, payer.page.context.new_page())
    other.page.goto("/checkout/review")
    order_id = other.goes_to_payment()
    other.pays_with(GOOD)
    other.sees_paid()
    payer.pays_here_with(GOOD)
    expect(payer.message).not_to_be_empty()
    assert payer.shop.charged(order_id) == [("Charge", MUG, "Success")]
    open_ones = [each for each in intents(payer.shop, cart_id) if each["status"] != "succeeded"]
    assert [each["status"] for each in open_ones] == ["canceled"]


def test_nobody_gets_an_order_by_saying_that_it_is_paid(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    payer.page.evaluate("() => document.getElementById('placed').requestSubmit()")
    expect(payer.page.get_by_text("Your payment has not arrived")).to_be_visible()
    assert orders(payer.shop, cart_id) == []


def test_without_scripts_the_page_says_so_and_stripes_page_works(
    shop: Shop, browser: Browser
) -> None:
    context = browser.new_context(base_url=shop.address, java_script_enabled=False)
    shopper = Shopper(shop, context.new_page())
    shopper.puts_into_basket("stoneware-mug-1")
    shopper.enters(IN_GERMANY)
    shopper.click("Pay here", role="link")
    # Chromium does not count as without scripts when it only runs none.
    assert "Paying on this page needs JavaScript" in shopper.page.content()
    shopper.click("Rather pay on Stripe")
    shopper.is_at_payment()
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    context.close()


# What is offered, for everybody


def test_what_the_processor_offers_is_what_the_enabler_builds(payer: Payer) -> None:
    payer.reaches_the_element()
    offered = payer.shop.merchant_center("/operations/payment-components")
    said, known, refused = payer.page.evaluate(
        """async (offered) => {
          const { bundle, processor, session } = document.getElementById("pay").dataset;
          const { Enabler, COMPONENTS } = await import(bundle);
          const enabler = new Enabler({ processorUrl: processor, sessionId: session });
          const build = {
            dropins: (type) => enabler.createDropinBuilder(type),
            components: (type) => enabler.createComponentBuilder(type),
            express: (type) => enabler.createExpressBuilder(type),
          };
          const said = {};
          for (const [kind, types] of Object.entries(offered)) {
            said[kind] = [];
            for (const { type } of types) {
              const builder = await build[kind](type);
              const initialAmount = { centAmount: 1, currencyCode: "EUR", fractionDigits: 2 };
              said[kind].push({ type: typeof builder.build({ initialAmount }).mount && type });
            }
          }
          const refused = await enabler.createComponentBuilder("cheque").catch(({ code }) => code);
          return [said, COMPONENTS, refused];
        }""",
        offered,
    )
    assert said == offered
    assert [each for each in known["components"] if each in offered["components"]] == offered[
        "components"
    ]
    assert {**known, "components": []} == {**offered, "components": []}
    assert refused == "unsupported"


@pytest.mark.parametrize("component", ["dropin", "payment", "card", "expressCheckout", "express"])
def test_the_playground_mounts_every_component(payer: Payer, component: str) -> None:
    payer.page.goto("/playground")
    payer.page.locator("#component").select_option(component)
    payer.page.get_by_label("Locale").select_option("de-DE")
    payer.page.get_by_label("Layout").select_option("accordion")
    payer.click("Mount")
    expect(payer.page.get_by_role("log")).to_contain_text(f'mounted "{component}"')
    frame = payer.page.frame_locator("#mounted iframe")
    if "express" in component:
        expect(frame.get_by_role("button", name="Demo Pay")).to_be_visible()
    else:
        expect(frame.get_by_label("Kartennummer")).to_be_visible()
        expect(payer.page.locator("#mounted").get_by_role("button")).to_have_text(
            "14,90\xa0€ zahlen"
        )
    assert_accessible(payer.page)


@pytest.mark.parametrize(
    ("locale", "reachable", "text"),
    [
        ("de-DE", True, "14,90\xa0€ zahlen"),
        ("de-DE", False, "Pay 14,90\xa0€"),
        ("en-GB", True, "Pay €14.90"),
    ],
)
def test_a_page_loads_the_texts_of_its_language_and_does_without_them(
    payer: Payer, locale: str, reachable: bool, text: str
) -> None:
    asked: list[str] = []

    def texts(route: Route) -> None:
        asked.append(re.sub(r".*texts-(\w\w)\..*", r"\1", route.request.url))
        if reachable:
            route.continue_()
        else:
            route.abort()

    payer.page.route("**/enabler/*.texts-*.js", texts)
    payer.page.goto("/playground")
    payer.page.get_by_label("Locale").select_option(locale)
    payer.click("Mount")
    expect(payer.page.get_by_role("log")).to_contain_text('mounted "dropin"')
    expect(payer.page.locator("#mounted").get_by_role("button")).to_have_text(text)
    assert asked == (["de"] if locale == "de-DE" else [])


@pytest.mark.parametrize(
    ("component", "asked"), [("dropin", 0), ("payment", 0), ("expressCheckout", 1), ("express", 1)]
)
def test_a_page_loads_the_wallets_file_only_where_it_shows_wallets(
    payer: Payer, component: str, asked: int
) -> None:
    requested: list[str] = []
    payer.page.on("request", lambda request: requested.append(request.url))
    payer.page.goto("/playground")
    payer.page.locator("#component").select_option(component)
    payer.click("Mount")
    expect(payer.page.get_by_role("log")).to_contain_text(f'mounted "{component}"')
    assert sum("/enabler/connector-enabler.express." in url for url in requested) == asked
    main = [url for url in requested if "/enabler/connector-enabler.es.js" in url]
    assert len(main) == 1, "the wallets' file loads the main one a second time"


def test_a_missing_wallets_file_is_explained(payer: Payer) -> None:
    payer.page.route("**/enabler/*.express.*", lambda route: route.abort())
    payer.page.goto("/playground")
    payer.page.locator("#component").select_option("expressCheckout")
    payer.click("Mount")
    expect(payer.page.get_by_role("log")).to_contain_text("enabler_file")
    expect(payer.page.locator("#mounted").get_by_role("alert")).to_have_text(
        "No connection. Nothing was charged. Please try again."
    )


_MOUNTS = """async ([bundle, processorUrl, sessionId]) => {
  const { Enabler, ConnectorError } = await import(bundle);
  try {
    const enabler = new Enabler({ processorUrl, sessionId, locale: "en" });
    await (await enabler.createDropinBuilder("embedded")).build().mount("#pay");
  } catch (error) {
    return [error instanceof ConnectorError, error.code, error.hint ?? ""];
  }
}"""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A server of the enabler's files on an origin that the processor does not know."""
    handler = partial(SimpleHTTPRequestHandler, directory=ENABLER)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("mistake", "code", "hint"),
    [
        ("origin", "network", "list {elsewhere} in ALLOWED_ORIGINS"),
        ("nothing there", "network", "Does the processor run at http://localhost:9"),
        ("address", "processor", "the processor's address?"),
        ("session", "invalid_token", "session has expired, or is of another project"),
        ("blocked", "stripe_js", "Content-Security-Policy or a blocker"),
    ],
)
def test_a_first_mistake_is_answered_by_a_hint(
    payer: Payer, elsewhere: str, mistake: str, code: str, hint: str
) -> None:
    payer.reaches_the_element()
    page = payer.page
    bundle, processor, session = page.evaluate(
        "() => { const { bundle, processor, session } = document.getElementById('pay').dataset;"
        " return [bundle, processor, session]; }"
    )
    if mistake in ("origin", "nothing there"):
        bundle = f"/{BUNDLE}"
        page.goto(elsewhere)
    if mistake == "nothing there":
        processor = "http://localhost:9"
    if mistake == "address":
        processor = payer.shop.address
    if mistake == "session":
        session = str(uuid4())
    if mistake == "blocked":
        page.route("**/stripe.js", lambda route: route.abort())
    page.evaluate("() => { delete window.Stripe; document.body.innerHTML = '<div id=pay></div>' }")
    ours, said, why = page.evaluate(_MOUNTS, [bundle, processor, session])
    assert (ours, said) == (True, code)
    assert hint.format(elsewhere=elsewhere) in why


def test_the_playground_shows_what_happens_when_the_amount_changes(payer: Payer) -> None:
    page = payer.page
    page.goto("/playground")
    payer.click("Mount")
    form = page.frame_locator("#mounted iframe")
    form.get_by_label("Card number").fill(GOOD)
    form.get_by_label("Expiry date").fill("12 / 34")
    form.get_by_label("Security code").fill("123")
    form.get_by_label("Country").select_option("DE")
    payer.click("Change the cart")
    log = page.get_by_role("log")
    expect(log).to_contain_text("the cart costs")
    page.locator("#mounted").get_by_role("button", name="Pay €14.90").click()
    expect(log).to_contain_text("amount_changed")
    page.locator("#mounted").get_by_role("button", name="Pay €29.80").click()
    expect(log).to_contain_text('onComplete {"isSuccess":true,"state":"success"')


def test_every_state_of_the_payment_page_is_accessible(payer: Payer) -> None:
    payer.reaches_the_element()
    assert_accessible(payer.page)
    payer.pays_here_with(DECLINED)
    expect(payer.message).not_to_be_empty()
    assert_accessible(payer.page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    payer.page.route(f"{payer.shop.processor_address}/payments", hold)
    with payer.page.expect_request("**/payments"):
        payer.pays_here_with(GOOD)
    assert_accessible(payer.page)
    for route in held:
        route.continue_()
    payer.is_done()
    assert_accessible(payer.page)


def test_the_pages_of_a_customer_are_accessible(customer: Payer) -> None:
    assert_accessible(customer.page)
    customer.reaches_the_element()
    customer.page.get_by_label("Keep this card").check()
    customer.pays_here_with(GOOD)
    customer.is_done()
    customer.reaches_the_list()
    expect(customer.page.get_by_role("radio", name="Visa •••• 4242")).to_be_checked()
    assert_accessible(customer.page)
    customer.page.get_by_label("A new card").check()
    customer.sees_the_element()
    assert_accessible(customer.page)
    customer.page.goto("/account")
    customer.click("Sign out")
    customer.sees("Account")
    assert_accessible(customer.page)


def test_the_keyboard_suffices_to_pay(payer: Payer) -> None:
    cart_id = payer.reaches_the_element()
    keyboard = payer.page.keyboard

    def tab_to(target: Locator) -> None:
        for _ in range(_MOST_TABS):
            keyboard.press("Tab")
            if target.evaluate("each => each === document.activeElement && document.hasFocus()"):
                return
        raise AssertionError(f"{target} cannot be reached")

    tab_to(payer.form.get_by_label("Card number"))
    keyboard.type("4242424242424242")
    tab_to(payer.form.get_by_label("Expiry date"))
    keyboard.type("1234")
    tab_to(payer.form.get_by_label("Security code"))
    keyboard.type("123")
    tab_to(payer.button)
    keyboard.press("Enter")
    payer.is_done()
    assert_paid_once(payer.shop, cart_id, MUG)


def test_every_place_names_the_same_test_cards(payer: Payer) -> None:
    payer.reaches_the_element()
    shop = payer.page.locator("footer .cards dd").all_text_contents()
    assert len(shop) == len(SHOWN_CARDS)
    assert payer.form.locator(".cards dt").all_text_contents() == shop
    payer.click("Rather pay on Stripe")
    payer.is_at_payment()
    assert payer.page.locator(".cards dt").all_text_contents() == shop
