"""What a soak's report says, and what makes the run fail."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from rich.console import Console

from soak.book import Book, Operation, Purchase
from soak.burst import Burst
from soak.calls import Traffic
from soak.disturb import Disturbed
from soak.judge import Probe, Sample
from soak.plan import QUICK, SIGKILL
from soak.reconcile import reconcile
from soak.report import markdown, tables
from soak.result import Options, Reconciled, Result, Watched
from soak.run import not_reconciled, not_recovered

CLEAN = Reconciled(0, {}, 0, 0)
RESULT = Result(
    options=Options(seed=7, pace=QUICK, shoppers=3),
    machine="a machine",
    began=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    took_s=61.0,
    book=Book(
        [
            Purchase(
                "cart",
                1000,
                "EUR",
                "element",
                captured=1000,
                refunded=300,
                operations=[Operation("key", "refundPayment", 300, "approved")],
            )
        ],
        {"card": 1},
    ),
    traffic=Traffic({"POST /payments": {"200": 1200, "503": 2}}, repeated=2),
    happened=[Disturbed(SIGKILL, 1.0, 1.0, ready_after=1.25, port=1)],
    bursts=[Burst(600, {"200": 200, "503": 400}, 0.1, 0.2, [])],
    cuts=1,
    shopper=[Probe(each, worked=each >= 3) for each in (1.0, 2.0, 3.0, 4.0, 5.0)],
    merchant=[],
    watched=[
        Watched(
            8081, 2, 1200, [Sample(0.0, 1, 70_000_000, 15, 1)], Sample(9.0, 1, 80_000_000, 20, 5)
        )
    ],
    events=12,
    acknowledged=11,
    undelivered=1,
    differences_before=["one"],
    reconciled=[Reconciled(0, {"outdated_status": 4}, 4, 0), CLEAN],
    verdict={"money moved twice": [], "nothing leaks": []},
)


def test_a_run_without_violations_holds_and_one_with_any_does_not() -> None:
    assert RESULT.holds
    assert not replace(RESULT, verdict={**RESULT.verdict, "nothing leaks": ["a leak"]}).holds


@pytest.mark.parametrize(
    "line",
    [
        "| money moved twice | 0 |",
        "| seed | 7 |",
        "| taken, minor units | 1,000 |",
        "| paid back on request, minor units | 300 |",
        "| lost in transit | 1 |",
        "| differences in money before reconcile | 1 |",
        "| reconcile, first run: repaired | 4 (4 outdated status) |",
        "| answers to POST /payments | 1,200 x 200, 2 x 503 |",
        "| SIGKILL | 1 | 2.0 / 2.0 | 1.2 / 1.2 |",
        "| 8081 | 2 | 1,200 | 70 / 80 / 80 | 15 / 20 / 20 | 1 / 5 / 5 |",
    ],
)
def test_the_page_tells(line: str) -> None:
    assert line in markdown(RESULT).splitlines()


def test_a_violation_is_told_in_words() -> None:
    broken = replace(RESULT, verdict={"money moved twice": ["pi_1: charged 2 times"]})
    assert "pi_1: charged 2 times" in markdown(broken)


def test_the_terminal_shows_the_same_tables() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    for each in tables(RESULT):
        console.print(each)
    assert "SIGKILL" in console.export_text()


def test_figures_can_be_read_back() -> None:
    assert msgspec.json.decode(msgspec.json.encode(RESULT), type=Result) == RESULT


def test_only_a_last_run_of_reconcile_without_findings_acquits() -> None:
    repaired = Reconciled(0, {"missing": 2}, 2, 0)
    assert not_reconciled([repaired, CLEAN]) == []
    assert not_reconciled([CLEAN, repaired]) == ["the last run finds 2 of missing"]
    assert not_reconciled([CLEAN, Reconciled(3, {}, 0, 0)]) == ["it ends with 3"]


def test_a_disturbance_after_which_nothing_works_is_named() -> None:
    dead = [Probe(2.0, worked=False)]
    assert not_recovered(RESULT.happened, RESULT.shopper) == []
    assert not_recovered(RESULT.happened, dead) == [f"after {SIGKILL} no request worked again"]


async def test_a_reconcile_that_cannot_run_is_no_acquittal(tmp_path: Path) -> None:
    failed = await reconcile({"PATH": ""}, 10, tmp_path / "reconcile.jsonl")
    assert failed.exit_code == 2
    assert not_reconciled([failed]) == ["it ends with 2"]
