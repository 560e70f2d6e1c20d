"""Writes the tree of `connect-proxy/` that Connect deploys: `make connect-proxy`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from stripe_connector import __version__
from stripe_connector.app import wire
from stripe_connector.clock import Clock
from stripe_connector.gateways.outgoing import Outgoing, create_http_client
from stripe_connector.http.cors import REQUEST_HEADERS, RESPONSE_HEADERS
from stripe_connector.http.health_routes import Readiness
from stripe_connector.observability.telemetry import create_telemetry
from stripe_connector.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "build/connect-proxy"

NOT_PASSED_ON = {"/metrics", "/operations/proxy", "/health/live"}
"""For the operator, who calls the processor directly; and what the proxy answers for itself."""

_ALL_ROUTES = {
    "CTP_PROJECT_KEY": "any",
    "CTP_CLIENT_ID": "any",
    "CTP_CLIENT_SECRET": "any",
    "STRIPE_SECRET_KEY": "sk_test_any",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_any",
    "ALLOWED_ORIGINS": "https://shop.example",
    "MERCHANT_RETURN_URL": "https://shop.example/return",
    "BUY_NOW_ENABLED": "true",
    "BUY_NOW_URL": "https://shop.example",
    "BUY_NOW_COOKIE_SECRET": "x" * 32,
}
"""Settings with which every route that may be passed on is in the table."""


def table() -> dict[str, Any]:
    """The processor's paths, each with the methods that pages of a storefront may use."""
    settings = load_settings(_ALL_ROUTES)
    clock = Clock()
    outgoing = Outgoing(create_http_client(), clock)
    _, endpoints = wire(
        settings, outgoing, Readiness(), create_telemetry(settings, clock, in_progress=lambda: 0)
    )
    paths: dict[str, list[str]] = {}
    for each in endpoints:
        if each.path not in NOT_PASSED_ON:
            paths.setdefault(each.path, []).extend(each.methods if each.cors else ())
    return {
        "version": __version__,
        "requestHeaders": REQUEST_HEADERS,
        "exposedHeaders": RESPONSE_HEADERS,
        "paths": paths,
    }


def write(target: Path) -> None:
    """The whole tree; what was at `target` is removed first."""
    bundle = ROOT / "enabler/public"
    if not (bundle / "connector-enabler.umd.js").exists():
        sys.exit("The enabler is not built: run make enabler")
    shutil.rmtree(target, ignore_errors=True)
    ignore = shutil.ignore_patterns("node_modules", "public")
    shutil.copytree(ROOT / "connect-proxy", target, ignore=ignore)
    shutil.copytree(bundle, target / "enabler/public")
    (target / "enabler/src").mkdir()
    shutil.copy(ROOT / "enabler/scripts/serve.js", target / "enabler/src")
    shutil.copy(ROOT / "LICENSE", target)
    (target / "processor/src/routes.json").write_text(json.dumps(table(), indent=1) + "\n")


if __name__ == "__main__":
    write(TARGET)
    print(f"wrote {TARGET}")
