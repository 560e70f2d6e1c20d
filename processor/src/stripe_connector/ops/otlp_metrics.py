"""Sends a command's result to an OpenTelemetry collector; imported only where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult
from opentelemetry.sdk.resources import OTELResourceDetector, Resource

from stripe_connector import __version__
from stripe_connector.ops.result_metrics import Gauge


def send(endpoint: str, gauges: Sequence[Gauge]) -> bool:
    """Send the gauges once; returns whether the collector took them.

    Blocks at most OTEL_EXPORTER_OTLP_TIMEOUT. The SDK reads headers and resource attributes from
    the standard OTEL_ variables.
    """
    reader = InMemoryMetricReader()
    ours = Resource({"service.name": "stripe-connector", "service.version": __version__})
    resource = ours.merge(OTELResourceDetector().detect())
    meter = MeterProvider([reader], resource, shutdown_on_exit=False).get_meter("stripe_connector")
    for each in gauges:
        gauge = meter.create_gauge(each.name, description=each.help)
        if isinstance(each.value, Mapping):
            for key, number in each.value.items():
                gauge.set(float(number), {each.label: key})
        else:
            gauge.set(float(each.value))
    measured = reader.get_metrics_data()
    if measured is None:
        return True  # OTEL_SDK_DISABLED
    exporter = OTLPMetricExporter(endpoint=endpoint)
    try:
        return exporter.export(measured) is MetricExportResult.SUCCESS
    finally:
        exporter.shutdown()
