"""Stand-ins for what the HTTP side depends on, and a client that speaks to it in process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest

from stripe_connector.errors import ConnectorError, InvalidRequest, NotFound
from stripe_connector.gateways.commercetools.models import (
    ActiveCart,
    CartReference,
    Introspection,
    Session,
    SessionMetadata,
)
from stripe_connector.http.application import application
from stripe_connector.http.auth import (
    Failures,
    Guards,
    Jwks,
    JwtGuard,
    OAuth2Guard,
    OriginGuard,
    SessionGuard,
    StripeGuard,
)
from stripe_connector.http.health_routes import Readiness
from stripe_connector.http.middleware import Answered
from stripe_connector.http.routing import Admission, AnyEndpoint
from tests.fakes import FakeClock

PROJECT = "shop"
ISSUER = "https://mc-api.example.com"
STOREFRONT = "https://shop.example.com"


class SessionService:
    """Sessions by id; `failure` is raised instead when set."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.failure: ConnectorError | None = None
        self.reads = 0

    def add(
        self,
        session_id: str,
        *,
        cart_id: str | None = "cart-1",
        state: str = "ACTIVE",
        expiry_at: str | None = None,
        correlation_id: str | None = None,
    ) -> None:
        self.sessions[session_id] = Session(
            id=session_id,
            state=state,
            expiry_at=expiry_at,
            active_cart=None if cart_id is None else ActiveCart(CartReference(cart_id)),
            metadata=SessionMetadata(correlation_id=correlation_id),
        )

    async def get_session(self, session_id: str) -> Session:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        if session_id not in self.sessions:
            raise NotFound("no such session")
        return self.sessions[session_id]


class AuthorizationServer:
    """Access tokens and what they grant; a token that is not there is not active."""

    def __init__(self) -> None:
        self.tokens: dict[str, Introspection] = {}
        self.failure: ConnectorError | None = None
        self.reads = 0

    async def introspect_token(self, token: str) -> Introspection:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        return self.tokens.get(token, Introspection(active=False))


class JwksHost:
    """Serves the document, or fails."""

    def __init__(self) -> None:
        self.document = b'{"keys":[]}'
        self.failure: ConnectorError | None = None
        self.reads = 0

    async def fetch(self) -> bytes:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        return self.document


def check_header(header: str, _now: float) -> None:
    """A signature has the form that `verify` takes."""
    if ":" not in header:
        raise InvalidRequest("malformed signature", code="MalformedSignature")


def verify(payload: bytes, header: str, secrets: tuple[str, ...]) -> None:
    """A signature is right when it names a secret and the length of the body."""
    if header not in {f"{secret}:{len(payload)}" for secret in secrets}:
        raise InvalidRequest("bad signature", code="InvalidSignature")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def session_service() -> SessionService:
    return SessionService()


@pytest.fixture
def authorization_server() -> AuthorizationServer:
    return AuthorizationServer()


@pytest.fixture
def jwks_host() -> JwksHost:
    return JwksHost()


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def answered() -> list[Answered]:
    """What the application has reported to whoever counts requests."""
    return []


@pytest.fixture
def webhook_secrets() -> tuple[str, ...]:
    return ("whsec_old", "whsec_new")


@pytest.fixture
def guards(
    clock: FakeClock,
    session_service: SessionService,
    authorization_server: AuthorizationServer,
    jwks_host: JwksHost,
    webhook_secrets: tuple[str, ...],
) -> Guards:
    return Guards(
        session=SessionGuard(session_service, clock, Failures(0, clock, trusted_proxies=0)),
        oauth2=OAuth2Guard(
            authorization_server, clock, Failures(0, clock, trusted_proxies=0), project_key=PROJECT
        ),
        jwt=JwtGuard(Jwks(jwks_host.fetch, clock), clock, issuer=ISSUER, project_key=PROJECT),
        stripe=StripeGuard(check_header, verify, webhook_secrets, clock),
        origin=OriginGuard([STOREFRONT]),
    )


Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def serve(
    guards: Guards, clock: FakeClock, readiness: Readiness, answered: list[Answered]
) -> Serve:
    """`async with serve([endpoint, ...]) as client`."""

    @asynccontextmanager
    async def start(
        endpoints: Iterable[AnyEndpoint],
        *,
        deadline_s: float = 30,
        max_body_bytes: int = 1_000,
        max_concurrent: int = 200,
    ) -> AsyncIterator[httpx.AsyncClient]:
        app = application(
            endpoints,
            guards,
            clock=clock,
            readiness=readiness,
            allowed_origins=[STOREFRONT],
            deadline_s=deadline_s,
            max_body_bytes=max_body_bytes,
            admission=Admission(max_concurrent),
            observe=answered.append,
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client

    return start
