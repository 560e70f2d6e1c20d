"""Each operation of the benchmark does before its backends what its name says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from bench.backend import Backends
from bench.client import Request
from bench.growth import GROWTHS, SETTINGS, Growth
from bench.operations import OPERATIONS, Operation
from bench.processes import processor_environment
from bench.samples import Samples, make_samples
from stripe_connector.app import create_app
from stripe_connector.settings import load_settings


@pytest.fixture(scope="module")
def samples() -> Samples:
    return make_samples()


class Stage:
    """A processor in this process, before the benchmark's backends."""

    def __init__(self, samples: Samples, settings: Mapping[str, str]) -> None:
        self.backends = Backends(samples)
        self.calls: list[str] = []
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        environment = processor_environment(8080, 8081) | dict(settings)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(
                app=create_app(load_settings(environment), http=self.http)
            ),
            base_url="http://processor.test",
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode()
        self.calls.append(f"{request.method} {target}")
        reply = self.backends.answer(request.method, target, request.content)
        return httpx.Response(reply.status, content=reply.body)

    async def send(self, wanted: Request) -> httpx.Response:
        """Send the bytes that the load generator would."""
        head, _, body = wanted.wire.partition(b"\r\n\r\n")
        line, *headers = head.decode().split("\r\n")
        method, path, _ = line.split(" ")
        fields = dict(header.split(": ", 1) for header in headers)
        return await self.client.request(method, path, headers=fields, content=body)


@pytest.fixture
async def stage(samples: Samples) -> AsyncIterator[Stage]:
    stage = Stage(samples, {})
    async with stage.http, stage.client:
        yield stage


@pytest.fixture
async def growing_stage(samples: Samples) -> AsyncIterator[Stage]:
    stage = Stage(samples, SETTINGS)
    async with stage.http, stage.client:
        yield stage


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
async def test_it_is_answered_as_meant_with_no_more_calls_than_its_target_allows(
    operation: Operation, stage: Stage
) -> None:
    # The first shopper's request pays for the access token.
    for situation in stage.backends.prepare(operation.kind, 2, operation.size):
        if operation.before is not None:
            answer = await stage.send(operation.before(situation))
            assert answer.status_code == 200, answer.text
        stage.calls.clear()
        answer = await stage.send(operation.build(situation))
        assert answer.status_code == 200, answer.text
        assert operation.build(situation).expected in answer.content
    parallel = 2
    assert operation.calls <= len(stage.calls) <= operation.calls + parallel


def test_a_backend_refuses_what_it_does_not_know(samples: Samples) -> None:
    backends = Backends(samples)
    assert backends.answer("GET", "/nothing/here", b"").status == 404
    assert backends.answer("GET", "/sandbox/payments/unknown", b"").status == 404


@pytest.mark.parametrize("growth", GROWTHS, ids=lambda each: f"{each.workload.name} {each.unit}")
async def test_a_workload_is_answered_as_meant_at_its_largest(
    growing_stage: Stage, growth: Growth
) -> None:
    stage, workload = growing_stage, growth.workload
    [situation] = stage.backends.prepare(workload.kind, 1, growth.size(growth.sizes[2]))
    if workload.before is not None:
        await stage.send(workload.before(situation))
    wanted = workload.build(situation)

    answer = await stage.send(wanted)

    assert answer.status_code in (200, 201), answer.text
    assert wanted.expected in answer.content
