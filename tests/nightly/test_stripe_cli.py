"""Stripe's own CLI triggers events at the stand-in, and they arrive at the processor.

STRIPE_CLI names the program (npm package `@stripe/cli`); `.ci/nightly cli` installs it. Its
fixtures speak an older version of the API: what the pinned one refuses is taken out of them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn

from sandbox.stripe.app import create_app
from stripe_connector.ledger.facts import PAYMENT_ID, PROJECT_KEY
from tests.world import PROJECT, Json, World

CLI = os.environ.get("STRIPE_CLI", "")
pytestmark = pytest.mark.skipif(not CLI, reason="STRIPE_CLI does not name Stripe's CLI")

_OLD_INTENT = ("--remove", "payment_intent:payment_method_types")
_WITH_RETURN = (*_OLD_INTENT, "--add", "payment_intent:return_url=http://localhost:3000/return")
_OLD_SESSION = ("--remove", "checkout_session:payment_method_types")
_OLD_VERSION = ("--api-version", "2026-08-26.dahlia")
"""The last that takes `payment_method_types`, which the CLI does not take out of every fixture."""
TRIGGERS: Mapping[str, tuple[str, ...]] = {
    "charge.captured": _WITH_RETURN,
    "charge.dispute.closed": _WITH_RETURN,
    "charge.dispute.created": _WITH_RETURN,
    "charge.dispute.updated": _WITH_RETURN,
    "charge.failed": _WITH_RETURN,
    "charge.refund.updated": _WITH_RETURN,
    "charge.refunded": _WITH_RETURN,
    "charge.succeeded": _WITH_RETURN,
    "checkout.session.async_payment_failed": _OLD_SESSION,
    "checkout.session.async_payment_succeeded": _OLD_SESSION,
    "checkout.session.completed": (),
    "checkout.session.expired": (),
    "customer.created": (),
    "customer.deleted": (),
    "customer.updated": (),
    "customer_cash_balance_transaction.created": (),
    "payment_intent.amount_capturable_updated": _WITH_RETURN,
    "payment_intent.canceled": (),
    "payment_intent.created": _WITH_RETURN,
    "payment_intent.payment_failed": _WITH_RETURN,
    "payment_intent.partially_funded": _OLD_VERSION,
    "payment_intent.processing": _WITH_RETURN,
    "payment_intent.requires_action": _WITH_RETURN,
    "payment_intent.succeeded": _WITH_RETURN,
    "payment_method.attached": (),
    "payment_method.detached": (),
    "payment_method.updated": (),
}
"""Every event of intents, charges, refunds, disputes, customers, payment methods and sessions that
the CLI knows, with the options that it needs."""
_SETTLED = {
    "checkout.session.async_payment_failed": "fail",
    "checkout.session.async_payment_succeeded": "succeed",
}
"""What the bank answers days later."""


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    """The world's Stripe on a socket."""
    config = uvicorn.Config(create_app(world.stripe), port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def stripe(home: Path, *arguments: str) -> tuple[int, str]:
    """Run the CLI without its telemetry, in a home of its own: exit code and output."""
    environment = {
        **os.environ,
        "HOME": str(home),
        "NO_PROXY": "*",
        "STRIPE_API_KEY": "sk_test_sandbox",
        "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
    }
    process = await asyncio.create_subprocess_exec(
        CLI,
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode()


async def triggered(world: World, home: Path, type_: str, *more: str) -> list[Json]:
    """The events that a trigger makes, and what the bank adds."""
    before = len(world.stripe.events)
    async with served(world) as base:
        arguments = ("trigger", type_, "--api-base", base, *TRIGGERS[type_], *more)
        code, output = await stripe(home, *arguments)
        assert code == 0, output
    if type_ in _SETTLED:
        [session] = world.stripe.sessions
        settle = f"payment_intents/{session['payment_intent']}/settle"
        await world.at_stripe(settle, outcome=_SETTLED[type_])
    return world.stripe.events[before:]


@pytest.mark.parametrize("type_", TRIGGERS)
async def test_a_triggered_event_is_made_and_acknowledged(type_: str, tmp_path: Path) -> None:
    """None of them is ours: they change nothing."""
    world = World()
    events = await triggered(world, tmp_path, type_)
    assert type_ in [each["type"] for each in events]
    for event in events:
        answer = await world.deliver(event)
        assert answer.status_code == 200, (event["type"], answer.text)
    assert list(world.store.collection("payment")) == []


async def ours(world: World) -> tuple[str, tuple[str, ...]]:
    """A Payment that waits for its intent, and what makes a triggered intent its own."""
    draft = {
        "amountPlanned": {"centAmount": 2000, "currencyCode": "USD"},
        "paymentMethodInfo": {"paymentInterface": "checkout-stripe"},
    }
    payment_id = (await world.commercetools("POST", "payments", draft))["id"]
    metadata = {PAYMENT_ID: payment_id, PROJECT_KEY: PROJECT}
    added = [f"payment_intent:metadata[{name}]={value}" for name, value in metadata.items()]
    return payment_id, tuple(part for each in added for part in ("--add", each))


def paid(cents: int) -> list[tuple[str, int, str]]:
    return [("Authorization", cents, "Success"), ("Charge", cents, "Success")]


RECORDED: Mapping[str, list[tuple[str, int, str]]] = {
    "charge.dispute.created": paid(100),
    "charge.dispute.closed": paid(100),  # the CLI's dispute is an inquiry, which takes no money
    "charge.refunded": [*paid(100), ("Refund", 100, "Success")],
    "payment_intent.amount_capturable_updated": paid(2000)[:1],
    "payment_intent.partially_funded": [("Authorization", 20_000, "Pending")],
    "payment_intent.payment_failed": [("Authorization", 2000, "Failure")],
    "payment_intent.succeeded": paid(2000),
}


@pytest.mark.parametrize("type_", RECORDED)
async def test_a_triggered_event_of_ours_is_recorded(type_: str, tmp_path: Path) -> None:
    world = World()
    payment_id, more = await ours(world)
    for event in await triggered(world, tmp_path, type_, *more):
        answer = await world.deliver(event)
        assert answer.status_code == 200, (event["type"], answer.text)
    assert await world.transactions(payment_id) == RECORDED[type_]


async def test_every_such_event_that_the_cli_knows_is_tried(
    tmp_path: Path,
) -> None:
    _, told = await stripe(tmp_path, "trigger", "--help")
    families = ("charge.", "checkout.session.", "customer.", "customer_cash", "payment_intent.")
    known = {
        line.strip()
        for line in told.splitlines()
        if line.strip().startswith((*families, "payment_method.", "refund."))
    }
    others = ("customer.discount.", "customer.source.", "customer.subscription.")
    known = {each for each in known if not each.startswith(others) and " " not in each}
    assert len(known) > 20
    assert known == set(TRIGGERS)
