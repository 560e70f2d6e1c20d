"""Registers the storefronts' domains at Stripe, which Apple Pay and other wallets require."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from stripe_connector.deploy.changes import DeployReport
from stripe_connector.gateways.stripe.account_editor import AccountEditor
from stripe_connector.settings import Settings


def shop_domains(settings: Settings) -> dict[str, str | None]:
    """Every host on which shoppers pay, and the reason where it cannot be registered."""
    addresses = [*settings.allowed_origins, settings.storefront_url]
    if settings.buy_now_enabled:
        addresses.append(settings.buy_now_base)
    found: dict[str, str | None] = {}
    for address in addresses:
        parts = urlsplit(address)
        host = parts.hostname or ""
        reason = "it does not use https" if parts.scheme != "https" else _unfit(host)
        # A host may be listed with and without https.
        if reason is None or host not in found:
            found[host] = reason
    return found


async def bring_domain(name: str, account: AccountEditor, report: DeployReport) -> None:
    """Register a domain, or enable it again, and report whether Apple Pay works there."""
    subject = f"payment domain {name}"
    domain = await account.find_domain(name)
    if domain is None:
        now = await report.change(subject, "register it", lambda: account.create_domain(name))
    elif not domain.enabled:
        now = await report.change(
            subject, "enable it again", lambda: account.enable_domain(domain.id)
        )
    elif domain.problem is not None:
        now = await report.change(
            subject, "let Stripe validate it again", lambda: account.validate_domain(domain.id)
        )
    else:
        return report.right(subject, "is registered and enabled")
    if now is not None and now.problem is not None:
        report.to_do(
            subject,
            f"Apple Pay does not work there: {now.problem}",
            f"Serve Apple's file at https://{name}/.well-known/"
            "apple-developer-merchantid-domain-association (Dashboard, Settings, Payment method"
            " domains), then run this again.",
        )
    return None


def _unfit(host: str) -> str | None:
    if host == "localhost" or host.endswith(".localhost"):
        return "it is this machine"
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None if "." in host else "it is not a domain"
    return "it is an IP address, not a domain"
