"""The verdict beside a reference processor."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from bench import __main__ as command
from bench.backend import Prepared
from bench.comparison import Comparison, Plan
from bench.operations import OPERATIONS
from bench.processes import listener
from bench.reference import Calls, Findings, Reference, report, theirs, to_json

CAPTURE = next(each for each in OPERATIONS if each.name == "capture")
START = next(each for each in OPERATIONS if each.name == "POST /payments, first")
MEMORY = Comparison("memory idle, MB", [100.0], [70.0], 0.8)


def findings(
    *now: float, memory: Comparison = MEMORY, refused: list[str] | None = None
) -> Findings:
    capture = Comparison(CAPTURE.name, [2.0, 2.2], now, CAPTURE.ratio)
    return Findings([capture], [Calls(4, 5, refused or [])], [memory])


def shown(found: Findings) -> str:
    console = Console(width=140)
    with console.capture() as capture:
        console.print(report(found))
    return capture.get()


def test_the_least_of_the_rounds_decides() -> None:
    found = findings(1.5, 0.9)

    assert found.missed == []
    text = shown(found)
    row = next(line for line in text.splitlines() if "│ capture" in line)
    cells = [cell.strip() for cell in row.split("│")[1:-1]]
    assert cells == ["capture", "2.00", "0.90", "0.45", "0.5", "67%"]
    assert "All targets hold." in text
    assert "capture: 5 calls in sequence, the reference 4" in text


def test_a_ratio_above_its_target_is_named() -> None:
    heavy = Comparison("memory idle, MB", [100.0], [90.0], 0.8)
    found = findings(1.5, 1.2, memory=heavy)

    assert found.missed == ["capture: 0.60 of 0.5", "memory idle, MB: 0.90 of 0.8"]
    text = shown(found)
    assert "All targets hold." not in text
    assert "capture: 0.60 of 0.5" in text


def test_calls_that_the_backends_refused_are_shown_since_the_work_may_not_be_the_same() -> None:
    refused = "GET /sandbox/customers/undefined: 404"

    assert refused in shown(findings(0.9, refused=[refused]))


def test_the_file_holds_every_round_and_the_verdict() -> None:
    document: dict[str, Any] = json.loads(to_json(Plan(), findings(1.5, 1.2)))

    assert document["findings"]["operations"][0]["now"] == [1.5, 1.2]
    assert document["missed"] == ["capture: 0.60 of 0.5"]


@pytest.mark.parametrize(("cpu", "code"), [(0.9, 0), (1.2, 1)])
def test_the_command_fails_if_a_target_is_missed(
    cpu: float, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def measured(*_: object) -> Findings:
        return findings(cpu)

    monkeypatch.setattr(command, "beside", measured)
    arguments = ["--reference", "node main.js", "--json", str(tmp_path / "bench.json")]
    result: Result = CliRunner().invoke(command.main, arguments)

    assert result.exit_code == code, result.output
    assert (tmp_path / "bench-reference.json").exists()


def test_a_reference_is_a_command_or_an_address() -> None:
    assert Reference.parsed("env A=1 node 'a b.js'").command == ["env", "A=1", "node", "a b.js"]
    assert Reference.parsed("http://127.0.0.1:8080").port == 8080
    with pytest.raises(ValueError, match="needs a port"):
        Reference.parsed("http://localhost")


def test_the_reference_gets_its_own_request_and_may_answer_in_its_own_way() -> None:
    situation = Prepared("cart", "cart_1")

    started = theirs(START).build(situation)
    assert started.wire.startswith(b"GET /payments ")
    assert started.expected == b""
    assert START.build(situation).wire.startswith(b"POST /payments ")


def test_the_process_behind_an_address_is_the_one_that_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = listener(server.getsockname()[1])

    if not Path("/proc/net/tcp").exists():
        assert found is None
    else:
        assert found is not None
        assert found.pid == os.getpid()
