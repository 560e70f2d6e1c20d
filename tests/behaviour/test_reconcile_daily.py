"""`reconcile` as it runs every day: what is older than its span is found until it is closed."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from tests.behaviour.reconciling import reconcile, written
from tests.behaviour.steps import Always, Once, attempt, dashboard_refund, no_trouble, started
from tests.collector import collector
from tests.property import oracle
from tests.world import Json, World, money

DAY_S = 86_400


async def cut_off_refund(world: World) -> str:
    """A refund that was written ahead and never reached Stripe: the id of the Payment."""
    payment_id = await world.paid()
    for call in range(12):
        world.network.trouble = Once(call, "crash before", "stripe")
        await attempt(world, payment_id, "refundPayment", 300)
        if "Initial" in [t["state"] for t in (await world.payment(payment_id))["transactions"]]:
            break
    world.network.trouble = no_trouble
    return payment_id


async def test_a_shop_with_unfinished_checkouts_differs_in_nothing() -> None:
    world = World()
    await world.paid()
    await started(world)
    for method in ("pm_card_chargeDeclined", "pm_card_authenticationRequired"):
        shop = await started(world)
        await world.pay(shop.secret, method)
    await world.deliver_all()
    before = len(world.network.calls)
    for days in (0, 1, 2):
        world.clock.advance(days * DAY_S)
        result = await reconcile(world)
        assert (result.code, result.lines) == (0, [])
    assert written(world, before) == []


@pytest.mark.parametrize("days", [2, 10, 60])
async def test_an_operation_that_was_abandoned_before_the_span_is_found_until_it_is_closed(
    days: int,
) -> None:
    world = World()
    payment_id = await cut_off_refund(world)
    world.clock.advance(days * DAY_S)
    for _ in range(2):
        result = await reconcile(world)
        assert (result.code, result.found) == (1, ["abandoned_operation"])
        assert result.lines[0]["payment"] == payment_id
        world.clock.advance(DAY_S)
    assert (await reconcile(world, apply=True)).repaired == ["abandoned_operation"]
    world.clock.advance(2 * DAY_S)
    assert (await reconcile(world)).lines == []
    oracle.check(world)


async def test_money_without_a_payment_is_found_until_it_has_been_given_back() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await started(world)  # not paid, which is no money
    world.store.collection("payment").remove(shop.payment_id)
    for _ in range(3):
        world.clock.advance(3 * DAY_S)
        result = await reconcile(world)
        assert (result.code, result.found) == (1, ["orphan_intent"])
        assert result.lines[0]["intent"] == shop.intent_id
    await dashboard_refund(world, shop.intent_id, 1000)
    assert (await reconcile(world)).lines == []


async def test_a_long_span_costs_no_call_for_a_payment_that_is_in_order() -> None:
    counted = []
    for payments in (2, 12):
        world = World()
        for _ in range(payments):
            await world.paid()
            world.clock.advance(3600)
        await world.deliver_all()
        before = len(world.network.calls)
        result = await reconcile(world, since="P7D")
        assert (result.code, result.lines) == (0, [])
        assert result.summary["looked_at"]["payments"] == payments
        counted.append(len(world.network.calls) - before)
    assert counted[0] == counted[1]


async def test_a_payment_whose_intent_is_older_than_the_span_is_compared_as_well() -> None:
    world = World()
    payment_id = await world.paid()
    world.clock.advance(10 * DAY_S)
    version = (await world.payment(payment_id))["version"]
    change = {
        "action": "addTransaction",
        "transaction": {
            "type": "Refund",
            "amount": money(300),
            "state": "Success",
            "interactionId": "re_made_up",
        },
    }
    await world.commercetools(
        "POST", f"payments/{payment_id}", {"version": version, "actions": [change]}
    )
    result = await reconcile(world)
    assert result.found == ["unknown_transaction"]
    assert result.lines[0]["payment"] == payment_id


async def ordered(world: World, numbered: Json) -> Json:
    """The order that Checkout places of the only cart."""
    [cart] = world.store.collection("cart")
    address = {"action": "setShippingAddress", "address": {"country": "DE"}}
    await world.change_cart(cart["id"], address)
    version = (await world.commercetools("GET", f"carts/{cart['id']}"))["version"]
    draft = {"id": cart["id"], "version": version, **numbered}
    return await world.commercetools("POST", "orders", draft)


@pytest.mark.parametrize("number", ["A-1007", None])
async def test_a_difference_names_payment_intent_and_order(number: str | None) -> None:
    world = World()
    payment_id = await cut_off_refund(world)
    payment = await world.payment(payment_id)
    order = await ordered(world, {} if number is None else {"orderNumber": number})
    world.clock.advance(2 * DAY_S)
    [line] = (await reconcile(world)).lines
    assert line["payment"] == payment_id
    assert line["intent"] == payment["interfaceId"]
    assert line["order"] == (number or order["id"])


async def test_money_without_a_payment_names_the_order_that_still_refers_to_it() -> None:
    world = World()
    payment_id = await world.paid()
    await ordered(world, {"orderNumber": "A-1008"})
    world.store.collection("payment").remove(payment_id)
    [line] = (await reconcile(world)).lines
    assert (line["kind"], line["order"]) == ("orphan_intent", "A-1008")


async def test_a_run_that_continues_says_when_it_was_begun(tmp_path: Path) -> None:
    world = World()
    await world.paid()
    file = tmp_path / "checkpoint.json"
    world.network.trouble = Always("error before", "stripe")
    assert (await reconcile(world, checkpoint=file)).code == 3
    world.network.trouble = no_trouble
    begun = json.loads(file.read_bytes())["span"]["until"]
    world.clock.advance(5 * DAY_S)
    stale = await reconcile(world, checkpoint=file)
    assert f"began at {begun[:10]} {begun[11:16]} UTC" in stale.errors
    assert "nothing later is compared" in stale.errors
    assert f"delete {file}" in stale.errors
    fresh = await reconcile(world, checkpoint=file)
    assert fresh.errors == ""


async def test_older_payments_that_are_in_order_cost_no_call_of_their_own() -> None:
    world = World()
    await world.paid()
    world.clock.advance(3 * DAY_S)
    empty = len(world.network.calls)
    await reconcile(world)
    few = len(world.network.calls) - empty
    again = World()
    for _ in range(5):
        await again.paid()
    again.clock.advance(3 * DAY_S)
    before = len(again.network.calls)
    await reconcile(again)
    assert len(again.network.calls) - before == few


def gauges(file: Path) -> dict[str, float]:
    lines = file.read_text().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in values.items()}


async def test_the_result_of_a_run_is_a_file_of_metrics(tmp_path: Path) -> None:
    world = World()
    file = tmp_path / "reconcile.prom"
    await cut_off_refund(world)
    world.clock.advance(2 * DAY_S)
    await reconcile(world, metrics_file=file)
    found = gauges(file)
    assert found['stripe_connector_reconcile_differences{kind="abandoned_operation"}'] == 1
    assert found['stripe_connector_reconcile_differences{kind="orphan_intent"}'] == 0
    assert found["stripe_connector_reconcile_remaining"] == 1
    assert found["stripe_connector_reconcile_complete"] == 1
    assert found["stripe_connector_reconcile_end_seconds"] == pytest.approx(
        world.clock.time(), abs=60
    )
    world.clock.advance(60)
    await reconcile(world, apply=True, metrics_file=file)
    assert gauges(file)["stripe_connector_reconcile_remaining"] == 0
    world.network.trouble = Always("error before", "stripe")
    await reconcile(world, metrics_file=file)
    assert gauges(file)["stripe_connector_reconcile_complete"] == 0
    assert not file.with_name("reconcile.prom.new").exists()


def sent(body: bytes) -> dict[str, float]:
    """Gauges by name, with the attribute's value where they have one."""
    [resource] = ExportMetricsServiceRequest.FromString(body).resource_metrics
    [scope] = resource.scope_metrics
    return {
        " ".join([metric.name, *(each.value.string_value for each in point.attributes)]): (
            point.as_double or point.as_int
        )
        for metric in scope.metrics
        for point in metric.gauge.data_points
    }


async def test_the_result_is_sent_to_a_collector_where_nothing_can_read_a_file() -> None:
    world = World()
    await cut_off_refund(world)
    world.clock.advance(2 * DAY_S)
    with collector() as (address, taken):
        world.environment = {**world.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": address}
        assert (await reconcile(world, metrics_otlp=True)).errors == ""
    [(path, body)] = taken
    assert path == "/v1/metrics"
    found = sent(body)
    assert found["stripe_connector_reconcile_differences abandoned_operation"] == 1
    assert found["stripe_connector_reconcile_differences orphan_intent"] == 0
    assert found["stripe_connector_reconcile_remaining"] == 1
    assert found["stripe_connector_reconcile_complete"] == 1
    assert found["stripe_connector_reconcile_end_seconds"] == pytest.approx(
        world.clock.time(), abs=60
    )


async def test_a_collector_that_refuses_changes_no_result() -> None:
    world = World()
    await world.paid()
    with collector(status=400) as (address, taken):
        world.environment = {**world.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": address}
        result = await reconcile(world, metrics_otlp=True)
    assert len(taken) == 1
    assert "did not take the metrics" in result.errors
    assert (result.code, result.lines) == (0, [])


async def test_without_a_collector_nothing_is_begun() -> None:
    world = World()
    with pytest.raises(click.UsageError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        await reconcile(world, metrics_otlp=True)
    assert world.network.calls == []


async def test_a_checkpoint_that_cannot_be_written_is_told_before_any_work(tmp_path: Path) -> None:
    world = World()
    await world.paid()
    before = len(world.network.calls)
    result = await reconcile(world, checkpoint=tmp_path / "missing" / "checkpoint")
    assert result.code == 2
    assert "cannot be written" in result.errors
    assert len(world.network.calls) == before
