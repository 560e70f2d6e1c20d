"""What every request meets on its way: the table, authentication, limits, errors, headers, logs."""

import asyncio
import logging
import uuid
from typing import Any

import httpx
import pytest
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from stripe_connector import context
from stripe_connector.errors import (
    BackendError,
    BackendUnavailable,
    ConnectorError,
    InvalidRequest,
    NotFound,
    PaymentRefused,
    invalid_field,
)
from stripe_connector.gateways.commercetools.models import Introspection
from stripe_connector.http.auth import (
    Auth,
    JwtAuth,
    OAuth2Auth,
    Open,
    OriginAuth,
    SessionAuth,
    SessionPrincipal,
    SignedPayload,
    StripeAuth,
)
from stripe_connector.http.body import json_body
from stripe_connector.http.health_routes import Readiness
from stripe_connector.http.middleware import Answered
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import AnyEndpoint, Endpoint
from stripe_connector.single_flight import SingleFlight

from .conftest import STOREFRONT, AuthorizationServer, Serve, SessionService

OAUTH2 = OAuth2Auth(any_of=("manage_project", "manage_checkout_payment_intents"))


async def hello(_request: Request, _principal: object) -> Response:
    return json_response({"hello": "world"})


async def read_anything(request: Request, _principal: object) -> Response:
    return json_response(await json_body(request, dict[str, Any]))


def failing(error: Exception) -> Endpoint[None]:
    async def handler(_request: Request, _principal: None) -> Response:
        raise error

    return Endpoint(("GET",), "/fail", Open(), handler, cors=True)


TABLE: list[AnyEndpoint] = [
    Endpoint(("GET",), "/open", Open(), hello),
    Endpoint(("GET",), "/session", SessionAuth(), hello, cors=True),
    Endpoint(("POST",), "/payments/{id}", OAUTH2, read_anything),
    Endpoint(("GET",), "/jwt", JwtAuth(), hello),
    Endpoint(("POST",), "/webhooks", StripeAuth(), hello),
    Endpoint(("POST",), "/origin", OriginAuth(), hello, cors=True),
]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/open", 200),
        ("GET", "/session", 401),
        ("POST", "/payments/1", 401),
        ("GET", "/jwt", 401),
        ("POST", "/webhooks", 400),
        ("POST", "/origin", 403),
    ],
)
async def test_every_route_refuses_a_stranger_as_declared(
    serve: Serve, method: str, path: str, status: int
) -> None:
    async with serve(TABLE) as client:
        response = await client.request(method, path, content=b"malformed")
    assert response.status_code == status
    if status >= 400:
        assert response.json()["statusCode"] == status
        assert response.json()["errors"][0]["message"] == response.json()["message"]


async def test_an_authentication_error_speaks_oauth_too(serve: Serve) -> None:
    async with serve(TABLE) as client:
        response = await client.get("/session")
    message = "This endpoint requires the x-session-id header."
    assert response.json() == {
        "message": message,
        "statusCode": 401,
        "errors": [{"code": "access_denied", "message": message}],
        "error": "access_denied",
        "error_description": message,
    }


async def test_the_handler_gets_the_principal(
    serve: Serve, session_service: SessionService
) -> None:
    async def cart(_request: Request, principal: SessionPrincipal) -> Response:
        return json_response(principal.cart_id)

    session_service.add("s1", cart_id="cart-9")
    async with serve([Endpoint(("GET",), "/cart", SessionAuth(), cart)]) as client:
        response = await client.get("/cart", headers={"x-session-id": "s1"})
    assert response.json() == "cart-9"


async def test_a_client_without_the_scope_is_forbidden(
    serve: Serve, authorization_server: AuthorizationServer
) -> None:
    authorization_server.tokens["t"] = Introspection(active=True, scope="view_orders:shop")
    async with serve(TABLE) as client:
        response = await client.post("/payments/1", headers={"Authorization": "Bearer t"})
    assert response.status_code == 403
    assert response.json()["error"] == "insufficient_scope"


class TestWebhooks:
    @staticmethod
    def table(limit: int | None = None) -> list[AnyEndpoint]:
        async def echo(_request: Request, signed: SignedPayload) -> Response:
            return Response(signed.body)

        return [Endpoint(("POST",), "/webhooks", StripeAuth(), echo, body_limit=limit)]

    @pytest.mark.parametrize("secret", ["whsec_old", "whsec_new"])
    async def test_each_secret_counts_and_the_body_arrives_as_sent(
        self, serve: Serve, secret: str
    ) -> None:
        async with serve(self.table()) as client:
            response = await client.post(
                "/webhooks", content=b"{ }", headers={"Stripe-Signature": f"{secret}:3"}
            )
        assert (response.status_code, response.content) == (200, b"{ }")

    async def test_a_bad_signature_is_400_before_anything_is_parsed(self, serve: Serve) -> None:
        async with serve(self.table()) as client:
            response = await client.post(
                "/webhooks", content=b"{", headers={"Stripe-Signature": "whsec_evil:1"}
            )
        assert response.status_code == 400
        assert response.json()["errors"][0]["code"] == "InvalidSignature"

    async def test_a_body_over_the_endpoints_own_limit_is_413(self, serve: Serve) -> None:
        async with serve(self.table(limit=10)) as client:
            response = await client.post(
                "/webhooks", content=b"x" * 11, headers={"Stripe-Signature": "whsec_new:11"}
            )
        assert response.status_code == 413

    @pytest.mark.parametrize("webhook_secrets", [()])
    async def test_without_a_secret_stripe_is_told_to_come_again(self, serve: Serve) -> None:
        async with serve(self.table()) as client:
            response = await client.post("/webhooks", headers={"Stripe-Signature": ":0"})
        assert response.status_code == 503


class TestRouting:
    @pytest.mark.parametrize("path", ["/", "/nothing", "/open/", "/payments/1/2", "//open"])
    async def test_a_path_that_is_not_in_the_table_is_404(self, serve: Serve, path: str) -> None:
        async with serve(TABLE) as client:
            response = await client.get(path)
        assert response.status_code == 404
        assert response.json()["errors"][0]["code"] == "ResourceNotFound"

    async def test_another_method_is_405_and_told_which_are_allowed(self, serve: Serve) -> None:
        async with serve([*TABLE, Endpoint(("POST",), "/open", Open(), hello)]) as client:
            response = await client.delete("/open")
        assert response.status_code == 405
        assert response.json()["errors"][0]["code"] == "MethodNotAllowed"
        assert response.headers["Allow"] == "GET, HEAD, POST"

    async def test_options_is_among_the_methods_of_a_browser_route(self, serve: Serve) -> None:
        async with serve(TABLE) as client:
            assert (await client.put("/session")).headers["Allow"] == "GET, HEAD, OPTIONS"

    async def test_head_is_answered_where_get_is(self, serve: Serve) -> None:
        async with serve(TABLE) as client:
            assert (await client.head("/open")).status_code == 200
            assert (await client.head("/webhooks")).status_code == 405

    async def test_options_outside_browser_routes_is_405(self, serve: Serve) -> None:
        async with serve(TABLE) as client:
            assert (await client.options("/open")).status_code == 405

    async def test_a_row_twice_is_a_mistake_at_start(self, serve: Serve) -> None:
        with pytest.raises(ValueError, match="GET /open"):
            async with serve([*TABLE, Endpoint(("GET",), "/open", Open(), hello)]):
                pass


class TestBodies:
    headers = {"Authorization": "Bearer t"}  # noqa: RUF012  never changed

    @pytest.fixture(autouse=True)
    def a_good_token(self, authorization_server: AuthorizationServer) -> None:
        authorization_server.tokens["t"] = Introspection(active=True, scope="manage_project:shop")

    @pytest.mark.parametrize(
        ("content", "content_type", "status"),
        [
            (b"{}", "application/json", 200),
            (b"{", "application/json", 400),
            (b"{}", "text/plain", 415),
            (b"x" * 1_001, "application/json", 413),
        ],
    )
    async def test_a_body_is_judged_after_the_caller(
        self, serve: Serve, content: bytes, content_type: str, status: int
    ) -> None:
        headers = {"Content-Type": content_type}
        async with serve(TABLE) as client:
            stranger = await client.post("/payments/1", content=content, headers=headers)
            known = await client.post(
                "/payments/1", content=content, headers={**headers, **self.headers}
            )
        assert (stranger.status_code, known.status_code) == (401, status)


class TestErrors:
    @pytest.mark.parametrize(
        "error",
        [
            InvalidRequest("no"),
            invalid_field("amount", -1),
            PaymentRefused("declined", code="card_declined"),
            NotFound("gone"),
            BackendError("refused", detail="sk_live_in_detail"),
            BackendUnavailable("down", retry_after=7),
        ],
    )
    async def test_an_error_is_answered_in_its_own_shape(
        self, serve: Serve, error: ConnectorError
    ) -> None:
        async with serve([failing(error)]) as client:
            response = await client.get("/fail")
        assert response.status_code == error.status
        assert response.json() == error.body()
        assert response.headers.get("Retry-After") == (
            None if error.retry_after is None else str(error.retry_after)
        )

    async def test_an_unexpected_error_is_500_and_says_nothing(
        self, serve: Serve, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with serve([failing(RuntimeError("secret internals"))]) as client:
            response = await client.get("/fail")
        assert response.status_code == 500
        assert response.json() == {
            "message": "Internal server error.",
            "statusCode": 500,
            "errors": [{"code": "General", "message": "Internal server error."}],
        }
        assert "secret internals" in caplog.text

    @pytest.mark.parametrize(
        ("errors", "status"),
        [
            ([NotFound("a"), BackendUnavailable("b")], 503),
            ([BackendUnavailable("a"), KeyError("b")], 500),
            ([ExceptionGroup("inner", [NotFound("a")])], 404),
        ],
    )
    async def test_of_errors_in_parallel_the_gravest_is_answered(
        self, serve: Serve, errors: list[Exception], status: int
    ) -> None:
        async with serve([failing(ExceptionGroup("parallel", errors))]) as client:
            assert (await client.get("/fail")).status_code == status

    @pytest.mark.parametrize("shared", [False, True])
    async def test_the_line_of_a_504_names_the_backends_it_waited_for(
        self, serve: Serve, caplog: pytest.LogCaptureFixture, shared: bool
    ) -> None:
        flights: SingleFlight[str, None] = SingleFlight()

        async def ask() -> None:
            with context.waiting_for("commercetools"):
                await asyncio.sleep(0)  # answered
            with context.waiting_for("Stripe"):
                await asyncio.Event().wait()

        async def hang(_request: Request, _principal: None) -> Response:
            await (flights.do("key", ask) if shared else ask())
            return Response()

        table = [Endpoint(("GET",), "/hang", Open(), hang)]
        async with serve(table, deadline_s=0.05) as client:
            answers = await asyncio.gather(*(client.get("/hang") for _ in range(2)))
        assert [answer.status_code for answer in answers] == [504, 504]
        told = [r.__dict__["fields"] for r in caplog.records if "fields" in r.__dict__]
        assert [line["waitedFor"] for line in told] == [["Stripe"], ["Stripe"]]

    async def test_a_request_past_its_deadline_is_504(self, serve: Serve) -> None:
        async def hang(_request: Request, _principal: None) -> Response:
            await asyncio.Event().wait()
            return Response()

        table = [Endpoint(("GET",), "/hang", Open(), hang, cors=True)]
        async with serve(table, deadline_s=0) as client:
            response = await client.get("/hang", headers={"Origin": STOREFRONT})
        assert response.status_code == 504
        assert response.json()["errors"][0]["code"] == "DeadlineExceeded"
        assert response.headers["Access-Control-Allow-Origin"] == STOREFRONT

    async def test_a_timeout_inside_is_not_taken_for_the_deadline(self, serve: Serve) -> None:
        async with serve([failing(TimeoutError())]) as client:
            assert (await client.get("/fail")).status_code == 500

    async def test_a_client_that_left_is_no_error(
        self, serve: Serve, caplog: pytest.LogCaptureFixture, answered: list[Answered]
    ) -> None:
        # What Starlette raises from a body that its sender has abandoned.
        async with serve([failing(ClientDisconnect())]) as client:
            with pytest.raises(AssertionError):  # The transport misses the answer, as it should.
                await client.get("/fail")
        assert [each.status for each in answered] == [499]
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


class TestOverload:
    async def test_past_the_bound_requests_are_refused_but_probes_are_not(
        self, serve: Serve
    ) -> None:
        entered, leave = asyncio.Event(), asyncio.Event()

        async def slow(_request: Request, _principal: None) -> Response:
            entered.set()
            await leave.wait()
            return Response()

        table: list[AnyEndpoint] = [
            Endpoint(("GET",), "/slow", Open(), slow),
            Endpoint(("GET",), "/probe", Open(), hello, probe=True),
        ]
        async with serve(table, max_concurrent=1) as client:
            first = asyncio.create_task(client.get("/slow"))
            await entered.wait()
            refused, probe = await client.get("/slow"), await client.get("/probe")
            leave.set()
            assert (await first).status_code == 200
            assert (await client.get("/slow")).status_code == 200
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "1"
        assert probe.status_code == 200


class TestHeaders:
    @pytest.mark.parametrize("path", ["/open", "/session", "/nothing"])
    async def test_every_answer_is_safe_to_hand_to_a_browser(self, serve: Serve, path: str) -> None:
        async with serve(TABLE) as client:
            headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
        assert headers["Content-Security-Policy"] == (
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    async def test_a_handlers_own_caching_stays(self, serve: Serve) -> None:
        async def cached(_request: Request, _principal: None) -> Response:
            return json_response({}, headers={"Cache-Control": "max-age=60"})

        async with serve([Endpoint(("GET",), "/cached", Open(), cached)]) as client:
            assert (await client.get("/cached")).headers["Cache-Control"] == "max-age=60"

    @pytest.mark.parametrize("path", ["/open", "/session", "/nothing"])
    async def test_a_well_formed_correlation_id_comes_back(self, serve: Serve, path: str) -> None:
        async with serve(TABLE) as client:
            response = await client.get(path, headers={"X-Correlation-ID": "order-77/retry:1"})
        assert response.headers["X-Correlation-ID"] == "order-77/retry:1"

    @pytest.mark.parametrize("theirs", [None, "", "a b", "<script>", "x" * 257])
    async def test_otherwise_the_request_gets_a_new_one(
        self, serve: Serve, theirs: str | None
    ) -> None:
        headers = {} if theirs is None else {"X-Correlation-ID": theirs}
        async with serve(TABLE) as client:
            response = await client.get("/open", headers=headers)
        ours = response.headers["X-Correlation-ID"]
        assert str(uuid.UUID(ours)) == ours

    async def test_the_sessions_correlation_id_wins(
        self, serve: Serve, session_service: SessionService
    ) -> None:
        session_service.add("s1", correlation_id="checkout-1")
        async with serve(TABLE) as client:
            response = await client.get(
                "/session", headers={"x-session-id": "s1", "X-Correlation-ID": "mine"}
            )
        assert response.headers["X-Correlation-ID"] == "checkout-1"

    async def test_a_stopping_instance_closes_its_connections(
        self, serve: Serve, readiness: Readiness
    ) -> None:
        async with serve(TABLE) as client:
            assert "Connection" not in (await client.get("/open")).headers
            readiness.stop()
            assert (await client.get("/open")).headers["Connection"] == "close"


class TestCors:
    @staticmethod
    async def preflight(client: httpx.AsyncClient, path: str, origin: str) -> httpx.Response:
        return await client.options(
            path, headers={"Origin": origin, "Access-Control-Request-Method": "GET"}
        )

    async def test_a_preflight_is_answered_without_authentication(self, serve: Serve) -> None:
        async with serve(TABLE) as client:
            response = await self.preflight(client, "/session", STOREFRONT)
        assert response.status_code == 204
        assert response.headers["Access-Control-Allow-Origin"] == STOREFRONT
        assert response.headers["Access-Control-Allow-Methods"] == "GET"
        assert "Origin" in response.headers["Vary"]
        allowed = response.headers["Access-Control-Allow-Headers"].split(", ")
        assert {"X-Session-ID", "Content-Type", "x-express-checkout"} <= set(allowed)

    @pytest.mark.parametrize(
        "origin",
        ["https://evil.example.com", f"{STOREFRONT}.evil.com", f"{STOREFRONT}:444", "null"],
    )
    async def test_another_origin_gets_no_permission(self, serve: Serve, origin: str) -> None:
        async with serve(TABLE) as client:
            preflight = await self.preflight(client, "/session", origin)
            answer = await client.get("/session", headers={"Origin": origin})
        assert preflight.status_code == 403
        assert "Access-Control-Allow-Origin" not in preflight.headers
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Vary"] == "Origin"

    async def test_a_page_can_read_refusals_too(self, serve: Serve) -> None:
        async with serve([failing(RuntimeError())]) as client:
            response = await client.get("/fail", headers={"Origin": STOREFRONT})
        assert response.status_code == 500
        assert response.headers["Access-Control-Allow-Origin"] == STOREFRONT
        assert "X-Correlation-ID" in response.headers["Access-Control-Expose-Headers"]

    async def test_server_routes_have_no_cors(self, serve: Serve) -> None:
        async with serve(TABLE) as client:
            answer = await client.get("/open", headers={"Origin": STOREFRONT})
            preflight = await self.preflight(client, "/payments/1", STOREFRONT)
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert preflight.status_code == 405

    async def test_a_known_origin_opens_an_origin_route(self, serve: Serve) -> None:
        async with serve(TABLE) as client:
            response = await client.post("/origin", headers={"Origin": STOREFRONT})
        assert response.status_code == 200


class TestLog:
    class Line(Struct):
        level: int
        message: str
        fields: dict[str, Any]

    def lines(self, caplog: pytest.LogCaptureFixture) -> list[Line]:
        return [
            self.Line(record.levelno, record.getMessage(), getattr(record, "fields", {}))
            for record in caplog.records
            if record.name == "stripe_connector.http.middleware"
        ]

    async def test_a_request_is_one_line_with_its_template_and_notes(
        self, serve: Serve, caplog: pytest.LogCaptureFixture, answered: list[Answered]
    ) -> None:
        async def pay(_request: Request, _principal: None) -> Response:
            context.note(payment="pay-1", outcome="approved")
            return json_response({})

        caplog.set_level(logging.INFO)
        async with serve([Endpoint(("POST",), "/pay/{id}", Open(), pay)]) as client:
            await client.post("/pay/7?ctsid=credential")
        assert self.lines(caplog) == [
            self.Line(
                logging.INFO,
                "POST /pay/{id} 200",
                {
                    "method": "POST",
                    "route": "/pay/{id}",
                    "status": 200,
                    "outcome": "approved",
                    "durationMs": 0.0,
                    "payment": "pay-1",
                },
            )
        ]
        assert answered == [Answered("POST", "/pay/{id}", 200, 0.0)]

    @pytest.mark.parametrize(
        ("error", "level", "outcome"),
        [
            (NotFound("gone"), logging.INFO, "refused"),
            (BackendUnavailable("down"), logging.WARNING, "failed"),
            (BackendError("key refused"), logging.ERROR, "failed"),
            (RuntimeError("bug"), logging.ERROR, "failed"),
        ],
    )
    async def test_its_level_says_who_must_act(
        self,
        serve: Serve,
        caplog: pytest.LogCaptureFixture,
        error: Exception,
        level: int,
        outcome: str,
    ) -> None:
        caplog.set_level(logging.INFO)
        async with serve([failing(error)]) as client:
            await client.get("/fail")
        (line,) = self.lines(caplog)
        assert (line.level, line.fields["outcome"]) == (level, outcome)

    async def test_an_errors_detail_and_cause_are_logged_alone(
        self, serve: Serve, caplog: pytest.LogCaptureFixture
    ) -> None:
        error = BackendError("commercetools refused us.", detail="invalid_scope")
        error.__cause__ = ValueError("cause")
        async with serve([failing(error)]) as client:
            response = await client.get("/fail")
        (line,) = self.lines(caplog)
        assert line.fields["error"] == {
            "type": "BackendError",
            "code": "BackendError",
            "message": "commercetools refused us.",
            "detail": "invalid_scope",
            "cause": "ValueError: cause",
        }
        assert "invalid_scope" not in response.text

    async def test_what_a_caller_typed_is_not_logged(
        self, serve: Serve, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with serve([failing(invalid_field("name", "Jane Doe"))]) as client:
            await client.get("/fail")
        (line,) = self.lines(caplog)
        assert line.fields["error"] == {
            "type": "InvalidRequest",
            "code": "InvalidField",
            "field": "name",
        }

    async def test_unknown_paths_share_one_route_name(
        self, serve: Serve, answered: list[Answered]
    ) -> None:
        async with serve(TABLE) as client:
            await client.get("/a")
            await client.get("/b")
        assert {each.route for each in answered} == {"unknown"}

    async def test_probes_are_logged_only_when_debugging(
        self, serve: Serve, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        async with serve([Endpoint(("GET",), "/probe", Open(), hello, probe=True)]) as client:
            await client.get("/probe")
        (line,) = self.lines(caplog)
        assert line.level == logging.DEBUG


async def test_a_request_knows_its_deadline_and_leaves_no_context_behind(serve: Serve) -> None:
    seen: list[context.RequestContext | None] = []

    async def look(_request: Request, _principal: None) -> Response:
        seen.append(context.current.get())
        return Response()

    auth: Auth[None] = Open()
    async with serve([Endpoint(("GET",), "/look", auth, look)], deadline_s=30) as client:
        await client.get("/look")
    assert seen[0] is not None
    assert seen[0].deadline == 1_030.0
    assert context.current.get() is None
