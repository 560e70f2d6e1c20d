"""Checks of settings that are valid one by one but wrong together, or unsafe."""

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

_UNLIMITED = {
    "BFF_REQUESTS_PER_MINUTE": "discount codes can be guessed without limit",
    "BFF_PAYMENT_PAGES_PER_MINUTE": "one client may ask for payment pages without limit",
    "BUY_NOW_SESSIONS_PER_MINUTE": "one client may open payment pages without limit",
    "FAILED_AUTHENTICATIONS_PER_MINUTE": "each guessed session or token costs a call",
}
"""What it means in live mode that there is no such limit."""


def settings_checks(settings: Settings) -> list[Check]:
    """All checks that need no call."""

    def check(name: str, find: Callable[[Settings], Finding]) -> Check:
        return Check(GROUP, name, _later(lambda: find(settings)), _ENVIRONMENT)

    return [
        check("Values", values_are_usable),
        check("Secrets", secrets_are_real),
        check("Return page", return_page),
        check("Customers' carts", customers_carts),
        check("Return address", return_address),
    ]


def values_are_usable(settings: Settings) -> Finding:
    """Warnings from loading the settings, and limits that contradict each other."""
    found = [*settings.warnings]
    if settings.shutdown_grace_s <= settings.request_deadline_s:
        found.append(
            "SHUTDOWN_GRACE_S is not longer than REQUEST_DEADLINE_S: a stop may cut requests."
        )
    if settings.live_mode:
        found += [
            f"{name} is 0: {consequence}."
            for name, consequence in _UNLIMITED.items()
            if getattr(settings, name.lower()) == 0
        ]
    if found:
        return doubtful(
            " ".join(found), "Change these variables; docs/configuration.md describes them."
        )
    others = settings.allowed_backend_hosts if settings.live_mode else ()
    trusted = f"; credentials may go to {', '.join(others)}" if others else ""
    return sound(f"{settings.environment} mode, project {settings.ctp_project_key}{trusted}")


def secrets_are_real(settings: Settings) -> Finding:
    """Secrets that are placeholders of an example, or used for two purposes."""
    names: dict[str, list[str]] = defaultdict(list)
    for name, value in _secrets(settings):
        names[value].append(name)
    placeholders = [
        name for value, all_ in names.items() if _is_placeholder(value) for name in all_
    ]
    if placeholders:
        return broken(
            f"{_listed(placeholders)} still has the value of an example.",
            "Set it to the real value, or generate one: openssl rand -hex 32.",
        )
    shared = [all_ for all_ in names.values() if len(set(all_)) > 1]
    if shared:
        return broken(
            "; ".join(f"{_listed(each)} have the same value" for each in shared) + ".",
            "Give each its own value: openssl rand -hex 32.",
        )
    return sound(f"{sum(map(len, names.values()))} secrets, all different")


def return_page(settings: Settings) -> Finding:
    """The page to which shoppers return calls the processor to confirm the payment."""
    parts = urlsplit(settings.merchant_return_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if origin in settings.allowed_origins:
        return sound(settings.merchant_return_url)
    return doubtful(
        f"MERCHANT_RETURN_URL is of {origin}, which ALLOWED_ORIGINS does not list: that page"
        " cannot confirm payments.",
        f"Add {origin} to ALLOWED_ORIGINS, or correct MERCHANT_RETURN_URL.",
    )


def customers_carts(settings: Settings) -> Finding:
    """Who may change and order the cart of a customer through the storefront's routes."""
    if settings.storefront_secret is not None:
        return sound("need the X-Storefront-Token of the shop's server")
    if not settings.live_mode:
        return sound(
            "test mode: anyone with the cart's id can use it; live mode requires STOREFRONT_SECRET"
        )
    return doubtful(
        "STOREFRONT_SECRET is not set: under /api/v1 a cart that belongs to a customer"
        " can be neither changed nor ordered (403 StorefrontTokenRequired).",
        "Where customers log in and pay through these routes, set it here and in the shop's server"
        " (openssl rand -hex 32), which signs X-Storefront-Token; docs/integration.md explains it.",
    )


def return_address(settings: Settings) -> Finding:
    """Whether the address to which shoppers return contains the cart's id."""
    if not settings.return_url_cart_id:
        return sound("names only the payment")
    if not settings.live_mode:
        return sound("test mode: also names the cart (RETURN_URL_CART_ID is true)")
    return doubtful(
        "RETURN_URL_CART_ID is true: the address to which shoppers return names their cart, and"
        " anyone who sees it in a history, a log or a Referer can change and order a guest's cart.",
        "Read the cart from a signed cookie on the return page, then set RETURN_URL_CART_ID to"
        " false; docs/migration.md explains it.",
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
