"""An outsider with nothing but a network: what an order, a cart and their shoppers suffer of it.

The rest of this folder asks the application in one process. Here all is real, processes, sockets
and Stripe's deliveries, for the threats that do not need a slow connection or a browser.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from sandbox.addresses import Addresses, url
from sandbox.demo.client import open_client
from sandbox.demo.people import People
from sandbox.demo.start import processor, stand_ins
from sandbox.shop.vouching import SECRET
from tests.e2e.conftest import free_ports
from tests.patience import PATIENCE_S

Json = dict[str, Any]
API = "/api/v1"
SETTINGS = {
    "CHECKOUT_CANCEL_UNPAID_ORDERS": "true",
    "BFF_REQUESTS_PER_MINUTE": "2",
    "FAILED_AUTHENTICATIONS_PER_MINUTE": "2",
}
ADDRESS: Json = {
    "country": "DE",
    "firstName": "Mallory",
    "lastName": "M",
    "streetName": "Elsewhere",
    "postalCode": "1",
    "city": "B",
}


class Network:
    """The shop's machine, and everybody who can reach it."""

    def __init__(self, at: Addresses, client: httpx.Client, log: Path) -> None:
        self.at = at
        self.people = People(at, client, lambda _: None)
        self._client = client
        self._log = log
        self._clients = (f"203.0.113.{number}" for number in itertools.count(1))

    def ask(
        self, method: str, path: str, body: Json | None = None, client: str = "", **headers: Any
    ) -> httpx.Response:
        """A request of a client of its own, unless one is named by what its proxy says of it."""
        return self._client.request(
            method,
            url(self.at.processor) + path,
            json=body,
            headers={"X-Forwarded-For": client or next(self._clients), **headers},
        )

    def cart(self, **fields: Any) -> Json:
        draft = {
            "currency": "EUR",
            "country": "DE",
            "shippingAddress": {"country": "DE", "firstName": "Ada"},
            "lineItems": [{"sku": "stoneware-mug-1", "quantity": 1}],
            **fields,
        }
        return self.people.commercetools("POST", "carts", draft)

    def order(self, number: str) -> Json:
        """A guest's order of that number, whose shopper has left an e-mail address."""
        cart = self.cart(customerEmail="victim@example.com")
        draft = {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"]}
        return self.people.commercetools("POST", "orders", {**draft, "orderNumber": number})

    def page(self, session_id: str) -> Json:
        return self.people.stripe("GET", f"/v1/checkout/sessions/{session_id}")

    def pay(self, session_id: str) -> None:
        """The shopper fills in Stripe's page."""
        path = f"/_sandbox/stripe/checkout/sessions/{session_id}/pay"
        answer = self._client.post(url(self.at.stripe) + path, json={})
        assert answer.is_success, answer.text

    def log(self) -> list[Json]:
        """The lines that the processor has written so far, but for one that is being written."""
        lines = self._log.read_text().rpartition("\n")[0].splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    at = Addresses(*free_ports(5))
    logs = tmp_path_factory.mktemp("logs")
    with ExitStack() as stack:
        client = stack.enter_context(open_client())
        stack.enter_context(stand_ins(at, client, logs))
        stack.enter_context(processor(at, client, logs, SETTINGS))
        yield Network(at, client, logs / f"processor-{at.processor}.log")


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("mode", "other"), [("embedded_page", "hosted_page"), ("hosted_page", "elements")]
)
def test_no_calls_of_an_outsider_close_the_shoppers_page_or_make_the_order_grow(
    network: Network, mode: str, other: str
) -> None:
    """Rows 1 and 2 of what was tried: an order cancelled, and one with 34 Payments."""
    order = network.order(f"A-{mode}")
    wanted = {"id": order["id"], "uiMode": mode}
    page = network.ask("POST", f"{API}/payments/sessions", wanted).json()
    amount = order["totalPrice"]["centAmount"]
    by_number = {"order_id": order["orderNumber"], "items": [{"amount": amount}]}
    for _ in range(17):
        flip = network.ask("POST", f"{API}/payments/sessions", {**wanted, "uiMode": other})
        assert (flip.status_code, flip.json()["errors"][0]["code"]) == (409, "page_open")
        assert network.ask("POST", "/v1/create-session", by_number).status_code in (200, 404)
    assert network.page(page["id"])["status"] == "open"
    again = network.ask("POST", f"{API}/payments/sessions", wanted)
    assert (again.status_code, again.json()["id"]) == (201, page["id"])
    network.pay(page["id"])

    def read() -> Json:
        return network.people.commercetools("GET", f"orders/{order['id']}")

    until(lambda: read().get("paymentState") == "Paid")
    paid = read()
    assert paid["orderState"] == "Confirmed"
    assert len(paid["paymentInfo"]["payments"]) == 1


def test_each_address_has_one_share_however_it_is_written(network: Network) -> None:
    """Row 5: all IPv4 clients in one bucket, or a bucket for each port."""
    path = f"{API}/orders/00000000-0000-4000-8000-000000000000"

    def statuses(*spelt: str) -> list[int]:
        return [network.ask("GET", path, client=each).status_code for each in spelt]

    one = [f"198.51.100.7:{port}" for port in range(5000, 5003)]
    assert statuses(*one, "::ffff:198.51.100.7", "[::ffff:198.51.100.7]:80") == [
        *(404, 404),
        *(429, 429, 429),
    ]
    assert statuses("::ffff:198.51.100.8", "198.51.100.9", "2001:db8::1") == [404] * 3
    assert statuses("2001:db8::2", "[2001:db8::3]:443") == [404, 429]


def test_a_path_of_sixty_thousand_characters_is_answered_and_not_logged(network: Network) -> None:
    """Row 6: it froze the event loop while the log was being masked."""
    session = network.people.session(network.cart())
    path = "/confirmPayments/" + "eyJ-" * 15_000
    answer = network.ask("POST", path, {"paymentIntent": "pi_x"}, **{"x-session-id": session})
    assert 400 <= answer.status_code < 500
    assert network.ask("GET", "/health/live").status_code == 200
    lines = [each for each in network.log() if each.get("route") == "/confirmPayments/{id}"]
    assert lines
    assert all("eyJ-" not in json.dumps(line) for line in lines)


def test_a_guessed_number_shows_no_shopper_and_tells_no_number(network: Network) -> None:
    """Row 7."""
    order = network.order("1001")
    amount = order["totalPrice"]["centAmount"]

    def ask(number: str, cents: int | None) -> httpx.Response:
        body: Json = {"order_id": number}
        if cents is not None:
            body["items"] = [{"amount": cents}]
        return network.ask("POST", "/v1/create-session", body)

    wrong = [ask("1001", None), ask("1001", amount - 1), ask("1002", None), ask("1002", amount)]
    assert {(each.status_code, each.text) for each in wrong} == {(404, wrong[0].text)}
    page = ask("1001", amount).json()
    session = network.page(page["id"])
    assert (session["customer"], session["customer_email"]) == (None, None)
    shown = httpx.get(page["url"], trust_env=False).text
    assert "stoneware" in shown.lower() or "mug" in shown.lower()
    assert "victim@example.com" not in shown


def test_a_carts_id_opens_neither_a_customers_cart_nor_a_paid_one(network: Network) -> None:
    """Row 9."""
    [customer] = network.people.commercetools("GET", "customers?limit=1")["results"]
    theirs = network.cart(customerId=customer["id"])
    paid = network.cart()
    session: dict[str, Any] = {"x-session-id": network.people.session(paid)}
    started = network.ask("POST", "/payments", **session).json()
    change = {"action": "SetShippingAddress", "SetShippingAddress": ADDRESS}

    def refused(cart: Json, **headers: str) -> tuple[int, str]:
        answer = network.ask("PUT", f"{API}/carts/{cart['id']}", change, **headers)
        return answer.status_code, answer.json().get("code", "")

    assert refused(paid) == (409, "PaymentOpen")
    network.people.pay(started["clientSecret"], "pm_card_visa")
    confirmed = network.ask(
        "POST",
        f"/confirmPayments/{started['paymentReference']}",
        {"paymentIntent": started["clientSecret"].partition("_secret_")[0]},
        **session,
    )
    assert confirmed.status_code == 200
    assert refused(paid) == (409, "CartPaid")
    assert refused(theirs) == (403, "StorefrontTokenRequired")
    placed = network.ask("POST", f"{API}/carts/{theirs['id']}/order")
    assert (placed.status_code, placed.json()["code"]) == (403, "StorefrontTokenRequired")
    for cart in (paid, theirs):
        now = network.people.commercetools("GET", f"carts/{cart['id']}")
        assert now["shippingAddress"] == cart["shippingAddress"]
    claims = {"aud": "storefront", "sub": theirs["id"], "exp": int(time.time()) + 60}
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    assert refused(theirs, **{"X-Storefront-Token": token}) == (200, "")


def test_guessed_sessions_are_put_off_by_address(network: Network) -> None:
    def guess(client: str) -> httpx.Response:
        headers: Json = {"x-session-id": "00000000-0000-4000-8000-000000000000"}
        return network.ask("GET", "/operations/config", client=client, **headers)

    spelt = ["192.0.2.7", "192.0.2.7:80", "::ffff:192.0.2.7", "[::ffff:192.0.2.7]:1"]
    answers = [guess(client) for client in spelt]
    assert [each.status_code for each in answers] == [401, 401, 429, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 30
    assert guess("192.0.2.8").status_code == 401
