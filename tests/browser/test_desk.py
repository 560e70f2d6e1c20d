"""The merchant desk in a real browser: seeing money, moving it, and what may go wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.shopper import GOOD, Shop, Shopper


class Merchant(Shopper):
    """Somebody at the desk."""

    def signs_in(self) -> None:
        self.page.goto("/desk/")
        self.click("Sign in")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Payments")

    def opens(self, payment_id: str) -> None:
        self.page.goto(f"/desk/payments/{payment_id}")

    def form(self, name: str) -> Locator:
        return self.page.locator(f"form#{name}")

    def types(self, form: str, amount: str) -> None:
        self.form(form).get_by_label("Amount").fill(amount)

    def asks(self, form: str, button: str) -> None:
        """A form is sent; what moves money has to be confirmed yet."""
        self.form(form).get_by_role("button", name=button).click()

    @property
    def confirmation(self) -> Locator:
        return self.page.get_by_role("dialog")

    def confirms(self) -> None:
        self.confirmation.get_by_role("button", name="Confirm").click()

    def sends(self, form: str, button: str) -> None:
        """A form that moves money, with its confirmation."""
        self.asks(form, button)
        self.confirms()

    def is_told(self, headline: str) -> None:
        expect(self.page.locator("#outcome h2")).to_have_text(headline)

    def sees_agreement(self) -> None:
        expect(self.page.locator("#verdict")).to_have_text("commercetools and Stripe agree.")

    def removes_all_faults(self) -> None:
        self.page.goto("/desk/faults")
        if self.page.get_by_role("button", name="Remove all").count():
            self.click("Remove all")
        expect(self.page.get_by_text("there is no fault in force")).to_be_visible()


@pytest.fixture
def merchant(shopper: Shopper) -> Iterator[Merchant]:
    """Somebody signed in; faults that they leave behind are removed."""
    merchant = Merchant(shopper.shop, shopper.page)
    merchant.signs_in()
    yield merchant
    merchant.removes_all_faults()


def authorized(merchant: Merchant) -> str:
    """A payment to capture, open at the desk."""
    payment_id = merchant.shop.authorized()
    merchant.opens(payment_id)
    expect(merchant.page.locator("#capturable")).to_have_text("£46.45")
    return payment_id


def recorded(shop: Shop, payment_id: str, kind: str) -> list[tuple[str, int, str]]:
    """The transactions of a type; both sides have to agree on all."""
    found = shop.compared(payment_id)
    assert found.agrees, found.rows
    return [each for each in found.recorded if each[0] == kind]


def refunds_at_stripe(shop: Shop, payment_id: str) -> list[int]:
    intent = shop.compared(payment_id).intent["id"]
    found = shop.stripe("GET", "/v1/refunds", payment_intent=intent)["data"]
    return [each["amount"] for each in found]


def mark(page: Page) -> None:
    """Something that a reload would lose."""
    page.evaluate("window.kept = true")


def assert_not_reloaded(page: Page) -> None:
    assert page.evaluate("window.kept === true")


def test_a_payment_of_the_shop_is_seen_at_the_desk(merchant: Merchant) -> None:
    order_id = merchant.checks_out()
    merchant.pays_with(GOOD)
    merchant.sees_paid()
    merchant.page.get_by_role("link", name="This payment at the desk").click()
    expect(merchant.page.get_by_role("heading", level=1)).to_have_text("€19.80")
    merchant.sees_agreement()
    number = merchant.shop.order(order_id)["orderNumber"]
    expect(merchant.page.get_by_role("link", name=number)).to_be_visible()
    merchant.page.goto("/desk/")
    merchant.page.get_by_label("Payment, intent or order").fill(number)
    merchant.click("Show")
    expect(merchant.page.get_by_text("1 payment found.")).to_be_visible()
    expect(merchant.page.get_by_role("cell", name=number)).to_be_visible()
    merchant.page.get_by_label("State").select_option("Disputed")
    expect(merchant.page.get_by_text("No payment fits")).to_be_visible()
    merchant.page.go_back()
    expect(merchant.page.get_by_role("cell", name=number)).to_be_visible()


def test_a_part_is_captured_and_a_part_of_that_refunded(merchant: Merchant) -> None:
    payment_id = authorized(merchant)
    merchant.types("capture", "30.00")
    merchant.sends("capture", "Capture")
    merchant.is_told("Captured £30.00.")
    merchant.sees_agreement()
    merchant.types("refund", "12.50")
    merchant.sends("refund", "Refund")
    merchant.is_told("Refunded £12.50.")
    expect(merchant.page.locator("#outcome")).to_be_focused()
    expect(merchant.page.locator("#outcome")).to_contain_text("sandbox-checkout")
    expect(merchant.page.locator("#refundable")).to_have_text("£17.50")
    merchant.sees_agreement()
    assert recorded(merchant.shop, payment_id, "Charge") == [("Charge", 3000, "Success")]
    assert recorded(merchant.shop, payment_id, "Refund") == [("Refund", 1250, "Success")]


def test_a_double_click_refunds_once(merchant: Merchant) -> None:
    payment_id = authorized(merchant)
    merchant.sends("capture", "Capture")
    merchant.is_told("Captured £46.45.")
    merchant.types("refund", "5")
    merchant.form("refund").get_by_role("button", name="Refund").dblclick()
    merchant.confirmation.get_by_role("button", name="Confirm").dblclick()
    merchant.is_told("Refunded £5.00.")
    merchant.page.reload()
    merchant.is_told("Refunded £5.00.")
    assert refunds_at_stripe(merchant.shop, payment_id) == [500]


def test_without_scripts_a_double_click_refunds_once_as_well(shop: Shop, browser: Browser) -> None:
    context = browser.new_context(base_url=shop.address, java_script_enabled=False)
    merchant = Merchant(shop, context.new_page())
    merchant.signs_in()
    payment_id = shop.authorized()
    merchant.opens(payment_id)
    merchant.sends("capture", "Capture")
    merchant.is_told("Captured £46.45.")
    merchant.types("refund", "5")
    merchant.form("refund").get_by_role("button", name="Refund").dblclick()
    merchant.confirmation.get_by_role("button", name="Confirm").dblclick()
    merchant.is_told("Refunded £5.00.")
    assert refunds_at_stripe(shop, payment_id) == [500]
    context.close()


def test_what_is_held_is_cancelled(merchant: Merchant) -> None:
    payment_id = authorized(merchant)
    merchant.sends("undo", "Cancel")
    merchant.is_told("Cancelled.")
    merchant.sees_agreement()
    released = [("CancelAuthorization", 4645, "Success")]
    assert recorded(merchant.shop, payment_id, "CancelAuthorization") == released
    expect(merchant.page.get_by_text("Nothing can be moved any more")).to_be_visible()


def test_what_is_captured_is_reversed(merchant: Merchant) -> None:
    payment_id = authorized(merchant)
    merchant.sends("capture", "Capture")
    merchant.is_told("Captured £46.45.")
    merchant.sends("undo", "Reverse")
    merchant.is_told("Reversed.")
    assert refunds_at_stripe(merchant.shop, payment_id) == [4645]
    merchant.sees_agreement()


def test_an_amount_that_would_be_refused_is_not_sent(merchant: Merchant) -> None:
    authorized(merchant)
    merchant.types("capture", "plenty")
    merchant.asks("capture", "Capture")
    expect(merchant.page.get_by_role("alert")).to_have_text("Enter an amount such as 12.50.")
    expect(merchant.form("capture").get_by_label("Amount")).to_be_focused()
    merchant.types("capture", "99")
    merchant.asks("capture", "Capture")
    expect(merchant.page.get_by_role("alert")).to_have_text("At most £46.45 can be captured now.")
    expect(merchant.form("capture").get_by_label("Amount")).to_have_value("99")
    expect(merchant.confirmation).to_have_count(0)


def test_a_dispute_is_opened_and_lost(merchant: Merchant) -> None:
    payment_id = authorized(merchant)
    merchant.sends("capture", "Capture")
    merchant.is_told("Captured £46.45.")
    merchant.types("dispute", "20.00")
    merchant.asks("dispute", "Open a dispute")
    badge = merchant.page.locator("#summary .badge")
    expect(badge).to_have_text("Disputed")
    merchant.sees_agreement()
    expect(merchant.page.locator("#refundable")).to_have_text("£0.00")
    expect(merchant.page.locator("form#refund, form#undo, form#dispute")).to_have_count(0)
    merchant.click("Lose it")
    expect(badge).to_have_text("Dispute lost")
    merchant.sees_agreement()
    expect(merchant.page.locator("form#refund, form#undo, form#dispute")).to_have_count(0)
    expect(merchant.page.locator("#contested")).to_contain_text("The dispute is lost")
    lost = merchant.page.locator("#transactions tr", has_text="Chargeback").locator(".badge")
    expect(lost).to_have_text("Money lost")
    expect(lost).to_have_class("badge bad")
    assert recorded(merchant.shop, payment_id, "Chargeback") == [("Chargeback", 2000, "Success")]
    merchant.click("Win it")
    expect(badge).to_have_text("Paid")
    expect(merchant.form("refund")).to_be_visible()


def test_what_cannot_be_given_back_is_not_offered(merchant: Merchant) -> None:
    authorized(merchant)
    undo = merchant.form("undo")
    expect(undo.get_by_role("button", name="Cancel")).to_be_visible()
    expect(undo.get_by_role("button", name="Reverse")).to_have_count(0)
    merchant.sends("capture", "Capture")
    merchant.is_told("Captured £46.45.")
    expect(undo.get_by_role("button", name="Cancel")).to_have_count(0)
    merchant.sends("undo", "Reverse")
    merchant.is_told("Reversed.")
    expect(merchant.page.locator("form#refund, form#undo, form#capture")).to_have_count(0)


def test_each_movement_is_confirmed_with_the_balance_that_results(merchant: Merchant) -> None:
    payment_id = authorized(merchant)
    then, balance = merchant.page.locator("#balance-then"), merchant.page.locator("#balance-now")
    merchant.types("capture", "30.00")
    merchant.asks("capture", "Capture")
    expect(merchant.confirmation).to_contain_text("Confirm the capture of £30.00")
    expect(merchant.confirmation).to_contain_text("£16.45 of the authorization will be released")
    expect(then).to_have_text("£30.00 captured and kept")
    assert recorded(merchant.shop, payment_id, "Charge") == []
    merchant.confirms()
    merchant.is_told("Captured £30.00.")
    expect(balance).to_have_text("Balance now: £30.00 captured and kept.")
    merchant.types("refund", "12.50")
    merchant.asks("refund", "Refund")
    expect(then).to_have_text("£17.50 captured and kept, £12.50 refunded")
    merchant.confirms()
    merchant.is_told("Refunded £12.50.")
    expect(balance).to_have_text("Balance now: £17.50 captured and kept, £12.50 refunded.")
    merchant.asks("undo", "Reverse")
    expect(merchant.confirmation).to_contain_text("Confirm the reversal of £17.50")
    expect(then).to_have_text("£0.00 captured and kept, £30.00 refunded")


@pytest.mark.parametrize("way", ["link", "escape", "reload"])
def test_what_is_not_confirmed_moves_nothing(way: str, merchant: Merchant) -> None:
    payment_id = authorized(merchant)
    merchant.asks("capture", "Capture")
    expect(merchant.confirmation).to_be_visible()
    if way == "reload":
        merchant.page.reload()
        expect(merchant.confirmation).to_be_visible()
    if way == "escape":
        merchant.page.keyboard.press("Escape")
    else:
        merchant.confirmation.get_by_role("link", name="Not now").click()
    expect(merchant.confirmation).to_have_count(0)
    expect(merchant.page.locator("#capturable")).to_have_text("£46.45")
    assert recorded(merchant.shop, payment_id, "Charge") == []


def test_the_events_are_as_high_as_they_are_and_nothing_is_below_them(merchant: Merchant) -> None:
    page = merchant.page
    while page.goto("/desk/events") and page.locator("#log > ul > li").count() < 12:
        merchant.shop.authorized()
    height = page.evaluate(
        """() => {
          const log = document.getElementById("log");
          const foot = document.querySelector("footer").getBoundingClientRect();
          return {
            hidden: log.scrollHeight - log.clientHeight,
            blank: document.documentElement.scrollHeight - Math.round(foot.bottom + scrollY),
          };
        }"""
    )
    assert height == {"hidden": 0, "blank": 0}


def test_events_are_sent_again_in_a_chosen_order_and_change_nothing(merchant: Merchant) -> None:
    payment_id = authorized(merchant)
    intent = merchant.shop.compared(payment_id).intent["id"]
    page = merchant.page
    page.goto(f"/desk/events?q={intent}")
    boxes = page.get_by_role("checkbox")
    expect(boxes).to_have_count(3)
    for box in boxes.all():
        box.check()
    merchant.click("Send the ticked ones")
    lines = page.locator(".numbered strong")
    first = lines.first.inner_text()
    merchant.click("Turn the order round")
    expect(lines.last).to_have_text(first)
    page.get_by_role("button", name="Earlier").last.click()
    expect(lines.nth(1)).to_have_text(first)
    merchant.click("Send each twice")
    page.goto(f"/desk/events?q={intent}")
    expect(page.locator(".deliveries .badge", has_text="delivered")).to_have_count(9)
    assert recorded(merchant.shop, payment_id, "Authorization") == [
        ("Authorization", 4645, "Success")
    ]


def test_an_answer_that_gets_lost_is_told_and_the_repetition_moves_money_once(
    merchant: Merchant,
) -> None:
    payment_id = authorized(merchant)
    merchant.sends("capture", "Capture")
    merchant.is_told("Captured £46.45.")
    page = merchant.page
    page.goto("/desk/faults")
    page.get_by_label("What happens").select_option("fail_after")
    page.get_by_label("Path").fill("/v1/refunds")
    page.get_by_label("How often").fill("")
    merchant.click("Switch it on")
    expect(page.locator("#active")).to_contain_text("until it is removed")
    merchant.opens(payment_id)
    merchant.types("refund", "7.00")
    merchant.sends("refund", "Refund")
    merchant.is_told("It is not known yet whether the refund of £7.00 was carried out.")
    address = page.url
    merchant.removes_all_faults()
    page.goto(address)
    merchant.click("Repeat it")
    merchant.is_told("Refunded £7.00.")
    merchant.sees_agreement()
    assert refunds_at_stripe(merchant.shop, payment_id) == [700]


def test_what_happens_at_stripe_appears_without_a_reload(merchant: Merchant) -> None:
    payment_id = merchant.shop.authorized()
    merchant.opens(payment_id)
    merchant.sends("capture", "Capture")
    merchant.is_told("Captured £46.45.")
    mark(merchant.page)
    field = merchant.form("refund").get_by_label("Amount")
    field.fill("3.2")
    key = merchant.form("refund").locator("[name=key]").get_attribute("value")
    intent = merchant.shop.compared(payment_id).intent["id"]
    merchant.shop.stripe("POST", "/v1/refunds", payment_intent=intent, amount=1000)
    expect(merchant.page.locator("#refundable")).to_have_text("£36.45")
    expect(merchant.form("refund")).to_contain_text("Refund up to £36.45")
    merchant.sees_agreement()
    expect(field).to_have_value("3.2")
    expect(field).to_be_focused()
    assert merchant.form("refund").locator("[name=key]").get_attribute("value") == key
    assert_not_reloaded(merchant.page)
    merchant.sends("refund", "Refund")
    merchant.is_told("Refunded £3.20.")
    assert sorted(refunds_at_stripe(merchant.shop, payment_id)) == [320, 1000]


def test_a_new_payment_and_a_new_fault_appear_in_their_lists(merchant: Merchant) -> None:
    page = merchant.page
    page.goto("/desk/")
    mark(page)
    payment_id = merchant.shop.authorized()
    expect(page.locator(f'a[href="/desk/payments/{payment_id}"]')).to_be_visible()
    assert_not_reloaded(page)
    other = Merchant(merchant.shop, page.context.new_page())
    other.page.goto("/desk/faults")
    page.goto("/desk/faults")
    mark(page)
    other.click("Switch on Hold all webhooks")
    expect(page.locator("#active")).to_contain_text("Hold events")
    assert_not_reloaded(page)
    other.removes_all_faults()
    expect(page.get_by_text("there is no fault in force")).to_be_visible()


def test_time_passes_and_webhooks_are_still_believed(merchant: Merchant) -> None:
    page = merchant.page
    page.goto("/desk/events")
    before = page.locator("#clock time").get_attribute("datetime")
    page.get_by_label("Let time pass").select_option("1 hour")
    merchant.click("Move it forward")
    expect(page.locator("#clock time")).not_to_have_attribute("datetime", before or "")
    authorized(merchant)
    merchant.sees_agreement()


def test_the_connector_says_how_it_is_and_who_asked(merchant: Merchant) -> None:
    payment_id = authorized(merchant)
    merchant.sends("undo", "Cancel")
    merchant.is_told("Cancelled.")
    merchant.page.goto("/desk/connector")
    expect(merchant.page.locator(".title .badge")).to_have_text("OK")
    expect(merchant.page.get_by_text("expressCheckout")).to_be_visible()
    deeds = merchant.page.get_by_role("row")
    expect(deeds.filter(has_text=payment_id)).to_contain_text("Checkout (sandbox-checkout)")
    expect(deeds.filter(has_text="/operations/status")).to_contain_text("Merchant Center")


def test_every_page_is_accessible(merchant: Merchant) -> None:
    page = merchant.page
    payment_id = authorized(merchant)
    assert_accessible(page)
    merchant.types("capture", "99")
    merchant.asks("capture", "Capture")
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)
    merchant.types("capture", "46.45")
    merchant.asks("capture", "Capture")
    expect(merchant.confirmation).to_be_visible()
    assert_accessible(page)
    merchant.confirms()
    merchant.is_told("Captured £46.45.")
    intent = merchant.shop.compared(payment_id).intent["id"]
    merchant.shop.stripe("POST", "/v1/refunds", payment_intent=intent, amount=1000)
    merchant.asks("dispute", "Open a dispute")
    expect(page.get_by_role("button", name="Win it")).to_be_visible()
    page.locator("#balance summary").click()
    assert_accessible(page)
    page.goto("/desk/faults")
    merchant.click("Switch on Hold all webhooks")
    expect(page.get_by_role("button", name="Remove all")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("How often").fill("often")
    merchant.click("Switch it on")
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)
    for path in (
        "/desk/",
        "/desk/?q=nobody",
        "/desk/events",
        "/desk/events?q=nothing",
        "/desk/connector",
        "/desk/nowhere",
    ):
        page.goto(path)
        assert_accessible(page)
    page.goto("/desk/events")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("checkbox").last.check()
    merchant.click("Send the ticked ones")
    expect(page.get_by_role("button", name="Send each twice")).to_be_visible()
    assert_accessible(page)
    merchant.removes_all_faults()
    merchant.click("Sign out")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert_accessible(page)
    merchant.signs_in()


def test_a_refund_needs_no_mouse(merchant: Merchant) -> None:
    payment_id = authorized(merchant)
    page = merchant.page
    merchant.form("capture").get_by_label("Amount").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#confirm-title")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    merchant.is_told("Captured £46.45.")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "refund-amount":
            break
    page.keyboard.press("Control+a")
    page.keyboard.type("1.00")
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    expect(page.locator("#confirm-title")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    merchant.is_told("Refunded £1.00.")
    assert refunds_at_stripe(merchant.shop, payment_id) == [100]


def test_after_signing_out_nothing_is_shown(merchant: Merchant) -> None:
    payment_id = authorized(merchant)
    merchant.click("Sign out")
    expect(merchant.page).to_have_url(re.compile("/desk/sign-in"))
    merchant.opens(payment_id)
    expect(merchant.page).to_have_url(re.compile("/desk/sign-in"))
    merchant.click("Sign in")
    expect(merchant.page).to_have_url(re.compile(f"/desk/payments/{payment_id}"))
