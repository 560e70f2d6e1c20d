"""Disables the webhook endpoint of a deployment before it is removed; deletes it only if asked."""

from __future__ import annotations

from stripe_connector.deploy import webhook
from stripe_connector.deploy.changes import DeployReport
from stripe_connector.deploy.custom_types import REFUSED, delete_type, wanted_types
from stripe_connector.deploy.post_deploy import NO_ADDRESS, WEBHOOK
from stripe_connector.deploy.webhook import Target
from stripe_connector.errors import NotFound
from stripe_connector.gateways.commercetools.project_editor import ProjectEditor
from stripe_connector.gateways.stripe.account_editor import AccountEditor
from stripe_connector.gateways.stripe.administration import WebhookEndpoint
from stripe_connector.settings import Settings

_REFUSED = (
    "Disable the endpoint in the Dashboard under Developers, Webhooks, or correct STRIPE_SECRET_KEY"
    " and run this again. Undeploying is safe meanwhile: Stripe stops retrying on its own."
)


async def take_down_deployment(
    settings: Settings,
    account: AccountEditor,
    project: ProjectEditor,
    report: DeployReport,
    *,
    delete_endpoint: bool = False,
    delete_types: bool = False,
) -> None:
    """Disable, or delete, our endpoints at this deployment's address."""
    with report.guarded(WEBHOOK, _REFUSED):
        await _stop_endpoints(settings, account, report, delete=delete_endpoint)
    if delete_types:
        for wanted in wanted_types(settings):
            with report.guarded(wanted.subject, REFUSED):
                await delete_type(wanted, project, report)


async def _stop_endpoints(
    settings: Settings, account: AccountEditor, report: DeployReport, *, delete: bool
) -> None:
    target = webhook.target(settings)
    if target is None:
        return report.fail(WEBHOOK, "its address is not known", NO_ADDRESS)
    endpoints = await account.list_endpoints()
    ours = [each for each in endpoints if _may_stop(target, each)]
    for endpoint in endpoints:
        if endpoint.id == target.named and endpoint not in ours:
            report.left(f"{WEBHOOK} {endpoint.id}", f"it serves {endpoint.url}, not this one")
    if not ours:
        report.right(WEBHOOK, "this deployment has none")
    for endpoint in ours:
        subject = f"{WEBHOOK} {endpoint.id}"
        with report.guarded(subject, _REFUSED):
            await _stop(endpoint, subject, account, report, delete=delete)
    return None


def _may_stop(target: Target, endpoint: WebhookEndpoint) -> bool:
    """Ours and at this address: STRIPE_WEBHOOK_ID may be copied from another deployment."""
    return (
        target.ours(endpoint)
        and endpoint.url == target.url
        and not target.of_other_project(endpoint)
    )


async def _stop(
    endpoint: WebhookEndpoint,
    subject: str,
    account: AccountEditor,
    report: DeployReport,
    *,
    delete: bool,
) -> None:
    try:
        if delete:
            await report.change(subject, "delete it", lambda: account.delete_endpoint(endpoint.id))
        elif endpoint.enabled:
            await report.change(
                subject,
                "disable it",
                lambda: account.update_endpoint(endpoint.id, {"disabled": True}),
            )
        else:
            report.right(subject, "is disabled")
    except NotFound:
        report.right(subject, "is gone")
