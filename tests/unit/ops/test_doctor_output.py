"""What the doctor prints: for people with and without colours, and for programs."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from stripe_connector.ops.doctor import output
from stripe_connector.ops.doctor.checks import CheckOutcome, Result
from stripe_connector.ops.result_metrics import publish

RESULTS = [
    Result("Stripe", "API key", CheckOutcome.OK, "secret key", "", "doctor-1"),
    Result("Stripe", "Account", CheckOutcome.WARN, "No [payouts].", "See to it.", "doctor-2"),
    Result("Webhooks", "Enabled", CheckOutcome.FAIL, "It is [disabled].", "Enable it.", "doctor-3"),
    Result("Webhooks", "Deliveries", CheckOutcome.SKIPPED, "Needs: Enabled.", "", ""),
]


@pytest.fixture(autouse=True)
def any_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def shown(results: list[Result], *, sound: bool, terminal: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=100, force_terminal=terminal)
    output.show(console, results, sound=sound)
    return stream.getvalue()


def test_checks_are_grouped_and_what_is_wrong_is_explained_the_worst_first() -> None:
    lines = [line.rstrip() for line in shown(RESULTS, sound=False).splitlines()]
    assert lines == [
        "Stripe",
        "  ✓ ok       API key     secret key",
        "  ! warn     Account     see below",
        "Webhooks",
        "  ✗ fail     Enabled     see below",
        "  - skipped  Deliveries  Needs: Enabled.",
        "",
        "✗ fail: Webhooks, Enabled",
        "  Cause:  It is [disabled].",
        "  Remedy: Enable it.",
        "  Id:     doctor-3",
        "",
        "! warn: Stripe, Account",
        "  Cause:  No [payouts].",
        "  Remedy: See to it.",
        "",
        "1 ok, 1 warn, 1 fail, 1 skipped",
        "The deployment is not sound.",
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_colours_are_for_terminals(terminal: bool) -> None:
    assert ("\x1b[" in shown(RESULTS, sound=False, terminal=terminal)) is terminal


def test_programs_get_all_of_it() -> None:
    report = msgspec.json.decode(output.as_json(RESULTS, sound=False))
    assert report["sound"] is False
    assert report["counts"] == {"ok": 1, "warn": 1, "fail": 1, "skipped": 1}
    assert report["checks"][2] == {
        "group": "Webhooks",
        "name": "Enabled",
        "outcome": "fail",
        "text": "It is [disabled].",
        "remedy": "Enable it.",
        "requestId": "doctor-3",
    }


def test_progress_is_shown_on_terminals_alone() -> None:
    for terminal in (False, True):
        stream = io.StringIO()
        console = Console(file=stream, force_terminal=terminal, width=80)
        with output.Doing(console, len(RESULTS)) as doing:
            for result in RESULTS:
                doing.made(result)
        assert ("4 of 4 checks" in stream.getvalue()) is terminal


def test_the_result_is_a_file_of_metrics(tmp_path: Path) -> None:
    file = tmp_path / "doctor.prom"
    assert publish(output.check_gauges(RESULTS, sound=False, at=1_790_000_000.4), file, None)
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    assert lines[-2:] == [
        "stripe_connector_doctor_sound 0",
        "stripe_connector_doctor_end_seconds 1790000000",
    ]
    counted = {line.split('"')[1]: int(line.split()[-1]) for line in lines[:-2]}
    assert counted == {word: counted[word] for word in ("ok", "warn", "fail", "skipped")}
    assert sum(counted.values()) == len(RESULTS)
    assert counted["fail"] > 0
