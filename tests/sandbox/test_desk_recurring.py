"""The desk shows when recurring orders are charged next, and why the last charge failed."""

from __future__ import annotations

from sandbox.commercetools.renewals import Renewals
from tests.behaviour.stored import Regular, regular
from tests.behaviour.test_stored_methods import RECURRING
from tests.sandbox.office import Office, text
from tests.world import Json


async def ordered(office: Office) -> Regular:
    """Somebody has ordered what comes again."""
    lin = await regular(office.world)
    cart = await office.world.cart(customerId=lin.id, **RECURRING)
    session = await office.world.session(cart["id"], checkoutTransactionItemId="item")
    begun = await office.world.start(session)
    await office.world.pay(begun["clientSecret"])
    await office.world.deliver_all()
    version = (await office.world.commercetools("GET", f"carts/{cart['id']}"))["version"]
    await office.world.commercetools("POST", "orders", {"id": cart["id"], "version": version})
    return lin


async def refuse(_: Json) -> tuple[int, Json]:
    error = {"code": "PaymentRejected", "message": "Your card was declined."}
    return 201, {"transactionStatus": {"state": "Failed", "errors": [error]}}


async def test_the_next_charge_and_the_last_error_are_shown(office: Office) -> None:
    assert "No recurring orders" in text(await office.browser.get("/desk/recurring"))
    await ordered(office)
    page = text(await office.browser.get("/desk/recurring"))
    assert "no payment method is set" in page
    assert "Initial" in page
    renewals = Renewals(office.world.store, refuse)
    await renewals.run()
    page = text(await office.browser.get("/desk/recurring"))
    [order] = office.world.store.collection("recurring-order")
    [job] = office.world.store.collection("recurring-payment-job")
    assert "Completed" in page
    assert f"paid with {job['paymentMethod']['id']}" in page
    assert "€" in page
    office.world.clock.advance(31 * 86_400)
    await renewals.run()
    page = text(await office.browser.get("/desk/recurring"))
    assert "Failed" in page
    assert "Your card was declined." in page
    assert order["id"] in page
