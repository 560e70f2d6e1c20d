"""The integration guide's own shop, as it is printed, with a shopper in front of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.addresses import Addresses
from sandbox.demo.client import open_client
from sandbox.demo.people import People
from sandbox.demo.start import processor, stand_ins
from sandbox.shop.elements import ENABLER
from tests.browser.shopper import DECLINED, GOOD
from tests.e2e.conftest import free_ports
from tests.e2e.guides import own_shop, signed_cart


class Checkout:
    """The guide's page, open for somebody's cart."""

    def __init__(self, page: Page, people: People, cart_id: str) -> None:
        self.page = page
        self.people = people
        self.cart_id = cart_id

    def pay(self, number: str) -> None:
        form = self.page.frame_locator("#payment iframe")
        form.get_by_label("Card number").fill(number)
        form.get_by_label("Expiry date").fill("12 / 34")
        form.get_by_label("Security code").fill("123")
        self.page.locator("#payment").get_by_role("button", name="Pay").click()


@pytest.fixture
def checkout(browser: Browser, tmp_path: Path) -> Iterator[Checkout]:
    *ports, own = free_ports(6)
    at = Addresses(*ports)
    for script in ENABLER.glob("*.js"):
        shutil.copy(script, tmp_path)
    with ExitStack() as stack:
        client = stack.enter_context(open_client())
        stack.enter_context(stand_ins(at, client, tmp_path))
        origin = {"ALLOWED_ORIGINS": f"http://localhost:{own}"}
        stack.enter_context(processor(at, client, tmp_path, origin))
        address = stack.enter_context(own_shop(at, own, tmp_path))
        people = People(at, client, lambda _: None)
        cart = people.cart("DE", "EUR", stoneware_mug_1=1)["id"]
        context = stack.enter_context(browser.new_context())
        context.add_cookies([{"name": "cart", "value": signed_cart(cart), "url": address}])
        page = context.new_page()
        page.goto(address)
        yield Checkout(page, people, cart)


def test_a_shopper_is_declined_then_pays_and_has_an_order(checkout: Checkout) -> None:
    page, cart = checkout.page, checkout.cart_id
    checkout.pay(DECLINED)
    expect(page.locator("#payment").get_by_role("alert")).to_be_visible()
    assert checkout.people.commercetools("GET", f"carts/{cart}")["cartState"] == "Active"

    checkout.pay(GOOD)
    said = page.locator("#result")
    expect(said).to_have_text(re.compile("Order .* is paid."))
    order = re.findall(r"Order (\S+) is", said.inner_text())[0]
    assert checkout.people.commercetools("GET", f"orders/{order}")["cart"]["id"] == cart
