"""The result of a command as metrics, for alerts: in a file, or sent to a collector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from msgspec import Struct

from stripe_connector.settings import Settings

metrics_file_option = click.option(
    "--metrics-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the result in Prometheus' text format, replaced at the end.",
)
metrics_otlp_option = click.option(
    "--metrics-otlp",
    is_flag=True,
    help="Send the result to OTEL_EXPORTER_OTLP_ENDPOINT at the end.",
)


class Gauge(Struct, frozen=True):
    """One gauge without labels, or with a value for each value of one label."""

    name: str
    help: str
    value: float | Mapping[str, float]
    label: str = ""

    def lines(self) -> list[str]:
        head = [f"# HELP {self.name} {self.help}", f"# TYPE {self.name} gauge"]
        if isinstance(self.value, Mapping):
            samples = self.value.items()
            return [*head, *(f'{self.name}{{{self.label}="{key}"}} {n:.0f}' for key, n in samples)]
        return [*head, f"{self.name} {self.value:.0f}"]


def collector_url(settings: Settings, *, otlp: bool) -> str | None:
    """Where `--metrics-otlp` sends the result; raises UsageError where no collector is set."""
    if not otlp:
        return None
    if settings.otel_exporter_otlp_endpoint is None:
        raise click.UsageError("--metrics-otlp needs OTEL_EXPORTER_OTLP_ENDPOINT.")
    return f"{settings.otel_exporter_otlp_endpoint}/v1/metrics"


def publish(gauges: Sequence[Gauge], file: Path | None, collector: str | None) -> bool:
    """Write and send the result; returns whether it arrived. Raises OSError."""
    if file is not None:
        _write(file, gauges)
    if collector is None:
        return True
    from stripe_connector.ops.otlp_metrics import send  # the SDK takes time to import

    return send(collector, gauges)


NOT_TAKEN = "The collector of OTEL_EXPORTER_OTLP_ENDPOINT did not take the metrics."


def _write(path: Path, gauges: Sequence[Gauge]) -> None:
    """Replace the file of Prometheus' text format as a whole."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_text("\n".join([*(line for each in gauges for line in each.lines()), ""]))
    unfinished.replace(path)
