"""Metrics and traces as configured; what is switched off is not imported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.types import Scope

from stripe_connector.clock import Clock
from stripe_connector.context import Trace
from stripe_connector.gateways.outgoing import Called
from stripe_connector.http.middleware import Answered
from stripe_connector.http.routing import Refused
from stripe_connector.http.webhook_routes import Delivered
from stripe_connector.observability.observer import Observer
from stripe_connector.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from stripe_connector.observability.metrics import Metrics
    from stripe_connector.observability.traces import Traces


class Telemetry(Observer):
    """Passes events to the metrics and traces that are switched on."""

    def __init__(self, metrics: Metrics | None = None, traces: Traces | None = None) -> None:
        self.metrics = metrics
        self._traces = traces
        self._observers: Sequence[Observer] = [each for each in (metrics, traces) if each]

    async def close(self) -> None:
        """Send the last spans; blocks until the collector answers, so not on the event loop."""
        if self._traces is not None:
            await asyncio.to_thread(self._traces.close)

    def begun(self, scope: Scope) -> Trace | None:
        return self._traces.begun(scope) if self._traces else None

    def answered(self, request: Answered) -> None:
        for observer in self._observers:
            observer.answered(request)

    def refused(self, refusal: Refused) -> None:
        for observer in self._observers:
            observer.refused(refusal)

    def called(self, call: Called) -> None:
        for observer in self._observers:
            observer.called(call)

    def delivered(self, delivery: Delivered) -> None:
        for observer in self._observers:
            observer.delivered(delivery)

    def mismatched(self) -> None:
        for observer in self._observers:
            observer.mismatched()

    def order_failed(self) -> None:
        for observer in self._observers:
            observer.order_failed()

    def job_refused(self) -> None:
        for observer in self._observers:
            observer.job_refused()

    def waiting(self, type_: str, lapses: bool) -> None:
        for observer in self._observers:
            observer.waiting(type_, lapses)


def create_telemetry(
    settings: Settings,
    clock: Clock,
    *,
    in_progress: Callable[[], int],
    tracer_provider: TracerProvider | None = None,
) -> Telemetry:
    """Metrics and traces for the settings; `tracer_provider` replaces the one with a collector."""
    metrics = traces = None
    if settings.metrics_token:
        from stripe_connector.observability.metrics import Metrics

        metrics = Metrics(clock, in_progress=in_progress)
    if tracer_provider is None and (endpoint := _traces_endpoint(settings)) is not None:
        from stripe_connector.observability.traces import create_provider

        tracer_provider = create_provider(endpoint)
    if tracer_provider is not None:
        from stripe_connector.observability.traces import Traces

        traces = Traces(tracer_provider)
    return Telemetry(metrics, traces)


def _traces_endpoint(settings: Settings) -> str | None:
    """The collector's URL for traces, by OpenTelemetry's specification of the exporter."""
    if settings.otel_exporter_otlp_traces_endpoint is not None:
        return settings.otel_exporter_otlp_traces_endpoint
    if settings.otel_exporter_otlp_endpoint is not None:
        return f"{settings.otel_exporter_otlp_endpoint}/v1/traces"
    return None
