"""Traces: a span per request and one per backend call, without anything private in them."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.types import ASGIApp, Message

from stripe_connector.app import create_app
from stripe_connector.logs import JsonFormatter
from stripe_connector.settings import load_settings
from tests.behaviour.steps import Once
from tests.collector import collector
from tests.wire import Wire
from tests.world import ENVIRONMENT, World, WorldClock

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Traced:
    """A processor of a world, and the spans that it has made."""

    def __init__(self, world: World) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        app = create_app(
            load_settings(world.environment),
            http=httpx.AsyncClient(transport=Wire(world.network)),
            clock=WorldClock(world.clock),
            tracer_provider=provider,
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://processor.test"
        )

    async def warm_up(self, world: World) -> list[str]:
        """A first request, which reads what is read once per process; names of its calls apart."""
        session = await world.session((await world.cart())["id"])
        answer = await self.client.post("/payments", headers=session)
        assert answer.status_code == 200, answer.text
        apart = [span.name for span in self.calls if span.parent is None]
        self._exporter.clear()
        return apart

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    @property
    def request(self) -> ReadableSpan:
        """The span of the only request."""
        [span] = [span for span in self.spans if span.kind == SpanKind.SERVER]
        return span

    @property
    def calls(self) -> list[ReadableSpan]:
        return [span for span in self.spans if span.kind == SpanKind.CLIENT]


async def test_the_span_of_a_request_says_which_route_and_payment_and_how_it_ended() -> None:
    world = World()
    traced = Traced(world)
    session = await world.session((await world.cart())["id"])
    answer = await traced.client.post(
        "/payments", headers={**session, "X-Correlation-ID": "shop-1", "traceparent": CALLER}
    )
    span = traced.request
    assert span.name == "POST /payments"
    assert span.status.status_code == StatusCode.UNSET
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/payments",
        "http.response.status_code": 200,
        "stripe_connector.correlation_id": "shop-1",
        "stripe_connector.payment_id": answer.json()["paymentReference"],
    }


async def test_it_continues_the_callers_trace_and_backend_calls_continue_it() -> None:
    world = World()
    traced = Traced(world)
    apart = await traced.warm_up(world)
    session = await world.session((await world.cart())["id"])
    await traced.client.post("/payments", headers={**session, "traceparent": CALLER})
    request = traced.request
    assert request.parent is not None
    assert request.context is not None
    assert f"{request.context.trace_id:032x}" in CALLER
    assert f"{request.parent.span_id:016x}" in CALLER
    below = [span.name for span in traced.calls if span.parent == request.context]
    assert sorted(below) == [
        "GET /{}/carts/{}",
        "GET /{}/sessions/{}",
        "POST /v1/payment_intents",
        "POST /{}/carts/{}",
        "POST /{}/payments",
        "POST /{}/payments/{}",
    ]
    # What is shared by all requests belongs to none of them.
    assert sorted(apart) == ["GET /v1/account", "GET /{}/custom-objects/{}/{}", "POST /oauth/token"]


@pytest.mark.parametrize("traceparent", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
async def test_what_is_no_trace_context_begins_a_trace_of_its_own(traceparent: str) -> None:
    traced = Traced(World())
    await traced.client.get("/operations/config", headers={"traceparent": traceparent})
    assert traced.request.parent is None
    assert traced.request.name == "GET /operations/config"
    assert (traced.request.attributes or {})["error.type"] == "access_denied"


async def test_tries_are_spans_of_their_own_and_failures_are_marked() -> None:
    world = World()
    traced = Traced(world)
    await traced.warm_up(world)
    session = await world.session((await world.cart())["id"])
    world.network.trouble = Once(0, "error before", "stripe")
    await traced.client.post("/payments", headers=session)
    first, second = (each for each in traced.calls if each.name == "POST /v1/payment_intents")
    assert first.status.status_code == StatusCode.ERROR
    assert (first.attributes or {})["http.response.status_code"] == 503
    assert second.status.status_code == StatusCode.UNSET
    assert (second.attributes or {})["http.request.resend_count"] == 1


async def test_a_request_that_fails_is_marked() -> None:
    world = World()
    traced = Traced(world)
    session = await world.session((await world.cart())["id"])
    world.network.trouble = lambda call: "refused" if call.backend == "commercetools" else None
    answer = await traced.client.get("/operations/config", headers=session)
    assert answer.status_code == 503
    assert traced.request.status.status_code == StatusCode.ERROR
    assert (traced.request.attributes or {})["error.type"] == "BackendUnavailable"


async def test_probes_are_not_traced() -> None:
    traced = Traced(World())
    await traced.client.get("/health/live")
    assert traced.spans == []


async def test_no_id_of_a_session_secret_or_personal_data_is_in_a_span() -> None:
    world = World()
    traced = Traced(world)
    cart = await world.cart(shippingAddress={"country": "DE", "lastName": "Vogelsang"})
    session = await world.session(cart["id"])
    started = await traced.client.post(
        "/payments?email=jenny@example.com&ctsid=typed", headers=session
    )
    await traced.client.get("/api/v1/orders/typed-by-somebody?token=typed-too")
    text = "\n".join(span.to_json() for span in traced.spans)
    for private in (
        session["x-session-id"],
        cart["id"],
        started.json()["clientSecret"],
        "sk_test",
        "Vogelsang",
        "jenny",
        "typed",
    ):
        assert private not in text


async def test_log_lines_of_a_traced_request_carry_its_trace() -> None:
    traced = Traced(World())
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonFormatter().format(record))

    handler, root = Keep(), logging.getLogger("stripe_connector")
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        await traced.client.get("/operations/config", headers={"traceparent": CALLER})
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    [line] = lines
    assert '"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"' in line


# The collector


@asynccontextmanager
async def lifespan(app: ASGIApp) -> AsyncIterator[None]:
    """An application between its start and its end, as a server runs it."""
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    outbox: asyncio.Queue[Message] = asyncio.Queue()
    running = asyncio.ensure_future(app({"type": "lifespan", "state": {}}, inbox.get, outbox.put))
    for moment in ("startup", "shutdown"):
        await inbox.put({"type": f"lifespan.{moment}"})
        assert (await outbox.get())["type"] == f"lifespan.{moment}.complete"
        if moment == "startup":
            yield
    await running


async def test_spans_reach_the_configured_collector_before_the_processor_ends() -> None:
    with collector() as (address, taken):
        world = World()
        settings = load_settings(
            {**world.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": f"{address}/"}
        )
        app = create_app(
            settings,
            http=httpx.AsyncClient(transport=Wire(world.network)),
            clock=WorldClock(world.clock),
        )
        async with lifespan(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://p.test") as client:
                await client.get("/operations/config")
    [(path, body)] = taken
    assert path == "/v1/traces"
    request = ExportTraceServiceRequest.FromString(body)
    [resource] = request.resource_spans
    attributes = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert attributes["service.name"] == "stripe-connector"
    [span] = resource.scope_spans[0].spans
    assert span.name == "GET /operations/config"


# What it costs where it is switched off

_IMPORTED = """
import sys
from stripe_connector.app import create_app
from stripe_connector.settings import load_settings
create_app(load_settings({environment!r}))
for name in ("opentelemetry", "prometheus_client"):
    print(name, name in sys.modules)
"""


def imported(environment: dict[str, str]) -> dict[str, str]:
    """Which libraries a processor of its own process has imported by the time it could serve."""
    run = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", _IMPORTED.format(environment=environment)],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split() for line in run.stdout.splitlines())


def test_what_is_switched_off_is_not_imported() -> None:
    assert set(imported(dict(ENVIRONMENT)).values()) == {"False"}


def test_what_is_switched_on_is_imported() -> None:
    found = imported(
        {
            **ENVIRONMENT,
            "METRICS_TOKEN": "x" * 32,
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces",
        }
    )
    assert found["opentelemetry"] == found["prometheus_client"] == "True"
