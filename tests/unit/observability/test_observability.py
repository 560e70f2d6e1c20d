"""What the operator's documents say is what the processor shows: metrics, alerts, panels, logs."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from stripe_connector.gateways.outgoing import Called
from stripe_connector.http.middleware import Answered
from stripe_connector.http.routing import Refused
from stripe_connector.http.webhook_routes import Delivered
from stripe_connector.logs import JsonFormatter
from stripe_connector.observability import labels
from stripe_connector.observability.metrics import Metrics
from stripe_connector.ops.doctor import output
from stripe_connector.ops.reconcile.checkpoint import Counts
from stripe_connector.ops.reconcile.report import run_gauges
from stripe_connector.ops.result_metrics import publish
from stripe_connector.payments.payment_events import EventEffect
from tests.behaviour.steps import started
from tests.fakes import FakeClock
from tests.world import World

FOLDER = Path(__file__).parents[3] / "docs" / "operations"
PAGE = (FOLDER / "observability.md").read_text(encoding="utf-8")
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
PANELS: list[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))[
    "panels"
]
QUERIES = {
    **{rule["alert"]: rule["expr"] for rule in ALERTS},
    **{panel["title"]: target["expr"] for panel in PANELS for target in panel["targets"]},
}


def called(path: str, backend: str = "commercetools") -> Called:
    return Called(backend, "POST", f"https://backend.test{path}", 409, 0.1, 2)


def rendered() -> str:
    """Metrics after each thing has happened once."""
    metrics = Metrics(FakeClock())
    metrics.answered(Answered("GET", "/payments", 503, 0.1, "Overloaded"))
    metrics.refused(Refused("session", 401, "access_denied"))
    metrics.called(called("/shop/payments/1"))
    metrics.delivered(Delivered("charge.succeeded", EventEffect.STORED, 1_790_000_000))
    metrics.mismatched()
    return metrics.render().decode()


FAMILIES = {
    family.name: family
    for family in text_string_to_metric_families(rendered())
    if not family.name.endswith("_created")
}
LABELS = {
    sample.name: set(sample.labels) | {"instance", "job"}
    for family in FAMILIES.values()
    for sample in family.samples
}
"""By the name of a sample; instance and job are Prometheus' own."""


def of_files() -> dict[str, set[str]]:
    """What `--metrics-file` of reconcile and doctor leaves."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "last.prom"
        publish(run_gauges(Counts(), complete=True, at=0), file, None)
        text = file.read_text()
        publish(output.check_gauges([], sound=True, at=0), file, None)
        text += file.read_text()
    return {
        family.name: {label for sample in family.samples for label in sample.labels}
        for family in text_string_to_metric_families(text)
    }


LABELS |= {"up": {"instance", "job"}, **of_files()}


def rows(header: str) -> list[list[str]]:
    """The cells of the table under a heading whose first column is named so."""
    _, _, table = PAGE.partition(f"| {header} |")
    lines = table.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# Metrics


def test_every_metric_is_documented_with_its_type_and_labels() -> None:
    documented = {names(row[0])[0]: (row[1], set(names(row[2]))) for row in rows("Metric")}
    shown = {
        name: (
            family.type,
            {label for sample in family.samples for label in sample.labels} - {"le"},
        )
        for name, family in FAMILIES.items()
    }
    assert documented == shown


def test_two_processors_in_one_process_share_no_counter() -> None:
    one, other = Metrics(FakeClock()), Metrics(FakeClock())
    one.mismatched()
    assert "amount_mismatches_total 1.0" in one.render().decode()
    assert "amount_mismatches_total 0.0" in other.render().decode()


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/shop/carts/4f1c", "/{}/carts/{}"),
        ("/shop/orders/order-number=2026-1", "/{}/orders/{}"),
        ("/v1/payment_intents/pi_3/capture", "/v1/payment_intents/{}/capture"),
        ("/v1/payment_intents/search", "/v1/payment_intents/search"),
        ("/shop/custom-objects/c%2Fd/jenny%40example.com", "/{}/custom-objects/{}/{}"),
        ("/unheard-of/path", "/{}/{}"),
        ("/", "/"),
    ],
)
def test_only_known_words_of_a_path_are_left(path: str, operation: str) -> None:
    assert labels.operation_label(called(path)) == operation


def test_every_word_of_the_paths_that_the_gateways_ask_is_known() -> None:
    gateways = Path(labels.__file__).parents[1] / "gateways"
    sources = "".join(path.read_text(encoding="utf-8") for path in gateways.rglob("*.py"))
    paths = re.findall(r'"((?:\{[^"]*\})?/[a-z][^"\s]*)"', sources)
    words = {part for path in paths for part in re.split(r"/", re.sub(r"\{.*?\}", "", path))}
    words = {word for word in words if word and not word.endswith("=")}
    assert len(words) > 20
    assert {
        word for word in words if labels.operation_label(called(f"/{word}")) != f"/{word}"
    } == set()


@pytest.mark.parametrize(
    ("backend", "label"),
    [("commercetools", "commercetools"), ("Stripe", "stripe"), ("The key server", "key_server")],
)
def test_backends_have_names_fit_for_a_label(backend: str, label: str) -> None:
    assert labels.backend(called("/", backend)) == label


def test_only_commercetools_has_version_conflicts() -> None:
    metrics = Metrics(FakeClock())
    metrics.called(called("/v1/refunds", "Stripe"))
    assert "version_conflicts_total{" not in metrics.render().decode()


# Alerts and panels


def selectors(expression: str) -> list[tuple[str, set[str]]]:
    """Every metric that a query reads, and the labels that it selects by."""
    found = re.findall(
        r"\b(up\b|(?:stripe_connector|process)_\w+)(?:\{(.*?)\}(?=\[|\)| |$))?", expression
    )
    return [
        (name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\"", matchers))) for name, matchers in found
    ]


@pytest.mark.parametrize("title", QUERIES)
def test_queries_read_metrics_and_labels_that_exist(title: str) -> None:
    expression = QUERIES[title]
    read = selectors(expression)
    assert read
    for name, chosen in read:
        assert name in LABELS
        assert chosen <= LABELS[name]
    for grouping in re.findall(r"\bby \((.*?)\)", expression):
        wanted = set(grouping.split(", "))
        assert any(wanted <= LABELS[name] for name, _ in read)
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_words_in_alerts_are_those_that_the_metrics_use(rule: dict[str, Any]) -> None:
    """A label's value that is spelt out must be one that occurs."""
    known = {
        "outcome": {"failed", *(effect.name.lower() for effect in EventEffect)},
        "kind": {"session", "oauth2", "jwt", "stripe", "origin", "metrics"},
        "reason": {
            *("overloaded", "rate_limited", "deadline"),
            *("missing", "malformed", "stale", "wrong"),
        },
    }
    for label, values in known.items():
        for spelt in re.findall(rf'\b{label}=~?"(.*?)"', rule["expr"]):
            assert set(spelt.split("|")) <= values


def test_every_alert_reads_the_connectors_job_alone() -> None:
    for rule in ALERTS:
        for name, chosen in selectors(rule["expr"]):
            assert "job" in chosen or name.startswith(
                ("stripe_connector_reconcile_", "stripe_connector_doctor_")
            ), rule["alert"]


def test_every_alert_by_share_or_state_has_a_test_of_its_rule() -> None:
    """Those that are not named fire at the first occurrence of what needs a person."""
    text = (FOLDER / "alerts.test.yaml").read_text(encoding="utf-8")
    tested = set(re.findall(r'alertname="(\w+)"', text))
    assert tested <= {rule["alert"] for rule in ALERTS}
    assert {"PaymentsFail", "BackendFails", "WebhooksStayAway", "MemoryNearItsLimit"} <= tested


def test_every_alert_says_its_symptom_and_what_to_do() -> None:
    assert {rule["alert"] for rule in ALERTS} == {names(row[0])[0] for row in rows("Alert")}
    for rule in ALERTS:
        assert rule["annotations"]["symptom"].endswith(".")
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_what_an_alert_may_name_in_its_symptom_is_left_by_its_query() -> None:
    for rule in ALERTS:
        for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["symptom"]):
            assert re.search(rf"\bby \((\w+, )*{label}\b", rule["expr"])


def test_panels_have_ids_and_places_of_their_own() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS}
    assert len(places) == len(PANELS)


# Logs


async def test_every_field_of_a_requests_log_line_is_documented(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    await world.client.get("/operations/config")
    records = [record for record in caplog.records if record.name.startswith("stripe_connector")]
    lines = [json.loads(JsonFormatter().format(record)) for record in records]
    documented = {name for row in rows("Field") for name in names(row[0])}
    assert {field for line in lines for field in line} <= documented
    payments = next(line for line in lines if line.get("route") == "/payments")
    assert payments["payment"] == shop.payment_id
    assert {"severity", "time", "status", "outcome", "durationMs"} <= payments.keys()
