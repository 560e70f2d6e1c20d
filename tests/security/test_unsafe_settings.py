"""Settings with which live mode would not be safe: each is refused at the start, by name.

Nobody attacks here but haste: an example's value, a sandbox's secret, an address over http.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest

from sandbox.addresses import Addresses
from sandbox.demo.start import processor_environment, side_environment
from sandbox.stripe.accounts import SIDES
from stripe_connector.settings import ConfigurationError, load_settings, variables
from stripe_connector.settings.declaration import Variable
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
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example.com:4318"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://8.8.8.8:4318"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector.example.com/v1/traces"),
    # a developer's machine
    ("STOREFRONT_URL", ""),
    ("STOREFRONT_URL", "http://localhost:3000"),
    ("STOREFRONT_URL", "https://localhost:3000"),
    ("STOREFRONT_URL", "https://shop.localhost"),
    ("MERCHANT_RETURN_URL", "https://127.0.0.1/return"),
    ("MERCHANT_RETURN_URL", "https://LOCALHOST./return"),
    ("CONNECT_SERVICE_URL", "https://[::1]:8080"),
    ("BUY_NOW_URL", "https://0.0.0.0:8080"),
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
    ("PROXY_SECRET", "0" * 32),
    ("PROXY_SECRET", LIVE["METRICS_TOKEN"]),
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


_ELSEWHERE = {
    **dict.fromkeys(("CTP_AUTH_URL", "CTP_API_URL"), f"https://api.{REGION}"),
    **dict.fromkeys(("CTP_SESSION_URL", "CTP_CHECKOUT_URL"), "http://10.0.0.1"),
    "CTP_JWKS_URL": "http://jwt.example.com/jwks",
    "STRIPE_API_BASE": "https://api.stripe.com",
    "STRIPE_SECRET_KEY": LIVE["STRIPE_SECRET_KEY"],
}


def test_the_sandboxs_own_live_mode_starts() -> None:
    """Its key is none of Stripe's and all its backends are on this machine: nothing real moves."""
    settings = load_settings(side_environment(Addresses(1, 2, 3, 4, 5), SIDES["live"]))
    assert settings.live_mode


@pytest.mark.parametrize("name", _ELSEWHERE)
def test_with_anything_of_it_elsewhere_it_is_as_unsafe_as_it_looks(name: str) -> None:
    sandbox = side_environment(Addresses(1, 2, 3, 4, 5), SIDES["live"])
    found = problems({**sandbox, name: _ELSEWHERE[name]})
    assert any("is the sandbox's" in each for each in found)
    assert any("must be an https URL" in each for each in found)


def test_the_storefronts_default_is_said_to_be_one() -> None:
    (problem,) = problems({**LIVE, "STOREFRONT_URL": ""})
    assert problem.startswith("STOREFRONT_URL must be an https URL")
    assert "developer's machine" in problem
    assert problems({**ENVIRONMENT, "STOREFRONT_URL": ""}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://10.0.0.7:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.observability.svc.cluster.local:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://collector.example.com/v1/traces"),
        # Apps whose pages come with them have this origin.
        ("ALLOWED_ORIGINS", "https://localhost"),
    ],
)
def test_what_stays_in_ones_own_network_is_no_danger(name: str, value: str) -> None:
    assert problems({**LIVE, name: value}) == []


def test_traces_may_go_by_http_to_a_host_that_is_listed() -> None:
    listed = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example.com:4318",
        "ALLOWED_BACKEND_HOSTS": "collector.example.com",
    }
    assert problems({**LIVE, **listed}) == []


# Whatever is added later


def _is_url(variable: Variable) -> bool:
    """Whether its parser takes addresses, alone or in a list, and nothing else."""
    try:
        variable.parse("http://plain.example")
    except ValueError:
        return False
    try:
        variable.parse("no address")
    except ValueError:
        return True
    return False


URLS = [each.name for each in variables() if _is_url(each)]
SECRETS = [each.name for each in variables() if each.secret]
NO_SECRETS = {
    "CTP_PROJECT_KEY": "a name",
    "STRIPE_PUBLISHABLE_KEY": "browsers get it",
    "CT_CUSTOM_TYPE_LAUNCHPAD_PURCHASE_ORDER_KEY": "a name",
    "CT_CUSTOM_TYPE_STRIPE_CUSTOMER_KEY": "a name",
    "CT_CUSTOM_TYPE_SUBSCRIPTION_LINE_ITEM_KEY": "a name",
    "CT_PRODUCT_TYPE_SUBSCRIPTION_KEY": "a name",
}
"""Called like a secret, and none."""
WEAK = {
    "STRIPE_SECRET_KEY": "sk_live_" + "x" * 60,
    "STRIPE_WEBHOOK_SIGNING_SECRET": "whsec_" + "x" * 60,
    # An id, which everybody may know: only the sandbox's is refused.
    "CTP_CLIENT_ID": "sandbox-processor",
}


@pytest.mark.parametrize("name", URLS)
def test_every_address_has_a_rule_for_live_mode(name: str) -> None:
    found = problems({**LIVE, name: "http://plain.example"})
    assert any(problem.startswith(name) for problem in found), f"{name}: http is accepted"


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_has_a_rule_for_live_mode(name: str) -> None:
    for weak in (WEAK.get(name, "x" * 60), WEAK.get(name, "x" * 60).replace("x", "sandbox")):
        found = problems({**LIVE, name: weak})
        assert any(problem.startswith(name) for problem in found), f"{name}: weak is accepted"
        assert weak not in "\n".join(found)


def test_all_addresses_and_secrets_are_declared_as_such() -> None:
    """What is called like one is one, so that no rule is missed."""
    ending = re.compile(r"_(URL|ENDPOINT|API_BASE|ISSUER|ORIGINS)$")
    assert {each.name for each in variables() if ending.search(each.name)} == set(URLS)
    secret = re.compile(r"SECRET|TOKEN|PASSWORD|_KEY$|CLIENT_ID$")
    like_one = {each.name for each in variables() if secret.search(each.name)}
    assert like_one - set(NO_SECRETS) == set(SECRETS)
    assert len(URLS) >= 14
    assert len(SECRETS) >= 8


@pytest.mark.parametrize(
    "name", [each.name for each in variables() if each.default is not None and each.name in URLS]
)
def test_every_address_that_is_a_default_is_safe_or_refused(name: str) -> None:
    environment = {key: value for key, value in LIVE.items() if key != name}
    found = problems(environment)
    if name == "STOREFRONT_URL":
        assert [problem.partition(" ")[0] for problem in found] == [name]
        return
    assert found == []
    host = urlsplit(str(getattr(load_settings(environment), name.lower()))).hostname or ""
    assert host.endswith((".commercetools.com", ".stripe.com"))


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


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_has_a_default(name: str) -> None:
    [variable] = [each for each in variables() if each.name == name]
    assert variable.default is None
    assert variable.absent in (None, ())


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
