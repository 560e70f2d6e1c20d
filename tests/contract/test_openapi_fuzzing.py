"""Whatever is sent to whatever route, the answer is one that the interface's description names.

The world behind is healthy, so no answer may be a 5xx. `FUZZ_EXAMPLES` sets the number of requests
per operation; more than there are by default are random.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.result import Ok

from tests.contract.prepared import EVERYTHING, Json, Laboratory
from tests.world import World

Operation = APIOperation[Any, Any, Any, Any]
AnyCase = Case[Any]

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "20"))
fuzzing = settings(
    max_examples=EXAMPLES,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
BASE = "http://processor.test"
ODD_TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "\u202e\ufeff\U0001f4a9",
    "..%2f..",
    "%00",
    "'\"<>;--",
    "9" * 400,
]
ODD_BODIES = [
    b"",
    b"\0",
    b"null",
    b"[]",
    b'""',
    b"{}{}",
    b"\xff\xfe{\0}\0",
    b'{"id": "\xed\xa0\x80"}',
    b'{"id": "\\ud800", "code": "\\ud800", "orderId": "\\u0000", "order_id": "\\ud800"}',
    b'{"actions": [{"action": "\\ud800"}], "version": 1e400}',
    b'{"a": ' * 2_000,
    b"[" * 100_000,
    b'{"orderId": "' + b"x" * 100_000 + b'"}',
    b'{"id": ' + b"9" * 5_000 + b"}",
    b"x" * 2**21,
]
ODD_TYPES = [
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/json; charset=utf-16",
    "\xfc/;=",
    "",
]


async def _description() -> Json:
    return dict((await World(EVERYTHING).client.get("/openapi.json")).json())


DOCUMENT = asyncio.run(_description())
OPERATIONS: list[Operation] = [
    found.ok()
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    if isinstance(found, Ok)
]


def _can_be_wrong(operation: Operation) -> bool:
    """Whether there is anything in a request that is more than a text."""
    described = operation.definition.raw
    return "requestBody" in described or any(
        (each.get("required") and each["in"] == "query") or len(each.get("schema", {})) > 1
        for each in described.get("parameters", [])
    )


def named(operation: Operation) -> str:
    return f"{operation.method.upper()} {operation.path}"


def _texts(operation: Operation) -> list[tuple[str, str]]:
    """Names and places of the parameters in the address."""
    parameters = operation.definition.raw.get("parameters", [])
    return [(each["name"], each["in"]) for each in parameters if each["in"] in ("path", "query")]


def _in_path(operation: Operation) -> list[str]:
    return [name for name, place in _texts(operation) if place == "path"]


every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=named)


@pytest.fixture(scope="module")
def battered() -> Iterator[Laboratory]:
    """For requests that are hardly ever carried out; what they change, they change for all."""
    with closing(Laboratory()) as found:
        yield found


class Fuzzer:
    """Completes generated requests with what is known, sends them and checks the answers."""

    def __init__(self, laboratory: Laboratory) -> None:
        self._laboratory = laboratory
        self._prepared = laboratory.prepared

    def run(self, case: AnyCase, chance: Random) -> httpx.Response:
        """Send a case as somebody who may; about half of the values are real ones."""
        index = chance.randrange(12)
        self._make_real(case, index, chance)
        wire = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
        body = wire.body.encode() if isinstance(wire.body, str) else wire.body or b""
        assert isinstance(body, bytes)
        return self.send(case, index, str(wire.url), wire.headers, body)

    def send(
        self, case: AnyCase, index: int, url: str, headers: Mapping[str, str | bytes], body: bytes
    ) -> httpx.Response:
        sent = {name.lower(): value for name, value in headers.items()}
        for scheme in _schemes(case.operation):
            credential = self._prepared.headers(scheme, index, body)
            sent |= {name.lower(): value for name, value in credential.items()}
        raw = [(name.encode(), _encoded(value)) for name, value in sent.items()]
        request = httpx.Request(case.method, url, headers=raw, content=body)
        answer = self._laboratory.send(request)
        case.validate_response(answer, checks=CHECKS)
        return answer

    def send_odd(self, case: AnyCase, body: bytes, media_type: str) -> httpx.Response:
        """Send a body as it is, to what the case names."""
        self._make_real(case, 0, Random(0))
        return self.send(case, 0, BASE + case.formatted_path, {"Content-Type": media_type}, body)

    def _make_real(self, case: AnyCase, index: int, chance: Random) -> None:
        path = case.operation.path
        for part in (case.path_parameters, case.query, case.headers):
            for name in list(part or {}):
                value = self._prepared.value(path, name, index)
                if value is not None and chance.random() < 0.8:
                    part[name] = value
        if "/webhook" in path and chance.random() < 0.5:
            case.body = chance.choice(self._prepared.world.stripe.events)
        elif chance.random() < 0.8:
            case.body = self._with_real(case.body, path, index, chance)

    def _with_real(self, value: Any, path: str, index: int, chance: Random) -> Any:
        match value:
            case dict():
                return {name: self._real(name, v, path, index, chance) for name, v in value.items()}
            case list():
                return [self._with_real(each, path, index, chance) for each in value]
        return value

    def _real(self, name: str, value: Any, path: str, index: int, chance: Random) -> Any:
        known = self._prepared.value(path, name, index)
        if known is None or chance.random() < 0.2:
            return self._with_real(value, path, index, chance)
        return known


def _schemes(operation: Operation) -> set[str]:
    """Names of the security schemes, of which each alternative has one."""
    return {scheme for each in operation.definition.raw["security"] for scheme in each}


def _encoded(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8")


def _fuzz(
    laboratory: Laboratory, operation: Operation, mode: GenerationMode, examples: int = EXAMPLES
) -> set[int]:
    """The statuses that were answered."""
    fuzzer = Fuzzer(laboratory)
    statuses: set[int] = set()

    @settings(fuzzing, max_examples=examples)
    @given(
        case=operation.as_strategy(generation_mode=mode),
        seed=st.integers(0, 2**32),
    )
    def answers_as_described(case: AnyCase, seed: int) -> None:
        statuses.add(fuzzer.run(case, Random(seed)).status_code)

    answers_as_described()
    return statuses


@every_operation
def test_requests_as_described_are_answered_as_described(
    laboratory: Laboratory, operation: Operation
) -> None:
    statuses = _fuzz(laboratory, operation, GenerationMode.POSITIVE)
    if not any(status < 400 for status in statuses):  # by chance: few of them have only real values
        statuses = _fuzz(laboratory, operation, GenerationMode.POSITIVE, 20 * EXAMPLES)
    assert any(status < 400 for status in statuses), "None of the requests was carried out."


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if _can_be_wrong(each)], ids=named
)
def test_wrong_requests_are_answered_as_described(
    battered: Laboratory, operation: Operation
) -> None:
    _fuzz(battered, operation, GenerationMode.NEGATIVE)


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if "requestBody" in each.definition.raw],
    ids=named,
)
def test_odd_bodies_are_answered_as_described(battered: Laboratory, operation: Operation) -> None:
    fuzzer = Fuzzer(battered)
    for body in ODD_BODIES:
        for media_type in ODD_TYPES:
            case = operation.Case(path_parameters=dict.fromkeys(_in_path(operation), "x"))
            fuzzer.send_odd(case, body, media_type)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if _texts(each)], ids=named)
def test_odd_texts_are_answered_as_described(battered: Laboratory, operation: Operation) -> None:
    fuzzer = Fuzzer(battered)
    for name, place in _texts(operation):
        for text in ODD_TEXTS[2 if place == "path" else 0 :]:
            path = dict.fromkeys(_in_path(operation), "x")
            query: dict[str, str] = {}
            (path if place == "path" else query)[name] = text
            url = BASE + operation.path.format(**{n: quote(v, safe="") for n, v in path.items()})
            case = operation.Case(path_parameters=path, query=query)
            fuzzer.send(case, 0, f"{url}?{urlencode(query)}", {}, b"{}")
