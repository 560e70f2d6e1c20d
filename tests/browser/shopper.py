"""What a shopper does with mouse and keyboard, and what the merchant's systems say afterwards."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import Page, expect

from sandbox.addresses import Addresses, url
from sandbox.demo.compare import Comparison
from sandbox.demo.people import People

GOOD = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
SECURE = "4000 0000 0000 3220"
IN_GERMANY = {
    "email": "ada@example.com",
    "firstName": "Ada",
    "lastName": "Byron",
    "streetName": "Lindenstrasse",
    "streetNumber": "12",
    "postalCode": "10969",
    "city": "Berlin",
}
Json = dict[str, Any]
_TRIES = 2_000
"""Of looking whether a webhook has arrived; each is a request and takes its time."""


class Shop:
    """The sandbox under test, seen from behind the counter."""

    def __init__(self, at: Addresses, client: httpx.Client, people: People) -> None:
        self.address = url(at.shop)
        self.payment_address = url(at.stripe)
        self.processor_address = url(at.processor)
        self._client = client
        self._people = people

    def order(self, order_id: str) -> Json:
        """An order as commercetools has it."""
        return self._people.commercetools("GET", f"orders/{order_id}")

    def order_when_paid(self, order_id: str) -> Json:
        """The same once it is paid; it has to become so by itself."""
        for _ in range(_TRIES):
            order = self.order(order_id)
            if order.get("paymentState") == "Paid":
                return order
        raise AssertionError(f"Nobody marked the order as paid: {order}")

    def payments(self, order_id: str) -> list[Comparison]:
        """The order's payments that have reached Stripe, beside what Stripe has."""
        references = self.order(order_id).get("paymentInfo", {}).get("payments", [])
        payments = [
            self._people.commercetools("GET", f"payments/{reference['id']}")
            for reference in references
        ]
        return [self._people.compare(each["id"]) for each in payments if "interfaceId" in each]

    def charged(self, order_id: str) -> list[tuple[str, int, str]]:
        """Every charge of the order; both sides have to agree on all of its payments."""
        found = self.payments(order_id)
        assert all(each.agrees for each in found)
        return [fact for each in found for fact in each.recorded if fact[0] == "Charge"]

    def commercetools(self, method: str, path: str, body: Json | None = None) -> Json:
        """A call to commercetools with the rights of an administrator."""
        return self._people.commercetools(method, path, body)

    def merchant_center(self, path: str) -> Json:
        """What the processor answers to the Merchant Center."""
        bearer = {"Authorization": f"Bearer {self._people.merchant_center_token()}"}
        return self._people.ask("GET", path, bearer)

    def sandbox(self, method: str, path: str, body: Json | None = None) -> Json:
        """A call to what the sandbox can do beside Stripe, such as to make it fail."""
        answer = self._client.request(method, f"{self.payment_address}{path}", json=body)
        assert answer.is_success, answer.text
        return dict(answer.json()) if answer.content else {}

    def settles(self, intent_id: str, *, succeed: bool) -> None:
        """What the bank was working on is decided."""
        path = f"/_sandbox/stripe/payment_intents/{intent_id}/settle"
        self.sandbox("POST", path, {"outcome": "succeed" if succeed else "fail"})

    def stripe(self, method: str, path: str, **parameters: Any) -> Json:
        """A call to Stripe with the merchant's key."""
        return self._people.stripe(method, path, **parameters)

    def bank_decides(self, order_id: str, *, succeed: bool) -> None:
        """What was processing is decided."""
        (session, *_) = self.sessions(order_id)
        self.settles(session["payment_intent"], succeed=succeed)

    def authorized(self) -> str:
        """A British cart paid in a storefront of its own: a rule only authorizes it, and a
        webhook has said so. The payment's id."""
        people = self._people
        cart = people.cart("GB", "GBP", linen_apron_1=1, field_notebook_2=1)
        session = {"x-session-id": people.session(cart)}
        started = people.ask("POST", "/payments", session)
        people.pay(started["clientSecret"], "pm_card_visa")
        payment_id = str(started["paymentReference"])
        for _ in range(_TRIES):
            if self.compared(payment_id).recorded:
                return payment_id
        raise AssertionError(f"Nobody recorded that {payment_id} is authorized.")

    def priced_cart(self, country: str, currency: str, cents: int) -> Json:
        """A cart with one line of a price, in any currency, for a buyer in a country."""
        line = {
            "name": {"en": "A thing"},
            "slug": "a-thing",
            "money": {"centAmount": cents, "currencyCode": currency},
        }
        draft = {
            "currency": currency,
            "country": country,
            "customerEmail": "ada@example.com",
            "billingAddress": {"country": country, "firstName": "Ada", "lastName": "Byron"},
            "taxMode": "Disabled",
            "customLineItems": [line],
        }
        return self.commercetools("POST", "carts", draft)

    def session(self, cart: Json) -> str:
        """A Checkout session for a cart: its id."""
        return self._people.session(cart)

    def compared(self, payment_id: str) -> Comparison:
        """A payment as commercetools and Stripe have it now."""
        return self._people.compare(payment_id)

    def sessions(self, order_id: str) -> list[Json]:
        """The order's Checkout Sessions, newest first."""
        found = self.stripe("GET", "/v1/checkout/sessions", limit=100)["data"]
        return [each for each in found if each["client_reference_id"] == order_id]


class Shopper:
    """One tab of one browser."""

    def __init__(self, shop: Shop, page: Page) -> None:
        self.shop = shop
        self.page = page

    def another_tab(self) -> Shopper:
        """A second tab that shares the cookies."""
        return Shopper(self.shop, self.page.context.new_page())

    def click(self, name: str, role: str = "button") -> None:
        """Something by its accessible name."""
        pattern = re.compile(re.escape(name))
        self.page.get_by_role(role, name=pattern).click()  # type: ignore[arg-type]

    def puts_into_basket(self, sku: str, quantity: int = 1) -> None:
        self.page.goto(f"/products/{sku}")
        self.page.get_by_label("Quantity").fill(str(quantity))
        self.click("Add to basket")
        expect(self.page).to_have_url(re.compile("/basket"))

    def enters(self, address: dict[str, str]) -> None:
        """An address, and on to the review."""
        self.page.goto("/checkout")
        for field, value in address.items():
            self.page.locator(f"#{field}").fill(value)
        self.click("Continue to review")
        expect(self.page).to_have_url(re.compile("/checkout/review"))

    def goes_to_payment(self) -> str:
        """From any page with such a button: the order's id."""
        self.click("Pay ")
        return self.is_at_payment()

    def is_at_payment(self) -> str:
        """The payment page is there: the id of the order that it is for."""
        expect(self.page).to_have_url(re.compile(f"^{self.shop.payment_address}"))
        expect(self.page.get_by_label("Card number")).to_be_visible()
        session_id = urlsplit(self.page.url).path.rpartition("/")[2]
        session = self.shop.stripe("GET", f"/v1/checkout/sessions/{session_id}")
        return str(session["client_reference_id"])

    def checks_out(self, sku: str = "stoneware-mug-1", quantity: int = 1) -> str:
        """From nothing to the payment page: the order's id."""
        self.puts_into_basket(sku, quantity)
        self.enters(IN_GERMANY)
        return self.goes_to_payment()

    def pays_with(self, number: str) -> None:
        """Fills in the card form and submits it."""
        self.page.get_by_label("Card number").fill(number)
        self.page.get_by_label("Expiry date").fill("12 / 34")
        self.page.get_by_label("Security code").fill("123")
        self.page.get_by_label("Name on card").fill("Ada Byron")
        self.click("Pay ")

    def sees(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    def sees_paid(self) -> None:
        expect(self.page).to_have_url(re.compile(f"^{self.shop.address}/order/success"))
        self.sees("Thank you. Your order is paid.")

    @property
    def order_id(self) -> str:
        """The order that this page is about."""
        return parse_qs(urlsplit(self.page.url).query)["orderId"][0]

    def pays_by_debit(self) -> None:
        """A payment that the bank takes days to decide."""
        self.page.get_by_label("SEPA Direct Debit").check()
        self.page.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
        self.page.get_by_label("Account holder").fill("Ada Byron")
        self.click("Pay ")
