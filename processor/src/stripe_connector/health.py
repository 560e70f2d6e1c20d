"""The status report: whether the backends answer and grant the permissions that are needed."""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from msgspec import Struct

from stripe_connector import __version__
from stripe_connector.clock import Clock
from stripe_connector.errors import BackendError, BackendUnavailable, ConnectorError

REQUIRED_SCOPES = (
    "manage_payments",
    "manage_orders",
    "manage_customers",
    "manage_types",
    "manage_payment_methods",
    "manage_recurring_payment_jobs",
    "view_recurring_orders",
    "manage_key_value_documents",
    "view_sessions",
    "introspect_oauth_tokens",
)
"""What the processor does with each: payments, carts and orders, the customer's Stripe id, custom
types, stored methods, their recurring jobs and orders, ids kept in custom objects, sessions,
callers."""


class HealthCheck(Struct, frozen=True, omit_defaults=True):
    """The result of one check. It is public: no ids, no messages of a backend."""

    name: str
    status: Literal["UP", "DOWN"]
    message: str | None = None
    details: dict[str, Any] = {}


class HealthReport(Struct, frozen=True):
    """commercetools' status shape."""

    status: Literal["OK", "Partially Available", "Unavailable"]
    timestamp: str
    version: str
    metadata: dict[str, str]
    checks: list[HealthCheck]

    @property
    def http_status(self) -> int:
        return 503 if self.status == "Unavailable" else 200


class Probe(Struct, frozen=True):
    """A check to run, and the name of the backend that it calls."""

    name: str
    backend: str
    run: Callable[[], Awaitable[HealthCheck]]


def commercetools_permissions(
    granted_scopes: Callable[[], Awaitable[frozenset[str]]],
    project_key: str,
    required: Sequence[str] = REQUIRED_SCOPES,
) -> Probe:
    """commercetools: is an access token issued, with the scopes that the project needs?"""
    name = "commercetools permissions"

    async def run() -> HealthCheck:
        granted = await granted_scopes()
        missing = [scope for scope in required if not grants(granted, scope, project_key)]
        if not missing:
            return HealthCheck(name, "UP")
        wanted = [f"{scope}:{project_key}" for scope in missing]
        message = f"The API client lacks scopes: {', '.join(wanted)}."
        return HealthCheck(name, "DOWN", message, {"missingScopes": wanted})

    return Probe(name, "commercetools", run)


def stripe_status(ping: Callable[[], Awaitable[object]]) -> Probe:
    """Stripe: does it answer?"""
    name = "Stripe Status check"

    async def run() -> HealthCheck:
        await ping()
        return HealthCheck(name, "UP")

    return Probe(name, "Stripe", run)


async def health_report(
    probes: Sequence[Probe],
    *,
    clock: Clock,
    timeout_s: float,
    webhook_secrets: Sequence[str],
) -> HealthReport:
    """Run all checks concurrently, each for at most `timeout_s` seconds."""
    checks = list(await asyncio.gather(*(_check(probe, timeout_s) for probe in probes)))
    if not webhook_secrets:
        # Reported only when missing: a setting that is set does not make a service available.
        message = "STRIPE_WEBHOOK_SIGNING_SECRET is not set: webhooks are answered with 503."
        checks.append(HealthCheck("Stripe webhook secret", "DOWN", message))
    return HealthReport(
        status=_overall(checks),
        timestamp=clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        version=__version__,
        metadata=build_metadata(),
        checks=checks,
    )


def build_metadata() -> dict[str, str]:
    """Name and versions of the software."""
    return {
        "name": "stripe-connector",
        "description": "Stripe payment connector for commercetools",
        **{package: importlib.metadata.version(package) for package in ("stripe", "starlette")},
    }


async def _check(probe: Probe, timeout_s: float) -> HealthCheck:
    try:
        async with asyncio.timeout(timeout_s):
            return await probe.run()
    except (TimeoutError, BackendUnavailable):
        message = f"{probe.backend} does not answer."
    except BackendError:
        message = f"{probe.backend} refuses the connector's credentials or request."
    except ConnectorError as error:
        message = f"{probe.backend} answered unexpectedly ({error.code})."
    return HealthCheck(probe.name, "DOWN", message)


def _overall(checks: Sequence[HealthCheck]) -> Literal["OK", "Partially Available", "Unavailable"]:
    up = sum(check.status == "UP" for check in checks)
    if up == 0:
        return "Unavailable"
    return "OK" if up == len(checks) else "Partially Available"


def grants(granted: frozenset[str], scope: str, project_key: str) -> bool:
    """Whether the token may do what `scope` allows; managing includes viewing."""
    sufficient = {"manage_project", scope, scope.replace("view_", "manage_", 1)}
    return any(f"{each}:{project_key}" in granted for each in sufficient)
