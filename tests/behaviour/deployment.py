"""The deploy scripts in a world: run them, look at what they found, did and wrote."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from stripe_connector.assembly import commercetools_gateway
from stripe_connector.deploy.changes import ChangeOutcome, DeployReport, ReportRow
from stripe_connector.deploy.post_deploy import set_up_deployment
from stripe_connector.deploy.pre_undeploy import take_down_deployment
from stripe_connector.deploy.secrets import SecretDesk
from stripe_connector.deploy.webhook import EVENTS
from stripe_connector.gateways.commercetools.project_editor import ProjectEditor
from stripe_connector.gateways.outgoing import Outgoing
from stripe_connector.gateways.stripe.account_editor import AccountEditor
from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.settings import load_settings
from tests.wire import Call, Wire
from tests.world import World, WorldClock

Json = dict[str, Any]

SERVICE = "https://processor.example"
URL = f"{SERVICE}/stripe/webhooks"
OLD_VERSION = "2026-09-30.endive"
MARK = {"managed_by": "stripe-connector", "ct_project_key": "sandbox"}
OPERATIONS_TYPE = "payment-connector-stripe-operation"
CUSTOMER_TYPE = "payment-connector-stripe-customer-id"
CUSTOMER_FIELD = "stripeConnector_stripeCustomerId"


class Terminal(io.StringIO):
    """Somebody is looking."""

    def isatty(self) -> bool:
        return True


class Run:
    """What one run left behind."""

    def __init__(self, report: DeployReport, writes: list[Call], printed: str) -> None:
        self.rows = report.rows
        self.failed = report.failed
        self.writes = writes
        self.printed = printed

    def of(self, subject: str) -> list[ReportRow]:
        """The rows whose subject begins so."""
        return [row for row in self.rows if row.subject.startswith(subject)]

    def outcomes(self, subject: str = "") -> set[ChangeOutcome]:
        return {row.outcome for row in self.of(subject)}


class Deployment:
    """A processor of a world that is deployed; its configuration may change between runs."""

    def __init__(self, world: World | None = None, **environment: str) -> None:
        self.world = world or World()
        self.environment = {
            **self.world.environment,
            "STRIPE_WEBHOOK_SIGNING_SECRET": "",
            "CONNECT_SERVICE_URL": SERVICE,
            "ALLOWED_ORIGINS": "https://shop.example,http://localhost:3000",
            **environment,
        }

    @property
    def endpoints(self) -> list[Json]:
        return list(self.world.stripe.endpoints)

    def secrets(self, endpoint: Json) -> str:
        """What the endpoint signs with, as the variable takes it."""
        return ",".join(s for s, _ in self.world.stripe.endpoint_secrets[endpoint["id"]])

    async def endpoint(self, **fields: str) -> Json:
        """An endpoint of ours as an earlier run left it, but for the given fields."""
        mark = {f"metadata[{name}]": value for name, value in MARK.items()}
        return await self.unmarked(**{**mark, **fields})

    async def unmarked(self, **fields: str) -> Json:
        """One that somebody made by hand."""
        form: Json = {
            "url": URL,
            "api_version": API_VERSION,
            "enabled_events[]": list(EVENTS),
            **fields,
        }
        made = await self.world.ask_stripe("POST", "/v1/webhook_endpoints", **form)
        return self.world.stripe.endpoints[made["id"]]

    async def disable(self, endpoint: Json) -> None:
        path = f"/v1/webhook_endpoints/{endpoint['id']}"
        await self.world.ask_stripe("POST", path, disabled="true")

    async def type(self, key: str, *resources: str, **fields: str) -> Json:
        """A custom type with optional fields, each of the type that is named."""
        definitions = [
            {"name": name, "type": {"name": kind}, "label": {"en": name}, "required": False}
            for name, kind in fields.items()
        ]
        return await self.world.commercetools(
            "POST",
            "types",
            {
                "key": key,
                "name": {"en": key},
                "resourceTypeIds": list(resources),
                "fieldDefinitions": definitions,
            },
        )

    async def fields_of(self, key: str) -> set[str]:
        """The names of a type's fields."""
        type_ = await self.world.commercetools("GET", f"types/key={key}")
        return {field["name"] for field in type_["fieldDefinitions"]}

    async def deploy(
        self,
        *,
        dry_run: bool = False,
        secret_file: Path | None = None,
        stream: io.StringIO | None = None,
        retire_old: bool = False,
    ) -> Run:
        """Run post-deploy."""
        report, stream = DeployReport(dry_run=dry_run), stream or io.StringIO()
        desk = SecretDesk(stream, secret_file)
        before = len(self.world.network.calls)
        try:
            settings = load_settings(self.environment)
            account, project = self._backends()
            await set_up_deployment(settings, account, project, report, desk, retire_old=retire_old)
        finally:
            desk.close()
        return self._run(report, before, stream)

    async def undeploy(
        self, *, dry_run: bool = False, delete_endpoint: bool = False, delete_types: bool = False
    ) -> Run:
        """Run pre-undeploy."""
        report, before = DeployReport(dry_run=dry_run), len(self.world.network.calls)
        settings = load_settings(self.environment)
        account, project = self._backends()
        await take_down_deployment(
            settings,
            account,
            project,
            report,
            delete_endpoint=delete_endpoint,
            delete_types=delete_types,
        )
        return self._run(report, before, io.StringIO())

    def _backends(self) -> tuple[AccountEditor, ProjectEditor]:
        settings = load_settings(self.environment)
        http = httpx.AsyncClient(transport=Wire(self.world.network))
        outgoing = Outgoing(http, WorldClock(self.world.clock))
        account = AccountEditor(
            secret_key=settings.stripe_secret_key,
            api_base=settings.stripe_api_base,
            outgoing=outgoing,
        )
        return account, commercetools_gateway(ProjectEditor, settings, outgoing)

    def _run(self, report: DeployReport, before: int, stream: io.StringIO) -> Run:
        report.show(Console(file=stream, width=120))
        writes = [
            call
            for call in self.world.network.calls[before:]
            if call.method != "GET" and call.path != "/oauth/token"
        ]
        return Run(report, writes, stream.getvalue())
