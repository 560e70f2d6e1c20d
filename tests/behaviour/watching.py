"""What somebody reads who watches a processor."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.world import World

TOKEN = "metrics-token-of-32-characters-x"
WATCHED = {"METRICS_TOKEN": TOKEN}


class Scrape:
    """The answer to one GET /metrics."""

    def __init__(self, text: str) -> None:
        families = text_string_to_metric_families(text)
        self._samples = [sample for family in families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The sum of all samples of a name, without the connector's prefix, and these labels."""
        return sum(sample.value for sample in self._of(name, labels))

    def labels(self, name: str, label: str) -> set[str]:
        """All values that a label has."""
        return {sample.labels[label] for sample in self._of(name, {})}

    def _of(self, name: str, labels: dict[str, str]) -> Iterator[Sample]:
        for sample in self._samples:
            if (
                sample.name == f"stripe_connector_{name}"
                and labels.items() <= sample.labels.items()
            ):
                yield sample


async def scrape(world: World) -> Scrape:
    """GET /metrics of the first processor."""
    answer = await world.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200, answer.text
    return Scrape(answer.text)
