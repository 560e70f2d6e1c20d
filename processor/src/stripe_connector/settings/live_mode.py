"""Checks that live mode requires: https, known hosts, secrets that cannot be guessed.

In test mode all of this may be otherwise, because the sandbox and a developer's machine are. So it
may in the sandbox's own live mode: its key is no key of Stripe's, and its backends are on this
machine.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from stripe_connector.settings.declaration import Variable

OTHER_HOSTS = "ALLOWED_BACKEND_HOSTS"

_COMMERCETOOLS = (
    "CTP_AUTH_URL",
    "CTP_API_URL",
    "CTP_SESSION_URL",
    "CTP_CHECKOUT_URL",
    "CTP_JWKS_URL",
    "CTP_JWT_ISSUER",
)
_STRIPE = {"STRIPE_API_BASE": "api.stripe.com", "STRIPE_JS_URL": "js.stripe.com"}
_PAGES = ("MERCHANT_RETURN_URL", "STOREFRONT_URL", "CONNECT_SERVICE_URL", "BUY_NOW_URL")
"""Addresses that shoppers and Stripe call. (Apps may have the origin `https://localhost`.)"""
_PUBLIC = ("ALLOWED_ORIGINS", *_PAGES)
_COLLECTORS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NEAR = (".internal", ".local", ".localhost", ".svc")
"""Endings of names that exist in a private network only (RFC 6761, RFC 6762; Kubernetes)."""
_LEAST = 24
"""Characters of a secret after its prefix: Stripe's oldest keys have as many, all others more."""
_LEAST_DIFFERENT = 8
"""Different characters: 32 random hexadecimal digits practically never have fewer."""
_SANDBOX = "sandbox"
"""Every secret of the sandbox says so."""
_SANDBOX_LIVE_KEY = "sk_live_sandbox"  # Stripe's own are far longer
_ADDRESSES = ("_URL", "_BASE")
"""How settings end that say where to call; `CTP_JWT_ISSUER` is a name that tokens carry."""


def unsafe(values: Mapping[str, Any], variables: Iterable[Variable]) -> Iterator[str]:
    """Each setting with which live mode would not be safe, by name, without its value.

    `values` are by attribute, without those that failed to parse.
    """
    if _is_the_sandbox(values):
        return
    known = {each.name: each for each in variables}
    yield from _insecure(values, known)
    yield from _unreachable(values)
    yield from _overheard(values)
    yield from _foreign(values)
    yield from _weak(values, known.values())


def _is_the_sandbox(values: Mapping[str, Any]) -> bool:
    """Whether no real money can move: the sandbox's key, and every backend on this machine."""
    backends = [name for name in (*_COMMERCETOOLS, "STRIPE_API_BASE") if name.endswith(_ADDRESSES)]
    hosts = [urlsplit(values.get(name.lower()) or "").hostname for name in backends]
    return values.get("stripe_secret_key") == _SANDBOX_LIVE_KEY and all(
        host is not None and _is_this_machine(host) for host in hosts
    )


def _insecure(values: Mapping[str, Any], known: Mapping[str, Variable]) -> Iterator[str]:
    for name in (*_COMMERCETOOLS, *_STRIPE, *_PUBLIC):
        for url in _each(values.get(name.lower())):
            if urlsplit(url).scheme == "http":
                unset = " (its default is for a developer's machine)"
                yield (
                    f"{name} must be an https URL when STRIPE_SECRET_KEY is a live key"
                    f"{unset if url == known[name].default else ''}"
                )
                break


def _unreachable(values: Mapping[str, Any]) -> Iterator[str]:
    for name in _PAGES:
        parts = urlsplit(values.get(name.lower()) or "")
        if parts.scheme == "https" and _is_this_machine(parts.hostname or ""):
            yield f"{name} leads to this machine: set an address that shoppers can reach"


def _overheard(values: Mapping[str, Any]) -> Iterator[str]:
    allowed: tuple[str, ...] = values.get(OTHER_HOSTS.lower(), ())
    for name in _COLLECTORS:
        parts = urlsplit(values.get(name.lower()) or "")
        host = parts.hostname or ""
        if parts.scheme == "http" and not _is_near(host) and host not in allowed:
            yield (
                f"{name} sends traces and OTEL_EXPORTER_OTLP_HEADERS over http to {host}: use"
                f" https, or list that host in {OTHER_HOSTS} if it is in your own network"
            )


def _foreign(values: Mapping[str, Any]) -> Iterator[str]:
    allowed: tuple[str, ...] = values.get(OTHER_HOSTS.lower(), ())
    for name in (*_COMMERCETOOLS, *_STRIPE):
        host = urlsplit(values.get(name.lower(), "")).hostname
        if host is None or host in allowed:
            continue
        owner = "Stripe's" if name in _STRIPE else "commercetools'"
        if host != _STRIPE[name] if name in _STRIPE else not host.endswith(".commercetools.com"):
            yield (
                f"{name} leads to {host}, which is not {owner} and would be trusted with live"
                f" data: correct it, or list that host in {OTHER_HOSTS}"
            )


def _weak(values: Mapping[str, Any], variables: Iterable[Variable]) -> Iterator[str]:
    used: dict[str, list[str]] = defaultdict(list)
    for variable in variables:
        if not variable.secret:
            continue
        for secret in _each(values.get(variable.attribute)):
            used[secret].append(variable.name)
            if _SANDBOX in secret.lower():
                yield f"{variable.name} is the sandbox's and public. Set a real one"
            elif variable.name != "CTP_CLIENT_ID" and _is_guessable(secret):
                yield (
                    f"{variable.name} is too short or too regular for live mode: copy it again, or"
                    " make one with `openssl rand -hex 32`"
                )
    for names in used.values():
        if len(set(names)) > 1:
            yield f"{' and '.join(sorted(set(names)))} have the same value: give each its own"


def _is_guessable(secret: str) -> bool:
    """Whether the part after a prefix (`sk_live_`) is shorter or more regular than real secrets."""
    prefixes = ("sk_live_", "rk_live_", "whsec_")
    body = next((secret.removeprefix(p) for p in prefixes if secret.startswith(p)), secret)
    return len(body) < _LEAST or len(set(body)) < _LEAST_DIFFERENT


def _is_this_machine(host: str) -> bool:
    address = _address(host)
    if address is not None:
        return address.is_loopback or address.is_unspecified
    return host.removesuffix(".").rpartition(".")[2] == "localhost"


def _is_near(host: str) -> bool:
    """Whether a host is in a private network, by its name or address only."""
    address = _address(host)
    if address is not None:
        return address.is_private
    return "." not in host or host.endswith(_NEAR)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _each(value: object) -> tuple[str, ...]:
    """The texts of a setting that has one, several or none."""
    if value is None:
        return ()
    return tuple(map(str, value)) if isinstance(value, tuple) else (str(value),)
