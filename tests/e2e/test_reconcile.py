"""`stripe-connector reconcile` as a process of its own, beside a processor at work."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from sandbox.addresses import url
from sandbox.demo.processes import inherited
from sandbox.demo.start import processor_environment
from tests.e2e.conftest import World
from tests.e2e.test_processes import at_stand_in, buy, refund
from tests.patience import PATIENCE_S

Json = dict[str, Any]


def command(world: World, *options: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 (our own module, no shell)
        [sys.executable, "-m", "stripe_connector", "reconcile", *options],
        env={**inherited(), **processor_environment(world.at), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(world: World, *options: str, **environment: str) -> tuple[int, str, str]:
    with command(world, *options, **environment) as process:
        out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


def lines(out: str) -> list[Json]:
    return [msgspec.json.decode(line) for line in out.splitlines()]


def lose_webhooks(world: World) -> None:
    at_stand_in(
        world, "POST", "faults", {"backend": "webhooks", "kind": "lose", "path": "*", "times": None}
    )


def bought(world: World) -> str:
    payment_id, secret, _ = buy(world.people)
    world.people.pay(secret, "pm_card_visa")
    return payment_id


def test_webhooks_that_the_fault_desk_lost_are_made_up_for(world: World) -> None:
    lose_webhooks(world)
    payment_id = bought(world)
    code, out, _ = run(world, "--json")
    *found, summary = lines(out)
    assert code == 1
    assert {line["payment"] for line in found} == {payment_id}
    assert summary["summary"]["remaining"] == len(found) == 2

    code, out, _ = run(world, "--apply")
    assert code == 0
    assert "2 differences, 2 repaired, 0 remain." in out
    assert world.people.compare(payment_id).agrees

    assert refund(world.people, payment_id) == "approved"
    code, out, _ = run(world, "--apply", "--json")
    assert (code, lines(out)[:-1]) == (0, [])


def test_events_that_come_twice_and_out_of_order_leave_nothing_to_repair(world: World) -> None:
    for kind in ("repeat", "reorder"):
        at_stand_in(
            world, "POST", "faults", {"backend": "webhooks", "kind": kind, "path": "*", "times": 4}
        )
    payment_id = bought(world)
    deadline = time.monotonic() + PATIENCE_S
    while not world.people.compare(payment_id).agrees:
        assert time.monotonic() < deadline
    assert run(world, "--apply")[0] == 0
    assert run(world)[0] == 0
    assert world.people.compare(payment_id).agrees


def test_a_run_that_is_told_to_stop_goes_on_later(world: World, tmp_path: Path) -> None:
    lose_webhooks(world)
    payments = [bought(world) for _ in range(3)]
    checkpoint = tmp_path / "checkpoint.json"
    options = ("--apply", "--json", "--checkpoint", str(checkpoint))
    with command(world, *options, "--rate", "2", "--at-once", "1") as process:
        assert process.stdout is not None
        process.stdout.readline()  # it has found something
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 3
    assert checkpoint.exists()
    code, out, _ = run(world, *options)
    assert code == 0
    assert lines(out)[-1]["summary"]["looked_at"]["payments"] == 3
    assert not checkpoint.exists()
    assert all(world.people.compare(each).agrees for each in payments)


def test_what_cannot_be_used_is_told_with_2(shared: World) -> None:
    code, _, err = run(shared, STRIPE_SECRET_KEY="nonsense")
    assert code == 2
    assert "STRIPE_SECRET_KEY" in err
    code, _, err = run(shared, "--since", "24h")
    assert code == 2
    assert "ISO 8601" in err


def test_a_backend_that_refuses_the_credentials_is_told_with_3(shared: World) -> None:
    code, _, err = run(shared, CTP_CLIENT_SECRET="wrong")
    assert code == 3
    assert "commercetools" in err
    assert "wrong" not in err
    assert url(shared.at.stripe) not in err
