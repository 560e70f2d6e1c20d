"""Settings with which live mode would not be safe: each is refused at the start, by name.

Nobody attacks here but haste: an example's value, a sandbox's secret, an address over http.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest

from sandbox.addresses import Addresses
from sandbox.demo.start import processor_environment
from stripe_connector.settings import ConfigurationError, load_settings, variables
from tests.world import ENVIRONMENT
from tests.world import LIVE as LIVE_WORLD

REGION = "europe-west1.gcp.commercetools.com"
LINKS = "b6Yt1zQ8wE3rTn5uXoPa7sDfGhJkL2mC"
COOKIES = "Nc4vB9xZ2lKjHg6fDsAq1wErTyUiOp8m"
LIVE: Mapping[str, str] = {
    "CTP_PROJECT_KEY": "my-shop",
    "CTP_CLIENT_ID": "pZ3nL8vQ1tRw6YxKb0CdEf2G",
    "CTP_CLIENT_SECRET": LIVE_WORLD["CTP_CLIENT_SECRET"],
    "STRIPE_SECRET_KEY": LIVE_WORLD["STRIPE_SECRET_KEY"],
    "STRIPE_PUBLISHABLE_KEY": LIVE_WORLD["STRIPE_PUBLISHABLE_KEY"],
    "STRIPE_WEBHOOK_SIGNING_SECRET": LIVE_WORLD["STRIPE_WEBHOOK_SIGNING_SECRET"],
    "MERCHANT_RETURN_URL": "https://shop.example.com/return",
    "ALLOWED_ORIGINS": "https://shop.example.com",
    "STOREFRONT_URL": "https://shop.example.com",
    "CONNECT_SERVICE_URL": "https://pay.example.com",
    "CHECKOUT_LINK_SECRET": LINKS,
    "BUY_NOW_ENABLED": "true",
    "BUY_NOW_URL": "https://buy.example.com",
    "BUY_NOW_COOKIE_SECRET": COOKIES,
    "METRICS_TOKEN": "0f4c2b7e9a1d3568c0be7f42d9a8e613",
}
"""A sound deployment."""

UNSAFE = [
    # https
    ("CTP_AUTH_URL", f"http://auth.{REGION}"),
    ("CTP_API_URL", f"http://api.{REGION}"),
    ("CTP_SESSION_URL", f"http://session.{REGION}"),
    ("CTP_CHECKOUT_URL", f"http://checkout.{REGION}"),
    ("CTP_JWKS_URL", f"http://mc-api.{REGION}/.well-known/jwks.json"),
    ("CTP_JWT_ISSUER", f"http://mc-api.{REGION}"),
    ("STRIPE_API_BASE", "http://api.stripe.com"),
    ("STRIPE_JS_URL", "http://js.stripe.com/endive/stripe.js"),
    ("ALLOWED_ORIGINS", "http://shop.example.com"),
    ("ALLOWED_ORIGINS", "https://shop.example.com,http://www.example.com"),
    ("MERCHANT_RETURN_URL", "http://shop.example.com/return"),
    ("STOREFRONT_URL", "http://shop.example.com"),
    ("CONNECT_SERVICE_URL", "http://pay.example.com"),
    ("BUY_NOW_URL", "http://buy.example.com"),
    ("STRIPE_API_BASE", "HTTP://api.stripe.com"),
    ("CTP_API_URL", f"hTTp://api.{REGION}"),
    ("MERCHANT_RETURN_URL", "HTTP://shop.example.com/return"),
    # hosts
    ("STRIPE_API_BASE", "https://api.stripe.com."),
    ("STRIPE_API_BASE", "https://API.stripe.com.evil.example"),
    ("CTP_API_URL", f"https://api.{REGION}."),
    ("STRIPE_API_BASE", "https://evil.example"),
    ("STRIPE_API_BASE", "https://api.stripe.com.evil.example"),
    ("STRIPE_API_BASE", "https://stripe.com"),
    ("STRIPE_API_BASE", "https://apiXstripe.com"),
    ("STRIPE_API_BASE", "https://localhost:9020"),
    ("STRIPE_JS_URL", "https://evil.example/stripe.js"),
    ("STRIPE_JS_URL", "https://api.stripe.com/stripe.js"),
    ("CTP_API_URL", "https://api.example.com"),
    ("CTP_API_URL", f"https://api.{REGION}.evil.example"),
    ("CTP_API_URL", "https://evilcommercetools.com"),
    ("CTP_API_URL", "https://commercetools.com"),
    ("CTP_AUTH_URL", "https://evil.example"),
    ("CTP_SESSION_URL", "https://evil.example"),
    ("CTP_CHECKOUT_URL", "https://evil.example"),
    ("CTP_JWKS_URL", "https://localhost:9000/jwks"),
    ("CTP_JWT_ISSUER", "https://evil.example"),
    # secrets of real length
    ("STRIPE_SECRET_KEY", "sk_live_x"),
    ("STRIPE_SECRET_KEY", "sk_live_" + "x" * 60),
    ("STRIPE_SECRET_KEY", "rk_live_" + "a1b2c3d4" * 2),
    ("STRIPE_WEBHOOK_SIGNING_SECRET", "whsec_a"),
    ("STRIPE_WEBHOOK_SIGNING_SECRET", LIVE["STRIPE_WEBHOOK_SIGNING_SECRET"] + ",whsec_b"),
    ("CTP_CLIENT_SECRET", "x"),
    ("CTP_CLIENT_SECRET", "0" * 32),
    ("CHECKOUT_LINK_SECRET", "a" * 32),
    ("CHECKOUT_LINK_SECRET", "abcd" * 16),
    ("BUY_NOW_COOKIE_SECRET", "-" * 40),
    ("METRICS_TOKEN", "0" * 32),
    # the sandbox's
    ("STRIPE_WEBHOOK_SIGNING_SECRET", "whsec_sandbox0123456789"),
    ("CTP_CLIENT_SECRET", "sandbox-processor-secret"),
    ("CHECKOUT_LINK_SECRET", "the sandbox signs its payment links with this"),
    ("BUY_NOW_COOKIE_SECRET", "the-sandbox-signs-its-cookies-with-this"),
    # used twice
    ("BUY_NOW_COOKIE_SECRET", LINKS),
    ("CHECKOUT_LINK_SECRET", LIVE["METRICS_TOKEN"]),
    ("METRICS_TOKEN", LIVE["CTP_CLIENT_SECRET"]),
    # refused in test mode as well
    ("ALLOWED_ORIGINS", "*"),
    ("ALLOWED_ORIGINS", "null"),
    ("CHECKOUT_LINK_SECRET", "short"),
]


def problems(environment: Mapping[str, str]) -> list[str]:
    try:
        load_settings(environment)
    except ConfigurationError as error:
        return error.problems
    return []


def test_a_sound_live_deployment_starts() -> None:
    assert problems(LIVE) == []
    assert load_settings(LIVE).live_mode


@pytest.mark.parametrize(("name", "value"), UNSAFE)
def test_each_unsafe_setting_is_refused_by_name(name: str, value: str) -> None:
    found = problems({**LIVE, name: value})
    assert found
    assert all(name in problem for problem in found), found
    if name.endswith(("SECRET", "KEY", "TOKEN")) and len(value) > 5:
        assert value not in "\n".join(found)


@pytest.mark.parametrize(
    ("name", "value"), [row for row in UNSAFE if row[0].startswith(("CTP_", "STRIPE_"))][:24]
)
def test_the_same_is_a_developers_choice_in_test_mode(name: str, value: str) -> None:
    if "_live_" not in value:
        assert problems({**ENVIRONMENT, name: value}) == []


def test_a_host_that_is_listed_may_have_credentials_but_only_over_https() -> None:
    hosts = {"STRIPE_API_BASE": "https://egress.example", "ALLOWED_BACKEND_HOSTS": "egress.example"}
    assert problems({**LIVE, **hosts}) == []
    [problem] = problems({**LIVE, **hosts, "STRIPE_API_BASE": "http://egress.example"})
    assert problem.startswith("STRIPE_API_BASE must be an https URL")
    [problem] = problems({**LIVE, **hosts, "STRIPE_API_BASE": "https://x.egress.example"})
    assert "ALLOWED_BACKEND_HOSTS" in problem


def test_every_secret_of_the_sandbox_is_known_as_such() -> None:
    """Live mode tells them by a word: none may be without it."""
    secret = {each.name for each in variables() if each.secret}
    given = processor_environment(Addresses(1, 2, 3, 4, 5))
    assert [name for name in secret & given.keys() if "sandbox" not in given[name]] == []
    assert len(secret & given.keys()) >= 5


def test_doctor_names_each_as_the_start_does() -> None:
    unsafe = {
        "CTP_API_URL": "http://api.example.com",
        "STRIPE_API_BASE": "https://evil.example",
        "CTP_CLIENT_SECRET": "sandbox-processor-secret",
        "CHECKOUT_LINK_SECRET": "a" * 32,
    }
    for command in ("doctor", "serve"):
        ended = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "stripe_connector", command],
            env={**LIVE, **unsafe},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 2, ended.stderr
        assert {name for name in unsafe if name in ended.stderr} == set(unsafe)
        assert "a" * 32 not in ended.stderr
