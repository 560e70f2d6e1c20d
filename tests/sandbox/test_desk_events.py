"""Stripe's events and faults at the desk."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import faults
from tests.sandbox.office import Office, deliverer, endpoint, hidden, text
from tests.world import money


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
