"""Components of one method each, in a storefront's page: each pays, and leaves nothing behind."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import opened
from tests.browser.payer import intents, transactions
from tests.browser.shopper import GOOD, Json, Shop, Shopper

CENTS = 2_500
BANKS = {
    "bancontact": ("BE", "EUR"),
    "blik": ("PL", "PLN"),
    "eps": ("AT", "EUR"),
    "ideal": ("NL", "EUR"),
    "klarna": ("DE", "EUR"),
    "link": ("DE", "EUR"),
    "p24": ("PL", "PLN"),
    "paypal": ("DE", "EUR"),
    "twint": ("CH", "CHF"),
}
"""Those that lead to a page of their own, each with a country and currency that it takes."""
WALLETS = {"applePay": "apple_pay", "googlePay": "google_pay"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened(tmp_path_factory.mktemp("logs"), tuple(BANKS)) as shop:
        yield shop


_MOUNTS = """async ([session, type]) => {
  const root = document.getElementById("playground");
  const { Enabler } = await import(root.dataset.bundle);
  const { promise, resolve } = Promise.withResolvers();
  window.ended = promise;
  const enabler = new Enabler({
    processorUrl: root.dataset.processor,
    sessionId: session,
    locale: "en",
    onComplete: resolve,
    onError: (error) => resolve({ error: `${error.code}: ${error.message}` }),
  });
  window.component = (await enabler.createComponentBuilder(type)).build({ showPayButton: true });
  const place = document.getElementById("stage");
  await window.component.mount(place);
  return [await window.component.isAvailable(), place.querySelectorAll("iframe").length];
}"""


def mounts(shopper: Shopper, component: str, country: str, currency: str) -> str:
    """A component in a page, for a cart of its own: the cart's id."""
    cart = shopper.shop.priced_cart(country, currency, CENTS)
    shopper.page.goto("/playground")
    shown = shopper.page.evaluate(_MOUNTS, [shopper.shop.session(cart), component])
    assert shown == [True, 1]
    return str(cart["id"])


def ends(page: Page) -> Json:
    """What the page was told of the attempt."""
    return dict(page.evaluate("() => window.ended"))


def presses_pay(page: Page) -> None:
    page.locator("#stage").get_by_role("button").click()


def assert_paid_by(shop: Shop, cart_id: str, type_: str) -> None:
    """One intent, which allowed this type alone and was paid by it; both sides agree."""
    (intent,) = intents(shop, cart_id)
    assert (intent["status"], intent["amount_received"]) == ("succeeded", CENTS)
    assert intent["payment_method_types"] == [type_]
    method = shop.stripe("GET", f"/v1/payment_methods/{intent['payment_method']}")
    assert method["type"] == type_
    assert ("Charge", CENTS, "Success") in transactions(shop, cart_id)


def test_every_component_of_one_method_that_checkout_may_offer_is_listed(shop: Shop) -> None:
    listed = shop.merchant_center("/operations/payment-components")["components"]
    names = {each["type"] for each in listed}
    assert names == {"payment", "expressCheckout", "card", "sepa_debit", *BANKS, *WALLETS}


@pytest.mark.parametrize("type_", BANKS)
def test_a_component_leads_to_its_page_and_pays(shopper: Shopper, type_: str) -> None:
    cart_id = mounts(shopper, type_, *BANKS[type_])
    presses_pay(shopper.page)
    shopper.click("Confirm payment")
    # The shop's own basket is empty: where it sends the shopper on to.
    expect(shopper.page).to_have_url(re.compile("/basket"))
    assert_paid_by(shopper.shop, cart_id, type_)


def test_a_card_pays_in_its_component(shopper: Shopper) -> None:
    cart_id = mounts(shopper, "card", "DE", "EUR")
    form = shopper.page.frame_locator("#stage iframe")
    form.get_by_label("Card number").fill(GOOD)
    form.get_by_label("Expiry date").fill("12 / 34")
    form.get_by_label("Security code").fill("123")
    presses_pay(shopper.page)
    told = ends(shopper.page)
    assert (told["state"], told["method"]) == ("success", {"type": "card"})
    assert_paid_by(shopper.shop, cart_id, "card")


def test_a_debit_is_pending_in_its_component_and_paid_by_the_bank(shopper: Shopper) -> None:
    cart_id = mounts(shopper, "sepa_debit", "DE", "EUR")
    form = shopper.page.frame_locator("#stage iframe")
    expect(form.get_by_label("Account holder")).to_have_value("Ada Byron")
    form.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    presses_pay(shopper.page)
    assert ends(shopper.page)["state"] == "pending"
    (intent,) = intents(shopper.shop, cart_id)
    shopper.shop.settles(intent["id"], succeed=True)
    assert_paid_by(shopper.shop, cart_id, "sepa_debit")


@pytest.mark.parametrize("type_", WALLETS)
def test_a_wallet_pays_in_its_component(shopper: Shopper, type_: str) -> None:
    cart_id = mounts(shopper, type_, "DE", "EUR")
    shopper.page.frame_locator("#stage iframe").get_by_role("button").click()
    sheet = shopper.page.get_by_role("dialog", name="Demo Pay").frame_locator("iframe")
    sheet.get_by_role("button", name="25.00").click()
    told = ends(shopper.page)
    assert (told["state"], told["method"]) == ("success", {"type": WALLETS[type_]})
    assert_paid_by(shopper.shop, cart_id, "card")


def test_a_component_is_left_and_mounted_again_and_pays(shopper: Shopper) -> None:
    cart_id = mounts(shopper, "card", "DE", "EUR")
    page = shopper.page
    frames = page.evaluate(
        """async () => {
          const { component } = window;
          const place = document.getElementById("stage");
          const frames = () => document.querySelectorAll("iframe").length;
          component.unmount();
          const left = frames();
          // Twice at once, as React does it in development.
          await Promise.all([component.mount(place), component.mount("#stage")]);
          return [left, frames()];
        }"""
    )
    assert frames == [0, 1]
    form = page.frame_locator("#stage iframe")
    form.get_by_label("Card number").fill(GOOD)
    form.get_by_label("Expiry date").fill("12 / 34")
    form.get_by_label("Security code").fill("123")
    presses_pay(page)
    assert ends(page)["state"] == "success"
    assert_paid_by(shopper.shop, cart_id, "card")
    assert page.evaluate(
        """async () => {
          const { component } = window;
          component.destroy();
          const refused = await component.mount("#stage").catch((error) => error.code);
          return [document.querySelectorAll("iframe").length, refused];
        }"""
    ) == [0, "destroyed"]
