"""Prometheus and its node exporter, as an operator sets them up, with short intervals."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from sandbox.addresses import LOOPBACK, url
from soak.instances import METRICS_TOKEN

PROMETHEUS, EXPORTER = "prometheus", "prometheus-node-exporter"
"""Commands of Debian's packages of the same names."""
_LOOK_S = 0.5

_CONFIGURATION = """\
global:
  scrape_interval: 500ms
  scrape_timeout: 500ms
  evaluation_interval: 500ms
rule_files: [rules.yaml]
scrape_configs:
  - job_name: stripe-connector
    authorization: {{credentials: {token}}}
    static_configs: [{{targets: {processors}}}]
  - job_name: node
    static_configs: [{{targets: {exporter}}}]
"""


class _Sample(Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Data(Struct):
    result: list[_Sample]


class _Answer(Struct):
    data: _Data


class Prometheus:
    """Answers what is firing."""

    def __init__(self, port: int, client: httpx.AsyncClient) -> None:
        self._query = f"{url(port)}/api/v1/query"
        self._client = client

    async def value(self, expression: str) -> float:
        """The sum of an expression's samples; 0 where there is none."""
        return sum(float(each.value[1]) for each in await self._samples(expression))

    async def firing(self) -> set[str]:
        """The alerts that fire now."""
        return await self._alerts('ALERTS{alertstate="firing"}')

    async def fired(self, seconds: int) -> set[str]:
        """The alerts that fired at any time in the last seconds."""
        return await self._alerts(f'count_over_time(ALERTS{{alertstate="firing"}}[{seconds}s])')

    async def wait_until_ready(self) -> None:
        """Until both processors and the exporter have been scraped."""
        async with asyncio.timeout(120):
            while True:
                if await self._scraped() >= 3:
                    return
                await asyncio.sleep(_LOOK_S)

    async def _scraped(self) -> float:
        try:
            return await self.value("sum(up)")
        except httpx.TransportError:
            return 0

    async def _alerts(self, expression: str) -> set[str]:
        return {each.metric["alertname"] for each in await self._samples(expression)}

    async def _samples(self, expression: str) -> list[_Sample]:
        answer = await self._client.get(self._query, params={"query": expression})
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=_Answer, strict=False).data.result


@contextmanager
def watching(
    folder: Path, rules: str, port: int, exporter: int, processors: Sequence[int]
) -> Iterator[Path]:
    """Both programs, with these rules; the folder whose `.prom` files the exporter reads."""
    files = folder / "textfiles"
    files.mkdir()
    (folder / "rules.yaml").write_text(rules)
    (folder / "prometheus.yaml").write_text(
        _CONFIGURATION.format(
            token=METRICS_TOKEN,
            processors=msgspec.json.encode([f"{LOOPBACK}:{each}" for each in processors]).decode(),
            exporter=msgspec.json.encode([f"{LOOPBACK}:{exporter}"]).decode(),
        )
    )
    commands = (
        [
            PROMETHEUS,
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={LOOPBACK}:{port}",
        ],
        [
            EXPORTER,
            "--collector.disable-defaults",
            "--collector.textfile",
            f"--collector.textfile.directory={files}",
            f"--web.listen-address={LOOPBACK}:{exporter}",
        ],
    )
    running: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            with (folder / f"{command[0]}.log").open("wb") as log:
                running.append(subprocess.Popen(command, stdout=log, stderr=log))  # noqa: S603
        yield files
    finally:
        for each in running:
            each.terminate()
        for each in running:
            each.wait()
