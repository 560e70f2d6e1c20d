"""The list of payments, and one payment beside Stripe."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.office import Office, deliverer, endpoint, text


async def test_the_list_is_empty_at_first(office: Office) -> None:
    assert "No payments yet" in text(await office.browser.get("/desk/"))


async def test_the_list_is_newest_first_and_found_by_any_name(office: Office) -> None:
    first = await office.world.paid(1000)
    office.world.clock.advance(1)
    second = await office.world.paid(2000)
    page = (await office.browser.get("/desk/")).text
    assert page.index(second) < page.index(first)
    intent = (await office.world.payment(first))["interfaceId"]
    for search in (first, intent):
        page = (await office.browser.get("/desk/", params={"q": search})).text
        assert (first in page, second in page) == (True, False)
    nothing = await office.browser.get("/desk/", params={"q": 'x" or id!="'})
    assert "No payment fits" in text(nothing)


async def test_a_payment_is_found_by_its_order(office: Office) -> None:
    payment_id = await office.world.paid()
    cart = (await office.world.commercetools("GET", "carts"))["results"][0]
    address = {"action": "setShippingAddress", "address": {"country": "DE"}}
    cart = await office.world.change_cart(cart["id"], address)
    order = await office.world.commercetools(
        "POST", "orders", {"id": cart["id"], "version": cart["version"], "orderNumber": "A-17"}
    )
    for search in ("A-17", order["id"]):
        page = await office.browser.get("/desk/", params={"q": search})
        assert payment_id in page.text
        assert "A-17" in page.text
    answer = await office.browser.get(f"/desk/orders/{order['id']}")
    assert answer.url.path == f"/desk/payments/{payment_id}"


async def test_the_list_is_filtered_by_state(office: Office) -> None:
    payment_id = await office.world.paid()
    for state, shown in (("paid", True), ("refunded", False), ("nonsense", True)):
        page = (await office.browser.get("/desk/", params={"state": state})).text
        assert (payment_id in page) is shown


async def test_the_list_is_shown_in_pages(office: Office) -> None:
    for _ in range(26):
        await office.world.start(await office.world.session((await office.world.cart())["id"]))
    first = await office.browser.get("/desk/")
    assert "26 payments" in text(first)
    assert first.text.count("/desk/payments/") == 25
    assert (await office.browser.get("/desk/?page=2")).text.count("/desk/payments/") == 1


@pytest.mark.parametrize("path", ["/desk/payments/00000000-0000-4000-8000-999999999999", "/desk/x"])
async def test_what_is_not_there_is_not_found(office: Office, path: str) -> None:
    assert (await office.browser.get(path)).status_code == 404


async def test_both_sides_agree_on_what_was_paid(office: Office) -> None:
    page = text(await office.page(await office.world.paid(1490)))
    assert "commercetools and Stripe agree" in page
    assert "€14.90" in page
    assert "charge captured" in page


async def test_what_only_stripe_knows_is_marked(office: Office) -> None:
    payment_id = await office.world.paid()
    intent = (await office.world.payment(payment_id))["interfaceId"]
    await office.world.ask_stripe("POST", "/v1/refunds", payment_intent=intent, amount="300")
    page = await office.page(payment_id)
    assert "commercetools and Stripe differ" in text(page)
    assert page.text.count('class="differs"') == 1
    await office.world.deliver_all()
    assert "commercetools and Stripe agree" in text(await office.page(payment_id))


async def test_a_difference_is_explained_by_what_has_not_arrived(office: Office) -> None:
    await endpoint(office)
    payment_id = await office.world.paid()
    await deliverer(office).deliver_due()
    intent = (await office.world.payment(payment_id))["interfaceId"]
    await office.world.ask_stripe("POST", "/v1/refunds", payment_intent=intent, amount="300")
    assert "2 events have not arrived yet" in text(await office.page(payment_id))
    await deliverer(office).deliver_due()
    page = text(await office.page(payment_id))
    assert "commercetools and Stripe agree" in page
    assert "not arrived" not in page


async def test_what_was_said_to_stripe_is_shown_where_it_is_kept() -> None:
    office = Office({"STRIPE_INTERFACE_INTERACTIONS": "true"})
    await office.sign_in()
    payment_id = await office.world.paid()
    page = await office.operate(payment_id, action="refundPayment", amount="1")
    assert page.text.count("<pre") >= 2
    assert "&#34;amount&#34;: 100" in page.text


async def test_a_payment_is_shown_without_stripe_where_stripe_is_away(office: Office) -> None:
    payment_id = await office.world.paid()

    def away(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(503) if request.url.host == "stripe.test" else None

    office.instead = away
    page = await office.page(payment_id)
    assert page.status_code == 200
    assert "side is not known: Stripe answered 503" in text(page)
    assert "Transactions in commercetools" in text(page)


async def test_without_commercetools_the_desk_says_so_and_offers_to_try_again(
    office: Office,
) -> None:
    def away(request: httpx.Request) -> None:
        if request.url.host == "commercetools.test":
            raise httpx.ReadTimeout("late")

    office.instead = away
    page = await office.browser.get("/desk/?q=x")
    assert page.status_code == 503
    assert "commercetools does not answer in time" in text(page)
    assert 'href="/desk/?q=x"' in page.text
