"""Who gets in with a session, and what is remembered of it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import Request

from stripe_connector import context
from stripe_connector.errors import (
    BackendError,
    BackendUnavailable,
    Conflict,
    ConnectorError,
    Unauthenticated,
)
from stripe_connector.http.auth import Failures, SessionGuard
from tests.fakes import FakeClock

from .conftest import SessionService


def request(session_id: str | None = None, query: str = "") -> Request:
    headers = [] if session_id is None else [(b"x-session-id", session_id.encode())]
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


@pytest.fixture
def guard(session_service: SessionService, clock: FakeClock) -> SessionGuard:
    return SessionGuard(
        session_service, clock, Failures(0, clock, trusted_proxies=0), keep_s=10, capacity=3
    )


async def test_an_active_session_names_its_cart(
    guard: SessionGuard, session_service: SessionService
) -> None:
    session_service.add("s1", cart_id="cart-9")
    principal = await guard.authenticate(request("s1"))
    assert (principal.session_id, principal.cart_id) == ("s1", "cart-9")


async def test_without_a_header_the_session_service_is_not_asked(
    guard: SessionGuard, session_service: SessionService
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await guard.authenticate(request())
    assert refused.value.code == "access_denied"
    assert session_service.reads == 0


@pytest.mark.parametrize("session_id", ["", "a/b", "../carts", "a b", "x" * 129, "s1?y=1"])
async def test_an_id_that_cannot_be_one_is_refused_without_asking(
    guard: SessionGuard, session_service: SessionService, session_id: str
) -> None:
    with pytest.raises(Unauthenticated):
        await guard.authenticate(request(session_id))
    assert session_service.reads == 0


@pytest.mark.parametrize(
    ("state", "cart_id"), [("EXPIRED", "cart-1"), ("COMPLETED", "cart-1"), ("ACTIVE", None)]
)
async def test_a_session_that_is_over_or_has_no_cart_is_not_active(
    guard: SessionGuard, session_service: SessionService, state: str, cart_id: str | None
) -> None:
    session_service.add("s1", state=state, cart_id=cart_id)
    with pytest.raises(Unauthenticated, match=r"^Session is not active$") as refused:
        await guard.authenticate(request("s1"))
    assert refused.value.code == "invalid_token"


async def test_an_unknown_session_is_not_active(guard: SessionGuard) -> None:
    with pytest.raises(Unauthenticated, match=r"^Session is not active$"):
        await guard.authenticate(request("unknown"))


@pytest.mark.parametrize("failure", [BackendError("scope"), BackendUnavailable("down")])
async def test_a_failing_session_service_is_not_the_shoppers_fault(
    guard: SessionGuard, session_service: SessionService, failure: ConnectorError
) -> None:
    session_service.failure = failure
    with pytest.raises(type(failure)):
        await guard.authenticate(request("s1"))


async def test_a_session_in_the_address_does_not_count(
    guard: SessionGuard, session_service: SessionService
) -> None:
    session_service.add("s1")
    with pytest.raises(Unauthenticated):
        await guard.authenticate(request(query="ctsid=s1"))


async def test_a_session_is_remembered_for_a_moment(
    guard: SessionGuard, session_service: SessionService, clock: FakeClock
) -> None:
    session_service.add("s1")
    await guard.authenticate(request("s1"))
    clock.advance(9.9)
    await guard.authenticate(request("s1"))
    assert session_service.reads == 1
    clock.advance(0.2)
    await guard.authenticate(request("s1"))
    assert session_service.reads == 2


async def test_a_session_is_not_remembered_beyond_its_expiry(
    guard: SessionGuard, session_service: SessionService, clock: FakeClock
) -> None:
    expiry = datetime.fromtimestamp(clock.time(), UTC) + timedelta(seconds=3)
    session_service.add("s1", expiry_at=expiry.isoformat().replace("+00:00", "Z"))
    await guard.authenticate(request("s1"))
    clock.advance(4)
    session_service.add("s1", state="EXPIRED")
    with pytest.raises(Unauthenticated):
        await guard.authenticate(request("s1"))


async def test_a_session_whose_expiry_cannot_be_read_is_not_remembered(
    guard: SessionGuard, session_service: SessionService
) -> None:
    session_service.add("s1", expiry_at="soon")
    await guard.authenticate(request("s1"))
    await guard.authenticate(request("s1"))
    assert session_service.reads == 2


async def test_a_refusal_is_not_remembered(
    guard: SessionGuard, session_service: SessionService
) -> None:
    with pytest.raises(Unauthenticated):
        await guard.authenticate(request("s1"))
    session_service.add("s1")
    await guard.authenticate(request("s1"))


async def test_requests_at_once_share_one_read(
    guard: SessionGuard, session_service: SessionService
) -> None:
    session_service.add("s1")
    principals = await asyncio.gather(*(guard.authenticate(request("s1")) for _ in range(5)))
    assert session_service.reads == 1
    assert {principal.cart_id for principal in principals} == {"cart-1"}
    assert sum(principal.fresh is not None for principal in principals) == 1


async def test_a_just_read_session_is_fresh_enough(
    guard: SessionGuard, session_service: SessionService
) -> None:
    session_service.add("s1")
    session = await guard.fresh(await guard.authenticate(request("s1")))
    assert session.id == "s1"
    assert session_service.reads == 1


async def test_a_remembered_session_is_read_again_where_money_is_computed(
    guard: SessionGuard, session_service: SessionService
) -> None:
    session_service.add("s1")
    await guard.authenticate(request("s1"))
    principal = await guard.authenticate(request("s1"))
    session_service.add("s1", correlation_id="changed-meanwhile")
    session = await guard.fresh(principal)
    assert session.metadata.correlation_id == "changed-meanwhile"


async def test_a_session_that_has_ended_meanwhile_is_forgotten(
    guard: SessionGuard, session_service: SessionService
) -> None:
    session_service.add("s1")
    await guard.authenticate(request("s1"))
    principal = await guard.authenticate(request("s1"))
    session_service.add("s1", state="COMPLETED")
    with pytest.raises(Unauthenticated):
        await guard.fresh(principal)
    with pytest.raises(Unauthenticated):
        await guard.authenticate(request("s1"))


async def test_a_session_that_moved_to_another_cart_is_a_conflict_once(
    guard: SessionGuard, session_service: SessionService
) -> None:
    session_service.add("s1", cart_id="cart-1")
    await guard.authenticate(request("s1"))
    principal = await guard.authenticate(request("s1"))
    session_service.add("s1", cart_id="cart-2")
    with pytest.raises(Conflict):
        await guard.fresh(principal)
    again = await guard.authenticate(request("s1"))
    assert (await guard.fresh(again)).cart_id == "cart-2"


@pytest.mark.parametrize(
    ("theirs", "expected"), [("checkout-77", "checkout-77"), ("evil\r\nid", "ours"), (None, "ours")]
)
async def test_the_sessions_correlation_id_replaces_ours_if_it_is_well_formed(
    guard: SessionGuard, session_service: SessionService, theirs: str | None, expected: str
) -> None:
    session_service.add("s1", correlation_id=theirs)
    for _ in range(2):
        token = context.current.set(context.RequestContext(correlation_id="ours"))
        await guard.authenticate(request("s1"))
        assert context.correlation_id() == expected
        context.current.reset(token)
