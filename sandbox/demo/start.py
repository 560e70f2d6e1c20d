"""Starts what the demo consists of, and knows how a processor of the sandbox is configured."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from sandbox.addresses import LOOPBACK, Addresses, require_free, url
from sandbox.demo.people import ISSUER, PROJECT, PUBLISHABLE_KEY, SECRET_KEY
from sandbox.demo.processes import Program, inherited
from sandbox.runner import WEBHOOK_SECRET
from sandbox.shop.vouching import SECRET as STOREFRONT_SECRET
from sandbox.stripe.accounts import Side


@contextmanager
def stand_ins(at: Addresses, client: httpx.Client, logs: Path) -> Iterator[Program]:
    """All stand-ins, ready; stopped again in any case. Raises BadPort, ProgramFailed."""
    environment = {
        **inherited(),
        "SANDBOX_JWT_PORT": str(at.jwt),
        "SANDBOX_COMMERCETOOLS_PORT": str(at.commercetools),
        "SANDBOX_STRIPE_PORT": str(at.stripe),
        "SANDBOX_SHOP_PORT": str(at.shop),
        "SANDBOX_PROCESSOR_URL": url(at.processor),
        "SANDBOX_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    with Program("sandbox", ["sandbox"], environment, logs / "sandbox.log") as program:
        program.wait_until(client, f"{url(at.jwt)}/jwt/.well-known/jwks.json")
        program.wait_until(client, f"{url(at.commercetools)}/_sandbox/commercetools/state")
        program.wait_until(client, f"{url(at.stripe)}/_sandbox/clock")
        program.wait_until(client, f"{url(at.shop)}/static/shop.css")
        yield program


@contextmanager
def processor(
    at: Addresses, client: httpx.Client, logs: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """A processor, ready; stopped again in any case. Raises ProgramFailed.

    `settings` add to its configuration or replace parts of it.
    """
    environment = {**inherited(), **processor_environment(at), **(settings or {})}
    log = logs / f"processor-{at.processor}.log"
    with Program("processor", ["stripe_connector", "serve"], environment, log) as program:
        program.wait_until(client, f"{url(at.processor)}/health/ready")
        yield program


@contextmanager
def everything(at: Addresses, client: httpx.Client, logs: Path) -> Iterator[list[Program]]:
    """Stand-ins and processor; every port that is taken is named before anything starts."""
    require_free(at.ports())
    with ExitStack() as stack:
        yield [
            stack.enter_context(stand_ins(at, client, logs)),
            stack.enter_context(processor(at, client, logs, more_origins(at, os.environ))),
        ]


def more_origins(at: Addresses, environ: Mapping[str, str]) -> dict[str, str]:
    """Settings that also let in the pages that SANDBOX_MORE_ORIGINS names, separated by commas."""
    more = environ.get("SANDBOX_MORE_ORIGINS")
    return {"ALLOWED_ORIGINS": f"{url(at.shop)},{more}"} if more else {}


def side_environment(at: Addresses, side: Side) -> dict[str, str]:
    """The configuration of a processor with the keys of another account or mode."""
    return {
        **processor_environment(at),
        "PORT": str(side.port),
        "CONNECT_SERVICE_URL": url(side.port),
        "STRIPE_SECRET_KEY": side.secret_key,
        "STRIPE_PUBLISHABLE_KEY": side.publishable_key,
        "STRIPE_WEBHOOK_SIGNING_SECRET": side.webhook_secret,
    }


def processor_environment(at: Addresses) -> dict[str, str]:
    """The configuration of a processor that lives in the sandbox."""
    commercetools = url(at.commercetools)
    return {
        "HOST": LOOPBACK,
        "PORT": str(at.processor),
        "CTP_PROJECT_KEY": PROJECT,
        "CTP_CLIENT_ID": "sandbox-processor",
        "CTP_CLIENT_SECRET": "sandbox-processor-secret",
        "CTP_AUTH_URL": commercetools,
        "CTP_API_URL": commercetools,
        "CTP_SESSION_URL": commercetools,
        "CTP_CHECKOUT_URL": commercetools,
        "CTP_JWKS_URL": f"{url(at.jwt)}/jwt/.well-known/jwks.json",
        "CTP_JWT_ISSUER": ISSUER,
        "STRIPE_SECRET_KEY": SECRET_KEY,
        "STRIPE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
        "STRIPE_WEBHOOK_SIGNING_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": url(at.stripe),
        "STRIPE_JS_URL": f"{url(at.stripe)}/endive/stripe.js",
        "STRIPE_PAYMENT_BEHAVIOR_RULES": (
            '{"GB":{"captureMethod":"manual"},"NL":{"flowType":"pi_first"}}'
        ),
        "STRIPE_EXPRESS_ELEMENT_OPTIONS": '{"emailRequired":true}',
        "STORED_PAYMENT_METHODS_ENABLED": "true",
        "MERCHANT_RETURN_URL": f"{url(at.shop)}/return",
        "ALLOWED_ORIGINS": url(at.shop),
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "STOREFRONT_URL": url(at.shop),
        "STOREFRONT_SECRET": STOREFRONT_SECRET,
        "RETURN_URL_CART_ID": "false",
        "STOREFRONT_MARKETS": "EUR:DE,USD:US,GBP:GB,JPY:JP,KWD:KW",
        "CONNECT_SERVICE_URL": url(at.processor),
        "SHUTDOWN_DRAIN_S": "1",
        "CHECKOUT_LINK_SECRET": "the sandbox signs its payment links with this",
        "BUY_NOW_ENABLED": "true",
        "BUY_NOW_PRODUCT": "stoneware-mug-1",
        "BUY_NOW_COOKIE_SECRET": "the-sandbox-signs-its-cookies-with-this",
    }
