"""The merchant desk over the whole sandbox, without a browser: who may do what, and how often."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox import faults
from sandbox.desk import amounts
from sandbox.desk.app import Desk
from sandbox.desk.live import Live, TooMany
from sandbox.desk.operations import Action, Operation, Outcome, Wish, tell
from sandbox.desk.places import Places
from sandbox.desk.standing import happened, standing
from sandbox.desk.wire import Unreachable
from sandbox.faults import FaultDesk, FaultMiddleware
from sandbox.runner import beside
from sandbox.stripe.webhooks import Deliverer
from tests.world import ISSUER, World, money

DESK = "http://shop.test"
OWN = {"Sec-Fetch-Site": "same-origin"}
PLACES = Places(
    processor="http://processor.test",
    commercetools="http://commercetools.test",
    stripe="http://stripe.test",
    jwt="http://jwt.test",
    issuer=ISSUER,
)
Reply = Callable[[httpx.Request], httpx.Response | None]
MANUAL = {"STRIPE_CAPTURE_METHOD": "manual"}


class Office:
    """A world with a desk in it, a browser at the desk, and whatever goes wrong between."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.world = World(environment)
        self.faults = FaultDesk()
        self.instead: Reply = lambda _: None
        """Answers instead of a backend; it may raise, too."""
        self.sent: list[httpx.Request] = []
        """What the desk has asked of its backends."""
        stripe = self.world.network.transports["stripe.test"].app
        self._backends = {
            **self.world.network.transports,
            "processor.test": self.world.client._transport,
            "stripe.test": httpx.ASGITransport(
                Starlette(
                    routes=[
                        *faults.routes(self.faults),
                        Mount("/", FaultMiddleware(stripe, self.faults, "stripe")),
                    ]
                )
            ),
        }
        self.desk = Desk(httpx.AsyncClient(transport=httpx.MockTransport(self._carry)), PLACES)
        self.browser = self.new_browser()

    async def _carry(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        answer = self.instead(request)
        return answer or await self._backends[request.url.host].handle_async_request(request)

    def new_browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(beside(Starlette(), self.desk.app)),
            base_url=DESK,
            headers=OWN,
            follow_redirects=True,
        )

    async def sign_in(self, **fields: str) -> httpx.Response:
        page = await self.browser.get("/desk/sign-in")
        data = {"csrf": hidden(page, "csrf"), "name": "Grace", **fields}
        return await self.browser.post("/desk/sign-in", data=data)

    async def page(self, payment_id: str) -> httpx.Response:
        return await self.browser.get(f"/desk/payments/{payment_id}")

    async def operate(self, payment_id: str, **fields: str) -> httpx.Response:
        """Load the payment's page and send one of its forms."""
        page = await self.page(payment_id)
        data = {"csrf": hidden(page, "csrf"), "key": hidden(page, "key"), "currency": "EUR"}
        return await self.send(f"/desk/payments/{payment_id}/operations", {**data, **fields})

    async def send(self, path: str, data: Mapping[str, str]) -> httpx.Response:
        return await self.browser.post(path, data=dict(data))

    async def csrf(self) -> str:
        return hidden(await self.browser.get("/desk/faults"), "csrf")


def hidden(page: httpx.Response, name: str) -> str:
    """The first hidden field of a name."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


def text(page: httpx.Response) -> str:
    """What the page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.partition("<main")[2]).split())


@pytest.fixture
async def office() -> Office:
    office = Office()
    await office.sign_in()
    return office


# Money


@pytest.mark.parametrize(
    ("typed", "currency", "cents"),
    [
        ("12.50", "GBP", 1250),
        ("12.5", "GBP", 1250),
        ("1,234.50", "GBP", 123_450),
        ("12", "USD", 1200),
        ("12,50", "EUR", 1250),
        ("12.50", "EUR", 1250),
        ("1.234,50", "EUR", 123_450),
        ("1.234", "EUR", 123_400),
        (" 7 ", "EUR", 700),
        ("1,250", "JPY", 1250),
        ("4.590", "KWD", 4590),
        ("4.59", "KWD", 4590),
    ],
)
def test_an_amount_is_read_as_people_of_its_market_write_it(
    typed: str, currency: str, cents: int
) -> None:
    assert amounts.read(typed, currency) == cents


@pytest.mark.parametrize(
    ("typed", "currency"),
    [
        ("", "EUR"),
        ("0", "EUR"),
        ("0,00", "EUR"),
        ("-5", "EUR"),
        ("1e3", "EUR"),
        ("12,505", "EUR"),
        ("12,50", "GBP"),
        ("1,23.50", "GBP"),
        ("12.50", "JPY"),
        ("4,590.0001", "KWD"),
        ("9" * 20, "USD"),
        ("١٢", "EUR"),
        ("12.50 EUR", "EUR"),
    ],
)
def test_what_is_no_amount_is_refused(typed: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"Enter an amount|too much"):
        amounts.read(typed, currency)


@pytest.mark.parametrize("currency", ["EUR", "GBP", "JPY", "KWD", "USD"])
@pytest.mark.parametrize("cents", [1, 99, 1250, 1_234_567])
def test_what_is_offered_can_be_sent_back(cents: int, currency: str) -> None:
    assert amounts.read(amounts.entered(cents, currency), currency) == cents


def payment(*transactions: tuple[str, str, int], **status: str) -> dict[str, Any]:
    return {
        "amountPlanned": {"centAmount": 1000, "currencyCode": "EUR"},
        "paymentStatus": status,
        "transactions": [
            {
                "id": str(n),
                "type": kind,
                "state": state,
                "amount": {"centAmount": cents, "currencyCode": "EUR"},
            }
            for n, (kind, state, cents) in enumerate(transactions)
        ],
    }


HELD = ("Authorization", "Success", 1000)
TAKEN = ("Charge", "Success", 1000)


@pytest.mark.parametrize(
    ("transactions", "label", "capturable", "refundable"),
    [
        ([], "Started", 0, 0),
        ([("Authorization", "Pending", 1000)], "Processing", 0, 0),
        ([("Authorization", "Failure", 1000)], "Failed", 0, 0),
        ([HELD], "Authorized", 1000, 0),
        ([HELD, ("Charge", "Initial", 400)], "Authorized", 600, 0),
        ([HELD, ("Charge", "Success", 400)], "Partly captured", 600, 400),
        ([HELD, ("CancelAuthorization", "Success", 1000)], "Cancelled", 0, 0),
        ([HELD, TAKEN], "Paid", 0, 1000),
        ([HELD, TAKEN, ("Refund", "Failure", 300)], "Paid", 0, 1000),
        ([HELD, TAKEN, ("Refund", "Pending", 300)], "Paid", 0, 700),
        ([HELD, TAKEN, ("Refund", "Success", 300)], "Partly refunded", 0, 700),
        ([HELD, TAKEN, ("Refund", "Success", 1000)], "Refunded", 0, 0),
        ([HELD, TAKEN, ("Chargeback", "Pending", 1000)], "Disputed", 0, 0),
        ([HELD, TAKEN, ("Chargeback", "Success", 1000)], "Dispute lost", 0, 0),
        ([HELD, TAKEN, ("Chargeback", "Failure", 1000)], "Paid", 0, 1000),
    ],
)
def test_where_a_payment_stands_and_what_is_possible(
    transactions: list[tuple[str, str, int]], label: str, capturable: int, refundable: int
) -> None:
    now = standing(payment(*transactions))
    assert (now.label, now.capturable, now.refundable) == (label, capturable, refundable)


@pytest.mark.parametrize(
    ("transactions", "offered"),
    [
        ([], ""),
        ([("Authorization", "Pending", 1000)], "reverse"),
        ([("Authorization", "Failure", 1000)], "cancel"),
        ([HELD], "capture cancel"),
        ([HELD, ("CancelAuthorization", "Success", 1000)], ""),
        ([HELD, ("Charge", "Pending", 400)], ""),
        ([HELD, ("Charge", "Success", 400)], "capture refund cancel reverse"),
        ([HELD, TAKEN], "refund reverse"),
        ([HELD, TAKEN, ("Refund", "Pending", 1000)], ""),
        ([HELD, TAKEN, ("Refund", "Success", 1000)], ""),
        ([HELD, TAKEN, ("Chargeback", "Pending", 400)], ""),
        ([HELD, TAKEN, ("Chargeback", "Success", 400)], ""),
        ([HELD, TAKEN, ("Chargeback", "Failure", 400)], "refund reverse"),
    ],
)
def test_only_what_will_be_done_is_offered(
    transactions: list[tuple[str, str, int]], offered: str
) -> None:
    started = {"interfaceId": "pi_1"} if transactions else {}
    now = standing({**payment(*transactions), **started})
    flags = {
        "capture": now.can_capture,
        "refund": now.refundable > 0,
        "cancel": now.cancellable,
        "reverse": now.reversible,
    }
    assert " ".join(name for name, is_offered in flags.items() if is_offered) == offered


def test_a_dispute_that_only_stripe_knows_of_keeps_a_refund_from_being_offered() -> None:
    known = {"is_charge_refundable": False}
    assert standing(payment(HELD, TAKEN), [known]).refundable == 0
    assert standing(payment(HELD, TAKEN), [{"is_charge_refundable": True}]).refundable == 1000


def test_every_transaction_says_what_happened_to_the_money() -> None:
    for kind in ("Authorization", "CancelAuthorization", "Charge", "Refund", "Chargeback"):
        for state in ("Initial", "Pending", "Success", "Failure"):
            assert all(happened(kind, state))
    assert happened("Chargeback", "Success") == ("Money lost", "bad")


def test_an_amount_that_differs_is_what_one_is_told_first() -> None:
    assert standing(payment(HELD, TAKEN, interfaceCode="amount_mismatch")).label == "Amount differs"


def test_money_without_an_order_and_a_replaced_page_are_told_apart_from_failures() -> None:
    assert standing(payment(HELD, TAKEN, interfaceCode="order_failed")).label == "Paid, no order"
    returned = payment(HELD, TAKEN, ("Refund", "Success", 1000), interfaceCode="order_failed")
    assert standing(returned).label == "Refunded"
    closed = standing(payment(("Authorization", "Failure", 1000), interfaceCode="superseded"))
    assert (closed.label, closed.cancellable) == ("Replaced", False)


# Signing in


@pytest.mark.parametrize(
    "path",
    ["/desk", "/desk/", "/desk/payments/x", "/desk/events", "/desk/faults", "/desk/connector"],
)
async def test_nobody_sees_anything_without_signing_in(path: str) -> None:
    office = Office()
    answer = await office.browser.get(path)
    assert answer.url.path == "/desk/sign-in"
    assert office.sent == []


@pytest.mark.parametrize(
    "path",
    [
        "/desk/payments/x/operations",
        "/desk/payments/x/repeat",
        "/desk/payments/x/disputes",
        "/desk/payments/x/disputes/dp_1",
        "/desk/events/redeliver",
        "/desk/clock",
        "/desk/faults",
        "/desk/faults/remove",
        "/desk/faults/complete",
        "/desk/sign-out",
    ],
)
async def test_every_form_needs_a_session_and_its_token(path: str) -> None:
    office = Office()
    stranger = await office.send(path, {"action": "refundPayment"})
    assert stranger.url.path == "/desk/sign-in"
    await office.sign_in()
    before = len(office.sent)
    for token in ("", "wrong", "0" * 64):
        assert (await office.send(path, {"csrf": token, "key": "k"})).status_code == 403
    assert len(office.sent) == before


async def test_a_form_of_one_session_is_worth_nothing_in_another(office: Office) -> None:
    stolen = await office.csrf()
    office.browser = office.new_browser()
    await office.sign_in(name="Mallory")
    answer = await office.send("/desk/faults/remove", {"csrf": stolen})
    assert answer.status_code == 403


async def test_another_sites_form_is_refused_whatever_it_carries(office: Office) -> None:
    answer = await office.browser.post(
        "/desk/faults/remove",
        data={"csrf": await office.csrf()},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403


async def test_the_sign_in_form_is_bound_to_the_browser_that_it_was_shown_to() -> None:
    office = Office()
    page = await office.browser.get("/desk/sign-in")
    other = office.new_browser()
    answer = await other.post("/desk/sign-in", data={"csrf": hidden(page, "csrf"), "name": "Grace"})
    assert answer.status_code == 403


async def test_the_cookie_is_signed_and_kept_from_scripts_and_other_sites() -> None:
    office = Office()
    page = await office.browser.get("/desk/sign-in")
    before = office.browser.cookies["desk"]
    answer = await office.browser.post(
        "/desk/sign-in",
        data={"csrf": hidden(page, "csrf"), "name": "Grace"},
        follow_redirects=False,
    )
    given = answer.headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/desk"):
        assert attribute in given
    key, _, signature = office.browser.cookies["desk"].partition(".")
    assert key != before.partition(".")[0], "a session must not begin under a key known before"
    office.browser.cookies.clear()
    office.browser.cookies.set("desk", f"{key}.{signature[::-1]}")
    assert (await office.browser.get("/desk/events")).url.path == "/desk/sign-in"


async def test_no_token_ever_reaches_the_browser(office: Office) -> None:
    payment_id = await office.world.paid()
    seen = [(await office.operate(payment_id, action="refundPayment", amount="1")).text]
    for path in ("/desk/", f"/desk/payments/{payment_id}", "/desk/connector", "/desk/events"):
        answer = await office.browser.get(path)
        seen.append(answer.text + str(answer.headers))
    tokens = {
        request.headers["authorization"].partition(" ")[2]
        for request in office.sent
        if request.headers.get("authorization", "").startswith("Bearer")
    }
    assert len(tokens) == 4, "the Merchant Center's, Checkout's, the desk's, and Stripe's key"
    assert not [token for token in tokens for page in seen if token in page]


async def test_each_identity_is_used_for_what_it_is_for(office: Office) -> None:
    payment_id = await office.world.paid()
    await office.operate(payment_id, action="refundPayment", amount="1")
    page = text(await office.browser.get("/desk/connector"))
    by_path = {
        request.url.path: request.headers["authorization"]
        for request in office.sent
        if request.url.host == "processor.test"
    }
    assert by_path["/operations/status"] == by_path["/operations/payment-components"]
    assert by_path["/operations/status"].count(".") == 2, "that is a JWT"
    assert by_path[f"/operations/payment-intents/{payment_id}"].count(".") == 0
    assert f"Checkout (sandbox-checkout) POST /operations/payment-intents/{payment_id} 200" in page
    assert "Merchant Center (Grace) GET /operations/status 200" in page


async def test_a_token_that_has_expired_is_renewed_without_a_word(office: Office) -> None:
    payment_id = await office.world.paid()
    office.world.store.tokens.revoke()
    office.world._tokens.clear()
    page = await office.operate(payment_id, action="refundPayment", amount="1")
    assert "Refunded €1.00" in text(page).replace("\xa0", " ")


async def test_signing_in_fails_in_words_where_no_token_is_to_be_had() -> None:
    office = Office()

    def away(request: httpx.Request) -> None:
        if request.url.host == "jwt.test":
            raise httpx.ConnectError("refused")

    office.instead = away
    answer = await office.sign_in()
    assert answer.status_code == 503
    assert "The Merchant Center's token issuer cannot be reached" in text(answer).replace(
        "&#39;", "'"
    )


async def test_after_signing_out_the_session_is_gone(office: Office) -> None:
    kept = office.browser.cookies["desk"]
    await office.send("/desk/sign-out", {"csrf": await office.csrf()})
    office.browser.cookies.set("desk", kept, domain="shop.test", path="/desk")
    assert (await office.browser.get("/desk/events")).url.path == "/desk/sign-in"


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/desk/events?page=2", "/desk/events"),
        ("https://elsewhere.test/desk/", "/desk/"),
        ("//elsewhere.test", "/desk/"),
        ("/desk//elsewhere.test", "/desk/"),
        ("/order/1", "/desk/"),
    ],
)
async def test_signing_in_leads_nowhere_but_to_the_desk(wanted: str, reached: str) -> None:
    answer = await Office().sign_in(next=wanted)
    assert (answer.url.host, answer.url.path) == ("shop.test", reached)


async def test_a_very_long_name_is_refused() -> None:
    assert (await Office().sign_in(name="x" * 61)).status_code == 422


async def test_pages_allow_nothing_inline_and_nothing_from_elsewhere(office: Office) -> None:
    policy = (await office.browser.get("/desk/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


# The list


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


# A payment


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


# Moving money


async def test_a_refund_moves_what_was_typed(office: Office) -> None:
    payment_id = await office.world.paid(1490)
    page = await office.operate(payment_id, action="refundPayment", amount="4,90")
    assert "Refunded €4.90." in text(page).replace("\xa0", " ")
    assert ("Refund", 490, "Success") in await office.world.transactions(payment_id)


async def test_the_same_form_sent_again_and_at_once_is_the_same_operation(office: Office) -> None:
    payment_id = await office.world.paid()
    page = await office.page(payment_id)
    form = {
        "csrf": hidden(page, "csrf"),
        "key": hidden(page, "key"),
        "currency": "EUR",
        "action": "refundPayment",
        "amount": "1",
    }
    path = f"/desk/payments/{payment_id}/operations"
    both = await asyncio.gather(office.send(path, form), office.send(path, form))
    await office.send(path, form)
    assert {answer.status_code for answer in both} == {200}
    refunds = [each for each in await office.world.transactions(payment_id) if each[0] == "Refund"]
    assert refunds == [("Refund", 100, "Success")]
    assert len(office.world.stripe.refunds) == 1


async def test_the_page_shown_again_has_another_key(office: Office) -> None:
    payment_id = await office.world.paid()
    keys = {hidden(await office.page(payment_id), "key") for _ in range(2)}
    assert len(keys) == 2


async def test_a_reload_shows_the_outcome_again_and_does_nothing(office: Office) -> None:
    payment_id = await office.world.paid()
    page = await office.operate(payment_id, action="refundPayment", amount="1")
    again = await office.browser.get(str(page.url))
    assert "Refunded" in text(again)
    assert len(office.world.stripe.refunds) == 1


async def test_what_is_no_amount_is_told_at_the_field_and_nothing_is_asked(
    office: Office,
) -> None:
    payment_id = await office.world.paid()
    page = await office.operate(payment_id, action="refundPayment", amount="lots")
    assert page.status_code == 422
    assert "Enter an amount such as 12.50" in text(page)
    assert 'value="lots"' in page.text
    assert not [each for each in office.sent if each.url.host == "processor.test"]


async def test_too_much_is_refused_in_words(office: Office) -> None:
    payment_id = await office.world.paid(1000)
    page = text(await office.operate(payment_id, action="refundPayment", amount="10,01"))
    assert "was not carried out" in page
    assert "At most €10.00 can be refunded now." in page
    assert "centAmount" not in page
    assert "No money has moved" in page


async def test_a_part_is_captured_and_the_rest_released() -> None:
    office = Office(MANUAL)
    await office.sign_in()
    payment_id = await office.world.paid(1000)
    page = await office.operate(payment_id, action="capturePayment", amount="6")
    assert "Captured €6.00" in text(page).replace("\xa0", " ")
    assert "commercetools and Stripe agree" in text(page)
    assert await office.world.transactions(payment_id) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 600, "Success"),
        ("CancelAuthorization", 400, "Success"),
    ]


@pytest.mark.parametrize(
    ("action", "done"), [("cancelPayment", "Cancelled."), ("reversePayment", "Reversed.")]
)
async def test_what_is_only_held_can_be_given_back(action: str, done: str) -> None:
    office = Office(MANUAL)
    await office.sign_in()
    payment_id = await office.world.paid(1000)
    assert done in text(await office.operate(payment_id, action=action))
    assert ("CancelAuthorization", 1000, "Success") in await office.world.transactions(payment_id)


async def test_a_refusal_of_stripe_is_shown_with_its_reason_and_both_sides_agree(
    office: Office,
) -> None:
    payment_id = await office.world.paid(1000)
    charge = next(iter(office.world.stripe.charges))
    await office.world.at_stripe(f"charges/{charge['id']}/dispute", amount=1000)
    page = text(await office.operate(payment_id, action="refundPayment", amount="1"))
    assert "Stripe rejected the refund" in page
    assert "The cardholder&#39;s bank disputes the charge, and has the money." in page
    assert "refused it" in page


async def test_an_unknown_outcome_can_be_repeated_under_the_same_key(office: Office) -> None:
    payment_id = await office.world.paid()

    def broken(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(502, json={}) if request.url.host == "processor.test" else None

    office.instead = broken
    page = await office.operate(payment_id, action="refundPayment", amount="1")
    assert "Nobody knows yet whether the refund" in text(page)
    asked = office.sent[-1] if office.sent[-1].url.host == "processor.test" else None
    office.instead = lambda _: None
    key = re.search(r"operation=([\w-]+)", str(page.url))
    assert key is not None
    repeated = await office.send(
        f"/desk/payments/{payment_id}/repeat", {"csrf": hidden(page, "csrf"), "key": key[1]}
    )
    assert "Refunded" in text(repeated)
    keys = {
        request.headers["idempotency-key"]
        for request in office.sent
        if "idempotency-key" in request.headers
    }
    assert keys == {key[1]}
    assert asked is None or asked.headers["idempotency-key"] == key[1]


async def test_an_operation_of_another_payment_is_not_shown_or_repeated(office: Office) -> None:
    one, other = await office.world.paid(1000), await office.world.paid(2000)
    page = await office.operate(one, action="refundPayment", amount="1")
    assert 'id="outcome"' in page.text
    key = str(page.url).partition("operation=")[2]
    elsewhere = await office.browser.get(f"/desk/payments/{other}?operation={key}")
    assert 'id="outcome"' not in elsewhere.text
    answer = await office.send(
        f"/desk/payments/{other}/repeat", {"csrf": hidden(page, "csrf"), "key": key}
    )
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "fields", [{"action": "givePayment"}, {"action": "cancelPayment", "key": ""}]
)
async def test_a_form_that_no_page_has_is_refused(office: Office, fields: dict[str, str]) -> None:
    payment_id = await office.world.paid()
    assert (await office.operate(payment_id, **fields)).status_code == 400


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("action", list(Action))
def test_every_outcome_is_told_with_what_to_do_next(action: Action, outcome: Outcome) -> None:
    wish = Wish(key="k", payment_id="p", action=action, currency="EUR")
    told = tell(Operation(wish=wish, outcome=outcome, status=400), "1,00 €")
    assert told.headline.endswith(".")
    assert told.next.endswith(".")


# Disputes


async def test_a_dispute_is_opened_once_and_lost(office: Office) -> None:
    payment_id = await office.world.paid(1000)
    page = await office.page(payment_id)
    charge = next(iter(office.world.stripe.charges))
    form = {
        "csrf": hidden(page, "csrf"),
        "key": hidden(page, "key"),
        "currency": "EUR",
        "charge": charge["id"],
        "reason": "fraudulent",
        "amount": "10",
    }
    for _ in range(2):
        page = await office.send(f"/desk/payments/{payment_id}/disputes", form)
    assert len(office.world.stripe.disputes) == 1
    dispute = next(iter(office.world.stripe.disputes))
    await office.send(
        f"/desk/payments/{payment_id}/disputes/{dispute['id']}",
        {"csrf": form["csrf"], "status": "lost"},
    )
    await office.world.deliver_all()
    assert ("Chargeback", 1000, "Success") in await office.world.transactions(payment_id)
    page = await office.page(payment_id)
    assert "commercetools and Stripe agree" in text(page)
    assert "Dispute lost" in text(page)


async def test_a_dispute_that_stripe_refuses_is_told_at_the_form(office: Office) -> None:
    payment_id = await office.world.paid(1000)
    page = await office.page(payment_id)
    answer = await office.send(
        f"/desk/payments/{payment_id}/disputes",
        {
            "csrf": hidden(page, "csrf"),
            "key": "k",
            "currency": "EUR",
            "charge": "ch_of_nobody",
            "amount": "9",
        },
    )
    assert answer.status_code == 422
    assert "No such charge" in text(answer)


@pytest.mark.parametrize("path", ["disputes", "disputes/..%2F..%2Freset%3F"])
async def test_what_a_form_names_leads_to_no_other_route(office: Office, path: str) -> None:
    payment_id = await office.world.paid(1000)
    form = {"csrf": await office.csrf(), "key": "k", "charge": "../../stripe/reset?"}
    await office.send(f"/desk/payments/{payment_id}/{path}", {**form, "status": "lost"})
    assert len(office.world.stripe.charges) == 1


# Events


def deliverer(office: Office) -> Deliverer:
    """Sends the events that are due to the processor."""
    client = office.world.client
    return Deliverer(office.world.stripe, client, office.faults)


async def endpoint(office: Office) -> None:
    await office.world.ask_stripe(
        "POST",
        "/v1/webhook_endpoints",
        **{"url": "http://processor.test/stripe/webhooks", "enabled_events[]": "*"},
    )
    endpoint_id = next(iter(office.world.stripe.endpoints))["id"]
    office.world.stripe.endpoint_secrets[endpoint_id] = [("whsec_sandbox0123456789", None)]


async def test_the_log_shows_what_became_of_each_event(office: Office) -> None:
    await endpoint(office)
    assert "No events yet" in text(await office.browser.get("/desk/events"))
    await office.world.paid()
    page = text(await office.browser.get("/desk/events"))
    assert "payment_intent.succeeded" in page
    assert "not tried yet" in page
    await deliverer(office).deliver_due()
    page = text(await office.browser.get("/desk/events", params={"q": "payment_intent.succeeded"}))
    assert "1 event" in page
    assert "delivered 200" in page
    assert "No event fits" in text(await office.browser.get("/desk/events", params={"q": "pi_x"}))


async def test_events_are_sent_again_in_the_order_that_was_chosen(office: Office) -> None:
    await endpoint(office)
    await office.world.paid()
    await deliverer(office).deliver_due()
    chosen = [each["id"] for each in office.world.stripe.events[:3]]
    page = await office.browser.get("/desk/events/order", params={"event": chosen, "up": chosen[2]})
    assert hidden(page, "events").split(",") == [chosen[0], chosen[2], chosen[1]]
    page = await office.browser.get("/desk/events/order", params={"event": chosen, "turn": "1"})
    assert hidden(page, "events").split(",") == chosen[::-1]
    form = {name: hidden(page, name) for name in ("csrf", "key", "events")}
    for _ in range(2):  # a double click
        await office.send("/desk/events/redeliver", {**form, "times": "2"})
    queued = [each.event for each in office.world.stripe.outbox]
    assert queued == [each for each in chosen[::-1] for _ in range(2)]
    before = await office.world.transactions((await _only_payment(office))["id"])
    await deliverer(office).deliver_due()
    assert await office.world.transactions((await _only_payment(office))["id"]) == before


async def _only_payment(office: Office) -> dict[str, Any]:
    (found,) = (await office.world.commercetools("GET", "payments"))["results"]
    return dict(found)


@pytest.mark.parametrize("events", ["", "pi_1", "evt_/../clock"])
async def test_what_is_no_event_is_not_sent(office: Office, events: str) -> None:
    form = {"csrf": await office.csrf(), "key": "k", "events": events}
    assert (await office.send("/desk/events/redeliver", form)).status_code == 400


async def test_the_clock_is_moved_once_for_each_form(office: Office) -> None:
    before = office.world.clock.time()
    form = {"csrf": await office.csrf(), "key": "k", "seconds": "3600"}
    for _ in range(2):
        assert (await office.send("/desk/clock", form)).status_code == 200
    assert office.world.clock.time() == before + 3600
    assert (await office.send("/desk/clock", {**form, "seconds": "5"})).status_code == 400


# Faults


async def test_stripe_stores_a_failure_and_completes_it_when_told(office: Office) -> None:
    stripe = office.world.stripe
    payment_id = await office.world.paid(1000)
    form = {
        "csrf": await office.csrf(),
        "key": "k",
        "backend": "stripe",
        "kind": "store_later",
        "method": "POST",
        "path": "/v1/refunds",
    }
    page = await office.send("/desk/faults", form)
    assert "the effect comes when you complete it" in text(page)
    answer = await office.world.modify(payment_id, action="refundPayment", amount=money(300))
    assert answer == {"outcome": "received"}
    assert len(stripe.refunds) == 0
    [stalled] = stripe.stalled
    page = await office.browser.get("/desk/faults")
    assert stalled.request_id in page.text
    await office.send("/desk/faults/complete", {"csrf": form["csrf"], "id": stalled.request_id})
    assert [each["amount"] for each in stripe.refunds] == [300]
    await office.world.deliver_all()
    assert (await office.world.transactions(payment_id))[-1] == ("Refund", 300, "Success")


async def test_faults_inside_stripe_are_removed_like_others(office: Office) -> None:
    form = {
        "csrf": await office.csrf(),
        "backend": "stripe",
        "kind": "store_before",
        "method": "POST",
        "path": "/v1/refunds",
    }
    for key in ("k", "l"):
        await office.send("/desk/faults", {**form, "key": key})
    first, second = office.world.stripe.internal_errors
    await office.send("/desk/faults/remove", {"csrf": form["csrf"], "id": first.id})
    assert office.world.stripe.internal_errors == [second]
    await office.send("/desk/faults/remove", {"csrf": form["csrf"]})
    assert office.world.stripe.internal_errors == []


async def test_faults_are_switched_on_and_off(office: Office) -> None:
    form = {
        "csrf": await office.csrf(),
        "key": "k",
        "backend": "stripe",
        "kind": "fail_after",
        "method": "POST",
        "path": "/v1/refunds",
        "times": "3",
        "skip": "1",
        "status": "503",
    }
    for _ in range(2):
        page = await office.send("/desk/faults", form)
    (fault,) = office.faults.list()
    assert (fault.path, fault.times, fault.skip, fault.status) == ("/v1/refunds", 3, 1, 503)
    assert "3 times more" in text(page)
    await office.send("/desk/faults/remove", {"csrf": form["csrf"], "id": fault.id})
    assert office.faults.list() == []
    await office.send("/desk/faults", {**form, "key": "l", "times": ""})
    assert office.faults.list()[0].times is None
    await office.send("/desk/faults/remove", {"csrf": form["csrf"]})
    assert office.faults.list() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "lose"},
        {"times": "often"},
        {"times": "0"},
        {"seconds": "soon"},
        {"seconds": "nan"},
        {"backend": "bank"},
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused_in_words(
    office: Office, wrong: dict[str, str]
) -> None:
    form = {"csrf": await office.csrf(), "key": "k", "backend": "stripe", "kind": "delay", **wrong}
    page = await office.send("/desk/faults", form)
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert office.faults.list() == []


async def test_looking_on_uses_no_fault_up(office: Office) -> None:
    payment_id = await office.world.paid()
    office.faults.add(faults.NewFault(backend="stripe", kind="fail_before", times=1))
    assert "commercetools and Stripe agree" in text(await office.page(payment_id))
    assert office.faults.list()[0].times == 1


# Live updates


class Steps:
    """Lets a poller look once for each step that a test takes."""

    def __init__(self) -> None:
        self.state = {"payments": "1", "events": "1"}
        self.looks = 0
        self.trouble: Exception | None = None
        self._step = asyncio.Event()
        self._done = asyncio.Event()

    async def look(self) -> Mapping[str, str]:
        self.looks += 1
        if self.trouble is not None:
            raise self.trouble
        return dict(self.state)

    async def pause(self) -> None:
        self._done.set()
        await self._step.wait()
        self._step.clear()

    async def take(self, **state: str) -> None:
        self.state.update(state)
        self._done.clear()
        self._step.set()
        await self._done.wait()


async def test_watchers_hear_of_what_has_changed_and_of_nothing_else() -> None:
    steps = Steps()
    live = Live(steps.look, pause=steps.pause)
    one, two = live.watch(), live.watch()
    assert b"event: hello" in await anext(one)
    assert b"event: hello" in await anext(two)
    await steps.take()
    await steps.take(payments="2")
    assert await anext(one) == await anext(two) == b"event: payments\ndata: payments\n\n"
    await steps.take(events="2")
    assert b"events" in await anext(one)


async def test_nobody_is_polled_for_unless_somebody_watches() -> None:
    steps = Steps()
    live = Live(steps.look, pause=steps.pause)
    watched = [live.watched]
    one, two = live.watch(), live.watch()
    await anext(one)
    await anext(two)
    await steps.take()
    looks = steps.looks
    await steps.take()
    assert steps.looks == looks + 1, "two watchers, one poller"
    for each in (one, two):
        watched.append(live.watched)
        await each.aclose()
    assert [*watched, live.watched] == [False, True, True, False]


async def test_a_watcher_who_does_not_read_costs_no_memory_and_misses_nothing_newer() -> None:
    steps = Steps()
    live = Live(steps.look, pause=steps.pause)
    watcher = live.watch()
    await anext(watcher)
    await steps.take()
    for number in range(50):
        await steps.take(payments=f"p{number}")
    await steps.take(events="at last")
    heard = [await anext(watcher) for _ in range(8)]
    assert b"event: events" in heard[-1]


async def test_a_backend_that_is_away_ends_no_stream() -> None:
    steps = Steps()
    live = Live(steps.look, pause=steps.pause)
    watcher = live.watch()
    await anext(watcher)
    await steps.take()
    steps.trouble = Unreachable("Stripe", "cannot be reached")
    await steps.take(payments="2")
    steps.trouble = None
    await steps.take()
    assert b"event: payments" in await anext(watcher)


async def test_only_so_many_may_watch() -> None:
    steps = Steps()
    live = Live(steps.look, pause=steps.pause)
    watchers = [live.watch() for _ in range(100)]
    for each in watchers:
        await anext(each)
    with pytest.raises(TooMany):
        live.watch()
    for each in watchers:
        await each.aclose()


async def test_a_stream_is_for_who_is_signed_in_and_ends_with_the_process(office: Office) -> None:
    stranger = await office.new_browser().get("/desk/live")
    assert stranger.status_code == 204
    stream = asyncio.create_task(office.browser.get("/desk/live"))
    while not office.desk.live.watched:  # noqa: ASYNC110 - the stream begins within a few turns
        await asyncio.sleep(0)
    office.desk.live.close()
    answer = await stream
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: hello" in answer.text
    assert not office.desk.live.watched


async def test_what_is_polled_differs_once_anything_has_happened(office: Office) -> None:
    looks = []

    async def looked() -> None:
        looks.append(dict(await office.desk.live._look()))

    await looked()
    payment_id = await office.world.paid()
    await looked()
    office.faults.add(faults.NewFault(backend="stripe", kind="delay"))
    await looked()
    await office.world.modify(
        payment_id, action="refundPayment", amount={"centAmount": 1, "currencyCode": "EUR"}
    )
    await looked()
    changed = [
        {topic for topic in now if now[topic] != before[topic]}
        for before, now in itertools.pairwise(looks)
    ]
    assert changed == [{"payments", "events"}, {"faults"}, {"payments", "events"}]
