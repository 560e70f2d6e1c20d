"""The processor's page about its own interface, in a real browser."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.accessibility import assert_accessible
from tests.browser.shopper import Shop, Shopper


def test_the_page_is_accessible_and_its_links_lead_to_what_they_name(
    shop: Shop, shopper: Shopper
) -> None:
    page = shopper.page
    page.goto(f"{shop.processor_address}/docs")
    assert_accessible(page)
    page.get_by_role("link", name="Start the payment of the cart").click()
    heading = page.get_by_role("heading", name="Start the payment of the cart")
    expect(heading).to_be_in_viewport()
    page.get_by_role("article", name="Start the payment of the cart").get_by_role(
        "link", name="PaymentResponse"
    ).click()
    expect(page.get_by_role("heading", name="PaymentResponse")).to_be_in_viewport()
