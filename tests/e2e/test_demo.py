"""The demo as a user runs it."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sandbox.addresses import LOOPBACK, Addresses, require_free, url
from sandbox.shown_cards import SHOWN_CARDS
from tests.e2e.conftest import World
from tests.patience import PATIENCE_S

DEMO = [sys.executable, "-m", "sandbox.demo"]


def run(*options: str, environment: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [*DEMO, *options],
        env=environment,
        cwd=cwd,
        text=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )


def test_the_demo_walks_through_the_main_job(
    environment: dict[str, str], at: Addresses, tmp_path: Path
) -> None:
    ended = run("--once", environment=environment, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[0] == "Starting the shop, the stand-ins and a processor."
    assert [line[:5] for line in lines[1:14]] == [f"\u2713 {number:>2} " for number in range(1, 14)]
    assert lines[14:] == ["", "All 13 steps went well: commercetools and Stripe agree."]
    require_free(at.ports())


def test_where_letters_are_ascii_the_ticks_are_words(
    environment: dict[str, str], tmp_path: Path
) -> None:
    ascii_only = {**environment, "PYTHONIOENCODING": "ascii"}
    ended = run("--once", environment=ascii_only, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "ok 13  The Merchant Center asks for the status with a JWT" in ended.stdout


def test_on_request_each_step_shows_its_calls_and_both_sides(
    environment: dict[str, str], tmp_path: Path
) -> None:
    ended = run("--once", "-v", environment=environment, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for line in (
        "POST /payments -> 200",
        "capturePayment: approved",
        "cancelPayment: approved",
        "declined: generic_decline",
        "acknowledged: payment_intent.created, charge.succeeded, payment_intent.succeeded",
        "GET /operations/status -> 200",
        "steps went well: commercetools and Stripe agree.",
    ):
        assert line in ended.stdout
    assert "DIFFERS" not in ended.stdout


def test_taken_ports_are_named_with_the_variables_that_change_them(
    environment: dict[str, str], at: Addresses, tmp_path: Path
) -> None:
    with (
        socket.create_server((LOOPBACK, at.processor)),
        socket.create_server((LOOPBACK, at.stripe)),
    ):
        ended = run("--once", environment=environment, cwd=tmp_path)
    assert ended.returncode == 1
    assert f"Port {at.processor} for the processor is taken; set PORT" in ended.stdout
    assert f"Port {at.stripe} for the Stripe stand-in is taken" in ended.stdout
    assert "set SANDBOX_STRIPE_PORT to another" in ended.stdout
    require_free([place for place in at.ports() if place[1] in (at.jwt, at.commercetools)])


@pytest.mark.parametrize("given", ["70000", "http"])
def test_a_port_that_is_none_is_named_with_its_variable(
    given: str, environment: dict[str, str], tmp_path: Path
) -> None:
    ended = run("--once", environment={**environment, "SANDBOX_JWT_PORT": given}, cwd=tmp_path)
    assert ended.returncode == 1
    assert "SANDBOX_JWT_PORT must be a port" in ended.stdout


@contextmanager
def staying(*options: str, environment: dict[str, str], cwd: Path) -> Iterator[list[str]]:
    """A demo that stays up, by the lines it has printed; ended by Ctrl-C, with success."""
    with subprocess.Popen(  # noqa: S603
        [*DEMO, *options], env=environment, cwd=cwd, text=True, stdout=subprocess.PIPE
    ) as demo:
        assert demo.stdout is not None
        lines: list[str] = []
        for line in demo.stdout:
            lines.append(line.rstrip("\n"))
            if "Ctrl-C" in line:
                lines.append(demo.stdout.readline().rstrip("\n"))
                break
        try:
            yield lines
        finally:
            demo.send_signal(signal.SIGINT)
            demo.stdout.read()
        assert demo.wait(PATIENCE_S) == 0


def test_the_demo_ends_with_one_box_that_says_where_to_go_and_how_to_pay(
    environment: dict[str, str], at: Addresses, tmp_path: Path
) -> None:
    with staying(environment=environment, cwd=tmp_path) as lines:
        top = next(number for number, line in enumerate(lines) if line.startswith("\u256d"))
        box = lines[top:]
        assert box[-1].startswith("\u2570")
        assert len({len(line) for line in box}) == 1
        told = "\n".join(box)
        for place in ("", "/desk", "/playground"):
            assert httpx.get(f"{url(at.shop)}{place}", follow_redirects=True).status_code == 200
            assert f" {url(at.shop)}{place} " in told
        for card in SHOWN_CARDS:
            assert f"{card.number} {card.says}" in told
        assert "Ctrl-C" in box[-2]
    require_free(at.ports())


def test_on_request_the_demo_stays_up_with_curl_lines_that_work(
    environment: dict[str, str], at: Addresses, tmp_path: Path
) -> None:
    with staying("-v", environment=environment, cwd=tmp_path) as lines:
        for _, port in at.ports():
            assert any(url(port) in line for line in lines)
        commands = [line for line in lines if line.startswith("curl ")]
        assert len(commands) >= 5
        answers = [json.loads(shell(command)) for command in commands]
        assert answers[0]["clientSecret"].startswith("pi_")
        assert answers[1] == {"outcome": "approved"}


def shell(command: str) -> str:
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(  # noqa: S603
        [bash, "-c", command], capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, command + done.stderr
    return done.stdout


def test_a_step_that_goes_wrong_ends_the_demo_with_failure(
    world: World, environment: dict[str, str], tmp_path: Path
) -> None:
    fault = {"backend": "stripe", "kind": "fail_before", "path": "/v1/payment_intents/*/capture"}
    world.client.post(
        f"{url(world.at.stripe)}/_sandbox/faults", json={**fault, "status": 400, "times": None}
    )
    ended = run("--attach", environment=environment, cwd=tmp_path)
    assert ended.returncode == 1
    assert "FAILED: " in ended.stdout
    assert "went well" not in ended.stdout


def test_webhooks_that_never_arrive_end_the_demo_with_failure(
    world: World, environment: dict[str, str], tmp_path: Path
) -> None:
    world.client.post(
        f"{url(world.at.stripe)}/_sandbox/faults",
        json={"backend": "webhooks", "kind": "lose", "times": None},
    )
    ended = run("--attach", "--patience", "1", environment=environment, cwd=tmp_path)
    assert ended.returncode == 1
    assert "FAILED: " in ended.stdout
    assert "went well" not in ended.stdout


def test_a_demo_whose_processor_does_not_start_says_why(
    environment: dict[str, str], tmp_path: Path
) -> None:
    broken = {**environment, "REQUEST_DEADLINE_S": "soon"}
    ended = run("--once", environment=broken, cwd=tmp_path)
    assert ended.returncode == 1
    assert "The processor ended with exit code 2." in ended.stdout
    assert "REQUEST_DEADLINE_S" in ended.stdout
