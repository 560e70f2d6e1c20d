"""Files of Prometheus' text format, for a node exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


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


def write(path: Path, gauges: list[Gauge]) -> None:
    """Replace the file as a whole; raises OSError."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_text("\n".join([*(line for each in gauges for line in each.lines()), ""]))
    unfinished.replace(path)
