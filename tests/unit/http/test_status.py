"""What the status report says of our backends, to whom, and with which HTTP status."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from starlette.requests import Request

from stripe_connector.errors import BackendError, BackendUnavailable, NotFound
from stripe_connector.health import (
    REQUIRED_SCOPES,
    HealthCheck,
    HealthReport,
    commercetools_permissions,
    health_report,
    stripe_status,
)
from stripe_connector.http.status_routes import StatusRoutes
from tests.fakes import FakeClock

from .conftest import Serve

ALL = frozenset(f"{scope}:shop" for scope in REQUIRED_SCOPES)


async def make(
    *,
    scopes: frozenset[str] | Exception = ALL,
    stripe: Exception | None = None,
    secrets: tuple[str, ...] = ("whsec_1",),
) -> HealthReport:
    async def granted() -> frozenset[str]:
        if isinstance(scopes, Exception):
            raise scopes
        return scopes

    async def ping() -> None:
        if stripe is not None:
            raise stripe

    probes = [commercetools_permissions(granted, "shop"), stripe_status(ping)]
    return await health_report(probes, clock=FakeClock(), timeout_s=5, webhook_secrets=secrets)


async def test_all_up_is_ok() -> None:
    result = await make()
    assert (result.status, result.http_status) == ("OK", 200)
    assert result.checks == [
        HealthCheck("commercetools permissions", "UP"),
        HealthCheck("Stripe Status check", "UP"),
    ]
    assert result.timestamp == "2026-09-21T14:13:20.000Z"
    assert {"name", "description", "stripe"} <= result.metadata.keys()


@pytest.mark.parametrize(
    "granted",
    [
        frozenset({"manage_project:shop"}),
        ALL - {"view_sessions:shop"} | {"manage_sessions:shop"},
        ALL | {"customer_id:7"},
    ],
)
async def test_broader_scopes_suffice(granted: frozenset[str]) -> None:
    assert (await make(scopes=granted)).status == "OK"


async def test_missing_scopes_are_named() -> None:
    other_project = ALL - {"manage_payments:shop"} | {"manage_payments:other"}
    result = await make(scopes=other_project)
    assert (result.status, result.http_status) == ("Partially Available", 200)
    (down,) = [check for check in result.checks if check.status == "DOWN"]
    assert down.details == {"missingScopes": ["manage_payments:shop"]}


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (BackendUnavailable("sk_live_x"), "Stripe does not answer."),
        (BackendError("sk_live_x"), "Stripe refuses the connector's credentials or request."),
        (NotFound("sk_live_x"), "Stripe answered unexpectedly (ResourceNotFound)."),
    ],
)
async def test_a_backend_that_fails_is_told_without_what_it_said(
    failure: Exception, message: str
) -> None:
    result = await make(stripe=failure)
    assert result.status == "Partially Available"
    assert result.checks[1] == HealthCheck("Stripe Status check", "DOWN", message)


@pytest.mark.parametrize("secrets", [("whsec_1",), ()])
async def test_all_backends_down_is_unavailable(secrets: tuple[str, ...]) -> None:
    down = BackendUnavailable("down")
    result = await make(scopes=down, stripe=down, secrets=secrets)
    assert (result.status, result.http_status) == ("Unavailable", 503)


async def test_a_missing_webhook_secret_is_partially_available() -> None:
    result = await make(secrets=())
    assert result.status == "Partially Available"
    assert "STRIPE_WEBHOOK_SIGNING_SECRET" in (result.checks[-1].message or "")


async def test_a_backend_that_is_too_slow_is_down_and_does_not_hide_the_others() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    async def granted() -> frozenset[str]:
        return ALL

    probes = [commercetools_permissions(granted, "shop"), stripe_status(never)]
    result = await health_report(probes, clock=FakeClock(), timeout_s=0.01, webhook_secrets=("w",))
    assert [check.status for check in result.checks] == ["UP", "DOWN"]


@pytest.mark.parametrize(
    ("make_report", "code", "word"),
    [
        (make, 200, "OK"),
        (lambda: make(scopes=BackendError(""), stripe=BackendError("")), 503, "Unavailable"),
    ],
)
async def test_the_http_status_follows_the_result(
    serve: Serve, make_report: Callable[[], Awaitable[HealthReport]], code: int, word: str
) -> None:
    [endpoint] = StatusRoutes(make_report).routes()
    async with serve([endpoint]) as client:
        assert (await client.get("/operations/status")).status_code == 401
    response = await endpoint.handler(Request({"type": "http"}), None)
    body = msgspec.json.decode(response.body)
    assert response.status_code == code
    assert body["status"] == word
    assert {"timestamp", "version", "metadata", "checks"} <= body.keys()
