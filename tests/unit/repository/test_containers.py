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
DOCKERFILE = (ROOT / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()
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
    assert as_demo.pop("ALLOWED_HOSTS") == "localhost,127.0.0.1,processor"
    expected.pop("ALLOWED_HOSTS")
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
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE))
    taken = set(re.findall(r"^COPY --from=(\w+) ", DOCKERFILE, re.MULTILINE))
    built = {name: service["build"]["target"] for name, service in services.items()}
    assert built == {name: name for name in stages - taken}
    assert taken <= stages


def copied() -> list[str]:
    """Every path that the Dockerfile takes from the repository."""
    found: list[str] = []
    for sources in re.findall(r"^COPY ((?!--from).+) \S+$", DOCKERFILE, re.MULTILINE):
        found += sources.split()
    return found


def test_whatever_the_dockerfile_copies_is_there_and_not_ignored() -> None:
    kept = [line.removeprefix("!") for line in IGNORED if line.startswith("!")]
    assert copied()
    for path in copied():
        assert (ROOT / path).exists()
        assert any(Path(path).is_relative_to(each) for each in kept)


def test_nothing_is_sent_to_the_builder_that_no_image_needs() -> None:
    assert IGNORED[0] == "*"
    for line in IGNORED:
        if line.startswith("!"):
            assert any(Path(path).is_relative_to(line.removeprefix("!")) for path in copied())


def test_the_enablers_bundle_is_where_the_repository_has_it() -> None:
    assert "COPY --from=enabler /enabler/public ./enabler/public" in DOCKERFILE


@pytest.mark.parametrize("stage", ["processor", "sandbox"])
def test_no_image_that_runs_does_so_as_root_and_each_is_health_checked(stage: str) -> None:
    """The user of a stage is that of the stage it comes from."""
    text = DOCKERFILE.partition(f"AS {stage}\n")[2].partition("\nFROM ")[0]
    base = re.search(rf"^FROM (\S+) AS {stage}$", DOCKERFILE, re.MULTILINE)
    assert base is not None
    if base[1] != "processor":
        assert re.search(r"^USER [1-9]\d*$", text, re.MULTILINE)
    assert not re.search(r"^USER (root|0)", text, re.MULTILINE)
    assert "HEALTHCHECK" in text


def test_dependencies_are_installed_with_their_hashes() -> None:
    assert "pip install --no-cache-dir --require-hashes -r requirements.txt" in DOCKERFILE
    assert "npm ci" in DOCKERFILE
