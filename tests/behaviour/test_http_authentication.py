"""Who is let in where: every route of the table against every kind of credential."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.commercetools.auth import ApiClient
from sandbox.stripe.webhooks import signed
from stripe_connector.app import wire
from stripe_connector.gateways.outgoing import Outgoing
from stripe_connector.http.auth import (
    Auth,
    JwtAuth,
    MetricsAuth,
    OAuth2Auth,
    Open,
    OriginAuth,
    ProxyAuth,
    SessionAuth,
    StripeAuth,
)
from stripe_connector.http.health_routes import Readiness
from stripe_connector.observability.telemetry import create_telemetry
from stripe_connector.settings import load_settings
from tests.fakes import FakeClock
from tests.wire import Network, Trouble, Wire
from tests.world import ENVIRONMENT, ISSUER, ORIGIN, PROJECT, SECRET, World

_FOREIGN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
Headers = Mapping[str, str]
Route = tuple[str, str]

MODIFICATIONS = OAuth2Auth(any_of=("manage_project", "manage_checkout_payment_intents"))

EXPECTED: dict[Route, Auth[object]] = {
    ("GET", "/operations/config"): SessionAuth(),
    ("POST", "/express-config"): OriginAuth(),
    ("GET", "/operations/payment-components"): JwtAuth(),
    ("POST", "/operations/payment-intents/{id}"): MODIFICATIONS,
    ("POST", "/operations/transactions"): OAuth2Auth(
        any_of=("manage_project", "manage_checkout_transactions")
    ),
    ("GET", "/operations/status"): JwtAuth(),
    ("GET", "/config-element/{component}"): SessionAuth(),
    ("GET", "/get-config-element/{component}"): SessionAuth(),
    ("GET", "/express-payment-data"): SessionAuth(),
    ("GET", "/customer/session"): SessionAuth(),
    ("GET", "/payments"): SessionAuth(),
    ("POST", "/payments"): SessionAuth(),
    ("POST", "/confirmPayments/{id}"): SessionAuth(),
    ("GET", "/stored-payment-methods"): SessionAuth(),
    ("DELETE", "/stored-payment-methods/{id}"): SessionAuth(),
    ("GET", "/applePayConfig"): Open(),
    ("GET", "/api/v1/categories"): Open(),
    ("GET", "/api/v1/products"): Open(),
    ("GET", "/api/v1/products/{sku}"): Open(),
    ("POST", "/api/v1/carts"): Open(),
    ("GET", "/api/v1/carts/{id}"): Open(),
    ("PUT", "/api/v1/carts/{id}"): Open(),
    ("POST", "/api/v1/carts/{id}/order"): Open(),
    ("GET", "/api/v1/discount-codes"): Open(),
    ("GET", "/api/v1/orders/{id}"): Open(),
    ("PUT", "/api/v1/orders/{id}"): Open(),
    ("POST", "/api/v1/payments/sessions"): Open(),
    ("GET", "/api/v1/payment-links/{token}"): Open(),
    ("POST", "/operations/payment-links"): OAuth2Auth(
        any_of=("manage_project", "manage_checkout_payment_intents")
    ),
    ("POST", "/stripe/webhooks"): StripeAuth(),
    ("GET", "/health/live"): Open(),
    ("GET", "/health/ready"): Open(),
    ("GET", "/openapi.json"): Open(),
    ("GET", "/docs"): Open(),
}
"""Every route and who may call it. A new route belongs here before it is served."""

BUY_NOW_SHARED = {
    f"{path}{slash}"
    for path in (
        "/create-checkout-session",
        "/create-checkout-session/{resource_id}",
        "/v1/create-session",
        "/v1/session-status",
        "/config",
    )
    for slash in ("", "/")
}
BUY_NOW: dict[Route, Auth[object]] = {
    **{
        (method, path): Open()
        for path in BUY_NOW_SHARED
        if "checkout" in path
        for method in ("GET", "POST")
    },
    **{("POST", f"/v1/create-session{slash}"): Open() for slash in ("", "/")},
    **{
        ("GET", f"{path}{slash}"): Open()
        for path in ("/v1/session-status", "/config", "/success", "/canceled", "/cancel")
        for slash in ("", "/")
    },
    ("GET", "/"): Open(),
    ("GET", "/client/success.html"): Open(),
    ("GET", "/buy-now/buy_now.css"): Open(),
    **{
        ("POST", f"{path}{slash}"): StripeAuth()
        for path in ("/webhook", "/webhooks", "/webhook-checkout")
        for slash in ("", "/")
    },
}
"""What is served besides where buy-now is enabled."""

SHARED_WITH_BROWSERS = {
    "/operations/config",
    "/express-config",
    "/config-element/{component}",
    "/get-config-element/{component}",
    "/express-payment-data",
    "/customer/session",
    "/payments",
    "/confirmPayments/{id}",
    "/stored-payment-methods",
    "/stored-payment-methods/{id}",
    "/applePayConfig",
    "/api/v1/categories",
    "/api/v1/products",
    "/api/v1/products/{sku}",
    "/api/v1/carts",
    "/api/v1/carts/{id}",
    "/api/v1/carts/{id}/order",
    "/api/v1/discount-codes",
    "/api/v1/orders/{id}",
    "/api/v1/payment-links/{token}",
    "/api/v1/payments/sessions",
}
"""Paths that a storefront's page calls from another origin."""


METRICS: dict[Route, Auth[object]] = {("GET", "/metrics"): MetricsAuth()}
PROXY: dict[Route, Auth[object]] = {("GET", "/operations/proxy"): ProxyAuth()}
"""What is served besides where there is a token or secret for it."""


def routes(kind: type[object]) -> pytest.MarkDecorator:
    """Parametrize over the routes with one kind of authentication."""
    chosen = [route for route, auth in EXPECTED.items() if isinstance(auth, kind)]
    return pytest.mark.parametrize("route", chosen, ids=" ".join)


def needs(route: Route) -> bool:
    """Whether a route asks for a credential at all."""
    return not isinstance(EXPECTED[route], Open)


all_routes = pytest.mark.parametrize("route", list(EXPECTED), ids=" ".join)


def filled(path: str) -> str:
    return path.format(
        id="b5f5a0d2-5c3e-4b77-9d55-7f1a4c1f2a01",
        component="payment",
        sku="brass-pen-1",
        token="nonsense",
    )


async def ask(
    world: World, route: Route, headers: Headers, content: bytes | None = None
) -> httpx.Response:
    method, path = route
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    return await world.client.request(method, filled(path), headers=raw, content=content)


def assert_refused(answer: httpx.Response, status: int) -> None:
    """The documented status, in commercetools' shape, for OAuth where it is about the caller."""
    body = answer.json()
    assert answer.status_code == body["statusCode"] == status, answer.text
    [error] = body["errors"]
    assert body["message"] == error["message"]
    assert error["code"]
    if status in (401, 403):
        assert (body["error"], body["error_description"]) == (error["code"], error["message"])
    assert answer.headers["content-type"] == "application/json"


async def open_session(world: World) -> dict[str, str]:
    cart = await world.cart()
    return dict(await world.session(cart["id"]))


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("buy_now", [False, True])
def test_every_route_has_a_declared_expectation_and_nothing_else_is_served(
    buy_now: bool, watched: bool
) -> None:
    outgoing = Outgoing(httpx.AsyncClient(transport=Wire(Network({}))), FakeClock())
    switched_on = {
        "BUY_NOW_ENABLED": "true",
        "BUY_NOW_URL": "https://pay.example.com",
        "BUY_NOW_COOKIE_SECRET": "x" * 32,
    }
    environment = {**ENVIRONMENT, **(switched_on if buy_now else {})}
    secrets = {"METRICS_TOKEN": "x" * 32, "PROXY_SECRET": "y" * 32}
    settings = load_settings(environment | (secrets if watched else {}))
    telemetry = create_telemetry(settings, outgoing.clock, in_progress=lambda: 0)
    _, table = wire(settings, outgoing, Readiness(), telemetry)
    declared = {
        (method, endpoint.path): endpoint.auth for endpoint in table for method in endpoint.methods
    }
    assert declared == EXPECTED | (BUY_NOW if buy_now else {}) | (
        METRICS | PROXY if watched else {}
    )
    shared = SHARED_WITH_BROWSERS | (BUY_NOW_SHARED if buy_now else set())
    assert {endpoint.path for endpoint in table if endpoint.cors} == shared
    assert [endpoint.path for endpoint in table if endpoint.operation is None] == []


# Nobody


@all_routes
async def test_a_stranger_is_refused_without_a_backend_call(route: Route) -> None:
    """Except by the storefront's routes, which are made for strangers."""
    world = World()
    answer = await ask(world, route, {}, b"{ not json")
    match EXPECTED[route]:
        case SessionAuth() | OAuth2Auth() | JwtAuth():
            assert_refused(answer, 401)
            assert answer.json()["error"] == "access_denied"
        case OriginAuth():
            assert_refused(answer, 403)
        case StripeAuth():
            assert_refused(answer, 400)
        case _ if route[1].startswith("/api/v1/"):
            assert answer.status_code not in (401, 403)
            return
        case _:
            assert answer.status_code in (200, 404)
    assert world.network.calls == []


@pytest.mark.parametrize("route", sorted(route for route in EXPECTED if needs(route)), ids=" ".join)
async def test_no_credential_opens_a_route_of_another_kind(route: Route) -> None:
    world = World()
    credentials: list[tuple[type[object], Headers]] = [
        (SessionAuth, await open_session(world)),
        (OAuth2Auth, await world.checkout()),
        (JwtAuth, await world.merchant_center()),
        (OriginAuth, {"Origin": ORIGIN}),
        (StripeAuth, {"Stripe-Signature": "t=1790000000,v1=00"}),
    ]
    refusals: dict[type[object], int] = {OriginAuth: 403, StripeAuth: 400}
    status = refusals.get(type(EXPECTED[route]), 401)
    for kind, headers in credentials:
        if not isinstance(EXPECTED[route], kind):
            assert_refused(await ask(world, route, headers), status)


# Sessions


@routes(SessionAuth)
@pytest.mark.parametrize(
    "session_id",
    ["", " ", "a b", "../carts/1", "a" * 129, "%2e%2e", "a/b", "a?b=c", "'; --", "\xfc"],
)
async def test_a_malformed_session_id_costs_no_backend_call(route: Route, session_id: str) -> None:
    world = World()
    answer = await ask(world, route, {"x-session-id": session_id})
    assert_refused(answer, 401)
    assert answer.json()["message"] == "Session is not active"
    assert world.network.calls == []


@routes(SessionAuth)
async def test_an_unknown_session_is_refused(route: Route) -> None:
    world = World()
    answer = await ask(world, route, {"x-session-id": "6c4fe2d0-0000-4000-8000-000000000000"})
    assert_refused(answer, 401)
    assert answer.json()["message"] == "Session is not active"
    assert answer.json()["error"] == "invalid_token"


@routes(SessionAuth)
async def test_an_expired_session_is_refused_even_if_it_was_just_known(route: Route) -> None:
    world = World()
    session = await open_session(world)
    world.clock.advance(3595)
    assert (await world.client.get("/operations/config", headers=session)).status_code == 200
    world.clock.advance(6)
    assert_refused(await ask(world, route, session), 401)


@routes(SessionAuth)
async def test_a_session_without_a_cart_is_refused(route: Route) -> None:
    world = World()
    session = await open_session(world)
    stored = world.store.collection("session").get(session["x-session-id"])
    assert stored is not None
    world.store.replace("session", {k: v for k, v in stored.items() if k != "activeCart"})
    assert_refused(await ask(world, route, session), 401)


@routes(SessionAuth)
async def test_the_query_parameter_is_no_session_where_no_redirect_lands(route: Route) -> None:
    world = World()
    session = await open_session(world)
    method, path = route
    answer = await world.client.request(
        method, filled(path), params={"ctsid": session["x-session-id"]}
    )
    assert_refused(answer, 401)
    assert world.network.calls == []


@routes(SessionAuth)
@pytest.mark.parametrize("trouble", ["refused", "lost", "error before", "busy"])
async def test_a_session_service_that_is_down_is_no_reason_to_call_the_session_dead(
    route: Route, trouble: Trouble
) -> None:
    world = World()
    session = await open_session(world)
    world.network.trouble = lambda call: trouble if "/sessions/" in call.path else None
    answer = await ask(world, route, session)
    assert_refused(answer, 503)
    assert "sessions" not in answer.text
    world.network.trouble = lambda _: None
    assert (await ask(world, route, session)).status_code not in (401, 503)


@routes(SessionAuth)
async def test_a_session_service_that_refuses_the_connector_is_a_502(route: Route) -> None:
    world = World({"CTP_CLIENT_SECRET": "wrong"})
    session = await open_session(world)
    answer = await ask(world, route, session)
    assert_refused(answer, 502)
    assert answer.headers["X-Correlation-ID"]


@routes(SessionAuth)
async def test_an_active_session_is_let_in(route: Route) -> None:
    world = World()
    answer = await ask(world, route, await open_session(world))
    assert answer.status_code not in (401, 403)
    assert answer.status_code < 500


async def test_a_session_that_ends_is_refused_at_once_where_money_is_computed() -> None:
    world = World()
    session = await open_session(world)
    assert (await world.client.get("/operations/config", headers=session)).status_code == 200
    world.store.collection("session").remove(session["x-session-id"])
    assert_refused(await world.client.post("/payments", headers=session), 401)
    assert_refused(await world.client.get("/operations/config", headers=session), 401)
    assert len(world.stripe.intents) == 0


async def test_a_session_that_got_another_cart_is_never_charged_for_the_old_one() -> None:
    world = World()
    session = await open_session(world)
    other = await world.cart(7700)
    await world.client.get("/operations/config", headers=session)
    stored = world.store.collection("session").get(session["x-session-id"])
    assert stored is not None
    world.store.replace("session", {**stored, "activeCart": {"cartRef": {"id": other["id"]}}})
    assert_refused(await world.client.post("/payments", headers=session), 409)
    assert (await world.start(session))["cartId"] == other["id"]


# Machines


@routes(OAuth2Auth)
@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "invalid_request"),
        ("Bearer", "invalid_request"),
        ("Bearer ", "invalid_request"),
        ("bearer token", "invalid_request"),
        ("Bearer one two", "invalid_request"),
        ("Basic c2FuZGJveA==", "invalid_request"),
    ],
)
async def test_a_header_that_is_no_bearer_token_costs_no_backend_call(
    route: Route, header: str, code: str
) -> None:
    world = World()
    answer = await ask(world, route, {"Authorization": header})
    assert_refused(answer, 401)
    assert answer.json()["error"] == code
    assert world.network.calls == []


@routes(OAuth2Auth)
async def test_an_unknown_access_token_is_refused(route: Route) -> None:
    world = World()
    answer = await ask(world, route, {"Authorization": "Bearer made-up"})
    assert_refused(answer, 401)
    assert "made-up" not in answer.text


@routes(OAuth2Auth)
async def test_a_revoked_access_token_is_refused_as_soon_as_the_cache_forgets_it(
    route: Route,
) -> None:
    world = World()
    checkout = await world.checkout()
    assert (await ask(world, route, checkout)).status_code not in (401, 403)
    world.store.tokens.revoke(checkout["Authorization"].removeprefix("Bearer "))
    world.clock.advance(31)
    assert_refused(await ask(world, route, checkout), 401)


@routes(OAuth2Auth)
async def test_an_expired_access_token_is_refused_even_if_it_was_just_known(route: Route) -> None:
    world = World()
    checkout = await world.checkout()
    world.clock.advance(world.store.token_lifetime - 5)
    assert (await ask(world, route, checkout)).status_code not in (401, 403)
    world.clock.advance(6)
    assert_refused(await ask(world, route, checkout), 401)


def named(route: Route, scopes: tuple[str, ...]) -> tuple[str, ...]:
    """Scopes with the names that Checkout's own and another one have for a route."""
    auth = EXPECTED[route]
    assert isinstance(auth, OAuth2Auth)
    _, own = auth.any_of
    [another] = {"manage_checkout_payment_intents", "manage_checkout_transactions"} - {own}
    return tuple(
        scope.replace("<checkout's>", own).replace("<another>", another) for scope in scopes
    )


@routes(OAuth2Auth)
@pytest.mark.parametrize(
    "scopes",
    [
        (),
        ("manage_project:other",),
        ("<checkout's>:other",),
        (f"<checkout's>:{PROJECT}-2",),
        (f"<another>:{PROJECT}", f"manage_payments:{PROJECT}"),
        ("manage_project",),
        (f"view_project:{PROJECT}", f"customer_id:{PROJECT}"),
    ],
    ids=str,
)
async def test_a_token_without_the_scope_for_this_project_is_forbidden(
    route: Route, scopes: tuple[str, ...]
) -> None:
    world = World()
    token = world.store.tokens.grant(
        ApiClient("other", "secret", named(route, scopes)), {"grant_type": "client_credentials"}
    )
    answer = await ask(world, route, {"Authorization": f"Bearer {token['access_token']}"})
    assert_refused(answer, 403)
    auth = EXPECTED[route]
    assert isinstance(auth, OAuth2Auth)
    assert answer.json()["errors"][0]["validAuthorities"] == list(auth.any_of)


@routes(OAuth2Auth)
@pytest.mark.parametrize(
    "scopes",
    [
        (f"manage_project:{PROJECT}",),
        (f"<checkout's>:{PROJECT}",),
        (f"<checkout's>:{PROJECT}", "customer_id:9d", "in_store:paris"),
    ],
    ids=str,
)
async def test_a_token_with_the_scope_is_let_in_whatever_else_it_grants(
    route: Route, scopes: tuple[str, ...]
) -> None:
    world = World()
    token = world.store.tokens.grant(
        ApiClient("other", "secret", named(route, scopes)), {"grant_type": "client_credentials"}
    )
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    answer = await ask(world, route, headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "RequiredField"


@routes(OAuth2Auth)
@pytest.mark.parametrize("trouble", ["refused", "lost", "error before", "busy"])
async def test_an_authorization_server_that_is_down_is_a_503(
    route: Route, trouble: Trouble
) -> None:
    world = World()
    checkout = await world.checkout()
    world.network.trouble = lambda call: trouble if "introspect" in call.path else None
    assert_refused(await ask(world, route, checkout), 503)


@routes(OAuth2Auth)
async def test_an_authorization_server_that_refuses_the_connector_is_a_502(route: Route) -> None:
    world = World({"CTP_CLIENT_SECRET": "wrong"})
    assert_refused(await ask(world, route, await world.checkout()), 502)


# Merchant Center


@routes(JwtAuth)
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://mc-api.evil"},
        {"iss": f"{ISSUER}/"},
        {"iss": ""},
        {f"{ISSUER}/claims/project_key": "other"},
        {f"{ISSUER}/claims/project_key": None},
        {f"{ISSUER}/claims/project_key": [PROJECT]},
        {"expiresIn": -31},
        {"exp": None},
        {"exp": "never"},
        {"exp": True},
        {"nbf": 1_890_000_000},
    ],
    ids=str,
)
async def test_a_token_for_somebody_else_or_another_time_is_refused(
    route: Route, claims: dict[str, object]
) -> None:
    world = World()
    assert_refused(await ask(world, route, await world.merchant_center(**claims)), 401)


@routes(JwtAuth)
async def test_a_token_is_refused_once_it_has_expired(route: Route) -> None:
    world = World()
    headers = await world.merchant_center()
    assert (await ask(world, route, headers)).status_code == 200
    world.clock.advance(3631)
    assert_refused(await ask(world, route, headers), 401)


@routes(JwtAuth)
@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "RS512"])
async def test_a_forged_token_is_refused(route: Route, algorithm: str) -> None:
    world = World()
    genuine = (await world.merchant_center())["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(genuine, options={"verify_signature": False})
    kid = jwt.get_unverified_header(genuine)["kid"]
    key: object = {"none": None, "HS256": "0123456789abcdef0123456789abcdef"}.get(
        algorithm, _FOREIGN_KEY
    )
    forged = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})  # type: ignore[arg-type]
    assert_refused(await ask(world, route, {"Authorization": f"Bearer {forged}"}), 401)


@routes(JwtAuth)
@pytest.mark.parametrize(
    "token", ["x", "a.b", "a.b.c", "..", "e30.e30.", "e30.e30.AAAA", "\u00fc.b.c", "a" * 10_000]
)
async def test_garbage_is_no_token(route: Route, token: str) -> None:
    world = World()
    assert_refused(await ask(world, route, {"Authorization": f"Bearer {token}"}), 401)


@routes(JwtAuth)
async def test_a_tampered_token_is_refused(route: Route) -> None:
    world = World()
    head, payload, signature = (await world.merchant_center())["Authorization"].split(".")
    swapped = (await world.merchant_center(sub="somebody else"))["Authorization"].split(".")[1]
    assert payload != swapped
    headers = {"Authorization": f"{head}.{swapped}.{signature}"}
    assert_refused(await ask(world, route, headers), 401)


@routes(JwtAuth)
async def test_a_key_server_that_is_down_is_a_503_until_it_was_read_once(route: Route) -> None:
    world = World()
    headers = await world.merchant_center()
    world.network.trouble = lambda call: "refused" if call.backend == "jwt" else None
    assert_refused(await ask(world, route, headers), 503)
    world.network.trouble = lambda _: None
    world.clock.advance(60)
    assert (await ask(world, route, headers)).status_code == 200
    world.clock.advance(1200)
    world.network.trouble = lambda call: "refused" if call.backend == "jwt" else None
    assert (await ask(world, route, headers)).status_code == 200


# Pages of a storefront


@routes(OriginAuth)
@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "*",
        "http://localhost",
        f"{ORIGIN}/",
        "http://localhost:30000",
        "https://localhost:3000",
        "http://LOCALHOST:3000",
        f"{ORIGIN}, http://evil.example",
    ],
)
async def test_any_other_origin_is_forbidden(route: Route, origin: str) -> None:
    world = World()
    answer = await ask(world, route, {"Origin": origin})
    assert_refused(answer, 403)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert world.network.calls == []


@routes(OriginAuth)
async def test_the_storefronts_origin_is_let_in(route: Route) -> None:
    answer = await ask(World(), route, {"Origin": ORIGIN})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


# Stripe


@routes(StripeAuth)
@pytest.mark.parametrize("shift", [-301, 301])
async def test_a_signature_of_another_time_is_refused(route: Route, shift: int) -> None:
    world = World()
    body, signature = signed({"id": "evt_1"}, SECRET, int(world.clock.time()) + shift)
    answer = await ask(world, route, {"Stripe-Signature": signature}, body)
    assert_refused(answer, 400)
    assert answer.json()["errors"][0]["code"] == "StaleSignature"
    assert world.network.calls == []


@routes(StripeAuth)
@pytest.mark.parametrize(
    "header", ["", "t=,v1=", "t=x,v1=y", "v1=00", "t=1790000000", "\xfc", "t=1790000000,v0=00"]
)
async def test_a_malformed_signature_is_refused(route: Route, header: str) -> None:
    world = World()
    answer = await ask(world, route, {"Stripe-Signature": header}, b"{}")
    assert_refused(answer, 400)
    assert world.network.calls == []


@routes(StripeAuth)
async def test_a_signature_of_another_secret_or_other_bytes_is_refused(route: Route) -> None:
    world = World()
    now = int(world.clock.time())
    body, forged = signed({"id": "evt_1"}, "whsec_other", now)
    assert_refused(await ask(world, route, {"Stripe-Signature": forged}, body), 400)
    body, genuine = signed({"id": "evt_1"}, SECRET, now)
    assert_refused(await ask(world, route, {"Stripe-Signature": genuine}, body + b" "), 400)


@routes(StripeAuth)
async def test_without_a_secret_every_delivery_is_put_off(route: Route) -> None:
    world = World({"STRIPE_WEBHOOK_SIGNING_SECRET": ""})
    body, signature = signed({"id": "evt_1"}, "", int(world.clock.time()))
    assert_refused(await ask(world, route, {"Stripe-Signature": signature}, body), 503)


@routes(StripeAuth)
async def test_both_secrets_of_an_exchange_are_accepted(route: Route) -> None:
    world = World({"STRIPE_WEBHOOK_SIGNING_SECRET": f"whsec_new,{SECRET}"})
    event = {
        "id": "evt_1",
        "type": "customer.created",
        "created": int(world.clock.time()),
        "data": {"object": {}},
    }
    for secret in ("whsec_new", SECRET):
        body, signature = signed(event, secret, int(world.clock.time()))
        answer = await ask(world, route, {"Stripe-Signature": signature}, body)
        assert answer.status_code == 200
