"""Buying something, in all the ways that shoppers do it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.shopper import DECLINED, GOOD, IN_GERMANY, SECURE, Shop, Shopper

PAID = "Thank you. Your order is paid."
UNPAID = "Your order is not paid yet."


def assert_paid_once(shop: Shop, order_id: str, cents: int) -> None:
    order = shop.order(order_id)
    assert (order["paymentState"], order["orderState"]) == ("Paid", "Confirmed")
    assert shop.charged(order_id) == [("Charge", cents, "Success")]


def test_from_first_look_to_confirmation(shopper: Shopper) -> None:
    page = shopper.page
    page.goto("/")
    page.get_by_role("link", name="Kitchen").click()
    page.get_by_role("link", name="Stoneware mug").click()
    page.get_by_role("link", name="Slate").click()
    expect(page.get_by_role("img", name="Slate")).to_be_visible()
    shopper.click("Add to basket")
    shopper.click("One more")
    expect(page.locator("#total")).to_have_text("€34.70")
    expect(page.locator("#basket-count")).to_have_text("2 things")
    page.get_by_role("link", name="Check out").click()
    shopper.enters(IN_GERMANY)
    order_id = shopper.goes_to_payment()
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    assert shopper.order_id == order_id
    expect(page.get_by_text("Berlin")).to_be_visible()
    assert_paid_once(shopper.shop, order_id, 3_470)
    page.goto("/basket")
    expect(page.get_by_text("Your basket is empty")).to_be_visible()


def test_a_declined_card_can_be_followed_by_a_good_one(shopper: Shopper) -> None:
    order_id = shopper.checks_out()
    shopper.pays_with(DECLINED)
    expect(shopper.page.get_by_role("alert")).to_be_visible()
    assert shopper.shop.charged(order_id) == []
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    assert_paid_once(shopper.shop, order_id, 1_980)


def test_a_confirmed_challenge_pays(shopper: Shopper) -> None:
    order_id = shopper.checks_out()
    shopper.pays_with(SECURE)
    shopper.click("Confirm payment")
    shopper.sees_paid()
    assert_paid_once(shopper.shop, order_id, 1_980)


def test_a_rejected_challenge_charges_nothing_and_leaves_the_way_open(shopper: Shopper) -> None:
    order_id = shopper.checks_out()
    shopper.pays_with(SECURE)
    shopper.click("Reject payment")
    expect(shopper.page.get_by_role("alert")).to_be_visible()
    assert shopper.shop.charged(order_id) == []
    assert "paymentState" not in shopper.shop.order(order_id)
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    assert_paid_once(shopper.shop, order_id, 1_980)


def test_who_leaves_the_payment_page_can_pay_the_same_order_again(shopper: Shopper) -> None:
    order_id = shopper.checks_out()
    shopper.page.get_by_role("link", name="Cancel").click()
    expect(shopper.page).to_have_url(re.compile("/order/canceled"))
    shopper.sees("You left before paying.")
    assert shopper.goes_to_payment() == order_id
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    assert_paid_once(shopper.shop, order_id, 1_980)


def test_who_leaves_the_payment_page_can_change_the_basket(shopper: Shopper) -> None:
    first = shopper.checks_out(quantity=2)
    shopper.page.get_by_role("link", name="Cancel").click()
    shopper.click("Change the basket")
    expect(shopper.page.get_by_label("Quantity of Stoneware mug")).to_have_value("2")
    shopper.click("One less")
    expect(shopper.page.locator("#total")).to_have_text("€19.80")
    shopper.page.get_by_role("link", name="Check out").click()
    expect(shopper.page.get_by_label("City")).to_have_value("Berlin")
    shopper.click("Continue to review")
    second = shopper.goes_to_payment()
    assert second != first
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    assert_paid_once(shopper.shop, second, 1_980)
    assert shopper.shop.charged(first) == []


def test_an_order_is_completed_by_the_webhook_alone_when_the_tab_is_closed(
    shopper: Shopper,
) -> None:
    order_id = shopper.checks_out()

    def without_answer(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch(max_redirects=0)
            route.abort()
        else:
            route.continue_()

    shopper.page.route(f"{shopper.shop.payment_address}/**", without_answer)
    with shopper.page.expect_event("requestfailed"):
        shopper.pays_with(GOOD)
    shopper.page.close()
    assert shopper.shop.order_when_paid(order_id)["orderState"] == "Confirmed"
    assert_paid_once(shopper.shop, order_id, 1_980)


def test_every_page_can_be_reloaded(shopper: Shopper) -> None:
    page = shopper.page
    shopper.puts_into_basket("stoneware-mug-1")
    page.reload()
    expect(page.get_by_label("Quantity of Stoneware mug")).to_have_value("1")
    shopper.enters(IN_GERMANY)
    page.reload()
    order_id = shopper.goes_to_payment()
    page.reload()
    assert shopper.is_at_payment() == order_id
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    page.reload()
    shopper.sees_paid()
    page.get_by_role("link", name="See the order").click()
    page.reload()
    shopper.sees(PAID)
    assert_paid_once(shopper.shop, order_id, 1_980)
    assert len(shopper.shop.sessions(order_id)) == 1


def test_the_way_back_from_the_payment_page_leads_to_the_same_order(shopper: Shopper) -> None:
    order_id = shopper.checks_out()
    shopper.page.go_back()
    shopper.page.goto("/checkout/review")
    shopper.sees(UNPAID)
    assert shopper.goes_to_payment() == order_id
    assert len(shopper.shop.sessions(order_id)) == 1


def test_a_double_click_on_pay_places_one_order(shopper: Shopper) -> None:
    shopper.puts_into_basket("stoneware-mug-1")
    shopper.enters(IN_GERMANY)
    shopper.page.get_by_role("button", name="Pay ").dblclick()
    order_id = shopper.is_at_payment()
    shopper.page.get_by_label("Card number").fill(GOOD)
    shopper.page.get_by_label("Expiry date").fill("12 / 34")
    shopper.page.get_by_label("Security code").fill("123")
    shopper.page.get_by_label("Name on card").fill("Ada Byron")
    shopper.page.get_by_role("button", name="Pay ").dblclick()
    shopper.sees_paid()
    assert len(shopper.shop.sessions(order_id)) == 1
    assert_paid_once(shopper.shop, order_id, 1_980)


def test_two_tabs_that_pay_the_same_basket_pay_once(shopper: Shopper) -> None:
    shopper.puts_into_basket("stoneware-mug-1")
    shopper.enters(IN_GERMANY)
    other = shopper.another_tab()
    other.page.goto("/checkout/review")
    order_id = shopper.goes_to_payment()
    other.click("Pay ")
    other.sees(UNPAID)
    assert other.goes_to_payment() == order_id
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    other.page.goto(f"{shopper.shop.address}/order/{order_id}")
    other.sees(PAID)
    assert_paid_once(shopper.shop, order_id, 1_980)


def test_what_was_removed_in_one_tab_is_gone_in_the_other(shopper: Shopper) -> None:
    shopper.puts_into_basket("stoneware-mug-1")
    other = shopper.another_tab()
    other.page.goto("/basket")
    shopper.click("Remove Stoneware mug")
    expect(shopper.page.get_by_text("Your basket is empty")).to_be_visible()
    other.click("One more")
    expect(other.page.get_by_text("Your basket is empty")).to_be_visible()


def test_an_expired_payment_page_is_replaced_by_a_new_one(shopper: Shopper) -> None:
    order_id = shopper.checks_out()
    (session,) = shopper.shop.sessions(order_id)
    shopper.shop.stripe("POST", f"/v1/checkout/sessions/{session['id']}/expire")
    shopper.page.goto(f"/order/{order_id}")
    assert shopper.goes_to_payment() == order_id
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    assert_paid_once(shopper.shop, order_id, 1_980)
    assert [each["status"] for each in shopper.shop.sessions(order_id)] == ["complete", "expired"]


def test_a_discount_code_is_shown_and_charged_to_the_cent(shopper: Shopper) -> None:
    shopper.puts_into_basket("wool-blanket-1")
    shopper.page.get_by_label("Discount code").fill("LASTYEAR")
    shopper.click("Apply")
    expect(shopper.page.locator("#code-mistake")).to_be_visible()
    shopper.page.get_by_label("Discount code").fill("SAVE10")
    shopper.click("Apply")
    expect(shopper.page.locator("#total")).to_have_text("€93.40")
    shopper.enters(IN_GERMANY)
    order_id = shopper.goes_to_payment()
    blanket, delivery = (
        shopper.page.get_by_role("list", name="Your order").get_by_role("listitem").all()
    )
    expect(blanket.locator(".line-name")).to_have_text("Wool blanket")
    expect(blanket.locator(".muted")).to_have_text("Grey, 140 x 200 cm, was €98.33, less SAVE10")
    expect(blanket.locator(".amount")).to_have_text("€88.50")
    picture = blanket.get_by_role("presentation")
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("image => image.naturalWidth") > 0
    expect(delivery).to_have_text(re.compile(r"Shipping: Standard\s+€4\.90"))
    expect(shopper.page.get_by_text("Prices include €14.91 of taxes.")).to_be_visible()
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    assert_paid_once(shopper.shop, order_id, 9_340)


@pytest.mark.parametrize("code", ["SAVE10", "FIVEOFF"])
def test_delivery_costs_the_same_in_the_shop_and_on_the_payment_page(
    code: str, shopper: Shopper
) -> None:
    shopper.puts_into_basket("wool-blanket-1")
    shopper.page.get_by_label("Discount code").fill(code)
    shopper.click("Apply")
    shopper.enters(IN_GERMANY)
    shopper.goes_to_payment()
    delivery = shopper.page.get_by_role("list", name="Your order").get_by_role("listitem").last
    expect(delivery.locator(".amount")).to_have_text("€4.90")


def test_an_order_that_nobody_paid_is_not_shown_as_paid(shopper: Shopper) -> None:
    order_id = shopper.checks_out()
    shopper.page.goto(f"{shopper.shop.address}/order/success?orderId={order_id}")
    shopper.sees(UNPAID)
    assert "paymentState" not in shopper.shop.order(order_id)


def test_a_payment_that_takes_days_is_told_as_such_until_the_bank_has_decided(
    shopper: Shopper,
) -> None:
    order_id = shopper.checks_out()
    shopper.pays_by_debit()
    shopper.sees("Your payment is on its way.")
    assert shopper.shop.order(order_id).get("paymentState") != "Paid"
    shopper.shop.bank_decides(order_id, succeed=True)
    shopper.sees(PAID)
    assert_paid_once(shopper.shop, order_id, 1_980)


def test_waiting_for_the_bank_takes_nobodys_focus(shopper: Shopper) -> None:
    page = shopper.page
    order_id = shopper.checks_out()
    shopper.pays_by_debit()
    shopper.sees("Your payment is on its way.")
    desk = page.get_by_role("link", name="This payment at the desk")
    desk.focus()
    page.evaluate("window.moved = 0; addEventListener('focusin', () => { window.moved += 1; })")
    main = page.locator("#content").element_handle()
    for _ in range(2):
        with page.expect_response(re.compile("/order/success")):
            pass
    expect(desk).to_be_focused()
    shopper.shop.bank_decides(order_id, succeed=True)
    shopper.sees(PAID)
    expect(page.get_by_role("status")).to_contain_text("We are packing it now.")
    expect(desk).to_be_focused()
    assert page.evaluate("window.moved") == 0
    assert main.evaluate("(main) => main.isConnected"), "more was replaced than has changed"


def test_a_debit_that_bounces_can_be_paid_by_card(shopper: Shopper) -> None:
    order_id = shopper.checks_out()
    shopper.pays_by_debit()
    shopper.sees("Your payment is on its way.")
    shopper.shop.bank_decides(order_id, succeed=False)
    expect(shopper.page.get_by_role("button", name="Pay ")).to_be_visible()
    assert shopper.goes_to_payment() == order_id
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    assert shopper.shop.charged(order_id)[-1] == ("Charge", 1_980, "Success")


def test_the_shop_works_without_scripts(shop: Shop, browser: Browser) -> None:
    context = browser.new_context(base_url=shop.address, java_script_enabled=False)
    shopper = Shopper(shop, context.new_page())
    shopper.puts_into_basket("stoneware-mug-1")
    shopper.click("One more")
    expect(shopper.page.locator("#total")).to_have_text("€34.70")
    shopper.enters(IN_GERMANY)
    order_id = shopper.goes_to_payment()
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    assert_paid_once(shop, order_id, 3_470)
    context.close()


@pytest.mark.parametrize("order_id", ["00000000-0000-4000-8000-000000000000", "mine"])
def test_an_order_that_is_not_there_is_not_found(shopper: Shopper, order_id: str) -> None:
    answer = shopper.page.goto(f"/order/{order_id}")
    assert answer is not None
    assert answer.status == 404
    shopper.sees("We cannot find that")


@pytest.mark.parametrize(
    ("market", "address", "shown", "currency", "cents"),
    [
        (
            "Japan",
            {"streetName": "Jingumae", "postalCode": "150-0001", "city": "Tokyo"},
            "¥2,960",
            "JPY",
            2_960,
        ),
        (
            "Kuwait",
            {"streetName": "Salem Al Mubarak", "postalCode": "13001", "city": "Kuwait City"},
            "KWD\xa06.090",
            "KWD",
            6_090,
        ),
        (
            "United States",
            {"streetName": "Broadway", "postalCode": "10013", "city": "New York", "region": "NY"},
            "$22.65",
            "USD",
            2_265,
        ),
    ],
)
def test_every_currency_is_shown_and_charged_in_its_own_digits(
    shopper: Shopper, market: str, address: dict[str, str], shown: str, currency: str, cents: int
) -> None:
    shopper.puts_into_basket("stoneware-mug-1")
    shopper.page.locator("summary", has_text="currency").click()
    shopper.click(market)
    expect(shopper.page.get_by_label("Quantity of Stoneware mug")).to_have_value("1")
    shopper.page.get_by_label("Discount code").fill("SAVE10")
    shopper.click("Apply")
    expect(shopper.page.get_by_text("Discount code applied")).to_be_visible()
    shopper.enters({**IN_GERMANY, **address})
    expect(shopper.page.locator("#total")).to_have_text(shown)
    order_id = shopper.goes_to_payment()
    shopper.pays_with(GOOD)
    shopper.sees_paid()
    expect(shopper.page.locator("#total")).to_have_text(shown)
    assert_paid_once(shopper.shop, order_id, cents)
    assert shopper.shop.order(order_id)["totalPrice"]["currencyCode"] == currency
