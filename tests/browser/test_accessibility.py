"""Every page, for everybody: axe finds nothing, the keyboard suffices, phones show it whole."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import assert_accessible
from tests.browser.shopper import GOOD, IN_GERMANY, Shopper
from tests.browser.typefaces import NARROW, WIDE, Typeface
from tests.browser.widths import View, dressed

_MOST_TABS = 60


@pytest.mark.parametrize(
    "path", ["/", "/categories/desk", "/products/linen-apron-2", "/basket", "/nowhere"]
)
def test_pages_to_look_around_are_accessible(shopper: Shopper, path: str) -> None:
    shopper.page.goto(path)
    assert_accessible(shopper.page)


@pytest.mark.parametrize("typeface", [NARROW, WIDE], ids=lambda each: each.name)
def test_the_markets_are_whole_on_the_smallest_screen(shopper: Shopper, typeface: Typeface) -> None:
    page = shopper.page
    shopper.puts_into_basket("linen-apron-1")
    with dressed(page, typeface, View(320)):
        page.locator("summary", has_text="currency").click()
        for market in page.locator(".menu button").all():
            box = market.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 320


def test_pages_to_buy_are_accessible(shopper: Shopper) -> None:
    page = shopper.page
    shopper.puts_into_basket("linen-apron-1")
    shopper.page.get_by_label("Discount code").fill("NONE")
    shopper.click("Apply")
    expect(page.locator("#code-mistake")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Check out").click()
    shopper.click("Continue to review")
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)
    shopper.enters(IN_GERMANY)
    assert_accessible(page)
    shopper.goes_to_payment()
    assert_accessible(page)
    page.get_by_role("link", name="Cancel").click()
    shopper.sees("You left before paying.")
    assert_accessible(page)
    shopper.goes_to_payment()
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    assert_accessible(page)
    page.get_by_role("link", name="See the order").click()
    expect(page).to_have_url(re.compile(r"/order/[0-9a-f-]+$"))
    assert_accessible(page)


@pytest.mark.parametrize("path", ["/", "/success", "/canceled", "/cancel"])
def test_the_processors_own_pages_are_accessible(shopper: Shopper, path: str) -> None:
    shopper.page.goto(shopper.shop.processor_address + path)
    assert_accessible(shopper.page)


def test_one_thing_is_bought_at_a_click(shopper: Shopper) -> None:
    page = shopper.page
    page.goto(shopper.shop.processor_address)
    page.get_by_role("button").focus()
    page.keyboard.press("Enter")
    shopper.is_at_payment()
    page.get_by_label("Email").fill("ada@example.com")
    shopper.pays_with(GOOD)
    expect(page).to_have_url(re.compile("/success"))
    assert_accessible(page)


def test_everything_can_be_done_with_the_keyboard_alone(shopper: Shopper) -> None:
    page = shopper.page

    def tab_to(name: str) -> None:
        """Tab until the thing of that name has the focus, visibly."""
        target = page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name))
        for _ in range(_MOST_TABS):
            page.keyboard.press("Tab")
            if target.first.evaluate("element => element === document.activeElement"):
                outline = target.first.evaluate("element => getComputedStyle(element).outlineStyle")
                assert outline != "none", f"nobody sees that {name} has the focus"
                return
        raise AssertionError(f"{name} cannot be reached")

    page.goto("/")
    tab_to("Skip to the content")
    page.keyboard.press("Enter")
    tab_to("Linen apron")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Linen apron")
    tab_to("Add to basket")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/basket"))
    tab_to("One more Linen apron")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Quantity of Linen apron")).to_have_value("2")
    expect(page.get_by_role("button", name="One more Linen apron")).to_be_focused()
    tab_to("Check out")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/checkout"))
    page.get_by_label("E-mail").focus()
    for value in IN_GERMANY.values():
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/checkout/review"))
    tab_to("on Stripe")
    page.keyboard.press("Enter")
    shopper.is_at_payment()


def test_changing_the_basket_moves_nothing_else(shopper: Shopper) -> None:
    page = shopper.page
    shopper.puts_into_basket("linen-apron-1")
    page.evaluate(
        """() => {
          window.shift = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.shift += entry.value;
          }).observe({ type: "layout-shift", buffered: true });
        }"""
    )
    shopper.click("One more")
    expect(page.get_by_label("Quantity of Linen apron")).to_have_value("2")
    assert page.evaluate("window.shift") < 0.01
