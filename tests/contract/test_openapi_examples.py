"""Every example of the interface's description is a request that is carried out."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.contract.prepared import Json, Laboratory
from tests.contract.test_openapi_fuzzing import BASE, OPERATIONS, Fuzzer, Operation, named

_OPTIONAL_SECRETS = ("X-Storefront-Token", "buy_now")
"""Signed by others for who has them; nothing is asked of callers without."""


class Example:
    """The request that the examples of an operation make, about what there is in a world."""

    def __init__(self, laboratory: Laboratory, operation: Operation) -> None:
        self._known = laboratory.prepared
        self._path = operation.path
        self._described: Json = operation.definition.raw

    def parameters(self, place: str) -> dict[str, str]:
        return {
            each["name"]: str(self._real(each["name"], each["example"]))
            for each in self._described.get("parameters", [])
            if each["in"] == place and each["name"] not in _OPTIONAL_SECRETS
        }

    def body(self) -> Json | None:
        described = self._described.get("requestBody")
        if described is None:
            return None
        example: Json = self._in_world(described["content"]["application/json"]["example"])
        return example

    def _real(self, name: str, example: Any) -> Any:
        """What the world has by this name, since ids differ from world to world."""
        if not isinstance(example, str):
            return self._in_world(example)
        return self._known.value(self._path, name, _INDEX.get(self._path, 0)) or example

    def _in_world(self, example: Any) -> Any:
        match example:
            case dict():
                return {name: self._real(name, value) for name, value in example.items()}
            case list():
                return [self._in_world(each) for each in example]
        return example


_INDEX = {
    "/confirmPayments/{id}": 2,  # one that is confirmed at Stripe
    "/operations/payment-intents/{id}": 2,  # one that is captured
    "/operations/transactions": 3,  # the card's newest token
    "/api/v1/orders/{id}": 1,  # one that is paid
}


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_the_example_is_carried_out(laboratory: Laboratory, operation: Operation) -> None:
    example = Example(laboratory, operation)
    path, query = example.parameters("path"), example.parameters("query")
    address = operation.path.format(**{name: quote(v, safe="") for name, v in path.items()})
    url = f"{BASE}{address}?{urlencode(query)}" if query else f"{BASE}{address}"
    body = example.body()
    content = b"" if body is None else json.dumps(body).encode()
    headers = example.parameters("header")
    if body is not None:
        headers["Content-Type"] = "application/json"
    case = operation.Case(path_parameters=path, query=query, headers=headers)
    answer = Fuzzer(laboratory).send(case, _INDEX.get(operation.path, 0), url, headers, content)
    assert answer.status_code < 400, answer.text
