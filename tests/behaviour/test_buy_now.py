"""The three small integrations: the calls of their own clients, as printed."""

from __future__ import annotations

import re

import pytest

from sandbox.stripe.webhooks import signed
from tests.behaviour.buy_now import (
    ENABLED,
    PRICE,
    carts,
    create,
    land,
    orders,
    pay,
)
from tests.behaviour.storefront import ordered
from tests.world import ORIGIN, SECRET, Json, World


@pytest.fixture
def world() -> World:
    return World(ENABLED)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("name", ["stoneware-mug-2", "stoneware-mug"])
async def test_the_react_client_gets_a_session_id_for_a_resource(
    world: World, name: str, slash: str
) -> None:
    answer = await world.client.get(
        f"/create-checkout-session/{name}{slash}",
        headers={"Content-Type": "application/json", "Origin": ORIGIN},
    )
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    session = answer.json()
    assert world.stripe.sessions[session["id"]]["amount_total"] == PRICE
    assert session["status"] == "success"
    assert session["session"] == {"id": session["id"], "url": session["url"]}


async def test_the_express_route_takes_a_post_for_the_id_of_a_product(world: World) -> None:
    [product] = [p for p in world.store.collection("product") if p["key"] == "stoneware-mug"]
    answer = await world.client.post(f"/create-checkout-session/{product['id']}")
    assert answer.status_code == 200
    assert answer.json()["session"]["id"].startswith("cs_")


async def test_a_browser_may_ask_whether_the_react_client_may_call(world: World) -> None:
    answer = await world.client.options(
        "/create-checkout-session/stoneware-mug-2",
        headers={"Origin": ORIGIN, "Access-Control-Request-Method": "GET"},
    )
    assert answer.status_code == 204
    assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    "name", ["nothing", "key=stoneware-mug", "00000000-0000-4000-8000-999999999999", '" or "1"="1']
)
async def test_an_unknown_resource_is_a_404_with_the_error_the_clients_read(
    world: World, name: str
) -> None:
    answer = await world.client.get(f"/create-checkout-session/{name}")
    assert answer.status_code == 404
    assert answer.json()["error"] == answer.json()["message"]
    assert carts(world) == []


@pytest.mark.parametrize("by", ["id", "orderNumber"])
async def test_the_go_client_pays_an_order_and_polls_its_status(world: World, by: str) -> None:
    order = await ordered(world)
    total = world.store.collection("order").get(order["id"])
    assert total is not None
    amount = total["taxedPrice"]["totalGross"]["centAmount"]
    items = [{"amount": amount, "name": "Mugs", "description": "Two mugs"}]
    answer = await world.client.post(
        "/v1/create-session", json={"order_id": order[by], "items": items}
    )
    assert answer.status_code == 200, answer.text
    session_id = answer.json()["id"]

    async def status() -> str:
        query = {"session_id": session_id, "order_id": order[by]}
        polled = await world.client.get("/v1/session-status", params=query)
        assert polled.json() == {**query, "status": polled.json()["status"]}
        return str(polled.json()["status"])

    assert await status() == "C"
    landing = await pay(world, session_id)
    assert landing == f"/client/success.html?session_id={session_id}&order_id={order[by]}"
    page = await land(world, landing)
    assert order["orderNumber"] in page.text
    assert await status() == "S"
    assert await _states(world, order["id"]) == ("Paid", "Confirmed")


@pytest.mark.parametrize(
    "body",
    [
        {"items": [{"amount": 1, "name": "x", "description": "y"}]},
        {"items": []},
        {"currency": "SGD"},
        {"items": [{"amount": 2980, "name": "x", "description": "y", "currency": "sgd"}]},
    ],
)
async def test_a_page_that_believes_in_another_sum_or_currency_is_told(
    world: World, body: Json
) -> None:
    order = await ordered(world)
    answer = await world.client.post("/v1/create-session", json={"order_id": order["id"], **body})
    assert answer.status_code == 409
    assert len(list(world.stripe.sessions)) == 0


async def test_a_status_is_told_only_for_the_session_of_the_order(world: World) -> None:
    first, second = await ordered(world), await ordered(world)
    session = (await world.client.post("/v1/create-session", json={"order_id": first["id"]})).json()
    for order_id, session_id in [
        (second["id"], session["id"]),
        (first["id"], "cs_test_unknown"),
        (first["id"], "pi_x"),
        ("unknown", session["id"]),
    ]:
        answer = await world.client.get(
            "/v1/session-status", params={"order_id": order_id, "session_id": session_id}
        )
        assert answer.status_code == 404


async def test_a_status_tells_what_is_pending_and_what_has_failed(world: World) -> None:
    letters = []
    order = await ordered(world)
    query = {"order_id": order["id"]}
    session = (await world.client.post("/v1/create-session", json=query)).json()
    query["session_id"] = session["id"]
    await pay(world, session["id"], method="sepa_debit", iban="DE89370400440532013000", holder="A")
    letters.append((await world.client.get("/v1/session-status", params=query)).json()["status"])
    [intent] = list(world.stripe.intents)
    await world.at_stripe(f"payment_intents/{intent['id']}/settle", outcome="fail")
    letters.append((await world.client.get("/v1/session-status", params=query)).json()["status"])
    assert letters == ["P", "F"]


@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_django_client_reads_the_key_and_a_session(world: World, slash: str) -> None:
    config = (await world.client.get(f"/config{slash}")).json()
    assert config == {"publicKey": "pk_test_sandbox", "publishableKey": "pk_test_sandbox"}
    session = await create(world, f"/create-checkout-session{slash}")
    assert world.stripe.sessions[session["sessionId"]]["amount_total"] == PRICE
    landing = await pay(world, session["sessionId"])
    assert landing == f"/success?session_id={session['sessionId']}"
    assert "Your payment succeeded." in (await land(world, landing)).text
    assert "Your payment was cancelled." in (await land(world, f"/canceled{slash}")).text


async def test_the_button_leads_to_stripe_without_any_script(world: World) -> None:
    page = await land(world, "/")
    assert "14.90" in page.text
    [(method, action)] = re.findall(r'<form method="(\w+)" action="([^"]+)"', page.text)
    answer = await world.client.request(method, action, headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 303
    assert "/c/pay/cs_test_" in answer.headers["location"]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", ["/webhook", "/webhooks", "/webhook-checkout"])
async def test_every_address_of_the_webhook_fulfils(world: World, path: str, slash: str) -> None:
    await pay(world, (await create(world))["id"])
    for event in world.stripe.events:
        body, signature = signed(event, SECRET, int(world.clock.time()))
        answer = await world.client.post(
            path + slash, content=body, headers={"Stripe-Signature": signature}
        )
        assert answer.status_code == 200
    assert [order["paymentState"] for order in orders(world)] == ["Paid"]


@pytest.mark.parametrize("path", ["/webhook", "/webhooks/"])
async def test_no_address_of_the_webhook_takes_a_forged_event(world: World, path: str) -> None:
    answer = await world.client.post(path, content=b"{}", headers={"Stripe-Signature": "t=1,v1=0"})
    assert answer.status_code == 400


async def _states(world: World, order_id: str) -> tuple[str | None, str]:
    order = await world.commercetools("GET", f"orders/{order_id}")
    return order.get("paymentState"), order["orderState"]


@pytest.mark.parametrize("mode", ["embedded_page", "elements"])
async def test_a_page_of_the_shops_own_gets_a_client_secret(mode: str) -> None:
    world = World(ENABLED)
    session = await create(world, f"/create-checkout-session/stoneware-mug-1?ui_mode={mode}")
    assert session["clientSecret"].startswith(f"{session['id']}_secret_")
    assert session["url"] is None
    await world.at_stripe(f"checkout/sessions/{session['id']}/pay")
    await world.deliver_all()
    (order,) = orders(world)
    assert order["paymentState"] == "Paid"


async def test_a_page_of_no_kind_is_refused() -> None:
    world = World(ENABLED)
    answer = await world.client.get("/create-checkout-session/stoneware-mug-1?ui_mode=popup")
    assert answer.status_code == 400
    assert not carts(world)
