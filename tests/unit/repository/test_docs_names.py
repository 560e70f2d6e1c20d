"""What the pages under docs name exists: settings, commands and their options, metrics, alerts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from stripe_connector.__main__ import main
from stripe_connector.settings import IGNORED, variables
from tests.unit.repository.test_links import anchors

ROOT = Path(__file__).parents[3]
OPERATIONS = ROOT / "docs/operations"
PAGES = {
    name: (ROOT / name).read_text()
    for name in (
        "README.md",
        "docs/integration.md",
        "docs/migration.md",
        "docs/security.md",
        "docs/operations/README.md",
        "docs/operations/observability.md",
    )
}
of_each_page = pytest.mark.parametrize("page", PAGES)

ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((OPERATIONS / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DECLARED = {name for each in variables() for name in (each.name, each.alias) if name} | set(IGNORED)

PREFIXES = ("CTP_", "STRIPE_", "CT_", "BFF_", "BUY_NOW_", "CHECKOUT_", "STORED_", "STOREFRONT_")


def runbook() -> str:
    return (OPERATIONS / "README.md").read_text()


@of_each_page
def test_every_setting_is_declared(page: str) -> None:
    named = {
        name
        for name in re.findall(r"\b[A-Z][A-Z_]*_[A-Z_]*[A-Z]\b", PAGES[page])
        if name.startswith(PREFIXES)
    }
    assert named - DECLARED == set()


@of_each_page
def test_every_command_and_option_exists(page: str) -> None:
    context = click.Context(main)
    for name, rest in re.findall(r"stripe-connector ([a-z][a-z-]+)([^`\n#]*)", PAGES[page]):
        command = main.get_command(context, name)
        assert command is not None, name
        options = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= options


@of_each_page
def test_every_target_of_make_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:`|; )make ([a-z-]+)|^make ([a-z-]+)(?: ARGS=.*)?$", PAGES[page], re.M)
    assert {target for pair in named for target in pair if target} <= targets


@of_each_page
def test_every_metric_exists(page: str) -> None:
    table = PAGES["docs/operations/observability.md"]
    known = set(re.findall(r"^\| `(stripe_connector_\w+)`", table, re.MULTILINE))
    named = set(re.findall(r"\bstripe_connector_[a-z_]+", PAGES[page]))
    assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in named} <= known


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_leads_to_its_symptom(alert: dict[str, Any]) -> None:
    path, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert anchor in anchors(ROOT / path)
    row = next(line for line in runbook().splitlines() if f"(#{anchor})" in line)
    assert f"`{alert['alert']}`" in row


def test_the_runbook_names_no_other_alerts() -> None:
    rows = [line for line in runbook().splitlines() if line.startswith("| [")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {alert["alert"] for alert in ALERTS}


def test_every_symptom_is_in_the_runbooks_table() -> None:
    headings = anchors(OPERATIONS / "README.md") - {"runbook"}
    assert headings == set(re.findall(r"^\| \[[^\]]+\]\(#([\w-]+)\)", runbook(), re.MULTILINE))


def test_the_migrations_table_agrees_with_the_settings() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|$", PAGES["docs/migration.md"], re.M))
    assert len(rows) > 35
    ignored = {name for name, here in rows.items() if here.startswith("ignored")}
    assert set(rows) - ignored <= DECLARED - set(IGNORED)
    assert ignored <= set(IGNORED)
