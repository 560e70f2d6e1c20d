"""Settings that are right one by one, and yet cannot be meant."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import urlsplit

from stripe_connector.ops.doctor.checks import Check, Finding, Peer, broken, doubtful, sound
from stripe_connector.settings import Settings, variables

GROUP = "Settings"

_ENVIRONMENT = Peer("The environment", "")
_PLACEHOLDER = re.compile(
    r"change.?me|replace.?me|placeholder|your[-_ ]|<.*>|x{4,}|\*{3,}|\.{3}|\A(secret|test|none)\Z",
    re.IGNORECASE,
)


def checks(settings: Settings) -> list[Check]:
    """What can be told without asking anybody."""

    def check(name: str, find: Callable[[Settings], Finding]) -> Check:
        return Check(GROUP, name, _later(lambda: find(settings)), _ENVIRONMENT)

    return [
        check("Values", values),
        check("Secrets", secrets),
        check("Public addresses", public_addresses),
        check("Return page", return_page),
    ]


def values(settings: Settings) -> Finding:
    """What loading them has warned of, and limits that contradict each other."""
    found = [*settings.warnings]
    if settings.shutdown_grace_s <= settings.request_deadline_s:
        found.append(
            "SHUTDOWN_GRACE_S is not longer than REQUEST_DEADLINE_S: a stop may cut requests."
        )
    if settings.live_mode and settings.bff_requests_per_minute == 0:
        found.append("BFF_REQUESTS_PER_MINUTE is 0: discount codes can be guessed without limit.")
    if found:
        return doubtful(" ".join(found), "Change these variables; docs/configuration.md has all.")
    others = settings.allowed_backend_hosts if settings.live_mode else ()
    trusted = f"; credentials may go to {', '.join(others)}" if others else ""
    return sound(f"{settings.environment} mode, project {settings.ctp_project_key}{trusted}")


def secrets(settings: Settings) -> Finding:
    """Secrets that are no secrets: left as an example had them, or used for two things."""
    names: dict[str, list[str]] = defaultdict(list)
    for name, value in _secrets(settings):
        names[value].append(name)
    placeholders = [
        name for value, all_ in names.items() if _is_placeholder(value) for name in all_
    ]
    if placeholders:
        return broken(
            f"{_listed(placeholders)} still holds what an example had.",
            "Set it to the real value, or generate one: openssl rand -hex 32.",
        )
    shared = [all_ for all_ in names.values() if len(set(all_)) > 1]
    if shared:
        return broken(
            "; ".join(f"{_listed(each)} have the same value" for each in shared) + ".",
            "Give each its own value: openssl rand -hex 32.",
        )
    return sound(f"{sum(map(len, names.values()))} secrets, all different")


def public_addresses(settings: Settings) -> Finding:
    """In live mode shoppers' browsers go to https alone."""
    if not settings.live_mode:
        return sound("test mode: http is allowed")
    addresses = [
        ("MERCHANT_RETURN_URL", settings.merchant_return_url),
        *(("ALLOWED_ORIGINS", each) for each in settings.allowed_origins),
        ("STOREFRONT_URL", settings.storefront_url),
        ("CONNECT_SERVICE_URL", settings.connect_service_url),
        ("BUY_NOW_URL", settings.buy_now_url),
    ]
    open_ = [f"{name} ({each})" for name, each in addresses if each and each.startswith("http:")]
    if open_:
        return broken(
            f"Live mode, but not https: {', '.join(open_)}.",
            "Set https addresses: payment pages must not be reached over http.",
        )
    return sound("all https")


def return_page(settings: Settings) -> Finding:
    """The page that shoppers return to asks the processor how the payment went."""
    parts = urlsplit(settings.merchant_return_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if origin in settings.allowed_origins:
        return sound(settings.merchant_return_url)
    return doubtful(
        f"MERCHANT_RETURN_URL is of {origin}, which ALLOWED_ORIGINS does not list: that page"
        " cannot confirm payments.",
        f"Add {origin} to ALLOWED_ORIGINS, or correct MERCHANT_RETURN_URL.",
    )


def _secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    for variable in variables():
        value: object = getattr(settings, variable.attribute)
        if not variable.secret or value is None:
            continue
        for each in value if isinstance(value, tuple) else (value,):
            yield variable.name, str(each)


def _is_placeholder(value: str) -> bool:
    return _PLACEHOLDER.search(value) is not None


def _listed(names: list[str]) -> str:
    return " and ".join(sorted(set(names)))


def _later(find: Callable[[], Finding]) -> Callable[[], Awaitable[Finding]]:
    async def run() -> Finding:
        return find()

    return run
