"""Processors as processes: stopped in the middle of work, and several at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sandbox import gate
from sandbox.addresses import url
from sandbox.demo.people import People
from tests.e2e.conftest import World


def buy(people: People) -> tuple[str, str, dict[str, str]]:
    """A started German payment: its id, client secret and session headers."""
    cart = people.cart("DE", "EUR", stoneware_mug_1=1)
    headers = {"x-session-id": people.session(cart)}
    started = people.ask("POST", "/payments", headers)
    return started["paymentReference"], started["clientSecret"], headers


def confirm(people: People, payment_id: str, secret: str, headers: dict[str, str]) -> str:
    people.pay(secret, "pm_card_visa")
    body = {"paymentIntent": secret.partition("_secret_")[0]}
    return str(people.ask("POST", f"/confirmPayments/{payment_id}", headers, body)["outcome"])


def refund(people: People, payment_id: str, key: str | None = None) -> str:
    amount = {"centAmount": 500, "currencyCode": "EUR"}
    return people.modify(payment_id, key, action="refundPayment", amount=amount)


def at_stand_in(world: World, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = world.client.request(
        method,
        f"{url(world.at.stripe)}/_sandbox/{path}",
        json=body,
        headers={gate.CONTROL_HEADER: "1"},
    )
    answer.raise_for_status()
    return answer.json() if answer.content else None


def test_a_processor_that_is_told_to_stop_finishes_the_refund_in_hand(world: World) -> None:
    payment_id, secret, headers = buy(world.people)
    assert confirm(world.people, payment_id, secret, headers) == "approved"
    held = at_stand_in(world, "POST", "stripe/errors", {"path": "/v1/refunds", "when": "hold"})
    passed = {"backend": "stripe", "kind": "delay", "path": "/v1/refunds", "method": "POST"}
    at_stand_in(world, "POST", "faults", passed)

    with ThreadPoolExecutor() as pool:
        refunding = pool.submit(refund, world.people, payment_id)
        while at_stand_in(world, "GET", "faults")["faults"]:
            pass  # the refund has not reached Stripe yet
        world.processor.ask_to_stop()
        at_stand_in(world, "DELETE", f"stripe/errors/{held['id']}")
        assert refunding.result() == "approved"

    assert world.processor.stop() == 0
    found = world.people.compare(payment_id)
    assert found.agrees
    assert ("Refund", 500, "Success") in found.recorded


def test_what_one_instance_starts_another_confirms(shared: World, elsewhere: People) -> None:
    payment_id, secret, headers = buy(shared.people)
    assert confirm(elsewhere, payment_id, secret, headers) == "approved"
    found = shared.people.compare(payment_id)
    assert found.agrees
    assert found.recorded == [("Authorization", 1490, "Success"), ("Charge", 1490, "Success")]


def test_a_refund_sent_to_two_instances_at_once_moves_money_once(
    shared: World, elsewhere: People
) -> None:
    payment_id, secret, headers = buy(shared.people)
    assert confirm(shared.people, payment_id, secret, headers) == "approved"
    shared.people.token("sandbox-checkout")
    elsewhere.token("sandbox-checkout")

    with ThreadPoolExecutor() as pool:
        outcomes = list(
            pool.map(lambda people: refund(people, payment_id, "once"), [shared.people, elsewhere])
        )

    assert outcomes == ["approved", "approved"]
    found = shared.people.compare(payment_id)
    assert found.agrees
    assert [each for each in found.recorded if each[0] == "Refund"] == [("Refund", 500, "Success")]


def test_a_double_click_that_reaches_two_instances_starts_one_payment(
    shared: World, elsewhere: People
) -> None:
    headers = {
        "x-session-id": shared.people.session(shared.people.cart("DE", "EUR", brass_pen_1=1))
    }

    with ThreadPoolExecutor() as pool:
        first, second = pool.map(
            lambda people: people.ask("POST", "/payments", headers), [shared.people, elsewhere]
        )

    assert first == second
    cart = shared.people.commercetools("GET", f"carts/{first['cartId']}")
    assert [each["id"] for each in cart["paymentInfo"]["payments"]] == [first["paymentReference"]]


def test_the_work_of_an_instance_that_was_stopped_is_carried_on_by_another(world: World) -> None:
    elsewhere, _ = world.another_processor()
    payment_id, secret, headers = buy(world.people)
    assert world.processor.stop() == 0
    assert confirm(elsewhere, payment_id, secret, headers) == "approved"
    assert refund(elsewhere, payment_id) == "approved"
    assert world.people.compare(payment_id).agrees
