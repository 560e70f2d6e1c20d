"""Everything is recorded once, in a world of its own for each walk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.contract import dashboard, scenarios
from tests.contract.prepared import Laboratory
from tests.contract.published import Contract
from tests.contract.traffic import Traffic

_REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def traffic() -> Traffic:
    """All calls of the processor and all answers and events of the stand-ins."""

    async def record() -> Traffic:
        traffic = Traffic()
        for walk, environment in scenarios.WALKS:
            await traffic.record(walk, environment)
        for other in dashboard.WALKS:
            await traffic.record(other)
        return traffic

    return asyncio.run(record())


@pytest.fixture(scope="session")
def contract() -> Contract:
    """commercetools' published contract of the HTTP API, which is not part of the repository."""
    return _published("commercetools-api.json")


@pytest.fixture(scope="session")
def checkout() -> Contract:
    """The one of Checkout."""
    return _published("commercetools-checkout-api.json")


@pytest.fixture(scope="session")
def fixtures() -> dict[str, dict[str, Any]]:
    """Stripe's published fixtures by the kind of object, each of them a published contract."""
    resources: dict[str, dict[str, Any]] = msgspec.json.decode(
        _found("stripe-fixtures.json").read_bytes()
    )["resources"]
    return resources


def _published(name: str) -> Contract:
    return Contract(_found(name))


def _found(name: str) -> Path:
    """Looked for in PUBLISHED_CONTRACTS, else in `shared/contracts` beside the repository."""
    named = os.environ.get("PUBLISHED_CONTRACTS")
    folder = Path(named) if named else _REPOSITORY.parent / "shared" / "contracts"
    source = folder / name
    if not source.is_file():
        missing = f"NOT CHECKED: the published contract is not at {source}"
        if named:
            pytest.fail(missing)
        pytest.skip(missing)
    return source


@pytest.fixture(scope="module")
def asked() -> Iterator[Laboratory]:
    """For GET, which may be repeated: all requests of this kind ask one world."""
    with closing(Laboratory()) as found:
        yield found


@pytest.fixture
def laboratory(operation: Any, request: pytest.FixtureRequest) -> Iterator[Laboratory]:
    """For requests that use up what is there: a world of their own."""
    if operation.method == "get":
        yield request.getfixturevalue("asked")
        return
    with closing(Laboratory()) as found:
        yield found
