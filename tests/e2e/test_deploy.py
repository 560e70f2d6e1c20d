"""A first deployment as a person makes it: deploy scripts and processor as processes."""

from __future__ import annotations

import os
import pty
import re
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from sandbox.addresses import Addresses
from sandbox.demo.people import People
from sandbox.demo.processes import inherited
from sandbox.demo.start import processor, processor_environment, stand_ins
from tests.patience import PATIENCE_S

SECRET = re.compile(r"whsec_\w+")


class Machine:
    """Where deploy scripts run, beside a project and an account that nobody has set up."""

    def __init__(self, at: Addresses, client: httpx.Client, logs: Path) -> None:
        self.at = at
        self.client = client
        self.logs = logs
        self.people = People(at, client, lambda _: None)
        self.environment = {
            **inherited(),
            **processor_environment(at),
            "STRIPE_WEBHOOK_SIGNING_SECRET": "",
            "LOG_LEVEL": "debug",
        }

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A deploy script, its output in pipes."""
        return subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "stripe_connector", *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def endpoints(self) -> list[dict[str, str]]:
        return list(self.people.stripe("GET", "/v1/webhook_endpoints")["data"])


@pytest.fixture
def machine(at: Addresses, client: httpx.Client, tmp_path: Path) -> Iterator[Machine]:
    with stand_ins(at, client, tmp_path):
        machine = Machine(at, client, tmp_path)
        for each in machine.endpoints():  # the sandbox begins with one of its own
            machine.people.stripe("DELETE", f"/v1/webhook_endpoints/{each['id']}")
        yield machine


def in_terminal(command: list[str], environment: Mapping[str, str]) -> str:
    """What a command shows to somebody at a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own module
        command, env=dict(environment), stdout=theirs, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:
        pass  # how Linux tells that the other side is closed
    finally:
        os.close(ours)
    assert process.wait(PATIENCE_S) == 0
    return shown.decode()


def test_deploy_tell_the_processor_the_secret_pay(machine: Machine) -> None:
    file = machine.logs / "secret"
    deployed = machine.run("post-deploy", "--secret-file", str(file))
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = file.read_text().strip()

    settings = {"STRIPE_WEBHOOK_SIGNING_SECRET": secret}
    with processor(machine.at, machine.client, machine.logs, settings):
        people = machine.people
        cart = people.cart("DE", "EUR", stoneware_mug_1=1)
        started = people.ask("POST", "/payments", {"x-session-id": people.session(cart)})
        intent = people.pay(started["clientSecret"], "pm_card_visa")
        while any("pending" in states for _, states in people.deliveries(intent["id"])):
            pass  # the processor has not answered yet
        told = dict(people.deliveries(intent["id"]))
        assert told["payment_intent.succeeded"] == ["delivered"]
        assert people.compare(started["paymentReference"]).agrees

    again = machine.run("post-deploy", **settings)
    assert again.returncode == 0
    assert "to do" not in again.stdout
    assert "right already" in again.stdout


def test_the_secret_is_in_no_output_and_no_log(machine: Machine) -> None:
    deployed = machine.run("post-deploy")
    assert deployed.returncode == 0
    assert not SECRET.search(deployed.stdout + deployed.stderr)
    [endpoint] = machine.endpoints()
    assert f"signing secret of {endpoint['id']}" in deployed.stdout


def test_a_terminal_shows_it(machine: Machine) -> None:
    command = [sys.executable, "-m", "stripe_connector", "post-deploy"]
    shown = in_terminal(command, machine.environment)
    [endpoint] = machine.endpoints()
    assert re.search(rf"Signing secret of {endpoint['id']}: whsec_\w+", shown)


def test_undeploying_stops_the_endpoint(machine: Machine) -> None:
    machine.run("post-deploy")
    assert machine.run("pre-undeploy").returncode == 0
    assert [each["status"] for each in machine.endpoints()] == ["disabled"]


def test_failures_are_told_by_the_exit_code(machine: Machine) -> None:
    refused = {"STRIPE_SECRET_KEY": "sk_test_revoked"}
    assert machine.run("post-deploy", **refused).returncode == 1
    stopped = machine.run("pre-undeploy", **refused)
    assert stopped.returncode == 1
    assert "failed:" in stopped.stdout
    anyway = machine.run("pre-undeploy", "--never-block", **refused)
    assert anyway.returncode == 0
    assert "failed:" in anyway.stdout


def test_a_configuration_that_cannot_work_is_listed_and_blocks_where_it_may() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "stripe_connector", *arguments],
            env=inherited(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    assert run("post-deploy").returncode == 2
    assert run("pre-undeploy").returncode == 2
    anyway = run("pre-undeploy", "--never-block")
    assert anyway.returncode == 0
    assert "STRIPE_SECRET_KEY is missing" in anyway.stderr


@pytest.mark.parametrize("script", ["post_deploy", "pre_undeploy"])
def test_each_has_a_script_in_the_repository(script: str) -> None:
    path = Path(__file__).parents[2] / "scripts" / f"{script}.py"
    helped = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, path, "--help"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert "--dry-run" in helped.stdout
