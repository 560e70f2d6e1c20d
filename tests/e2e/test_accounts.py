"""Several accounts and modes in the sandbox, as docs/truth.md tells a person to see them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from msgspec import Struct
from msgspec.structs import replace

from sandbox.addresses import Addresses, url
from sandbox.demo.people import People
from sandbox.demo.processes import inherited
from sandbox.demo.start import processor, side_environment
from sandbox.stripe.accounts import SIDES, Side
from tests.e2e.conftest import World, free_ports
from tests.patience import PATIENCE_S


class Beside(Struct):
    """A second processor with other keys, and the people around it."""

    side: Side
    at: Addresses
    settings: dict[str, str]
    people: People
    client: httpx.Client

    def command(self, *words: str) -> str:
        """What a command of the connector prints with this processor's settings."""
        ended = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "stripe_connector", *words],
            env={**inherited(), **self.settings},
            text=True,
            capture_output=True,
            timeout=PATIENCE_S,
        )
        return ended.stdout + ended.stderr

    def start(self) -> str:
        """A cart whose payment is started here: the Payment's id."""
        session = self.people.session(self.people.cart("DE", "EUR", stoneware_mug_1=1))
        return str(
            self.people.ask("POST", "/payments", {"x-session-id": session})["paymentReference"]
        )


@pytest.fixture
def beside(world: World, client: httpx.Client, tmp_path: Path) -> Iterator[dict[str, Beside]]:
    """The processors of the other account and of live mode, each at a port of its own."""
    with ExitStack() as stack:
        found = {}
        for (name, side), port in zip(SIDES.items(), free_ports(len(SIDES)), strict=True):
            moved = replace(side, port=port)
            at = replace(world.at, processor=port)
            settings = side_environment(world.at, moved)
            stack.enter_context(processor(at, client, tmp_path, settings))
            people = People(at, client, world.told.append)
            found[name] = Beside(moved, at, settings, people, client)
        yield found


def desk(world: World, payment_id: str) -> str:
    """What the desk shows of a Payment to somebody who has signed in."""
    with httpx.Client(
        base_url=url(world.at.shop),
        headers={"Sec-Fetch-Site": "same-origin"},
        follow_redirects=True,
        trust_env=False,
    ) as browser:
        token = re.search(r'name="csrf" value="([^"]*)"', browser.get("/desk/sign-in").text)
        assert token is not None
        browser.post("/desk/sign-in", data={"csrf": token[1], "name": "Grace"})
        page = browser.get(f"/desk/payments/{payment_id}")
        assert page.status_code == 200, page.text
        return page.text


def test_two_accounts_and_live_mode_tell_what_is_whose(
    world: World, beside: dict[str, Beside]
) -> None:
    second, live = beside["second"], beside["live"]

    session = world.people.session(world.people.cart("DE", "EUR", stoneware_mug_1=1))
    ours = world.people.ask("POST", "/payments", {"x-session-id": session})["paymentReference"]
    theirs, real = second.start(), live.start()

    for payment_id, account, mode in (
        (ours, "acct_sandbox", "test"),
        (theirs, "acct_sandbox_second", "test"),
        (real, "acct_sandbox", "live"),
    ):
        assert f'<span class="mono">{account}</span>, {mode} mode' in desk(world, payment_id)

    answer = world.client.post(
        f"{url(world.at.processor)}/operations/payment-intents/{theirs}",
        json={"actions": [{"action": "cancelPayment"}]},
        headers={"Authorization": f"Bearer {world.people.token('sandbox-checkout')}"},
    )
    assert answer.status_code == 409, answer.text
    assert "acct_sandbox_second:test" in answer.text

    assert "acct_sandbox_second" in second.command("doctor")
    said = live.command("doctor")
    assert "live mode, project sandbox" in said
    assert "acct_sandbox" in said


def test_once_live_keys_own_the_project_test_keys_sell_nothing_in_it(
    beside: dict[str, Beside], tmp_path: Path
) -> None:
    live, second = beside["live"], beside["second"]
    live.command("post-deploy")
    assert live.start()
    with ExitStack() as stack:  # a processor looks once
        anew = replace(second.at, processor=free_ports(1)[0])
        settings = {**second.settings, "PORT": str(anew.processor)}
        stack.enter_context(processor(anew, second.client, tmp_path, settings))
        session = second.people.session(second.people.cart("DE", "EUR", stoneware_mug_1=1))
        answer = second.client.post(
            f"{url(anew.processor)}/payments", headers={"x-session-id": session}
        )
    assert answer.status_code == 409, answer.text
    assert "TEST_MODE_ON_LIVE_PROJECT" in second.command("doctor")
