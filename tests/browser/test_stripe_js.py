"""The stand-in of Stripe.js in a shop's page of another origin, whose policy admits no more."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, FrameLocator, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.addresses import LOOPBACK, url
from sandbox.clock import SandboxClock
from sandbox.runner import IDLE_CONNECTION_S
from sandbox.stripe.app import create_app
from sandbox.stripe.state import StripeState
from tests.browser.accessibility import violations
from tests.browser.conftest import TIMEOUT_MS
from tests.browser.widths import assert_fits

GOOD = "4242 4242 4242 4242"
POOR = "4000 0000 0000 9995"
SECURE = "4000 0000 0000 3220"
AMOUNT = 1250
Json = dict[str, Any]


class Shop:
    """A page with room for elements, and the merchant's server behind it."""

    def __init__(self, page: Page, address: str, stripe: httpx.Client) -> None:
        self.page = page
        self.address = address
        self._stripe = stripe

    def ask(self, method: str, path: str, **form: Any) -> Json:
        """A call to Stripe with the secret key."""
        answer = self._stripe.request(method, path, data=form or None)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def intent(self, **fields: Any) -> Json:
        return self.ask(
            "POST", "/v1/payment_intents", **{"amount": AMOUNT, "currency": "eur", **fields}
        )

    def customer(self, **features: str) -> tuple[str, str]:
        """A customer with a saved card: their id, and a session that enables `features`."""
        customer = self.ask("POST", "/v1/customers", email="ada@example.com")["id"]
        method = self.ask(
            "POST",
            "/v1/payment_methods",
            type="card",
            allow_redisplay="always",
            **{"card[number]": "5555555555554444"},
        )
        self.ask("POST", f"/v1/payment_methods/{method['id']}/attach", customer=customer)
        component = "components[payment_element]"
        wanted = {f"{component}[features][{name}]": value for name, value in features.items()}
        session = self.ask(
            "POST",
            "/v1/customer_sessions",
            customer=customer,
            **{f"{component}[enabled]": "true"},
            **wanted,
        )
        return customer, session["client_secret"]

    def elements(self, **options: Any) -> None:
        """A group, deferred unless `options` name a client secret."""
        if "clientSecret" not in options:
            options = {"mode": "payment", "amount": AMOUNT, "currency": "eur", **options}
        self.page.evaluate(
            """(options) => {
              window.stripe = Stripe("pk_test_sandbox", { locale: "en" });
              window.elements = stripe.elements(options);
              window.heard = [];
            }""",
            options,
        )

    def mount(self, kind: str = "payment", **options: Any) -> FrameLocator:
        """An element that tells what happens to it in `heard`, once it is ready."""
        self.page.evaluate(
            """([kind, options]) => new Promise((resolve, reject) => {
              const element = elements.create(kind, options);
              for (const type of ["change", "cancel", "savedpaymentmethodremove"]) {
                element.on(type, (event) => heard.push([type, event]));
              }
              element.on("ready", (event) => { heard.push(["ready", event]); resolve(); });
              element.on("loaderror", ({ error }) => reject(new Error(error.message)));
              element.mount(`#${kind}`);
            })""",
            [kind, options],
        )
        return self.page.frame_locator(f"#{kind} iframe")

    def pays(self, secret: str | None = None, **options: Any) -> None:
        """Submits and confirms; the outcome comes to `result`."""
        self.page.evaluate(
            """([clientSecret, options]) => {
              window.outcome = (async () => {
                const submitted = await elements.submit();
                if (submitted.error) return submitted;
                const common = { elements, clientSecret, redirect: "if_required" };
                return stripe.confirmPayment({ ...common, ...options });
              })().catch((error) => ({ thrown: `${error.name}: ${error.message}` }));
            }""",
            [secret, options],
        )

    @property
    def result(self) -> Json:
        found: Json = self.page.evaluate("() => window.outcome")
        return found

    def waits_for(self, condition: str) -> None:
        """Until an expression of the page is true; the page's policy admits no eval."""
        self.page.evaluate(
            f"""() => new Promise((resolve, reject) => {{
              const look = () => ({condition}) ? resolve() : requestAnimationFrame(look);
              look();
              setTimeout(() => reject(new Error("Never came.")), 60_000);
            }})"""
        )

    def heard(self, kind: str) -> list[Json]:
        return [event for type_, event in self.page.evaluate("heard") if type_ == kind]

    def refuses(self, code: str) -> str:
        """What is thrown at a page that does this."""
        thrown = self.page.evaluate(
            f"""async () => {{
              try {{ await ({code}); return ""; }}
              catch (error) {{ return `${{error.name}}: ${{error.message}}`; }}
            }}"""
        )
        return str(thrown)


def fill_in(frame: FrameLocator, number: str) -> None:
    frame.get_by_label("Card number").fill(number)
    frame.get_by_label("Expiry date").fill("12 / 34")
    frame.get_by_label("Security code").fill("123")


@contextmanager
def served(app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    """An application in a thread of its own; who comes before it is up waits in the queue."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            ws="none",
            log_config=None,
            lifespan="off",
            timeout_keep_alive=IDLE_CONNECTION_S,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield
    server.should_exit = True
    thread.join()


def listening() -> tuple[socket.socket, str]:
    """A socket on this machine, and its address."""
    listener = socket.create_server((LOOPBACK, 0))
    return listener, url(listener.getsockname()[1])


@pytest.fixture(scope="module")
def addresses() -> Iterator[tuple[str, str]]:
    """A shop's page, and the Stripe stand-in at another origin."""
    (shop_listener, shop_url), (stripe_listener, stripe) = listening(), listening()

    async def page(request: Request) -> Response:
        release = "v3/" if request.url.path == "/old" else "endive/stripe.js"
        policy = (
            f"default-src 'none'; script-src {stripe}; connect-src {stripe}; frame-src {stripe};"
            " img-src data:"
        )
        return HTMLResponse(
            f"""<!doctype html><html lang="en"><title>Shop</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <link rel="icon" href="data:,"><main><h1>Shop</h1><button id="before">Before</button>
            <div id="expressCheckout"></div><div id="payment"></div><div id="page"></div></main>
            <script src="{stripe}/{release}"></script>""",
            headers={"content-security-policy": policy},
        )

    state = StripeState(SandboxClock(), public_url=stripe)
    shop = Starlette(routes=[Route("/{path:path}", page)])
    with served(create_app(state), stripe_listener), served(shop, shop_listener):
        yield shop_url, stripe


@pytest.fixture
def shop(addresses: tuple[str, str], browser: Browser) -> Iterator[Shop]:
    address, stripe = addresses
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(TIMEOUT_MS)
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "console",
        lambda message: (
            complaints.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    page = context.new_page()
    page.goto(address)
    headers = {"authorization": "Bearer sk_test_sandbox"}
    with httpx.Client(base_url=stripe, headers=headers, trust_env=False) as client:
        yield Shop(page, address, client)
    context.close()
    assert not complaints


def assert_accessible(shop: Shop) -> None:
    """axe finds nothing in any of the page's frames."""
    shop.page.emulate_media(reduced_motion="reduce")
    for frame in shop.page.frames:
        # A frame is part of a page, which has the heading.
        rules = {"page-has-heading-one": {"enabled": frame.parent_frame is None}}
        assert violations(frame, {"rules": rules, "iframes": False}) == [], frame.url


def test_a_card_is_paid_with_and_the_page_never_sees_its_number(shop: Shop) -> None:
    shop.elements()
    frame = shop.mount()
    assert shop.heard("change")[-1]["complete"] is False
    frame.get_by_label("Card number").press_sequentially("4242424242424242")
    expect(frame.get_by_label("Card number")).to_have_value(GOOD)
    frame.get_by_label("Expiry date").press_sequentially("334")
    expect(frame.get_by_label("Expiry date")).to_have_value("03 / 34")
    frame.get_by_label("Security code").fill("123")
    shop.waits_for("heard.at(-1)[1].complete")
    intent = shop.intent()
    shop.pays(intent["client_secret"])

    paid = shop.result["paymentIntent"]
    assert (paid["id"], paid["status"], paid["amount"]) == (intent["id"], "succeeded", AMOUNT)
    assert "metadata" not in paid
    assert shop.heard("change")[-1]["value"] == {"type": "card"}
    assert "4242424242424242" not in str(shop.page.evaluate("[heard, document.body.innerHTML]"))


def test_a_decline_says_why_and_another_card_may_follow(shop: Shop) -> None:
    intent = shop.intent(**{"metadata[secret]": "of the merchant"})
    shop.elements(clientSecret=intent["client_secret"])
    frame = shop.mount()
    fill_in(frame, POOR)
    shop.pays()
    error = shop.result["error"]
    assert (error["type"], error["code"]) == ("card_error", "card_declined")
    assert error["decline_code"] == "insufficient_funds"
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert "metadata" not in error["payment_intent"]
    fill_in(frame, GOOD)
    shop.pays()
    assert shop.result["paymentIntent"]["status"] == "succeeded"


def test_what_is_missing_is_said_where_it_is_missing(shop: Shop) -> None:
    shop.elements()
    frame = shop.mount()
    frame.get_by_label("Card number").fill("4242 4242 4242 4241")
    shop.pays()
    assert shop.result["error"]["code"] == "invalid_number"
    expect(frame.get_by_label("Card number")).to_be_focused()
    expect(frame.get_by_label("Card number")).to_have_attribute("aria-invalid", "true")
    expect(frame.get_by_text("Your card number is invalid.")).to_be_visible()
    expect(frame.get_by_text("security code is incomplete")).to_be_visible()
    assert_accessible(shop)


@pytest.mark.parametrize("outcome", ["Confirm payment", "Reject payment", "Close"])
def test_a_challenge_is_confirmed_rejected_or_closed(shop: Shop, outcome: str) -> None:
    intent = shop.intent()
    shop.elements(clientSecret=intent["client_secret"])
    fill_in(shop.mount(), SECURE)
    shop.page.locator("#before").focus()
    shop.pays()
    dialog = shop.page.get_by_role("dialog", name="Confirm your payment with your bank")
    bank = dialog.frame_locator("iframe")
    expect(bank.get_by_role("button", name="Confirm payment")).to_be_visible()
    assert_accessible(shop)
    if outcome == "Close":
        shop.page.keyboard.press("Escape")
    else:
        bank.get_by_role("button", name=outcome).click()
    result = shop.result
    expect(dialog).to_have_count(0)
    expect(shop.page.locator("#before")).to_be_focused()
    if outcome == "Confirm payment":
        assert result["paymentIntent"]["status"] == "succeeded"
    else:
        assert result["error"]["code"] == "payment_intent_authentication_failure"
        assert result["error"]["payment_intent"]["status"] == "requires_payment_method"


@pytest.mark.parametrize(
    ("answer", "status"), [("Confirm payment", "succeeded"), ("Reject payment", "failed")]
)
def test_a_redirect_leads_to_the_bank_and_back(shop: Shop, answer: str, status: str) -> None:
    intent = shop.intent()
    shop.elements(clientSecret=intent["client_secret"])
    frame = shop.mount()
    frame.get_by_label("iDEAL").check()
    shop.pays(redirect="always", confirmParams={"return_url": f"{shop.address}/back?cart=7"})
    shop.page.get_by_role("button", name=answer).click()
    expect(shop.page).to_have_url(re.compile("/back"))
    assert dict(parse_qsl(urlsplit(shop.page.url).query)) == {
        "cart": "7",
        "payment_intent": intent["id"],
        "payment_intent_client_secret": intent["client_secret"],
        "redirect_status": status,
    }


def test_a_card_that_needs_no_redirect_goes_to_the_return_address_too(shop: Shop) -> None:
    intent = shop.intent()
    shop.elements(clientSecret=intent["client_secret"])
    fill_in(shop.mount(), GOOD)
    shop.pays(redirect="always", confirmParams={"return_url": f"{shop.address}/back?cart=7"})
    expect(shop.page).to_have_url(re.compile(r"/back\?cart=7&payment_intent=pi_.*=succeeded$"))


def test_a_debit_is_processing(shop: Shop) -> None:
    intent = shop.intent()
    shop.elements(clientSecret=intent["client_secret"])
    frame = shop.mount()
    frame.get_by_label("SEPA Direct Debit").check()
    frame.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    frame.get_by_label("Account holder").fill("Ada Byron")
    frame.get_by_label("Email").fill("ada@example.com")
    shop.pays()
    assert shop.result["paymentIntent"]["status"] == "processing"


def test_a_saved_card_is_paid_with_and_removed(shop: Shop) -> None:
    customer, session = shop.customer(
        payment_method_redisplay="enabled", payment_method_remove="enabled"
    )
    intent = shop.intent(customer=customer)
    shop.elements(clientSecret=intent["client_secret"], customerSessionClientSecret=session)
    frame = shop.mount()
    expect(frame.get_by_label(re.compile("Mastercard ending in 4444, expires"))).to_be_checked()
    change = shop.heard("change")[-1]
    assert change["complete"] is True
    assert change["value"]["payment_method"]["type"] == "card"
    shop.pays()
    assert shop.result["paymentIntent"]["status"] == "succeeded"
    frame.get_by_role("button", name="Remove Mastercard ending in 4444").click()
    expect(frame.get_by_label(re.compile("Mastercard"))).to_have_count(0)
    assert shop.heard("savedpaymentmethodremove")[0]["success"] is True
    assert shop.ask("GET", f"/v1/customers/{customer}/payment_methods")["data"] == []


@pytest.mark.parametrize("wanted", [True, False])
def test_a_card_is_saved_if_the_shopper_wants_it(shop: Shop, *, wanted: bool) -> None:
    customer, session = shop.customer(
        payment_method_save="enabled", payment_method_save_usage="off_session"
    )
    intent = shop.intent(customer=customer)
    shop.elements(clientSecret=intent["client_secret"], customerSessionClientSecret=session)
    frame = shop.mount()
    fill_in(frame, GOOD)
    frame.get_by_label("Save this card").set_checked(wanted)
    shop.pays()
    assert shop.result["paymentIntent"]["status"] == "succeeded"
    saved = shop.ask("GET", f"/v1/customers/{customer}/payment_methods")["data"]
    kinds = [(each["card"]["last4"], each["allow_redisplay"]) for each in saved]
    assert kinds == [("4242", "always"), ("4444", "always")][not wanted :]


def test_an_update_keeps_what_was_entered(shop: Shop) -> None:
    shop.elements()
    frame = shop.mount()
    fill_in(frame, GOOD)
    shop.page.evaluate("elements.update({ amount: 990 })")
    expect(frame.get_by_label("Card number")).to_have_value(GOOD)
    shop.pays(shop.intent(amount=990)["client_secret"])
    assert shop.result["paymentIntent"]["amount"] == 990


@pytest.mark.parametrize(
    ("options", "fields", "name"),
    [
        ({}, {"amount": 990}, "amount"),
        ({}, {"currency": "usd"}, "currency"),
        ({"captureMethod": "manual"}, {}, "capture_method"),
        ({}, {"setup_future_usage": "off_session"}, "setup_future_usage"),
    ],
)
def test_an_intent_unlike_the_elements_is_refused(
    shop: Shop, options: Json, fields: Json, name: str
) -> None:
    shop.elements(**options)
    fill_in(shop.mount(), GOOD)
    intent = shop.intent(**fields)
    shop.pays(intent["client_secret"])
    error = shop.result["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith(f"The provided {name} (")
    status = shop.ask("GET", f"/v1/payment_intents/{intent['id']}")["status"]
    assert status == "requires_payment_method"


def test_misuse_is_an_integration_error(shop: Shop) -> None:
    shop.elements()
    unsent = f"{{ elements, clientSecret: '{shop.intent()['client_secret']}' }}"
    cases = {
        "Stripe('')": "publishable key",
        "Stripe('sk_test_sandbox')": "secret key",
        "stripe.elements({ mode: 'payment', amount: 1.5, currency: 'eur' })": "amount",
        "stripe.elements({ mode: 'payment', amount: 1, currency: 'EUR' })": "currency",
        "stripe.elements({}).create('payment')": "clientSecret or mode",
        "elements.create('card')": "valid Element name",
        "elements.create('payment') && elements.create('payment')": "only create one",
        "elements.getElement('payment').mount('#nowhere')": "no DOM elements",
        f"stripe.confirmPayment({unsent})": "return_url",
        f"stripe.confirmPayment({{ ...{unsent}, redirect: 'if_required' }})": "elements.submit()",
        "stripe.confirmPayment({ elements, redirect: 'if_required' })": "clientSecret",
        "elements.submit()": "mounted",
    }
    for code, part in cases.items():
        thrown = shop.refuses(code)
        assert thrown.startswith("IntegrationError: "), code
        assert part in thrown, code


def test_without_a_network_there_is_a_connection_error(shop: Shop) -> None:
    intent = shop.intent()
    shop.elements(clientSecret=intent["client_secret"])
    fill_in(shop.mount(), GOOD)
    shop.page.context.set_offline(True)
    shop.pays()
    assert shop.result["error"]["type"] == "api_connection_error"
    retrieved = shop.page.evaluate("stripe.retrievePaymentIntent(elements.options.clientSecret)")
    assert retrieved["error"]["type"] == "api_connection_error"


def test_an_element_that_cannot_be_loaded_says_so(shop: Shop) -> None:
    shop.elements(clientSecret="pi_unknown_secret_unknown")
    with pytest.raises(Exception, match="No such"):
        shop.mount()


def test_a_confirmation_token_and_a_method_are_made_of_elements(shop: Shop) -> None:
    shop.elements()
    fill_in(shop.mount(), GOOD)
    made = shop.page.evaluate(
        """async () => {
          await elements.submit();
          const params = { payment_method_data: { billing_details: { name: "Ada" } } };
          const { confirmationToken } = await stripe.createConfirmationToken({ elements, params });
          const { paymentMethod } = await stripe.createPaymentMethod({ elements });
          return [confirmationToken, paymentMethod];
        }"""
    )
    assert [each["object"] for each in made] == ["confirmation_token", "payment_method"]
    preview = made[0]["payment_method_preview"]
    assert (preview["card"]["last4"], preview["billing_details"]["name"]) == ("4242", "Ada")
    confirm = f"/v1/payment_intents/{shop.intent()['id']}/confirm"
    paid = shop.ask("POST", confirm, confirmation_token=made[0]["id"], return_url=shop.address)
    assert paid["status"] == "succeeded"


EXPRESS = """() => {
  window.asked = [];
  const rates = (country) => country === "DE"
    ? [
        { id: "std", displayName: "Standard", amount: 490 },
        { id: "exp", displayName: "Express", amount: 990 },
      ]
    : [{ id: "int", displayName: "International", amount: 1490 }];
  const quote = async (rate) => {
    await elements.update({ amount: 1250 + rate.amount });
    return [{ name: "Mug", amount: 1250 }, { name: rate.displayName, amount: rate.amount }];
  };
  const element = elements.getElement("expressCheckout");
  element.on("click", ({ resolve, expressPaymentType }) => {
    asked.push(["click", expressPaymentType]);
    resolve({
      shippingAddressRequired: true, emailRequired: true,
      lineItems: [{ name: "Mug", amount: 1250 }], shippingRates: rates("DE"),
    });
  });
  element.on("shippingaddresschange", async ({ name, address, resolve, reject }) => {
    asked.push(["address", name, address]);
    if (address.country === "US") return reject();
    const shippingRates = rates(address.country);
    resolve({ shippingRates, lineItems: await quote(shippingRates[0]) });
  });
  element.on("shippingratechange", async ({ shippingRate, resolve }) => {
    asked.push(["rate", shippingRate.id]);
    resolve({ lineItems: await quote(shippingRate) });
  });
  element.on("confirm", (event) => {
    asked.push(["confirm", JSON.parse(JSON.stringify(event))]);
    window.confirming = event;
  });
}"""


def test_the_wallet_asks_for_prices_and_pays(shop: Shop) -> None:
    shop.elements()
    frame = shop.mount("expressCheckout")
    assert shop.heard("ready")[0]["availablePaymentMethods"]["googlePay"] is True
    shop.page.evaluate(EXPRESS)
    frame.get_by_role("button", name="Pay with Demo Pay").click()
    sheet = shop.page.get_by_role("dialog", name="Demo Pay").frame_locator("iframe")
    pay = sheet.get_by_role("button", name=re.compile("^Pay "))
    expect(pay).to_have_text("Pay €17.40")
    sheet.get_by_label("Ship to").select_option(label="350 Fifth Avenue, New York, US")
    expect(sheet.get_by_role("alert")).to_have_text("The shop does not deliver to this address.")
    expect(pay).to_be_disabled()
    sheet.get_by_label("Ship to").select_option(label="12 St James's Square, London, GB")
    expect(sheet.get_by_label("International")).to_be_checked()
    expect(pay).to_have_text("Pay €27.40")
    sheet.get_by_label("Ship to").select_option(label="Lindenstrasse 12, Berlin, DE")
    sheet.get_by_label("Express").check()
    expect(pay).to_have_text("Pay €22.40")
    assert_accessible(shop)
    pay.click()
    shop.waits_for("window.confirming")
    shop.pays(shop.intent(amount=2240)["client_secret"])
    assert shop.result["paymentIntent"]["status"] == "succeeded"
    expect(shop.page.get_by_role("dialog")).to_have_count(0)
    asked = shop.page.evaluate("asked")
    assert asked[0] == ["click", "google_pay"]
    assert asked[1][2] == {"city": "Berlin", "state": "", "postal_code": "10969", "country": "DE"}
    event = asked[-1][1]
    assert event["shippingRate"]["id"] == "exp"
    assert event["shippingAddress"]["address"]["line1"] == "Lindenstrasse 12"
    assert event["billingDetails"]["email"] == "ada@example.com"


def test_the_wallet_can_be_cancelled_and_shows_a_failure(shop: Shop) -> None:
    shop.elements()
    frame = shop.mount("expressCheckout")
    button = frame.get_by_role("button", name="Pay with Demo Pay")
    button.click()
    dialog = shop.page.get_by_role("dialog", name="Demo Pay")
    expect(
        dialog.frame_locator("iframe").get_by_role("button", name=re.compile("^Pay "))
    ).to_be_focused()
    shop.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert len(shop.heard("cancel")) == 1
    expect(button).to_be_focused()
    shop.page.evaluate(
        """elements.getElement("expressCheckout").on("confirm", ({ paymentFailed }) => {
          paymentFailed({ message: "Sold out." });
        })"""
    )
    button.click()
    sheet = dialog.frame_locator("iframe")
    sheet.get_by_role("button", name=re.compile("^Pay ")).click()
    expect(sheet.get_by_role("alert")).to_have_text("Sold out.")
    shop.page.get_by_role("button", name="Close").click()
    assert len(shop.heard("cancel")) == 2


def test_a_click_that_is_answered_too_late_opens_nothing(shop: Shop) -> None:
    shop.elements()
    frame = shop.mount("expressCheckout")
    shop.page.evaluate(
        "elements.getElement('expressCheckout').on('click', (event) => { window.late = event; })"
    )
    with shop.page.expect_console_message(lambda message: "within 1 second" in message.text):
        frame.get_by_role("button").click()
    shop.page.evaluate("late.resolve()")
    expect(frame.get_by_role("button")).to_be_enabled()
    expect(shop.page.get_by_role("dialog")).to_have_count(0)


def test_a_wallet_needs_prices_that_add_up(shop: Shop) -> None:
    shop.elements()
    frame = shop.mount("expressCheckout")
    shop.page.evaluate(
        """elements.getElement("expressCheckout").on("click", ({ resolve, reject }) => {
          window.refused = [
            { lineItems: [{ name: "Mug", amount: 9999 }] }, { shippingAddressRequired: true },
          ].map((details) => { try { resolve(details); } catch (error) { return error.message; } });
          reject();
        })"""
    )
    frame.get_by_role("button").click()
    shop.waits_for("window.refused")
    assert shop.page.evaluate("refused") == [
        "The amount 1250 is less than the total amount of the line items provided.",
        "When shippingAddressRequired is true, you must specify shippingRates.",
    ]


def test_the_payment_page_is_shown_within_the_shops(shop: Shop) -> None:
    session = shop.ask(
        "POST",
        "/v1/checkout/sessions",
        mode="payment",
        ui_mode="embedded_page",
        redirect_on_completion="never",
        customer_email="ada@example.com",
        **{
            "line_items[0][price_data][currency]": "eur",
            "line_items[0][price_data][unit_amount]": "1250",
            "line_items[0][price_data][product_data][name]": "Mug",
            "line_items[0][quantity]": "1",
        },
    )
    shop.page.evaluate(
        """async (secret) => {
          window.completed = 0;
          const page = await Stripe("pk_test_sandbox").createEmbeddedCheckoutPage({
            fetchClientSecret: async () => secret, onComplete: () => { completed += 1; },
          });
          page.mount("#page");
        }""",
        session["client_secret"],
    )
    frame = shop.page.frame_locator("#page iframe")
    fill_in(frame, GOOD)
    frame.get_by_label("Name on card").fill("Ada Byron")
    frame.get_by_role("button", name=re.compile("^Pay ")).click()
    shop.waits_for("completed === 1")
    assert shop.ask("GET", f"/v1/checkout/sessions/{session['id']}")["payment_status"] == "paid"


@pytest.mark.parametrize("theme", ["stripe", "night"])
def test_elements_are_accessible_in_every_theme(shop: Shop, theme: str) -> None:
    shop.page.emulate_media(color_scheme="dark" if theme == "night" else "light")
    _, session = shop.customer(
        payment_method_redisplay="enabled",
        payment_method_remove="enabled",
        payment_method_save="enabled",
    )
    shop.elements(appearance={"theme": theme}, customerSessionClientSecret=session)
    frame = shop.mount()
    shop.mount("expressCheckout")
    for method in ("iDEAL", "SEPA Direct Debit", "Card"):
        frame.get_by_label(method, exact=True).check()
        assert_accessible(shop)
    assert_fits(shop.page)
    shop.page.frame_locator("#expressCheckout iframe").get_by_role("button").click()
    sheet = shop.page.get_by_role("dialog").frame_locator("iframe")
    expect(sheet.get_by_role("button", name=re.compile("^Pay "))).to_be_focused()
    assert_accessible(shop)


@pytest.mark.parametrize(
    ("locale", "label"),
    [
        ("de", "Kartennummer"),
        ("fr-FR", "Numéro de carte"),
        ("es", "Número de tarjeta"),
        ("it", "Numero della carta"),
        ("nl", "Kaartnummer"),
        ("pt", "Card number"),
    ],
)
def test_the_form_speaks_the_shops_language(shop: Shop, locale: str, label: str) -> None:
    shop.elements(locale=locale)
    expect(shop.mount().get_by_label(label)).to_be_visible()


def test_pages_may_pass_functions_and_take_methods_off_the_group(shop: Shop) -> None:
    """As Stripe's own enabler does; a frame of another origin could not be sent a function."""
    shop.elements()
    shop.page.evaluate(
        """() => new Promise((resolve, reject) => {
          const { create } = elements;
          const element = create("payment", { layout: "tabs", onReady: () => undefined });
          element.on("ready", resolve);
          element.on("loaderror", ({ error }) => reject(new Error(error.message)));
          element.mount("#payment");
        })"""
    )
    fill_in(shop.page.frame_locator("#payment iframe"), GOOD)
    shop.pays(shop.intent()["client_secret"])
    assert shop.result["paymentIntent"]["status"] == "succeeded"


def test_only_an_old_address_of_stripe_js_redirects_to_a_payment_page(shop: Shop) -> None:
    """https://docs.stripe.com/changelog/clover/2025-09-30/remove-redirect-to-checkout"""
    session = shop.ask(
        "POST",
        "/v1/checkout/sessions",
        mode="payment",
        success_url=f"{shop.address}/paid",
        **{
            "line_items[0][price_data][currency]": "eur",
            "line_items[0][price_data][unit_amount]": str(AMOUNT),
            "line_items[0][price_data][product_data][name]": "Mug",
            "line_items[0][quantity]": "1",
        },
    )
    made = 'Stripe("pk_test_sandbox")'
    assert "is not a function" in shop.refuses(f"{made}.redirectToCheckout({{}})")
    shop.page.goto(f"{shop.address}/old")
    assert "must provide" in shop.refuses(f"{made}.redirectToCheckout({{}})")
    shop.page.evaluate(f"void {made}.redirectToCheckout({{ sessionId: '{session['id']}' }})")
    shop.page.wait_for_url(session["url"])
    expect(shop.page.get_by_role("button", name=re.compile("Pay"))).to_be_visible()
