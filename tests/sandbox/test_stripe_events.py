"""Events: snapshots of the moment, what caused them, and the list for those who missed them."""

from __future__ import annotations

import pytest

from tests.sandbox.stripe_account import Account


@pytest.fixture
def account() -> Account:
    return Account()


async def test_an_event_shows_the_object_as_it_was_then(account: Account) -> None:
    intent = await account.authorized()
    event = account.last("payment_intent.amount_capturable_updated")
    await account.post(f"/v1/payment_intents/{intent['id']}/capture")

    assert event["data"]["object"]["status"] == "requires_capture"
    assert event["api_version"] == "2026-10-28.endive"
    assert event["created"] == account.state.now()
    assert event["pending_webhooks"] == 0


async def test_an_event_names_the_request_that_caused_it(account: Account) -> None:
    response = await account.call("POST", "/v1/customers", {}, key="k")
    request = account.last("customer.created")["request"]
    assert request == {"id": response.headers["request-id"], "idempotency_key": "k"}


async def test_events_are_listed_by_type_time_and_id(account: Account) -> None:
    await account.paid()
    account.clock.advance(10)
    await account.customer()
    newest = account.state.events[-1]

    of_charges = await account.get("/v1/events", type="charge.*")
    of_types = await account.get(
        "/v1/events", **{"types[]": ["customer.created", "charge.succeeded"]}
    )
    recent = await account.get("/v1/events", **{"created[gt]": newest["created"] - 1})
    paged = await account.get("/v1/events", limit=2, starting_after=newest["id"])
    one = await account.get(f"/v1/events/{newest['id']}")

    assert [e["type"] for e in of_charges["data"]] == ["charge.updated", "charge.succeeded"]
    assert [e["type"] for e in of_types["data"]] == ["customer.created", "charge.succeeded"]
    assert [e["id"] for e in recent["data"]] == [newest["id"]]
    assert [e["type"] for e in paged["data"]] == ["charge.updated", "payment_intent.succeeded"]
    assert one == newest


async def test_type_and_types_exclude_each_other(account: Account) -> None:
    response = await account.call("GET", "/v1/events", {"type": "*", "types[]": "*"})
    assert response.status_code == 400


async def test_events_are_kept_for_thirty_days(account: Account) -> None:
    await account.customer()
    event = account.state.events[0]
    account.clock.advance(30 * 86_400 + 1)

    listed = await account.get("/v1/events")
    one = await account.call("GET", f"/v1/events/{event['id']}")
    assert (listed["data"], one.status_code) == ([], 404)
