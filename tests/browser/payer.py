"""A shopper who pays in the shop's own page, and what must be true of their cart afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import FrameLocator, Locator, Route, expect

from tests.browser.shopper import IN_GERMANY, Json, Shop, Shopper

ELEMENT = "#element iframe"
_TRIES = 400


class Payer(Shopper):
    """Pays with the enabler's components."""

    @property
    def cart_id(self) -> str:
        """The cart behind the basket cookie, which the page itself cannot read."""
        (kept,) = (
            each["value"] for each in self.page.context.cookies() if each["name"] == "basket"
        )
        return str(kept).partition(".")[0]

    @property
    def form(self) -> FrameLocator:
        """Stripe's part of the payment element."""
        return self.page.frame_locator(ELEMENT)

    @property
    def button(self) -> Locator:
        """The one pay button, whatever is paid with."""
        return self.page.locator("#pay-button")

    @property
    def message(self) -> Locator:
        """What the chosen way to pay says."""
        return self.page.locator("#ways").get_by_role("alert")

    def reaches_the_list(self, sku: str = "stoneware-mug-1") -> str:
        """From nothing to the ways to pay, the first of which can be paid with: the cart's id."""
        self.puts_into_basket(sku)
        self.enters(IN_GERMANY)
        self.click("Pay here", role="link")
        expect(self.button).to_be_enabled()
        return self.cart_id

    def reaches_the_element(self, sku: str = "stoneware-mug-1") -> str:
        """From nothing to a payment element that can be filled in: the cart's id."""
        cart_id = self.reaches_the_list(sku)
        self.sees_the_element()
        return cart_id

    def sees_the_element(self) -> None:
        expect(self.form.get_by_label("Card number")).to_be_visible()
        expect(self.button).to_be_enabled()

    def fills_in(self, number: str) -> None:
        self.form.get_by_label("Card number").fill(number)
        self.form.get_by_label("Expiry date").fill("12 / 34")
        self.form.get_by_label("Security code").fill("123")

    def pays_here_with(self, number: str) -> None:
        self.fills_in(number)
        self.button.click()

    def is_done(self, heading: str = "Thank you. Your order is paid.") -> str:
        """The order's page is there: the order's id."""
        expect(self.page).to_have_url(re.compile(r"/order/[0-9a-f-]{36}"))
        self.sees(heading)
        found = re.search(r"/order/([0-9a-f-]{36})", self.page.url)
        assert found is not None
        return found[1]

    def signs_in(self) -> None:
        self.page.goto("/account")
        self.click("Shop as Ada")
        self.sees("Hello, Ada")

    @contextmanager
    def losing_answers(self, path: str, times: int) -> Iterator[None]:
        """The processor acts on calls to a path, and its answers are lost on the way."""
        left = times

        def lose(route: Route) -> None:
            nonlocal left
            if left == 0 or route.request.method == "OPTIONS":
                route.continue_()
                return
            left -= 1
            route.fetch()
            route.abort()

        pattern = f"{self.shop.processor_address}{path}"
        self.page.route(pattern, lose)
        yield
        self.page.unroute(pattern)
        assert left == 0, "fewer answers were lost than meant"


def intents(shop: Shop, cart_id: str) -> list[Json]:
    """Every intent at Stripe that was made for a cart, newest first."""
    found = shop.stripe("GET", "/v1/payment_intents", limit=100)["data"]
    return [each for each in found if each["metadata"].get("cart_id") == cart_id]


def transactions(shop: Shop, cart_id: str) -> list[tuple[str, int, str]]:
    """Those of the cart's one payment; both sides have to agree on it in the end."""
    references = shop.commercetools("GET", f"carts/{cart_id}")["paymentInfo"]["payments"]
    assert len(references) == 1
    for _ in range(_TRIES):
        found = shop.compared(references[0]["id"])
        if found.agrees:
            return found.recorded
    raise AssertionError(f"The sides do not agree: {found.rows}")


def assert_paid_once(shop: Shop, cart_id: str, cents: int) -> None:
    """One Payment with one charge, one intent and one charge at Stripe, one order."""
    found = transactions(shop, cart_id)
    assert [each for each in found if each[0] == "Charge"] == [("Charge", cents, "Success")]
    assert ("Authorization", cents, "Success") in found
    (intent,) = intents(shop, cart_id)
    assert (intent["status"], intent["amount_received"]) == ("succeeded", cents)
    charges = shop.stripe("GET", "/v1/charges", payment_intent=intent["id"])["data"]
    assert [each["amount"] for each in charges if each["paid"]] == [cents]
    (order,) = orders(shop, cart_id)
    assert order["totalPrice"]["centAmount"] == cents


def orders(shop: Shop, cart_id: str) -> list[Json]:
    where = f"cart(id%3D%22{cart_id}%22)"
    return list(shop.commercetools("GET", f"orders?where={where}")["results"])


def assert_nothing_paid(shop: Shop, cart_id: str) -> None:
    """No money moved, nothing was ordered."""
    assert sum(each["amount_received"] for each in intents(shop, cart_id)) == 0
    assert orders(shop, cart_id) == []
