"""The doctor as an operator runs it: a process of its own beside a running sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from sandbox.demo.processes import inherited
from sandbox.demo.start import processor_environment
from tests.collector import collector
from tests.e2e.conftest import World
from tests.patience import PATIENCE_S

_DOCTOR = [sys.executable, "-m", "stripe_connector", "doctor"]


def run(world: World, *options: str, **changed: str) -> subprocess.CompletedProcess[str]:
    environment = {**inherited(), **processor_environment(world.at), **changed}
    return subprocess.run(  # noqa: S603
        [*_DOCTOR, *options], env=environment, text=True, capture_output=True, timeout=PATIENCE_S
    )


def wrong(ended: subprocess.CompletedProcess[str], *outcomes: str) -> dict[str, dict[str, Any]]:
    """What was not as it should be, by group and name."""
    checks = json.loads(ended.stdout)["checks"]
    return {f"{c['group']}: {c['name']}": c for c in checks if c["outcome"] in outcomes}


def test_the_sandbox_is_a_sound_deployment(shared: World) -> None:
    ended = run(shared)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "The deployment is sound." in ended.stdout
    assert "✗" not in ended.stdout
    assert "\x1b" not in ended.stdout
    assert ended.stderr == ""
    assert wrong(run(shared, "--json"), "fail") == {}


def test_its_result_is_sent_to_a_collector(shared: World) -> None:
    with collector() as (address, taken):
        ended = run(shared, "--json", "--metrics-otlp", OTEL_EXPORTER_OTLP_ENDPOINT=address)
    assert (ended.returncode, ended.stderr) == (0, "")
    [(path, body)] = taken
    assert path == "/v1/metrics"
    assert b"stripe_connector_doctor_sound" in body


def test_without_a_collector_nothing_can_be_sent(shared: World) -> None:
    ended = run(shared, "--metrics-otlp")
    assert ended.returncode == 2
    assert "--metrics-otlp needs OTEL_EXPORTER_OTLP_ENDPOINT." in ended.stderr


def test_a_processor_that_has_stopped_is_named(world: World) -> None:
    world.processor.stop()
    ended = run(world, "--json")
    assert ended.returncode == 1
    assert set(wrong(ended, "fail")) == {"Processor: Reachable"}
    assert "refuses connections" in wrong(ended, "fail")["Processor: Reachable"]["text"]


def test_a_backend_that_hangs_is_named_in_time(world: World) -> None:
    slow = {"backend": "stripe", "kind": "delay", "seconds": 60, "times": None}
    address = f"http://localhost:{world.at.stripe}/_sandbox/faults"
    world.client.post(address, json=slow).raise_for_status()
    ended = run(world, "--json", "--timeout", "2")
    assert ended.returncode == 1
    assert set(wrong(ended, "fail")) == {"Stripe: API key"}
    assert "did not answer within 2 s" in wrong(ended, "fail")["Stripe: API key"]["text"]


def test_a_wrong_secret_key_is_named_and_not_shown(shared: World) -> None:
    ended = run(shared, STRIPE_SECRET_KEY="sk_test_of_nobody")
    assert ended.returncode == 1
    assert "Stripe does not know STRIPE_SECRET_KEY." in ended.stdout
    assert "sk_test_of_nobody" not in ended.stdout + ended.stderr


def test_keys_of_two_modes_are_a_configuration_that_cannot_be_used(shared: World) -> None:
    ended = run(shared, STRIPE_PUBLISHABLE_KEY="pk_live_sandbox", CTP_API_URL="nowhere")
    assert ended.returncode == 2
    assert "STRIPE_PUBLISHABLE_KEY is a live key" in ended.stderr
    assert "CTP_API_URL must be" in ended.stderr
    assert ended.stdout == ""
