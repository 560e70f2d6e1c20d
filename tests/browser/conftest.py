"""A real browser at the shop, with stand-ins and a processor as processes behind it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from sandbox.addresses import Addresses
from sandbox.demo.client import open_client
from sandbox.demo.people import People
from sandbox.demo.start import processor, stand_ins
from sandbox.shop.elements import BUNDLE, ENABLER
from tests.browser.payer import Payer
from tests.browser.shopper import Shop, Shopper
from tests.e2e.conftest import free_ports

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --no-proxy-server"
    " --disable-background-networking --disable-component-update --disable-sync"
).split()
TIMEOUT_MS = 60_000
"""Of everything that is waited for: a busy machine is slow, which proves nothing."""


def chromium() -> str:
    """Where Chromium is: as CHROMIUM says, or the first that is installed; else the test skips."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("Chromium is not installed; CHROMIUM may name it.")
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser for all tests of a run."""
    path = chromium()
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@contextmanager
def opened(logs: Path, methods: Sequence[str] = ()) -> Iterator[Shop]:
    """The sandbox and a processor that answers one address as often as it asks.

    `methods` are switched on at Stripe beside those of every account of the sandbox.
    """
    at = Addresses(*free_ports(5))
    with ExitStack() as stack:
        client = stack.enter_context(open_client())
        stack.enter_context(stand_ins(at, client, logs))
        people = People(at, client, lambda _: None)
        for method in methods:
            preference = {f"{method}[display_preference][preference]": "on"}
            people.stripe("POST", "/v1/payment_method_configurations/pmc_sandbox", **preference)
        stack.enter_context(processor(at, client, logs, {"BFF_REQUESTS_PER_MINUTE": "0"}))
        yield Shop(at, client, people)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened(tmp_path_factory.mktemp("logs")) as shop:
        yield shop


@pytest.fixture
def shopper(shop: Shop, browser: Browser) -> Iterator[Shopper]:
    """Somebody new, whose browser must have nothing to complain about at the end."""
    context = browser.new_context(base_url=shop.address, locale="en-GB")
    context.set_default_timeout(TIMEOUT_MS)
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "console",
        lambda message: (
            complaints.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield Shopper(shop, context.new_page())
    context.close()
    assert not complaints


@pytest.fixture
def payer(shopper: Shopper) -> Payer:
    assert (ENABLER / BUNDLE).exists(), "`make enabler` builds the enabler"
    return Payer(shopper.shop, shopper.page)
