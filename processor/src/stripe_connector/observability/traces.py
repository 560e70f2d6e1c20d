"""Traces for OpenTelemetry: a span per request, with a child span per try of a backend call.

Imported only where traces are switched on: the SDK takes time to import, and memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue
from starlette.types import Scope

from stripe_connector import __version__, context
from stripe_connector.gateways.outgoing import Called
from stripe_connector.http.middleware import Answered
from stripe_connector.observability import labels
from stripe_connector.observability.observer import Observer

_HEADERS = {b"traceparent", b"tracestate"}
_propagator = TraceContextTextMapPropagator()


def create_provider(endpoint: str) -> TracerProvider:
    """Sends spans to a collector's URL, in batches, from a thread of its own.

    The SDK reads headers, sampler, resource attributes and the rest from the standard OTEL_
    variables.
    """
    ours = Resource({"service.name": "stripe-connector", "service.version": __version__})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return provider


class Traces(Observer):
    """Creates spans from the processor's events.

    They hold templates of paths, ids that the log holds too, and no text of a caller.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("stripe_connector", __version__)

    def close(self) -> None:
        """Send remaining spans; waits for the collector."""
        self._provider.shutdown()

    def begun(self, scope: Scope) -> context.Trace | None:
        carrier = {
            name.decode(): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in _HEADERS
        }
        caller = _propagator.extract(carrier, Context())
        span = self._tracer.start_span(scope["method"], caller, SpanKind.SERVER)
        # The span has no id where OTEL_SDK_DISABLED is set.
        return _Trace(span) if span.get_span_context().is_valid else None

    def answered(self, request: Answered) -> None:
        current = context.current.get()
        if current is None or not isinstance(current.trace, _Trace) or request.probe:
            return  # a span that does not end is not sent
        span = current.trace.span
        span.update_name(f"{request.method} {request.route}")
        span.set_attributes(dict(_described(request, current)))
        if request.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def called(self, call: Called) -> None:
        operation = labels.operation_label(call)
        attributes: dict[str, AttributeValue] = {
            "peer.service": labels.backend(call),
            "http.request.method": call.method,
            "url.template": operation,
        }
        if call.status is not None:
            attributes["http.response.status_code"] = call.status
        if call.tries > 1:
            attributes["http.request.resend_count"] = call.tries - 1
        ended = time.time_ns()
        span = self._tracer.start_span(
            f"{call.method} {operation}",
            _parent(),
            SpanKind.CLIENT,
            attributes,
            start_time=ended - int(call.seconds * 1e9),
        )
        if call.status is None or call.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)


class _Trace:
    """The span of a request, for the request's context."""

    def __init__(self, span: Span) -> None:
        self.span = span

    @property
    def id(self) -> str:
        return f"{self.span.get_span_context().trace_id:032x}"


def _parent() -> Context:
    """The span of the current request; None outside of one, as when an access token is renewed."""
    current = context.current.get()
    if current is not None and isinstance(current.trace, _Trace):
        return set_span_in_context(current.trace.span, Context())
    return Context()


def _described(
    request: Answered, current: context.RequestContext
) -> Iterator[tuple[str, AttributeValue]]:
    yield "http.request.method", request.method
    yield "http.route", request.route
    yield "http.response.status_code", request.status
    yield "stripe_connector.correlation_id", current.correlation_id
    if request.error is not None:
        yield "error.type", request.error
    if (payment := current.log.get("payment")) is not None:
        yield "stripe_connector.payment_id", str(payment)
    if (event := current.log.get("eventType")) is not None:
        yield "stripe_connector.event_type", str(event)
