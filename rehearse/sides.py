"""The two worlds in which the walk takes place: the real one, and the stand-ins in this process.

A processor runs in each, in this process, with the same settings but for hosts and credentials.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from msgspec import Struct

from rehearse.configuration import Walker, walking
from rehearse.record import Recorder, decoded
from sandbox.demo.people import ISSUER, PROJECT, PUBLISHABLE_KEY, SECRET_KEY, StepFailed
from sandbox.runner import Sandbox
from stripe_connector.app import create_app
from stripe_connector.clock import Clock
from stripe_connector.gateways.outgoing import HttpClient, create_http_client
from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.settings import Settings, load_settings

_STANDS_IN = {
    "http://commercetools.sandbox": "commercetools",
    "http://stripe.sandbox": "Stripe",
    "http://jwt.sandbox": "JWT",
}
_OURS = "http://localhost"


class Reply(Struct, frozen=True):
    """An answer, decoded."""

    call: str
    status: int
    body: Any

    def need(self, *statuses: int) -> dict[str, Any]:
        """The body, if the status is one of these; raises StepFailed, which tells no value."""
        if self.status not in statuses:
            raise StepFailed(f"{self.call} answered {self.status}{_code(self.body)}")
        return dict(self.body)


class Side:
    """One world; every call of the walk and of its processor is recorded while a step is set."""

    def __init__(self, settings: Settings, walker: Walker, recorder: Recorder) -> None:
        self.settings = settings
        self.walker = walker
        self.recorder = recorder
        self._token: str | None = None
        self._processor = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(settings, http=recorder, clock=Clock())),
            base_url=_OURS,
        )

    async def stripe(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        secret: str | None = None,
        **form: str | int,
    ) -> Reply:
        """A call of the merchant's to Stripe, under an idempotency key if one is given."""
        headers = {
            "Authorization": f"Bearer {secret or self.settings.stripe_secret_key}",
            "Stripe-Version": API_VERSION,
        }
        if key is not None:
            headers["Idempotency-Key"] = key
        url, content = f"{self.settings.stripe_api_base}{path}", None
        if method == "GET" and form:
            url += f"?{urlencode(form)}"
        elif form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            content = urlencode(form).encode()
        return await self._sent(method, url, headers, content)

    async def commercetools(
        self, method: str, path: str, body: object = None, *, token: str | None = None
    ) -> Reply:
        """A call to the project, or to its Checkout sessions, as storefront or merchant."""
        base = self.settings.ctp_api_url
        if path.startswith("sessions"):
            base = self.settings.ctp_session_url
        headers = {"Authorization": f"Bearer {token or await self.token()}"}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        url = f"{base}/{self.settings.ctp_project_key}/{path}"
        return await self._sent(method, url, headers, content)

    async def token(self) -> str:
        """The walker's OAuth2 token."""
        if self._token is None:
            credentials = f"{self.walker.client_id}:{self.walker.client_secret}"
            reply = await self._sent(
                "POST",
                f"{self.settings.ctp_auth_url}/oauth/token",
                {
                    "Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}",
                    "Content-Type": "application/x-www-form-urlencoded",
                },
                b"grant_type=client_credentials",
            )
            self._token = str(reply.need(200)["access_token"])
        return self._token

    async def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: object = None,
        *,
        content: bytes | None = None,
    ) -> Reply:
        """A call to the processor."""
        sent = {"Content-Type": "application/json"} if content is not None else {}
        answer = await self._processor.request(
            method, path, headers={**headers, **sent}, json=body, content=content
        )
        document = decoded(answer.content)
        self.recorder.record("processor", method, path, answer.status_code, document)
        return Reply(f"processor: {method} {path.split('/')[1]}", answer.status_code, document)

    async def aclose(self) -> None:
        await self._processor.aclose()
        await self.recorder.aclose()

    async def _sent(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> Reply:
        call = f"{method} {self.recorder.without_ids(url)}"
        try:
            answer = await self.recorder.request(method, url, headers=headers, content=content)
        except Exception as error:  # noqa: BLE001
            # The errors of clients share no class, and their texts may tell the address.
            raise StepFailed(f"{call}: no answer ({type(error).__name__})") from None
        return Reply(call, answer.status_code, decoded(answer.content))


def real_side(settings: Settings, walker: Walker, client: HttpClient | None = None) -> Side:
    """The world that the settings name."""
    backends = {
        _origin(settings.ctp_auth_url): "commercetools",
        _origin(settings.ctp_api_url): "commercetools",
        _origin(settings.ctp_session_url): "commercetools",
        _origin(settings.ctp_checkout_url): "commercetools",
        _origin(settings.ctp_jwks_url): "JWT",
        _origin(settings.stripe_api_base): "Stripe",
    }
    recorder = Recorder(client or create_http_client(), backends, settings.ctp_project_key)
    return Side(settings, walker, recorder)


def stand_in_side(environ: Mapping[str, str], client: HttpClient | None = None) -> Side:
    """Fresh stand-ins, for a processor with the same settings otherwise."""
    settings = load_settings({**walking(environ), **STAND_INS})
    recorder = Recorder(client or stand_ins(), _STANDS_IN, PROJECT)
    walker = Walker(
        "sandbox-admin", "sandbox-admin-secret", environ.get("REHEARSE_APPLICATION_KEY")
    )
    return Side(settings, walker, recorder)


def stand_ins(sandbox: Sandbox | None = None) -> httpx.AsyncClient:
    """A client that reaches stand-ins in this process, its own where none are given."""
    sandbox = sandbox or Sandbox("http://stripe.sandbox")
    return httpx.AsyncClient(
        mounts={
            "all://commercetools.sandbox": httpx.ASGITransport(sandbox.commercetools_app),
            "all://stripe.sandbox": httpx.ASGITransport(sandbox.stripe_app),
            "all://jwt.sandbox": httpx.ASGITransport(sandbox.jwt_app),
        },
        trust_env=False,
    )


STAND_INS = {
    "CTP_PROJECT_KEY": PROJECT,
    "CTP_CLIENT_ID": "sandbox-processor",
    "CTP_CLIENT_SECRET": "sandbox-processor-secret",
    **dict.fromkeys(
        ("CTP_AUTH_URL", "CTP_API_URL", "CTP_SESSION_URL", "CTP_CHECKOUT_URL"),
        "http://commercetools.sandbox",
    ),
    "CTP_JWKS_URL": "http://jwt.sandbox/jwt/.well-known/jwks.json",
    "CTP_JWT_ISSUER": ISSUER,
    "STRIPE_SECRET_KEY": SECRET_KEY,
    "STRIPE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
    "STRIPE_API_BASE": "http://stripe.sandbox",
}
"""What differs on the side of the stand-ins."""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _code(body: Any) -> str:
    """The machine's word for an error, in the shape of Stripe, commercetools or the processor."""
    match body:
        case {"error": {"code": str(code)}} | {"errors": [{"code": str(code)}, *_]}:
            return f" ({code})"
        case _:
            return ""
