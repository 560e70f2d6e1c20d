"""docker-compose.yml and Dockerfile agree with the code, as far as one can tell without Docker."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.addresses import Addresses
from sandbox.demo.start import processor_environment
from stripe_connector.settings import load_settings

ROOT = Path(__file__).parents[3]
PORTS = Addresses(processor=8080, jwt=9000, commercetools=9010, stripe=9020, shop=3000)


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return found


def test_the_composed_processor_is_configured_like_the_demos(services: dict[str, Any]) -> None:
    given = services["processor"]["environment"]
    as_demo = {
        name: re.sub(r"http://sandbox:(?=90[12]?0)", "http://localhost:", value)
        for name, value in given.items()
    }
    expected = processor_environment(PORTS)
    for own in ("HOST", "PORT"):
        expected.pop(own)
    assert as_demo == expected
    load_settings(given)


def test_every_port_is_published_on_loopback_under_its_variable(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service["ports"]]
    assert sorted(published) == sorted(
        f"127.0.0.1:${{{place.variable}:-{place.default}}}:{place.default}"
        for place, _ in PORTS.ports()
    )


def test_events_are_sent_to_the_processor_and_signed_with_its_secret(
    services: dict[str, Any],
) -> None:
    sandbox, processor = services["sandbox"]["environment"], services["processor"]["environment"]
    assert sandbox["SANDBOX_PROCESSOR_URL"] == "http://processor:8080"
    assert sandbox["SANDBOX_WEBHOOK_SECRET"] == processor["STRIPE_WEBHOOK_SIGNING_SECRET"]


def test_every_service_is_built_from_a_stage_of_the_dockerfile(services: dict[str, Any]) -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {name: service["build"]["target"] for name, service in services.items()} == {
        name: name for name in stages
    }


def test_whatever_the_dockerfile_copies_is_there_and_not_ignored() -> None:
    copied = re.findall(r"^COPY (\S+) ", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    kept = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    assert sorted(copied) == sorted(kept)
    assert all((ROOT / each).exists() for each in copied)


def test_the_processor_does_not_run_as_root() -> None:
    stage = (ROOT / "Dockerfile").read_text().partition("AS sandbox")[0]
    assert re.search(r"^USER [1-9]\d*$", stage, re.MULTILINE)
