"""Metrics: something happens to a processor, and whoever watches can read it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from stripe_connector.settings import ConfigurationError, load_settings
from tests.behaviour.steps import Once, confirm, event, started, status_of
from tests.behaviour.watching import TOKEN, WATCHED, scrape
from tests.wire import Call, Trouble
from tests.world import ENVIRONMENT, World, money

PAYMENT = "/{}/payments/{}"


# Who may read them


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_without_a_token_in_the_environment_the_route_is_not_there(method: str) -> None:
    world = World()
    answer = await world.client.request(
        method, "/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    elsewhere = await world.client.request(method, "/nothing-here")
    assert answer.status_code == elsewhere.status_code == 404
    assert answer.json() == elsewhere.json()


@pytest.mark.parametrize(
    "authorization", [None, "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}"]
)
async def test_only_the_token_opens_them(authorization: str | None) -> None:
    world = World(WATCHED)
    headers = {"Authorization": authorization} if authorization else {}
    answer = await world.client.get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert "stripe_connector" not in answer.text
    read = await scrape(world)
    assert read.value("authentications_refused_total", kind="metrics", status="401") == 1


async def test_a_token_that_is_not_ascii_is_refused_like_any_other() -> None:
    world = World(WATCHED)
    raw = {b"Authorization": "Bearer tökén".encode("latin-1")}
    assert (await world.client.get("/metrics", headers=raw)).status_code == 401


async def test_during_an_exchange_the_old_and_the_new_token_open_them() -> None:
    new = "another-token-of-32-characters-xx"
    world = World({"METRICS_TOKEN": f"{TOKEN}, {new}"})
    for token in (TOKEN, new):
        answer = await world.client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")


@pytest.mark.parametrize("tokens", ["short", f"{TOKEN},short", f"{TOKEN},", "a token " * 8])
def test_a_token_that_could_be_guessed_or_not_be_sent_is_a_problem_at_the_start(
    tokens: str,
) -> None:
    with pytest.raises(ConfigurationError, match="METRICS_TOKEN"):
        load_settings({**ENVIRONMENT, "METRICS_TOKEN": tokens})


# Requests


async def test_requests_are_counted_by_method_route_and_status() -> None:
    world = World(WATCHED)
    shop = await started(world)
    await world.client.get("/operations/config")
    read = await scrape(world)
    assert read.value("requests_total", method="POST", route="/payments", status="200") == 1
    assert read.value("requests_total", route="/operations/config", status="401") == 1
    assert read.value("request_seconds_count", method="POST", route="/payments") == 1
    assert read.value("authentications_refused_total", kind="session", status="401") == 1
    assert shop.payment_id


async def test_whatever_callers_make_up_becomes_no_label() -> None:
    world = World(WATCHED)
    for number in range(20):
        await world.client.request(f"VERB{number}", f"/made-up/{number}")
        await world.client.get(f"/api/v1/orders/made-up-{number}")
    read = await scrape(world)
    assert read.value("requests_total", method="other", route="unknown", status="404") == 20
    assert read.labels("requests_total", "route") == {"unknown", "/api/v1/orders/{id}"}
    assert read.labels("requests_total", "method") == {"other", "GET"}


async def test_time_is_measured_in_seconds() -> None:
    world = World(WATCHED)
    slow(world, "commercetools", 0.2)
    await started(world)
    read = await scrape(world)
    calls = read.value("backend_calls_total", backend="commercetools")
    assert read.value("backend_call_seconds_sum", backend="commercetools") == pytest.approx(
        0.2 * calls
    )
    assert read.value("request_seconds_sum") >= 0.2 * 4


def slow(world: World, backend: str, seconds: float) -> None:
    """Every call to a backend takes the processor this long."""

    def pass_time(call: Call) -> Trouble | None:
        if call.backend == backend:
            world.clock.advance(seconds)
        return None

    world.network.trouble = pass_time


async def test_requests_turned_away_are_counted_and_metrics_are_still_served() -> None:
    world = World({**WATCHED, "MAX_CONCURRENT_REQUESTS": "200"})
    session = await world.session((await world.cart())["id"])
    arrived, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def hold(call: Call) -> None:
        if "/sessions/" in call.path:
            arrived.release()
            await go_on.wait()

    world.network.turn = hold
    waiting = [
        asyncio.create_task(world.client.get("/operations/config", headers=session))
        for _ in range(200)
    ]
    await arrived.acquire()
    refused = await world.client.get("/operations/config", headers=session)
    during = await scrape(world)
    go_on.set()
    answers = await asyncio.gather(*waiting)
    assert refused.status_code == 503
    assert {answer.status_code for answer in answers} == {200}
    assert during.value("requests_in_progress") == 200
    assert during.value("requests_shed_total", reason="overloaded") == 1
    assert (await scrape(world)).value("requests_in_progress") == 0


async def test_clients_over_their_limit_are_counted() -> None:
    world = World({**WATCHED, "BFF_REQUESTS_PER_MINUTE": "1"})
    answers = [await world.client.get("/api/v1/orders/nothing") for _ in range(3)]
    refused = [answer.status_code for answer in answers].count(429)
    assert refused >= 1
    assert (await scrape(world)).value("requests_shed_total", reason="rate_limited") == refused


# Backends


async def test_calls_are_counted_by_backend_and_operation_and_no_id_is_in_them() -> None:
    world = World(WATCHED)
    shop = await started(world)
    await world.client.get("/operations/status", headers=await world.merchant_center())
    read = await scrape(world)
    stripe = read.value(
        "backend_calls_total",
        backend="stripe",
        method="POST",
        operation="/v1/payment_intents",
        status="200",
    )
    assert stripe == 1
    assert read.value("backend_calls_total", operation="/{}/carts/{}", method="GET") == 1
    assert read.labels("backend_calls_total", "backend") == {
        "commercetools",
        "stripe",
        "key_server",
    }
    operations = " ".join(read.labels("backend_calls_total", "operation"))
    assert shop.payment_id not in operations
    assert shop.cart_id not in operations
    assert not any(character.isdigit() for character in operations.replace("v1", ""))


async def test_queries_are_no_part_of_an_operation() -> None:
    world = World(WATCHED)
    await started(world)
    assert any("/carts/" in call.path and call.query for call in world.network.calls)
    read = await scrape(world)
    assert read.value("backend_calls_total", method="GET", operation="/{}/carts/{}") == 1
    assert not [each for each in read.labels("backend_calls_total", "operation") if "?" in each]


async def test_retries_are_counted_with_every_try_and_its_status() -> None:
    world = World(WATCHED)
    await started(world)  # what is read once per process is known from now on
    world.network.trouble = Once(0, "busy", "stripe")
    await started(world)
    read = await scrape(world)
    intents = {"backend": "stripe", "operation": "/v1/payment_intents"}
    assert read.value("backend_retries_total", **intents) == 1
    assert read.value("backend_calls_total", **intents, status="429") == 1
    assert read.value("backend_calls_total", **intents, status="200") == 2


async def test_a_backend_that_does_not_answer_has_no_status() -> None:
    world = World(WATCHED)
    world.network.trouble = Once(0, "lost", "stripe")
    await started(world)
    read = await scrape(world)
    assert read.value("backend_calls_total", backend="stripe", status="none") == 1


async def test_version_conflicts_are_counted_by_what_was_written() -> None:
    world = World(WATCHED)
    shop = await started(world)
    await world.pay(shop.secret)
    meddle(world, shop.payment_id)
    answer = await world.deliver(event(world, "payment_intent.succeeded"))
    assert answer.status_code == 200
    read = await scrape(world)
    assert read.value("version_conflicts_total", operation=PAYMENT) == 1
    assert read.value("version_conflicts_total") == 1


def meddle(world: World, payment_id: str) -> None:
    """Somebody else writes to a Payment just before the processor does, once."""
    done = False

    async def write_first(call: Call) -> None:
        nonlocal done
        if not done and call.method == "POST" and call.path.endswith(payment_id):
            done = True
            version = (await world.payment(payment_id))["version"]
            action = {"action": "setStatusInterfaceText", "interfaceText": "meddled"}
            await world.commercetools(
                "POST", f"payments/{payment_id}", {"version": version, "actions": [action]}
            )

    world.network.turn = write_first


# Webhooks and the ledger


async def test_the_lag_of_webhooks_runs_from_creation_until_the_effect_is_stored() -> None:
    world = World(WATCHED)
    shop = await started(world)
    await world.pay(shop.secret)
    delivered = event(world, "payment_intent.succeeded")
    world.clock.advance(40)
    await world.deliver(delivered)
    world.clock.advance(1_000)
    await world.deliver(delivered)  # repeated: it was stored long before
    read = await scrape(world)
    assert read.value("webhook_lag_seconds_count") == 1
    assert read.value("webhook_lag_seconds_sum") == 40
    kind = "payment_intent.succeeded"
    assert read.value("webhooks_total", type=kind, outcome="stored") == 1
    assert read.value("webhooks_total", type=kind, outcome="already") == 1


async def test_events_that_could_not_be_stored_are_failed_and_have_no_lag() -> None:
    world = World(WATCHED)
    shop = await started(world)
    await world.pay(shop.secret)
    world.network.trouble = lambda call: "error before" if call.backend == "commercetools" else None
    answer = await world.deliver(event(world, "payment_intent.succeeded"))
    assert answer.status_code == 503
    read = await scrape(world)
    assert read.value("webhooks_total", outcome="failed") == 1
    assert read.value("webhook_lag_seconds_count") == 0


async def test_events_of_types_that_nobody_knows_share_one_label() -> None:
    world = World(WATCHED)
    shop = await started(world)
    await world.pay(shop.secret)
    known = event(world, "payment_intent.succeeded")
    for number in range(5):
        await world.deliver({**known, "type": f"made.up.{number}"})
    read = await scrape(world)
    assert read.value("webhooks_total", type="other", outcome="ignored") == 5
    assert read.value("webhooks_total") == 5
    assert not any("made" in kind for kind in read.labels("webhooks_total", "type"))


async def test_what_alerts_watch_begins_at_zero() -> None:
    read = await scrape(World(WATCHED))
    assert read.labels("requests_shed_total", "reason") == {
        "overloaded",
        "rate_limited",
        "deadline",
    }
    assert read.labels("webhooks_total", "outcome") == {"failed", "orphan"}
    assert "checkout.session.completed" in read.labels("webhooks_total", "type")
    assert read.value("webhooks_total") == 0
    assert read.labels("unknown_outcomes_total", "type") == {
        "Charge",
        "CancelAuthorization",
        "Refund",
    }
    assert read.labels("unknown_outcomes_total", "authorization_ends_soon") == {"yes", "no"}
    assert read.value("unknown_outcomes_total") == 0


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "missing"),
        ("t=1790000000,v1=00", "malformed"),
        (f"t=1789999000,v1={'0' * 64}", "stale"),
        (f"t=1790000000,v1={'0' * 64}", "wrong"),
    ],
)
async def test_deliveries_that_stripe_did_not_sign_are_counted_by_what_is_wrong(
    header: str | None, reason: str
) -> None:
    world = World(WATCHED)
    answer: httpx.Response = await world.client.post(
        "/stripe/webhooks",
        content=b"{}",
        headers={} if header is None else {"Stripe-Signature": header},
    )
    assert answer.status_code == 400
    refused = "authentications_refused_total"
    read = await scrape(world)
    assert read.value(refused, kind="stripe", status="400", reason=reason) == 1
    assert read.value(refused, kind="stripe") == 1
    assert read.value("webhooks_total") == 0


async def test_a_backend_that_cannot_tell_refuses_nobody() -> None:
    world = World(WATCHED)
    session = await world.session((await world.cart())["id"])
    world.network.trouble = lambda call: "error before" if "/sessions/" in call.path else None
    answer = await world.client.get("/operations/config", headers=session)
    assert answer.status_code == 503
    assert (await scrape(world)).value("authentications_refused_total") == 0


async def test_an_amount_that_is_not_what_was_planned_is_counted_once() -> None:
    world = World(WATCHED)
    shop = await started(world)
    await world.pay(shop.secret)
    await world.reprice(shop.cart_id, 1500)
    for _ in range(2):
        assert (await confirm(world, shop)).status_code == 409
    await world.modify(shop.payment_id, action="refundPayment", amount=money(200))
    assert await status_of(world, shop.payment_id) == "amount_mismatch"
    assert (await scrape(world)).value("amount_mismatches_total") == 1


async def test_a_payment_as_planned_is_no_mismatch() -> None:
    world = World(WATCHED)
    await world.paid()
    assert (await scrape(world)).value("amount_mismatches_total") == 0


async def test_each_processor_counts_for_itself() -> None:
    world = World(WATCHED)
    other = world.start_processor()
    await other.client.get("/health/live")
    read = await scrape(world)
    assert read.value("requests_total") == 0
    assert read.value("build_info") == 1
