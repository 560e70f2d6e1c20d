"""Results beside their targets."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace
from rich.console import Console

from bench.measure import Footprint, Plan, Result
from bench.operations import OPERATIONS
from bench.report import missed, tables, to_json
from bench.rig import Latency

SUCCEEDED = next(each for each in OPERATIONS if each.name == "webhook payment_intent.succeeded")
KNOWN = next(each for each in OPERATIONS if each.name == "GET /operations/config, session known")
RESULT = Result(
    name=SUCCEEDED.name,
    calls=2,
    calls_in_all=2,
    cpu=0.8,
    least_cpu=0.2,
    spread=0.05,
    backend_cpu=0.1,
    generator_cpu=0.2,
    requests_per_second=1000.0,
    alone=Latency(0.001, 0.002),
    loaded=Latency(0.020, 0.030),
    alone_slow=Latency(0.102, 0.103),
    loaded_slow=Latency(0.107, 0.120),
)
FOOTPRINT = Footprint(cold_start_s=0.4, idle_bytes=60_000_000, loaded_bytes=90_000_000)


def shown(result: Result, footprint: Footprint = FOOTPRINT) -> str:
    console = Console(width=140)
    with console.capture() as capture:
        console.print(tables([result], [SUCCEEDED], footprint))
    return capture.get()


def test_a_row_shows_the_measured_beside_the_target() -> None:
    row = next(line for line in shown(RESULT).splitlines() if SUCCEEDED.name in line)
    cells = [cell.strip() for cell in row.split("│")[1:-1]]
    assert cells == [SUCCEEDED.name, "2", "2", "2", "0.80", "5%", "0.20", "4.00", "1250", "1000"]


def test_latencies_are_compared_with_what_the_calls_in_sequence_take() -> None:
    row = [line for line in shown(RESULT).splitlines() if SUCCEEDED.name in line][1]
    assert "20.0 / 30.0" in row
    assert "+7%" in row


def test_when_all_targets_hold_it_says_so() -> None:
    assert missed([RESULT], [SUCCEEDED], FOOTPRINT) == []
    assert "All targets hold." in shown(RESULT)


def test_every_missed_target_is_named_with_its_limit() -> None:
    slow = replace(RESULT, calls=3, cpu=1.2, loaded_slow=Latency(0.180, 0.2))
    heavy = replace(FOOTPRINT, cold_start_s=0.7, loaded_bytes=140_000_000)
    assert missed([slow], [SUCCEEDED], heavy) == [
        "webhook payment_intent.succeeded: 3 calls in sequence, not 2",
        "webhook payment_intent.succeeded: 1.20 times its calls in sequence, not 1.15",
        "cold start to the first answer: 700 ms, not 600",
        "memory under load: 140 MB, not 130",
    ]
    assert "3 calls in sequence, not 2" in shown(slow, heavy)


def test_without_calls_there_is_nothing_to_compare_the_latency_with() -> None:
    alone = replace(
        RESULT, name=KNOWN.name, calls=0, cpu=0.1, least_cpu=None, loaded_slow=Latency(9.0, 9.0)
    )
    assert alone.multiple is None
    assert missed([alone], [KNOWN], FOOTPRINT) == []


def test_it_says_when_something_else_was_the_bottleneck() -> None:
    assert "took more CPU" not in shown(RESULT)
    text = shown(replace(RESULT, generator_cpu=0.9))
    assert f"{SUCCEEDED.name} *" in text
    assert "took more CPU than the processor" in text


def test_the_file_holds_the_figures_the_targets_and_the_machine() -> None:
    document: dict[str, Any] = json.loads(to_json(Plan(), [RESULT], [SUCCEEDED], FOOTPRINT))
    operation = document["operations"][0]
    assert (operation["cpu"], operation["least_cpu"], operation["multiple"]) == (0.8, 0.2, 4.0)
    assert operation["loaded"] == {"p50": 0.02, "p99": 0.03}
    assert document["process"]["idle_bytes"] == 60_000_000
    assert document["machine"]["cores"] >= 1
    assert document["missed"] == []
