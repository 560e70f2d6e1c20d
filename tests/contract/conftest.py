"""Everything is recorded once, in a world of its own for each walk."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.contract import dashboard, scenarios
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
    """commercetools' published contract, which is not part of the repository.

    Looked for in COMMERCETOOLS_CONTRACTS, else in `shared/contracts` beside the repository.
    """
    named = os.environ.get("COMMERCETOOLS_CONTRACTS")
    folder = Path(named) if named else _REPOSITORY.parent / "shared" / "contracts"
    source = folder / "commercetools-api.json"
    if not source.is_file():
        missing = f"NOT CHECKED: commercetools' published contract is not at {source}"
        if named:
            pytest.fail(missing)
        pytest.skip(missing)
    return Contract(source)
