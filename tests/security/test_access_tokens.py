"""Somebody with an access token that is stolen, mangled, of another project, or none at all."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from starlette.requests import Request

from stripe_connector.errors import Forbidden, Unauthenticated
from stripe_connector.gateways.commercetools.models import Introspection
from stripe_connector.http.auth import Failures, OAuth2Guard
from stripe_connector.http.auth.bearer import LONGEST
from tests.fakes import FakeClock
from tests.world import World

SCOPES = ("manage_project", "manage_checkout_payment_intents")
Lines = list[tuple[str, str]]
UNLIMITED = Failures(0, FakeClock(), trusted_proxies=0)


def one(form: str) -> Callable[[str], Lines]:
    """One Authorization header, in which T stands for the good token."""
    return lambda token: [("Authorization", form.replace("T", token))]


MANGLED: dict[str, tuple[Callable[[str], Lines], int]] = {
    # What has not the form of a bearer token goes nowhere.
    "lower case": (one("bearer T"), 401),
    "upper case": (one("BEARER T"), 401),
    "tab": (one("Bearer\tT"), 401),
    "two spaces": (one("Bearer  T"), 401),
    "tab behind": (one("Bearer T\t"), 401),
    "space behind": (one("Bearer T "), 401),
    "line break behind": (one("Bearer T\n"), 401),
    "comma": (one("Bearer zzz,Bearer T"), 401),
    "form": (one("Bearer zzz&token=T"), 401),
    "nothing": (lambda _: [], 401),
    "empty": (one(""), 401),
    "only the scheme": (one("Bearer "), 401),
    "basic": (one("Basic c2FuZGJveC1jaGVja291dDpzZWNyZXQ="), 401),
    "escaped line break": (one("Bearer T%0a"), 401),
    "quoted": (one('Bearer "T"'), 401),
    "not ASCII": (one("Bearer Té"), 401),
    "NUL": (one("Bearer T\0"), 401),
    "another header": (lambda token: [("X-Authorization", f"Bearer {token}")], 401),
    "too long": (lambda _: [("Authorization", f"Bearer {'a' * (LONGEST + 1)}")], 401),
    "60 kB": (lambda _: [("Authorization", f"Bearer {'a' * 60_000}")], 401),
    "8 MB": (lambda _: [("Authorization", f"Bearer {'a' * 8_000_000}")], 401),
    # Of two headers neither is believed.
    "twice the same": (lambda token: [("Authorization", f"Bearer {token}")] * 2, 400),
    "wrong and right": (
        lambda token: [("Authorization", "Bearer zzz"), ("Authorization", f"Bearer {token}")],
        400,
    ),
    "right and wrong": (
        lambda token: [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer zzz")],
        400,
    ),
}
UNKNOWN: dict[str, Callable[[str], str]] = {
    "another character": lambda token: f"A{token[1:]}",
    "without its end": lambda token: token[:-1],
    "with more": lambda token: f"{token}x",
    "padded": lambda token: f"{token}=",
    "as long as may be": lambda _: "a" * LONGEST,
    "a path": lambda _: "../../x",
}


async def ask(world: World, lines: Lines, query: str = "") -> tuple[int, int]:
    """The status, and how many calls the backends got for it."""
    world.network.calls.clear()
    answer = await world.client.post(
        f"/operations/payment-intents/{uuid.uuid4()}{query}",
        headers=[(name.encode(), value.encode("latin-1")) for name, value in lines],
        json={"actions": [{"action": "cancelPayment"}]},
    )
    return answer.status_code, len(world.network.calls)


@pytest.mark.parametrize(("lines", "status"), MANGLED.values(), ids=MANGLED)
async def test_what_is_no_bearer_token_goes_to_no_backend(
    lines: Callable[[str], Lines], status: int
) -> None:
    world = World()
    token = await world.token("sandbox-checkout")
    assert await ask(world, lines(token)) == (status, 0)


async def test_a_token_in_the_address_is_none() -> None:
    world = World()
    token = await world.token("sandbox-checkout")
    assert await ask(world, [], f"?access_token={token}") == (401, 0)


@pytest.mark.parametrize("change", UNKNOWN.values(), ids=UNKNOWN)
async def test_an_unknown_token_costs_one_call(change: Callable[[str], str]) -> None:
    world = World()
    token = await world.token("sandbox-checkout")
    # The processor's own token is there already, as it is in all but the first second.
    assert (await ask(world, one("Bearer T")(token)))[0] == 404
    assert await ask(world, one(f"Bearer {change(token)}")(token)) == (401, 1)


async def test_a_good_token_without_the_scope_is_forbidden() -> None:
    world = World()
    token = await world.token("sandbox-storefront")
    assert (await ask(world, one("Bearer T")(token)))[0] == 403


SCOPED: list[tuple[str | None, bool]] = [
    ("manage_project:other", False),
    ("manage_project:sandbox2", False),
    ("manage_project:sand", False),
    ("manage_project", False),
    ("manage_project:", False),
    ("MANAGE_PROJECT:sandbox", False),
    ("manage_project:SANDBOX", False),
    ("xmanage_project:sandbox", False),
    ("manage_project:sandbox:store", False),
    ("manage_projects:sandbox", False),
    ("manage_project :sandbox", False),
    ("view_project_settings:sandbox manage_payments:sandbox", False),
    ("manage_checkout_payment_intents:other manage_project:other2", False),
    ("manage_project:sandbox,", False),
    ("manage_project:sandbox\0", False),
    ("manage_project:sandbox\xa0x", False),
    ("manage_project:other\u2028manage_project:sandbox", False),
    ("manage_project:other\tmanage_project:sandbox", False),
    ("manage_checkout_transactions:sandbox", False),
    ("", False),
    (None, False),
    ("a manage_project:sandbox", True),
    ("manage_checkout_payment_intents:sandbox", True),
]


class Server:
    """The authorization server, which answers always the same."""

    def __init__(self, answer: Introspection) -> None:
        self.answer = answer
        self.asked = 0

    async def introspect_token(self, _token: str) -> Introspection:
        self.asked += 1
        return self.answer


def active(scope: str | None, exp: int | None = None) -> Introspection:
    return Introspection(active=True, scope=scope, exp=exp)


def bearing(token: str = "t") -> Request:
    return Request({"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]})


async def passes(guard: OAuth2Guard, token: str = "t") -> bool:
    try:
        await guard.authenticate(bearing(token), SCOPES)
    except (Unauthenticated, Forbidden):
        return False
    return True


@pytest.mark.parametrize(("scope", "opens"), SCOPED, ids=lambda value: repr(value)[:60])
async def test_a_scope_counts_for_this_project_and_spelt_as_it_is(
    scope: str | None, opens: bool
) -> None:
    guard = OAuth2Guard(Server(active(scope)), FakeClock(), UNLIMITED, project_key="sandbox")
    assert await passes(guard) is opens


@pytest.mark.parametrize(("after", "opens"), [(0, True), (29, True), (30, False), (31, False)])
async def test_a_revoked_token_opens_for_half_a_minute_at_most(after: float, opens: bool) -> None:
    clock, server = FakeClock(), Server(active("manage_project:sandbox"))
    guard = OAuth2Guard(server, clock, UNLIMITED, project_key="sandbox")
    assert await passes(guard)
    server.answer = Introspection(active=False)
    clock.advance(after)
    assert await passes(guard) is opens


@pytest.mark.parametrize("left", [-5, 0, 5])
async def test_what_is_known_of_a_token_does_not_outlive_it(left: int) -> None:
    clock = FakeClock()
    server = Server(active("manage_project:sandbox", exp=int(clock.time()) + left))
    guard = OAuth2Guard(server, clock, UNLIMITED, project_key="sandbox")
    await passes(guard)
    server.answer = Introspection(active=False)
    clock.advance(max(left, 0))
    assert not await passes(guard)


async def test_tokens_are_remembered_by_their_hashes_alone() -> None:
    """A memory dump gives none away."""
    token, clock = "a-token-that-nobody-may-read", FakeClock()
    failures = Failures(5, clock, trusted_proxies=0)
    server = Server(active("manage_project:sandbox"))
    guard = OAuth2Guard(server, clock, failures, project_key="sandbox")
    assert await passes(guard, token)
    assert len(guard._cache) == 1
    assert len(failures._passed) == 1
    for kept in (*guard._cache._kept.items(), *failures._passed, *failures._asked):
        assert token not in repr(kept)


async def test_no_number_of_tokens_fills_the_memory() -> None:
    server = Server(active("x"))
    guard = OAuth2Guard(server, FakeClock(), UNLIMITED, project_key="sandbox", capacity=10)
    for number in range(50):
        assert not await passes(guard, f"t{number}")
    assert server.asked == 50
    assert len(guard._cache) == 10
