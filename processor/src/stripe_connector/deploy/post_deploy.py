"""Sets up webhook endpoint, custom types and payment domains after a deployment.

Every step reads first and writes only what differs, so a second run writes nothing. A step that
fails does not stop the others.
"""

from __future__ import annotations

from stripe_connector.deploy import webhook
from stripe_connector.deploy.changes import DeployReport
from stripe_connector.deploy.custom_types import REFUSED, bring_type, wanted_types
from stripe_connector.deploy.domains import bring_domain, shop_domains
from stripe_connector.deploy.secrets import SecretDesk, SecretFileError
from stripe_connector.deploy.webhook import Target
from stripe_connector.gateways.commercetools.project_editor import ProjectEditor
from stripe_connector.gateways.stripe.account_editor import AccountEditor
from stripe_connector.gateways.stripe.administration import WebhookEndpoint
from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.payments.own_account import CONTAINER, LIVE_OWNER
from stripe_connector.settings import Settings

WEBHOOK = "webhook endpoint"
OWNER = "mode of the project"
SET_SECRET = (
    "Set STRIPE_WEBHOOK_SIGNING_SECRET to the signing secret of {id} (after older ones, separated"
    " by commas), and deploy again. {where}"
)
_DASHBOARD = "It is shown on the endpoint's page in the Dashboard under Developers, Webhooks."
_ENDPOINT_REFUSED = (
    "Stripe's message is above. The address comes from CONNECT_SERVICE_URL and must be reachable"
    " for Stripe; a restricted STRIPE_SECRET_KEY must be allowed to write webhook endpoints."
)
_DOMAIN_REFUSED = (
    "Stripe's message is above. Domains come from ALLOWED_ORIGINS, STOREFRONT_URL and"
    " BUY_NOW_URL; a restricted STRIPE_SECRET_KEY must be allowed to write payment method domains."
)
NO_ADDRESS = "Set CONNECT_SERVICE_URL to the public address of the processor, such as https://..."


async def set_up_deployment(
    settings: Settings,
    account: AccountEditor,
    project: ProjectEditor,
    report: DeployReport,
    desk: SecretDesk,
    *,
    retire_old: bool = False,
) -> None:
    """All steps. `retire_old` disables older endpoints even if it is not known whether
    the processor accepts the new one's signatures."""
    with report.guarded(WEBHOOK, _ENDPOINT_REFUSED):
        await _bring_endpoint(settings, account, report, desk, retire_old=retire_old)
    if settings.live_mode:
        with report.guarded(OWNER, REFUSED):
            await _bring_owner(settings, account, project, report)
    for wanted in wanted_types(settings):
        with report.guarded(wanted.subject, REFUSED):
            await bring_type(wanted, project, report)
    for host, reason in shop_domains(settings).items():
        subject = f"payment domain {host}"
        if reason is not None:
            report.left(subject, reason)
            continue
        with report.guarded(subject, _DOMAIN_REFUSED):
            await bring_domain(host, account, report)


async def _bring_owner(
    settings: Settings, account: AccountEditor, project: ProjectEditor, report: DeployReport
) -> None:
    """Mark the project as taking real payments: processors with test keys then refuse to sell."""
    value = {"account": await account.find_account_id(), "environment": settings.environment}
    if await project.find_custom_object(CONTAINER, LIVE_OWNER) == value:
        report.right(OWNER, "it is marked as taking real payments")
        return
    await report.change(
        OWNER,
        "mark it as taking real payments: processors with test keys open no page and mark no"
        " order, unless TEST_MODE_ON_LIVE_PROJECT=true",
        lambda: project.put_custom_object(CONTAINER, LIVE_OWNER, value),
    )


async def _bring_endpoint(
    settings: Settings,
    account: AccountEditor,
    report: DeployReport,
    desk: SecretDesk,
    *,
    retire_old: bool,
) -> None:
    target = webhook.target(settings)
    if target is None:
        return report.fail(WEBHOOK, "its address is not known", NO_ADDRESS)
    endpoints = await account.list_endpoints()
    if not _is_clear(target, endpoints, report):
        return None
    stays = webhook.endpoint_to_keep(target, endpoints)
    if stays is None:
        stays = await _create(target, account, report, desk)
    else:
        await _correct(target, stays, account, report)
        _check_secret(target, stays, report)
    for endpoint in webhook.superseded(target, endpoints, stays):
        await _retire(target, endpoint, stays, account, report, anyway=retire_old)
    for endpoint in endpoints:
        if endpoint.enabled and not target.ours(endpoint):
            if endpoint.url == target.url:
                report.left(_name(endpoint), "delivers here as well, but is not marked as ours")
            elif target.marked(endpoint):
                report.left(_name(endpoint), f"of another deployment, at {endpoint.url}")
    return None


def _is_clear(target: Target, endpoints: list[WebhookEndpoint], report: DeployReport) -> bool:
    """Whether it is certain which endpoint is this deployment's."""
    if target.named is not None:
        named = next((each for each in endpoints if each.id == target.named), None)
        if named is None:
            report.fail(
                WEBHOOK,
                f"there is no {target.named} in this mode of this account",
                "Set STRIPE_WEBHOOK_ID to an endpoint of the mode of STRIPE_SECRET_KEY, or remove"
                " it, and one is found or created.",
            )
        elif target.of_other_project(named):
            report.fail(
                WEBHOOK,
                f"{target.named} belongs to another project",
                "Remove STRIPE_WEBHOOK_ID, or set it to an endpoint of this project.",
            )
        return named is not None and not target.of_other_project(named)
    unmarked = [e for e in endpoints if e.url == target.url and e.enabled and not target.ours(e)]
    if unmarked and webhook.endpoint_to_keep(target, endpoints) is None:
        names = ", ".join(each.id for each in unmarked)
        report.fail(
            WEBHOOK,
            f"{names} delivers here already, but another program created it",
            f"Set STRIPE_WEBHOOK_ID to {unmarked[0].id} to let this script keep it up to date, or"
            " delete it"
            " in the Dashboard: with a second endpoint, every event would arrive twice.",
        )
        return False
    return True


async def _create(
    target: Target, account: AccountEditor, report: DeployReport, desk: SecretDesk
) -> WebhookEndpoint | None:
    text = (
        f"create it at {target.url} with API version {API_VERSION} and"
        f" {len(webhook.EVENTS)} types of events"
    )
    if not report.dry_run:
        try:
            desk.open()
        except SecretFileError as error:
            report.fail(WEBHOOK, str(error), "Name another --secret-file. Nothing was created.")
            return None
    created = await report.change(WEBHOOK, text, lambda: account.create_endpoint(target.params()))
    if created is None or created.secret is None:
        return created
    first = webhook.earlier(target, await account.list_endpoints(), created)
    if first is not None:
        await report.change(
            _name(created),
            f"delete it again: another run has created {first.id} at the same time",
            lambda: account.delete_endpoint(created.id),
        )
        report.to_do(
            _name(first),
            "its signing secret is not configured yet",
            SET_SECRET.format(id=first.id, where=_DASHBOARD),
        )
        return first
    secret = created.secret
    where = desk.hand_over(created.id, secret)
    report.to_do(
        _name(created),
        "its signing secret is not configured yet",
        SET_SECRET.format(id=created.id, where=f"It is {where}." if where else _DASHBOARD),
    )
    if target.named is not None:
        report.to_do(
            _name(created),
            f"takes the place of {target.named}",
            f"Set STRIPE_WEBHOOK_ID to {created.id} when {target.named} is disabled.",
        )
    metadata = {webhook.FINGERPRINT: webhook.fingerprint(secret)}
    await account.update_endpoint(created.id, {"metadata": metadata})
    return created


async def _correct(
    target: Target, endpoint: WebhookEndpoint, account: AccountEditor, report: DeployReport
) -> None:
    params, words = webhook.corrections(target, endpoint)
    if params:
        await report.change(
            _name(endpoint),
            "; ".join(words),
            lambda: account.update_endpoint(endpoint.id, params),
        )
    else:
        report.right(_name(endpoint), f"delivers {len(webhook.EVENTS)} types to {endpoint.url}")


def _check_secret(target: Target, endpoint: WebhookEndpoint, report: DeployReport) -> None:
    if target.accepts(endpoint) is False:
        report.to_do(
            _name(endpoint),
            "the signing secret that it was created with is not configured",
            SET_SECRET.format(id=endpoint.id, where=_DASHBOARD),
        )


async def _retire(
    target: Target,
    endpoint: WebhookEndpoint,
    stays: WebhookEndpoint | None,
    account: AccountEditor,
    report: DeployReport,
    *,
    anyway: bool,
) -> None:
    """Disable an endpoint only when no event can be lost.

    Not in the run that creates its successor: the processor cannot have that secret yet.
    """
    if stays is not None and stays.secret is None and (anyway or target.accepts(stays)):
        await report.change(
            _name(endpoint),
            f"disable it: {stays.id} has taken its place",
            lambda: account.update_endpoint(endpoint.id, {"disabled": True}),
        )
        return
    report.to_do(
        _name(endpoint),
        "stays enabled until the processor accepts the signatures of the new one",
        "Run this again after the new signing secret is deployed; if it was rolled since, or the"
        " new endpoint was created by hand, add --retire-old.",
    )


def _name(endpoint: WebhookEndpoint) -> str:
    return f"{WEBHOOK} {endpoint.id}"
