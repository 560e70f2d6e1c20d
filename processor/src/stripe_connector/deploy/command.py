"""`stripe-connector post-deploy` and `stripe-connector pre-undeploy`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import click
from rich.console import Console

from stripe_connector import logs
from stripe_connector.assembly import commercetools_gateway, outgoing_of_command, stripe_gateway
from stripe_connector.deploy import post_deploy as after
from stripe_connector.deploy import pre_undeploy as before
from stripe_connector.deploy.changes import DeployReport
from stripe_connector.deploy.secrets import SecretDesk
from stripe_connector.gateways.commercetools.project_editor import ProjectEditor
from stripe_connector.gateways.stripe.account_editor import AccountEditor
from stripe_connector.settings import Settings
from stripe_connector.settings.environment import configured, env_file_option

_LOG_WIDTH = 120
"""Columns of the table where the output is not a terminal."""

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only show what would be done.")

Steps = Callable[[AccountEditor, ProjectEditor], Awaitable[None]]


@click.command()
@env_file_option
@_DRY_RUN
@_JSON
@click.option(
    "--secret-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the signing secret of a new webhook endpoint to this file, for its owner only.",
)
@click.option(
    "--retire-old",
    is_flag=True,
    help="Disable older webhook endpoints of this deployment even if it is not known whether"
    " the new one's signing secret is configured.",
)
def post_deploy(
    *, dry_run: bool, as_json: bool, secret_file: Path | None, retire_old: bool
) -> None:
    """Set up the webhook endpoint, the custom types and the payment domains.

    Changes only what differs and may be repeated. A new signing secret is shown only on a
    terminal. Exits with 1 when anything failed.
    """
    settings = configured()
    desk = SecretDesk(sys.stderr if as_json else sys.stdout, secret_file)
    report = DeployReport(dry_run=dry_run)
    try:
        _run(
            settings,
            lambda account, project: after.set_up_deployment(
                settings, account, project, report, desk, retire_old=retire_old
            ),
        )
    finally:
        desk.close()
        _print(report, as_json=as_json)
    sys.exit(1 if report.failed else 0)


@click.command()
@env_file_option
@_DRY_RUN
@_JSON
@click.option("--delete-endpoint", is_flag=True, help="Also delete the webhook endpoint.")
@click.option(
    "--delete-types",
    is_flag=True,
    help="Also delete the connector's custom types that nothing uses any more.",
)
@click.option(
    "--never-block",
    is_flag=True,
    help="Exit with 0 even if something failed, so that undeploying continues.",
)
def pre_undeploy(
    *, dry_run: bool, as_json: bool, delete_endpoint: bool, delete_types: bool, never_block: bool
) -> None:
    """Disable the webhook endpoint of this deployment; deletes nothing unless asked.

    Exits with 1 when anything failed, unless told not to block.
    """
    try:
        settings = configured()
    except SystemExit as exit_:
        sys.exit(0 if never_block else exit_.code)
    report = DeployReport(dry_run=dry_run)
    try:
        _run(
            settings,
            lambda account, project: before.take_down_deployment(
                settings,
                account,
                project,
                report,
                delete_endpoint=delete_endpoint,
                delete_types=delete_types,
            ),
        )
    finally:
        _print(report, as_json=as_json)
    sys.exit(1 if report.failed and not never_block else 0)


def _run(
    settings: Settings, steps: Callable[[AccountEditor, ProjectEditor], Awaitable[None]]
) -> None:
    """Run the steps with gateways created for this run."""
    logs.configure(settings.log_level, sys.stderr)

    async def run() -> None:
        async with outgoing_of_command() as outgoing:
            account = stripe_gateway(AccountEditor, settings, outgoing)
            await steps(account, commercetools_gateway(ProjectEditor, settings, outgoing))

    asyncio.run(run())


def _print(report: DeployReport, *, as_json: bool) -> None:
    if as_json:
        click.echo(report.as_json())
    else:
        report.show(_console())


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=_LOG_WIDTH)
