"""The alert rules with shorter times are the same rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from soak.watched.provoke import PROVOCATIONS
from soak.watched.shortened import shortened, without_times

RULES = (Path(__file__).parents[3] / "docs/operations/alerts.yaml").read_text()


@pytest.mark.parametrize(
    ("rule", "short"),
    [
        ("rate(a_total[10m])) > 0.05", "rate(a_total[10000ms])) > 0.05"),
        ("increase(a_total[3h]) > 3", "increase(a_total[180000ms]) > 3"),
        ("for: 15m", "for: 15000ms"),
        ("time() - max(a) > 36 * 3600", "time() - max(a) > 108"),
        ("histogram_quantile(0.95, b) > 300", "histogram_quantile(0.95, b) > 300"),
        ("bytes > 400e6", "bytes > 400e6"),
    ],
)
def test_minutes_become_seconds_and_measured_values_stay(rule: str, short: str) -> None:
    assert shortened(rule) == short


def test_only_times_differ() -> None:
    def form(rules: str) -> str:
        return re.sub(r"\d+ms|\b108\b", "TIME", rules)

    assert shortened(RULES) != RULES
    assert form(shortened(RULES)) == without_times(RULES).replace("DAYS", "TIME")


def test_every_alert_is_provoked_once() -> None:
    alerts = re.findall(r"- alert: (\w+)", RULES)
    provoked = [alert for wanted in PROVOCATIONS.values() for alert in sorted(wanted)]
    assert sorted(provoked) == sorted(alerts)
