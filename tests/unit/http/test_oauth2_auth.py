"""Which access tokens open a route, and for how long an answer about one is believed."""

import asyncio

import pytest
from starlette.requests import Request

from stripe_connector.errors import BackendUnavailable, Forbidden, Unauthenticated
from stripe_connector.gateways.commercetools.models import Introspection
from stripe_connector.http.auth import Failures, OAuth2Guard
from tests.fakes import FakeClock

from .conftest import PROJECT, AuthorizationServer

SCOPES = ("manage_project", "manage_checkout_payment_intents")


def request(authorization: str | None) -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    return Request({"type": "http", "headers": headers})


@pytest.fixture
def guard(authorization_server: AuthorizationServer, clock: FakeClock) -> OAuth2Guard:
    return OAuth2Guard(
        authorization_server,
        clock,
        Failures(0, clock, trusted_proxies=0),
        project_key=PROJECT,
        keep_s=30,
    )


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "access_denied"),
        ("", "invalid_request"),
        ("Bearer", "invalid_request"),
        ("Bearer ", "invalid_request"),
        ("Bearer a b", "invalid_request"),
        ("Bearer  a", "invalid_request"),
        ("Basic abc", "invalid_request"),
        ("bearer abc", "invalid_request"),
    ],
)
async def test_a_header_that_is_no_bearer_token_is_refused_without_asking(
    guard: OAuth2Guard,
    authorization_server: AuthorizationServer,
    authorization: str | None,
    code: str,
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await guard.authenticate(request(authorization), SCOPES)
    assert refused.value.code == code
    assert authorization_server.reads == 0


@pytest.mark.parametrize(
    "scope",
    [
        "manage_project:shop",
        "manage_checkout_payment_intents:shop",
        "view_orders:shop manage_project:shop customer_id:7 manage_my_orders:shop:store-1",
    ],
)
async def test_one_of_the_scopes_for_our_project_suffices(
    guard: OAuth2Guard, authorization_server: AuthorizationServer, scope: str
) -> None:
    authorization_server.tokens["t"] = Introspection(active=True, scope=scope)
    await guard.authenticate(request("Bearer t"), SCOPES)


@pytest.mark.parametrize(
    "scope",
    [
        None,
        "",
        "manage_project",
        "manage_project:other",
        "manage_project:shop2",
        "manage_project:shop:store-1",
        "view_orders:shop",
        "xmanage_project:shop",
    ],
)
async def test_other_scopes_are_forbidden_and_the_sufficient_ones_named(
    guard: OAuth2Guard, authorization_server: AuthorizationServer, scope: str | None
) -> None:
    authorization_server.tokens["t"] = Introspection(active=True, scope=scope)
    with pytest.raises(Forbidden) as refused:
        await guard.authenticate(request("Bearer t"), SCOPES)
    assert refused.value.body()["errors"] == [
        {
            "code": "insufficient_scope",
            "message": "Not authorized",
            "validAuthorities": list(SCOPES),
        }
    ]


async def test_a_token_that_is_not_active_is_refused_and_asked_about_again(
    guard: OAuth2Guard, authorization_server: AuthorizationServer
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await guard.authenticate(request("Bearer t"), SCOPES)
    assert refused.value.code == "invalid_token"
    authorization_server.tokens["t"] = Introspection(active=True, scope="manage_project:shop")
    await guard.authenticate(request("Bearer t"), SCOPES)


async def test_an_authorization_server_that_is_down_is_not_the_callers_fault(
    guard: OAuth2Guard, authorization_server: AuthorizationServer
) -> None:
    authorization_server.failure = BackendUnavailable("down")
    with pytest.raises(BackendUnavailable):
        await guard.authenticate(request("Bearer t"), SCOPES)


@pytest.mark.parametrize(("lifetime", "believed"), [(None, 30), (3600, 30), (7, 7)])
async def test_an_active_token_is_believed_briefly_and_never_beyond_its_expiry(
    guard: OAuth2Guard,
    authorization_server: AuthorizationServer,
    clock: FakeClock,
    lifetime: int | None,
    believed: int,
) -> None:
    exp = None if lifetime is None else int(clock.time()) + lifetime
    authorization_server.tokens["t"] = Introspection(
        active=True, scope="manage_project:shop", exp=exp
    )
    await guard.authenticate(request("Bearer t"), SCOPES)
    del authorization_server.tokens["t"]
    clock.advance(believed - 0.5)
    await guard.authenticate(request("Bearer t"), SCOPES)
    clock.advance(0.5)
    with pytest.raises(Unauthenticated):
        await guard.authenticate(request("Bearer t"), SCOPES)


async def test_requests_at_once_share_one_introspection(
    guard: OAuth2Guard, authorization_server: AuthorizationServer
) -> None:
    authorization_server.tokens["t"] = Introspection(active=True, scope="manage_project:shop")
    await asyncio.gather(*(guard.authenticate(request("Bearer t"), SCOPES) for _ in range(5)))
    assert authorization_server.reads == 1
